"""The network as a picture: parties in columns by what they do, contracts as arrows.

Drawn with matplotlib (`pip install 'dcsim[plot]'`), without any of its global state.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, Literal

from dcsim.errors import UsageError, printable
from dcsim.ledger import OUTSIDE
from dcsim.network.snapshot import SUPPORT, UNPRICED, PartyState, Snapshot, Standing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("money", ("fund", "investor")),
    ("lenders, vehicles", ("lender", "vehicle")),
    ("developers", ("developer",)),
    ("tenants", ("tenant", "lessee")),
    ("guarantors", ("guarantor",)),
    ("suppliers, clouds", ("supplier", "cloud")),
)
"""Headings and roles, from left to right."""

FIRST: Final = (
    "tenant", "lessee", "developer", "supplier", "guarantor", "vehicle", "lender", "cloud", "fund", "investor",
)  # fmt: skip
"""Which of its roles a party stands under."""

COLOURS: Final[dict[str, str]] = {
    "lease": "#1f77b4",
    "loan": "#2ca02c",
    "guarantee": "#d62728",
    "residual_value_guarantee": "#ff9896",
    "supply": "#9467bd",
    "vendor_finance": "#8c564b",
    "hardware_lease": "#17becf",
    "cloud_commitment": "#7f7f7f",
    "equity": "#bcbd22",
    "fund_commitment": "#98c379",
    "joint_development": "#e377c2",
    "loi": "#aec7e8",
}
"""Of each kind of contract."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """All contracts of a kind from one party to another. `weight` is dollars at stake or due, 0 where none are."""

    source: str
    target: str
    kind: str
    count: int
    weight: int


def arrows(contracts: Iterable[Standing]) -> list[Arrow]:
    """Contracts between the same parties of the same kind taken together; the outside is left out."""
    found: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for contract in contracts:
        if OUTSIDE not in (contract.source, contract.target):
            found[contract.source, contract.target, contract.kind].append(_weight(contract))
    return [Arrow(*key, len(weights), sum(weights)) for key, weights in found.items()]


def column_of(party: PartyState) -> int:
    """Place of a party's column, from 0."""
    role = next((role for role in FIRST if role in party.roles), "investor")
    return next(place for place, (_, roles) in enumerate(COLUMNS) if role in roles)


def places(snapshot: Snapshot, drawn: Iterable[Arrow]) -> dict[str, tuple[float, float]]:
    """Where parties with arrows stand: x their column (empty ones closed up), y from 0 (bottom) to 1 (top).

    Within a column in the order of their neighbours, so that few arrows cross.
    """
    near: defaultdict[str, list[str]] = defaultdict(list)
    for arrow in drawn:
        near[arrow.source].append(arrow.target)
        near[arrow.target].append(arrow.source)
    columns: defaultdict[int, list[str]] = defaultdict(list)
    for party in snapshot.parties:
        if party.id in near:
            columns[column_of(party)].append(party.id)
    used = sorted(columns)
    height: dict[str, float] = {}
    for column in used:
        _stack(columns[column], height)
    # Twice to and fro: each column in the mean height of what its parties are tied to.
    for column in [*used, *reversed(used)] * 2:
        columns[column].sort(key=lambda id: sum(height[other] for other in near[id]) / len(near[id]))
        _stack(columns[column], height)
    return {id: (float(used.index(column)), height[id]) for column in used for id in columns[column]}


def picture(snapshot: Snapshot, title: str = "", file: Literal["png", "svg"] = "png") -> bytes:
    """The picture as a PNG or SVG file. Raises UsageError if matplotlib is not installed."""
    figure = draw(snapshot, title)
    out = BytesIO()
    figure.savefig(out, format=file, dpi=150, metadata={"Date": None} if file == "svg" else {"Software": None})
    return out.getvalue()


def draw(snapshot: Snapshot, title: str = "") -> Figure:
    """The picture as a matplotlib figure. Raises UsageError if matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UsageError("a picture takes matplotlib: pip install 'dcsim[plot]', or take .graphml or .json") from None
    drawn = arrows(snapshot.contracts)
    at = places(snapshot, drawn)
    width = 1 + max((int(x) for x, _ in at.values()), default=0)
    tallest = max((sum(x == column for x, _ in at.values()) for column in range(width)), default=1)
    size = (2.5 + 2.9 * width, max(6.5, 1.6 + 1.05 * tallest))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set_xlim(-0.55, width - 0.45)
    heaviest = max((arrow.weight for arrow in drawn), default=0)
    room = {id: _room(snapshot.party[id]) for id in at}
    bent = _bends(drawn, at)
    middles = [_middle(arrow, bend, at, 60 * size[1]) for arrow, bend in bent]
    axes.set_ylim(min(-0.12, *middles, 0) - 0.02, max(1.16, *middles, 1))
    for arrow, bend in bent:
        _arrow(axes, arrow, at, bend, heaviest, room, 60 * size[1])
    for id, place in at.items():
        _party(axes, snapshot.party[id], place)
    _headings(axes, snapshot, at)
    _legend(axes, drawn)
    if title:
        axes.set_title(_text(title), fontsize=13, loc="left")
    return figure


def _stack(ids: list[str], height: dict[str, float]) -> None:
    """From the bottom to the top."""
    for number, id in enumerate(ids):
        height[id] = 0.5 if len(ids) == 1 else number / (len(ids) - 1)


def _bends(drawn: list[Arrow], at: dict[str, tuple[float, float]]) -> list[tuple[Arrow, float]]:
    """Arrows between the same two parties bend apart; those within a column or over one bend around it."""
    together: defaultdict[frozenset[str], list[Arrow]] = defaultdict(list)
    for arrow in drawn:
        together[frozenset((arrow.source, arrow.target))].append(arrow)
    out = []
    for same in together.values():
        for number, arrow in enumerate(same):
            (x, y), (other_x, other_y) = at[arrow.source], at[arrow.target]
            far = abs(x - other_x)
            base = 0.35 if far == 0 else 0.30 if far > 1 and abs(y - other_y) < 0.3 else 0.0
            spread = 0.13 * (number - (len(same) - 1) / 2)
            way = 1 if (x, y) <= (other_x, other_y) else -1
            out.append((arrow, base + way * spread))
    return out


def _middle(arrow: Arrow, bend: float, at: dict[str, tuple[float, float]], tall: float) -> float:
    """Height of the middle of a bent arrow."""
    (x, y), (other_x, other_y) = at[arrow.source], at[arrow.target]
    return (y + other_y) / 2 - 1.3 * bend * (other_x - x) * 2.5 * 72 / 2 / tall  # axes are less tall than the figure


def _arrow(
    axes: Axes,
    arrow: Arrow,
    at: dict[str, tuple[float, float]],
    bend: float,
    heaviest: int,
    room: dict[str, tuple[float, float]],
    tall: float,
) -> None:
    """`room` is half the width and height of each party's box, `tall` the height of the axes, in points."""
    from matplotlib.patches import FancyArrowPatch

    thick = 0.8 + 4.7 * math.sqrt(arrow.weight / heaviest) if heaviest else 1.2
    (x, y), (other_x, other_y) = at[arrow.source], at[arrow.target]
    across, along = abs(x - other_x) * 2.5 * 72, abs(y - other_y) * tall
    length = math.hypot(across, along)
    # From the middle of a box to its edge, on the straight way.
    near, far = (
        min(wide * length / across if across else math.inf, high * length / along if along else math.inf) + 3
        for wide, high in (room[arrow.source], room[arrow.target])
    )
    axes.add_patch(
        FancyArrowPatch(
            (x, y),
            (other_x, other_y),
            connectionstyle=f"arc3,rad={bend:.3f}",
            arrowstyle="-|>",
            mutation_scale=9 + 1.5 * thick,
            linewidth=thick,
            linestyle="--" if arrow.kind in SUPPORT or arrow.kind in UNPRICED else "-",
            color=COLOURS.get(arrow.kind, "black"),
            alpha=0.75,
            shrinkA=near,
            shrinkB=far,
            zorder=1,
        )
    )


def _lines(party: PartyState) -> list[str]:
    group = [f"group {party.group}"] if party.group is not None and party.group != party.id else []
    return [_text(party.id), party.rating or "unrated", *group]


def _room(party: PartyState) -> tuple[float, float]:
    """Half the width and the height of a party's box, in points, about."""
    lines = _lines(party)
    return 2.6 * max(map(len, lines)) + 6, 6.0 * len(lines) + 6


def _party(axes: Axes, party: PartyState, place: tuple[float, float]) -> None:
    axes.annotate(
        "\n".join(_lines(party)),
        place,
        ha="center",
        va="center",
        fontsize=9,
        zorder=3,
        bbox={
            "boxstyle": "round,pad=0.45",
            "facecolor": "#f6d5d5" if party.in_default else "white",
            "edgecolor": "#a00000" if party.in_default else "#555555",
        },
    )


def _headings(axes: Axes, snapshot: Snapshot, at: dict[str, tuple[float, float]]) -> None:
    heads = {x: COLUMNS[column_of(snapshot.party[id])][0] for id, (x, _) in at.items()}
    for x, text in heads.items():
        axes.annotate(text, (x, 1.12), ha="center", fontsize=10, color="#555555", style="italic")
    alone = [party.id for party in snapshot.parties if party.id not in at]
    if alone:
        axes.annotate(_text(f"without a contract: {', '.join(alone)}"), (-0.5, -0.11), fontsize=8, color="#555555")


def _legend(axes: Axes, drawn: list[Arrow]) -> None:
    from matplotlib.lines import Line2D

    handles: list[Any] = []
    for kind, colour in COLOURS.items():
        some = [arrow for arrow in drawn if arrow.kind == kind]
        if some:
            count, dollars = sum(arrow.count for arrow in some), sum(arrow.weight for arrow in some)
            money = f", US${dollars / 1e9:,.1f}bn" if dollars else ""
            dashed = kind in SUPPORT or kind in UNPRICED
            label = f"{kind.replace('_', ' ')} ({count}{money})"
            handles.append(Line2D([], [], color=colour, linewidth=2.5, linestyle="--" if dashed else "-", label=label))
    if handles:
        axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False)


def _weight(contract: Standing) -> int:
    """Dollars that an arrow's width shows: what is owed or may be called, and what shares and promises are worth."""
    return contract.amount if contract.kind in SUPPORT or contract.kind in UNPRICED else contract.claim


def _text(text: str) -> str:
    """Safe to draw: no control characters, and no dollar sign that would begin a formula."""
    return printable(text).replace("$", r"\$")
