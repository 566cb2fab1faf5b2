"""What a guarantor has committed and could be called for, over time; and what came of it."""

from __future__ import annotations

from dataclasses import dataclass


class Standing:
    """Committed and active cover in dollars, as they stood at the end of each minute in which they changed."""

    __slots__ = ("active", "committed", "minutes")

    def __init__(self) -> None:
        self.minutes: list[int] = []
        self.committed: list[int] = []
        self.active: list[int] = []

    def add(self, minute: int, committed: int, active: int = 0) -> None:
        """Both change by so much; a minute before the start counts as the start."""
        at = max(0, minute)
        if not self.minutes or at > self.minutes[-1]:
            self.minutes.append(at)
            self.committed.append(self.committed[-1] if self.committed else 0)
            self.active.append(self.active[-1] if self.active else 0)
        self.committed[-1] += committed
        self.active[-1] += active

    def __eq__(self, other: object) -> bool:
        """Whether the same stood at the same times."""
        if not isinstance(other, Standing):
            return NotImplemented
        mine, others = (self.minutes, self.committed, self.active), (other.minutes, other.committed, other.active)
        return mine == others

    @property
    def now(self) -> tuple[int, int]:
        """(committed, active) as they stand."""
        return (self.committed[-1], self.active[-1]) if self.minutes else (0, 0)

    @property
    def peak_committed(self) -> int:
        return max(self.committed, default=0)

    @property
    def peak_active(self) -> int:
        return max(self.active, default=0)


@dataclass(slots=True)
class Tally:
    """What guarantees came to: counts and whole dollars."""

    calls: int = 0
    """Demands that reached a guarantor who had to answer for them."""
    paid: int = 0
    """Payments under guarantees, termination fees included."""
    warrants: int = 0
    """Worth of warrants; no cash."""
    unmet: int = 0
    """Claims that a guarantor who had failed did not pay: losses that the cover did not cover."""

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.calls + other.calls,
            self.paid + other.paid,
            self.warrants + other.warrants,
            self.unmet + other.unmet,
        )


def together(standings: list[Standing]) -> Standing:
    """The sum of several over time: of one tenant's cover from several guarantors, say."""
    out = Standing()
    changes = []
    for order, standing in enumerate(standings):
        before = (0, 0)
        for minute, committed, active in zip(standing.minutes, standing.committed, standing.active, strict=True):
            changes.append((minute, order, committed - before[0], active - before[1]))
            before = (committed, active)
    for minute, _, committed, active in sorted(changes):
        out.add(minute, committed, active)
    return out
