"""The append-only record of what happened, kept only when somebody wants to read it."""

from __future__ import annotations


class EventLog:
    """Rows of (minute, kind, entity, detail) in the order in which they happened.

    Not tracing (the default) it takes rows and keeps none, so callers need not ask.
    """

    __slots__ = ("rows", "tracing")

    def __init__(self, tracing: bool = False) -> None:
        self.tracing = tracing
        self.rows: list[tuple[int, str, str, str]] = []

    def add(self, minute: int, kind: str, entity: str, detail: str = "") -> None:
        """Append one row, if tracing."""
        if self.tracing:
            self.rows.append((minute, kind, entity, detail))
