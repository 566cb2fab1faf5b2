"""The command line: read the call, make it, print what comes of it, and end with the right status.

Nothing is imported before a command needs it, so that `--help` answers at once.
"""

from __future__ import annotations


def main() -> None:
    """The entry point: ends the process with a status.

    0 done, 1 the run failed, 2 the call is wrong, 3 something expected does not hold, 130 interrupted.
    """
    from dcsim.cli.group import cli

    cli()
