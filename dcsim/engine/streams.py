"""Uniform random numbers by address: (seed, name, replication, occurrence) and nothing else.

Every name has a key of its own, key = blake2b(name, digest_size=16, key=seed in 16 bytes little-endian,
person=b"dcsim/1"), read as two little-endian 64-bit words, for a Philox4x64-10 generator (Salmon et al., 2011,
"Parallel random numbers: as easy as 1, 2, 3"). One block of Philox is four words, its lanes:

- the draw that replication r makes *once* is lane r & 3 of the block at counter (r >> 2, 0, 0, 0);
- its k-th *repeat* (attempt, failure, month, ...) is lane k & 3 of the block at counter (k >> 2, r, 1, 0).

A word becomes u = ((word >> 12) + 1/2) * 2**-52, a midpoint that is never 0 or 1, and for which 1 - u is exact.
Workers, chunks, the order of events and the number of other draws do not enter, so an edited scenario keeps the luck
of everything it did not touch.
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dcsim.errors import UsageError

PAGE: Final = 16
"""Repeats fetched at a time."""

_WORD: Final = 2**64 - 1
_LAST_COUNTER: Final = 2**256 - 1


class Streams:
    """Uniforms of one seed, by name, replication and occurrence.

    Any answer depends on the arguments alone (and on `override`). Not for use by several threads at once: one
    generator serves all names and is re-keyed for each.

    Raises UsageError for a seed that is not a whole number in 0 .. 2**128 - 1.
    """

    __slots__ = ("_bits", "_keys", "_overrides", "_salt", "_state", "seed", "version")

    def __init__(self, seed: int) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise UsageError(f"seed: must be a whole number, got {seed!r}")
        if not 0 <= seed < 2**128:
            raise UsageError(f"seed: must be at least 0 and below 2**128, got {seed}")
        self.seed = seed
        self.version = 0
        """Grows with every override, so that whoever keeps columns knows that they are stale."""
        self._salt = seed.to_bytes(16, "little")
        self._bits = np.random.Philox(key=0)
        self._overrides: dict[str, float | NDArray[np.float64]] = {}
        self._keys: dict[str, list[int]] = {}
        # A drained buffer (position 4): the next word comes from a freshly computed block.
        self._state = {
            "bit_generator": "Philox",
            "state": {"counter": [0, 0, 0, 0], "key": [0, 0]},
            "buffer": [0, 0, 0, 0],
            "buffer_pos": 4,
            "has_uint32": 0,
            "uinteger": 0,
        }

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (self.seed, self._overrides)

    def block(self, name: str, first: int, n: int) -> NDArray[np.float64]:
        """The once-uniforms of replications first .. first + n - 1: shape (n,), each strictly between 0 and 1."""
        lane = first & 3
        uniforms = self._uniforms(name, first >> 2, lane + n)[lane:]
        forced = self._overrides.get(name)
        if isinstance(forced, float):
            uniforms[:] = forced
        elif forced is not None and first < len(forced):
            part = forced[first : first + n]
            uniforms[: len(part)] = part
        return uniforms

    def once(self, name: str, r: int) -> float:
        """The one uniform that replication `r` draws at `name`."""
        return float(self.block(name, r, 1)[0])

    def page(self, name: str, r: int, page: int) -> list[float]:
        """The repeats PAGE * page .. PAGE * page + PAGE - 1 of replication `r` at `name`."""
        forced = self._overrides.get(name)
        if isinstance(forced, float):
            return [forced] * PAGE
        if forced is not None and r < len(forced):
            return [float(forced[r])] * PAGE
        counter = page * (PAGE >> 2) + (r << 64) + (1 << 128)
        repeats: list[float] = self._uniforms(name, counter, PAGE).tolist()
        return repeats

    def repeat(self, name: str, r: int, k: int) -> float:
        """The k-th repeat (from 0) that replication `r` draws at `name`; for many of them take `page`."""
        return self.page(name, r, k // PAGE)[k % PAGE]

    def override(self, name: str, u: float | NDArray[np.float64]) -> None:
        """Put `u` in place of what `name` draws: Sobol points, tests.

        A number holds for every replication; an array of shape (n,) gives replication r its entry r, and those past
        its end keep their own draw. Repeats of a replication all take its number. Raises UsageError unless every
        number lies strictly between 0 and 1.
        """
        forced = np.array(u, dtype=np.float64)
        if forced.ndim > 1 or not bool(np.all((forced > 0.0) & (forced < 1.0))):
            raise UsageError(f"override of {name!r}: expected numbers strictly between 0 and 1, got {u!r}")
        self._overrides[name] = float(forced) if forced.ndim == 0 else forced
        self.version += 1

    def _uniforms(self, name: str, counter: int, n: int) -> NDArray[np.float64]:
        """The first n words from `counter` (256 bits, first word lowest) on, as uniforms."""
        key = self._keys.get(name)
        if key is None:
            digest = hashlib.blake2b(name.encode(), digest_size=16, key=self._salt, person=b"dcsim/1").digest()
            key = self._keys[name] = [int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")]
        # numpy increments the counter before it computes a block: start one before (modulo 2**256).
        before = (counter - 1) & _LAST_COUNTER
        state = self._state["state"]
        state["counter"] = [before & _WORD, before >> 64 & _WORD, before >> 128 & _WORD, before >> 192]  # type: ignore[index]
        state["key"] = key  # type: ignore[index]
        self._bits.state = self._state  # type: ignore[assignment]
        words = self._bits.random_raw(n)
        return ((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def _restore(seed: int, overrides: dict[str, float | NDArray[np.float64]]) -> Streams:
    streams = Streams(seed)
    for name, u in overrides.items():
        streams.override(name, u)
    return streams
