"""The audit at the end of a run: the books of every pool balance, and whoever still waits waits for something named."""

from __future__ import annotations

from collections.abc import Iterable

from dcsim.engine.clock import Clock, NamedProcess
from dcsim.engine.pool import Pool
from dcsim.errors import ModelError


def audit(clock: Clock, pools: Iterable[Pool]) -> list[tuple[str, str]]:
    """Who waits for what when the run is over: in the queues of the pools, in networks, and as processes.

    Every pool made on the clock and every network is looked at; the books are checked of those handed over.

    Raises ModelError if the holdings of a pool do not add up, something is left to hand out, or somebody waits without
    a name or for something that has none.
    """
    for pool in pools:
        pool.audit()
    found: list[tuple[str, str]] = []
    for place in clock.audited:
        found += place.waiting()
    for process in clock.processes:
        if process.is_alive:
            found.append((process.who, _awaited(process)))
    for who, what in found:
        if not who or not what:
            raise ModelError(f"{who or 'somebody without a name'} waits for {what or 'something that has no name'}")
    return found


def _awaited(process: NamedProcess) -> str:
    """What a process waits for: the reason of its sleep, the name of its event, or another process."""
    target = process.target
    return str(getattr(target, "why", "") or getattr(target, "who", ""))
