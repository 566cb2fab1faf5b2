"""A scenario to start from: complete, runnable, with every field shown or named in a comment."""

from __future__ import annotations

from importlib.resources import files


def template() -> str:
    """The text of the scenario that `dcsim init` writes."""
    return files("dcsim.scenario").joinpath("template.yaml").read_text(encoding="utf-8")
