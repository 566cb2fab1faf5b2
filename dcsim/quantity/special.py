"""`scipy.special`, imported at the first call that needs it and not before.

A scenario is read and checked with the standard library alone; only draws and a few medians need more.
"""

from __future__ import annotations

import functools
from typing import Any, Final, Protocol

SMALLEST_U: Final = 2.0**-53
LARGEST_U: Final = 1.0 - 2.0**-53
"""The uniforms that a draw can be lie between these two, both included."""

Z90: Final = 1.2815515655446004
"""The standard normal's 90 % quantile."""

Z_LARGEST: Final = 8.209536151601387
"""The standard normal's quantile at LARGEST_U."""


class _Special(Protocol):
    """What is used of scipy.special: each takes numbers or arrays and works element by element."""

    def ndtr(self, x: Any) -> Any: ...
    def ndtri(self, u: Any) -> Any: ...
    def betainc(self, a: float, b: float, x: Any) -> Any: ...
    def betaincinv(self, a: float, b: float, u: Any) -> Any: ...
    def gammainc(self, k: float, x: Any) -> Any: ...
    def gammaincc(self, k: float, x: Any) -> Any: ...
    def gammaincinv(self, k: float, u: Any) -> Any: ...
    def bdtr(self, k: Any, n: int, p: float) -> Any: ...
    def pdtr(self, k: Any, mean: float) -> Any: ...


@functools.cache
def special() -> _Special:
    """scipy.special, never scipy.stats (which takes seconds to import)."""
    import scipy.special

    return scipy.special
