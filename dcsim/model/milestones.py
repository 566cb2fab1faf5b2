"""What an entity has reached, by which trail, and who waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dcsim.engine.trail import Trail, latest

Then = Callable[[Trail], None]


class Milestones:
    """Names reached, each with the trail that led there; names of a parent (the site of a phase) are found too."""

    __slots__ = ("_own", "_parent", "_waiting", "reached")

    def __init__(self, own: Iterable[str], parent: Milestones | None = None) -> None:
        """`own` are the names that are reached here; all others are asked of `parent`."""
        self._own = frozenset(own)
        self._parent = parent
        self._waiting: dict[str, list[Then]] = {}
        self.reached: dict[str, Trail] = {}

    def reach(self, name: str, trail: Trail) -> None:
        """Mark `name` as reached and start what waits for it; reaching it again does nothing."""
        if name in self.reached:
            return
        self.reached[name] = trail
        for then in self._waiting.pop(name, ()):
            then(trail)

    def get(self, name: str) -> Trail | None:
        """The trail of `name`, here or above; None if not yet reached."""
        holder = self._holder(name)
        return holder.reached.get(name)

    def on(self, name: str, then: Then) -> None:
        """Call `then(trail)` when `name` is reached, at once if it is."""
        holder = self._holder(name)
        trail = holder.reached.get(name)
        if trail is not None:
            then(trail)
        else:
            holder._waiting.setdefault(name, []).append(then)

    def on_all(self, names: tuple[str, ...], then: Then) -> None:
        """Call `then` with the latest trail when all names are reached (ties: first in the list)."""
        if len(names) == 1:
            self.on(names[0], then)
            return
        pending = [len(names)]
        trails: dict[str, Trail] = {}

        def one(name: str, trail: Trail) -> None:
            trails[name] = trail
            pending[0] -= 1
            if pending[0] == 0:
                then(latest(trails[n] for n in names))

        for name in names:
            self.on(name, lambda trail, name=name: one(name, trail))  # type: ignore[misc]

    def _holder(self, name: str) -> Milestones:
        here = self
        while name not in here._own and here._parent is not None:
            here = here._parent
        return here
