"""The group of commands: loads one when it is called, and turns whatever is raised into a message and a status."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from dcsim.cli.output import DONE, FAILED, INTERRUPTED, WRONG, counted, flush, say, say_problems

COMMANDS = {
    "run": "Simulate a scenario, write its tables, print the answers.",
    "check": "Say whether scenarios are well formed, with every problem at once.",
    "explain": "Print the plan of a scenario step by step, every number at its median.",
    "compare": "Simulate variants with the same luck, and say what they change.",
    "stress": "Say who is hurt if a party fails, and through whom.",
    "network": "Print who owes, guarantees and supplies whom on a date.",
    "why": "Say what the days went to, and what made it late.",
    "trace": "Print every event of one replication.",
    "init": "Write a commented scenario to start from.",
    "schema": "Print the JSON schema of scenarios.",
}
"""Every command with what it does; each is `command` in the module `dcsim.cli.<name>`."""


class Commands(click.Group):
    """Commands that are imported when they are called; `--help` imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"dcsim.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name not in COMMANDS and not name.startswith("-"):
            from dcsim.errors import printable, suggest

            ctx.fail(f"no such command '{printable(name)}'{suggest(name, COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command and exit with its status."""
        kwargs["standalone_mode"] = False
        try:
            status = super().main(*args, **kwargs)
            status = status if isinstance(status, int) else DONE
        except Exception as error:  # noqa: BLE001 - the one place that turns errors into messages
            status = tell(error)
        except KeyboardInterrupt:
            say("interrupted")
            status = INTERRUPTED
        flush()
        sys.exit(status)


def tell(error: Exception) -> int:
    """Say what went wrong, without a traceback unless it is asked for; returns the exit status."""
    if isinstance(error, click.Abort):
        say("interrupted")
        return INTERRUPTED
    if isinstance(error, click.ClickException):
        error.show()
        return WRONG
    if isinstance(error, BrokenPipeError):
        return DONE
    from dcsim.errors import DcsimError, ScenarioError, UsageError, printable

    debug = debugging()
    if isinstance(error, ScenarioError):
        errors, _ = say_problems(error.problems)
        say(counted(errors, "problem"))
        return WRONG
    if isinstance(error, UsageError):
        say(f"error: {_line(error)}")
        return WRONG
    if debug:
        import traceback

        say("".join(traceback.format_exception(error)).rstrip())
    elif isinstance(error, DcsimError):
        say(f"error: {_line(error)}")
    elif isinstance(error, MemoryError):
        say("error: out of memory; ask for fewer tables (--tables) or workers")
    else:
        say(f"internal error: {type(error).__name__}: {printable(str(error))} (DCSIM_DEBUG=1 shows where)")
    return FAILED


def _line(error: Exception) -> str:
    """The message in one line, safe to print."""
    from dcsim.errors import printable

    return printable(str(error).replace("\n", "; ")) or type(error).__name__


def debugging() -> bool:
    """Whether tracebacks are wanted."""
    return os.environ.get("DCSIM_DEBUG", "") not in ("", "0")


def _debug(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        os.environ["DCSIM_DEBUG"] = "1"


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="dcsim", message="dcsim %(version)s")
@click.option("--debug", is_flag=True, hidden=True, expose_value=False, is_eager=True, callback=_debug)
def cli() -> None:
    """Simulate how AI labs build out leased data centers: dates, megawatts and probabilities.

    A scenario is a YAML file; `dcsim init` writes one to start from. Results go to stdout, messages to stderr.

    Exit status: 0 done, 1 the run failed, 2 the input or the call is wrong, 3 something expected does not hold,
    130 interrupted.
    """
