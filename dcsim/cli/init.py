"""`dcsim init`: a scenario to start from."""

from __future__ import annotations

import click

from dcsim.cli.output import DONE, say


@click.command(name="init", short_help="Write a commented scenario to start from.")
@click.argument("file")
def command(file: str) -> int:
    """Write a small commented scenario to FILE, to be changed line by line.

    It is complete and can be run at once; all of its numbers are guesses. An existing file is never replaced.
    """
    from dcsim.errors import UsageError, printable
    from dcsim.scenario.template import template

    try:
        with open(file, "x", encoding="utf-8", newline="\n") as out:
            out.write(template())
    except FileExistsError:
        raise UsageError(f"{printable(file)} exists already and is left as it is; choose another name") from None
    except OSError as error:
        raise UsageError(f"cannot write {printable(file)}: {error.strerror or error}") from error
    say(f"wrote {printable(file)}; next: dcsim check {printable(file)}, then dcsim run {printable(file)}")
    return DONE
