"""`dcsim schema`: what a scenario may hold, for editors."""

from __future__ import annotations

import click

from dcsim.cli.output import DONE, emit_json


@click.command(name="schema", short_help="Print the JSON schema of scenarios.")
def command() -> int:
    """Print the JSON schema of scenarios, which editors use to complete and check them."""
    from dcsim.scenario.describe import json_schema

    emit_json(json_schema())
    return DONE
