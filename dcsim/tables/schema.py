"""The columns of every table: name, type, and one line of what it says.

The types are few and exact: `int64` and `float64` are numbers, `int32` a number that may be missing, `string` text,
`date32` a calendar date, `bool` yes or no. A column that is not `nullable` never holds a null.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from dcsim.model.history import MEASURES, PARTY_NUMBERS, TERMINAL_STATES

if TYPE_CHECKING:
    import pyarrow as pa

ColumnType: TypeAlias = Literal["int64", "int32", "float64", "string", "date32", "bool"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, its type, a line of documentation, and whether it may be null."""

    name: str
    type: ColumnType
    doc: str
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class TableSchema:
    """A table: its name, what one row is, and its columns in order."""

    name: str
    row: str
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def per_replication(self) -> bool:
        """Whether rows belong to replications, and so are hashed one replication at a time."""
        return self.columns[0].name == "replication"

    def arrow(self) -> pa.Schema:
        """The same as an Arrow schema; the documentation rides along as metadata."""
        import pyarrow as pa

        types = {
            "int64": pa.int64(), "int32": pa.int32(), "float64": pa.float64(), "string": pa.string(),
            "date32": pa.date32(), "bool": pa.bool_(),
        }  # fmt: skip
        fields = [
            pa.field(column.name, types[column.type], nullable=column.nullable, metadata={"doc": column.doc})
            for column in self.columns
        ]
        return pa.schema(fields, metadata={"row": self.row})


_REPLICATION = Column("replication", "int64", "number of the replication, from 0")
_TENANT = Column("tenant", "string", "the AI lab that takes the site")
_SITE = Column("site", "string", "id of the site")
_DAY = Column("day", "float64", "days since 00:00 of the start; minutes are fractions of 1/1440")
_DATE = Column("date", "date32", "calendar date of that day")

MILESTONES: Final = TableSchema("milestones", "a milestone in a replication", (
    _REPLICATION, _TENANT, _SITE,
    Column("phase", "string", "id of the phase; null for a milestone of the site", nullable=True),
    Column("lot", "int32", "number of the lot; null above lots", nullable=True),
    Column("milestone", "string", "name of the milestone"),
    _DAY, _DATE,
    Column("committed", "date32", "date committed for it; null where none is", nullable=True),
))  # fmt: skip

CAPACITY_MEASURES: Final[tuple[tuple[str, str], ...]] = tuple(
    zip(MEASURES, (
        "MW under letters of intent that bind nobody yet",
        "MW under due diligence",
        "MW under signed leases",
        "MW at or past financial close",
        "MW under construction",
        "MW energised",
        "MW ready for service",
        "MW of chips delivered and not yet live",
        "MW of chips live",
    ), strict=True)
)  # fmt: skip
"""(measure of the history, what its column `<measure>_mw` holds), in the order of the table."""

CAPACITY: Final = TableSchema("capacity", "a month", (
    _REPLICATION, _TENANT,
    Column("month", "date32", "last day of the month (in the last one the horizon); the state is that of its 24:00"),
    *(Column(f"{measure}_mw", "float64", doc) for measure, doc in CAPACITY_MEASURES),
    Column("cloud_mw", "float64", "MW rented from clouds"),
    Column("demand_mw", "float64", "MW that the tenant could use; null where the scenario does not say", nullable=True),
    Column("unserved_mw", "float64", "MW wanted and neither owned, rented nor bought on demand", nullable=True),
))  # fmt: skip

DELAYS: Final = TableSchema("delays", "a phase and cause", (
    _REPLICATION, _TENANT, _SITE,
    Column("phase", "string", "id of the phase"),
    Column("cause", "string", "what the days are charged to"),
    Column("days", "float64", "days charged on the trail of the phase's last lot"),
    Column("mw_days", "float64", "the same over its lots: MW times days, each lot by its own trail"),
    Column("planned_days", "float64", "days charged on the plan's trail; null without a plan", nullable=True),
    Column("reached", "bool", "whether the last lot went live; if not, the trail ends where the phase did"),
))  # fmt: skip

EVENTS: Final = TableSchema("events", "an event", (
    _REPLICATION, _DAY, _DATE,
    Column("kind", "string", "what happened"),
    Column("entity", "string", "whom it happened to"),
    Column("detail", "string", "anything more"),
))  # fmt: skip

_MONTH = Column("month", "date32", "last day of the month (in the last one the horizon)")
_USD_M = Column("usd_m", "float64", "US$ million")

LOANS: Final = TableSchema("loans", "a loan", (
    _REPLICATION, _SITE,
    Column("closed", "date32", "date of its financial close"),
    Column("amount", "float64", "US$ million"),
    Column("binding_limit", "string", "what bounded it: ltc, dscr, cover or lenders"),
    Column("ltc", "float64", "loan over total cost"),
    Column("min_dscr", "float64", "least yearly cover of debt service by rent less landlord's cost", nullable=True),
    Column("peak_drawn", "float64", "US$ million"),
    Column("interest_during_construction", "float64", "US$ million of interest until ready for service"),
    Column("contingency_left", "float64", "US$ million"),
    Column("defaulted", "date32", "date of its default; null = not by the horizon", nullable=True),
    Column("recovery", "float64", "share of the exposure that lenders got back; null without a default", nullable=True),
    Column("closes_without_guarantor", "bool", "whether it would have closed as large with nobody behind the rent"),
    Column("breakeven_delay_days", "float64", "days past the plan that the contingency carries", nullable=True),
))  # fmt: skip

LEDGER: Final = TableSchema("ledger", "a month, pair of parties and kind of payment", (
    _REPLICATION, _MONTH,
    Column("payer", "string", "who pays"),
    Column("payee", "string", "who is paid"),
    Column("kind", "string", "what for"),
    _USD_M,
))  # fmt: skip

CASH: Final = TableSchema("cash", "a month and party whose money is followed", (
    _REPLICATION, _MONTH,
    Column("party", "string", "whose money"),
    Column("opening", "float64", "US$ million at the start of the month"),
    Column("received", "float64", "US$ million in the month"),
    Column("paid", "float64", "US$ million in the month"),
    Column("closing", "float64", "US$ million at its end: opening + received - paid"),
))  # fmt: skip

EXPOSURE: Final = TableSchema("exposure", "a month in which it changes, pair of parties and kind of contract", (
    _REPLICATION, _MONTH,
    Column("source", "string", "the debtor or guarantor"),
    Column("target", "string", "the creditor or beneficiary"),
    Column("kind", "string", "kind of contract"),
    Column("usd_m", "float64", "US$ million owed, or that may be called, from the end of that month on"),
))  # fmt: skip

PARTY_COLUMNS: Final[tuple[tuple[str, str], ...]] = tuple(
    zip(PARTY_NUMBERS, (
        "most cover committed at any time, US$ million",
        "most cover that could be called at any time, US$ million",
        "its limit for guarantees at the end, US$ million; 0 without one",
        "leases on which its guarantee was called",
        "paid under its guarantees, US$ million",
        "called and not paid, or beyond its caps, US$ million",
        "guarantee fees earned, US$ million",
        "worth of warrants received at signing, US$ million",
        "chips paid to it, US$ million",
        "MW-years for which its racks were live, from the start to the horizon",
        "margin on the chips it sells or helped to develop, US$ million",
        "cloud margin lost to owned compute, US$ million",
        "most that it had lent at any time, US$ million",
        "lost on loans that defaulted, US$ million",
        "paid for residual values, US$ million",
    ), strict=True)
)  # fmt: skip
"""(number of the history, what its column holds)."""

PARTIES: Final = TableSchema("parties", "a party that guarantees, lends, rents out or supplies", (
    _REPLICATION,
    Column("party", "string", "which"),
    *(Column(name, "float64", doc) for name, doc in PARTY_COLUMNS),
))  # fmt: skip

DEFAULTS: Final = TableSchema("defaults", "a party that defaults", (
    _REPLICATION, _DAY, _DATE,
    Column("party", "string", "who"),
    Column("cause", "string", "shock, liquidity, hazard or contagion"),
))  # fmt: skip

ASSUMPTIONS: Final = TableSchema("assumptions", "a number", (
    Column("path", "string", "dotted path of the field"),
    Column("value", "string", "the number or law, as text"),
    Column("unit", "string", "its unit", nullable=True),
    Column("source", "string", "who says so; null where it is a guess", nullable=True),
    Column("as_of", "string", "when it held", nullable=True),
    Column("confidence", "string", "how sure the author is", nullable=True),
))  # fmt: skip

HASHES: Final = TableSchema("hashes", "a replication and table", (
    _REPLICATION,
    Column("table", "string", "name of the table"),
    Column("hash", "string", "BLAKE2b-128 of the replication's canonical rows, in hexadecimal"),
))  # fmt: skip


def year_ends(start: date, horizon: date) -> list[date]:
    """Every 31 December from `start` to `horizon`, both inclusive."""
    return [day for year in range(start.year, horizon.year + 1) if start <= (day := date(year, 12, 31)) <= horizon]


def target_name(mw: float) -> str:
    """Column name of a target in MW: 1000.0 gives `date_of_1000_mw`, 12.5 gives `date_of_12_5_mw`."""
    text = repr(float(mw)).removesuffix(".0").replace(".", "_")
    return f"date_of_{text}_mw"


def outcomes_schema(
    start: date, horizon: date, targets: Iterable[float] = (), scalars: Sequence[str] = ()
) -> TableSchema:
    """Columns of `outcomes` for one scenario: `targets` in MW (of all tenants), `scalars` as the model reports them."""
    columns = [_REPLICATION, _TENANT]
    columns += [
        Column(f"live_mw_{day.year}", "float64", f"MW live at the end of {day.isoformat()}")
        for day in year_ends(start, horizon)
    ]
    columns.append(Column("live_mw_at_horizon", "float64", f"MW live at the end of {horizon.isoformat()}"))
    columns.append(Column("date_first_live", "date32", "date of the first live MW; null = not by the horizon", True))
    columns += [
        Column(target_name(mw), "date32", f"date on which {mw:g} MW are first live; null = not by the horizon", True)
        for mw in sorted({float(mw) for mw in targets})
    ]
    columns += [
        Column(f"mw_{state}", "float64", f"MW of phases that end `{state}`") for state in TERMINAL_STATES
    ]
    columns.append(Column("idle_mw_days", "float64", "MW ready for service without live chips, times days"))
    taken = {column.name for column in columns}
    for name in scalars:
        if name in taken:
            raise ValueError(f"outcome {name!r} of the model has the name of another column")
        kind: ColumnType = "date32" if name.startswith("date_") else "float64"
        columns.append(Column(name, kind, "counted by the model", nullable=True))
    return TableSchema("outcomes", "a replication and tenant", tuple(columns))


TABLE_NAMES: Final[tuple[str, ...]] = (
    "outcomes", "milestones", "capacity", "loans", "ledger", "cash", "exposure", "parties", "defaults", "delays",
    "events",
)  # fmt: skip
"""The tables whose rows belong to replications, in the order of writing; `events` exists with tracing only."""


def run_schemas(outcomes: TableSchema, names: Iterable[str] = TABLE_NAMES) -> dict[str, TableSchema]:
    """Schemas of the tables called `names`, in the order of `TABLE_NAMES`."""
    chosen = set(names)
    every = (outcomes, MILESTONES, CAPACITY, LOANS, LEDGER, CASH, EXPOSURE, PARTIES, DEFAULTS, DELAYS, EVENTS)
    return {schema.name: schema for schema in every if schema.name in chosen}
