"""Trails: why something happened when it did, as an immutable chain of links that shares its past with others."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from dcsim.errors import ModelError

_link = tuple.__new__


class Trail(NamedTuple):
    """One link: what ended at `minute`, charged to `cause`, and the link before it.

    The minutes of a link are its own minute less the previous one's, so the links of a trail add up to its whole span
    exactly. The first link (`previous` is None) is the origin: it marks a minute and charges nothing.
    """

    minute: int
    cause: str
    who: str
    previous: Trail | None


def origin(minute: int, who: str) -> Trail:
    """The start of a trail; it charges nothing."""
    return Trail(minute, "", who, None)


def extend(trail: Trail, minute: int, cause: str, who: str) -> Trail:
    """The trail with one more link up to `minute`; the same trail if no time passed.

    Raises ModelError if `minute` lies before the trail's end.
    """
    before = trail[0]
    if minute > before:
        return _link(Trail, (minute, cause, who, trail))
    if minute < before:
        raise ModelError(f"a trail that ends in minute {before} cannot be continued to minute {minute}: {who}, {cause}")
    return trail


def latest(trails: Iterable[Trail]) -> Trail:
    """The trail that ends last; of several, the first in the sequence (so hand them over in declaration order).

    Raises ModelError if there is none.
    """
    last: Trail | None = None
    for trail in trails:
        if last is None or trail[0] > last[0]:
            last = trail
    if last is None:
        raise ModelError("the latest of no trails was asked for")
    return last


def links(trail: Trail) -> list[Trail]:
    """All links, oldest first; the origin is the first of them."""
    chain: list[Trail] = []
    link: Trail | None = trail
    while link is not None:
        chain.append(link)
        link = link[3]
    chain.reverse()
    return chain


def days_by_cause(trail: Trail) -> dict[str, int]:
    """Minutes (whole, not yet divided into days) charged to each cause, in order of first appearance.

    They add up to the trail's last minute less its first one.
    """
    charged: dict[str, int] = {}
    chain = links(trail)
    for before, link in pairwise(chain):
        charged[link.cause] = charged.get(link.cause, 0) + link.minute - before.minute
    return charged
