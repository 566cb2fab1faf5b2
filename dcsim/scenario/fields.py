"""The types of a scenario's fields: blocks, numbers with a unit, dates and milestones."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, Self, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.functional_validators import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError, core_schema
from pydantic_core.core_schema import ValidationInfo

from dcsim.errors import printable, suggest
from dcsim.quantity import LAW_NAMES, Quantity, QuantityError, is_quantity, parse_quantity
from dcsim.scenario.paths import PROVENANCE
from dcsim.units import describe

META = frozenset({"source", "as_of", "confidence", "range", "whatif", "kind"})
"""Keys that may stand beside the `value` of any field."""

ID = re.compile(r"[a-z0-9][a-z0-9_-]*")

SITE_MILESTONES = (
    "loi_signed",
    "diligence_complete",
    "approved",
    "negotiated",
    "guarantee_signed",
    "lease_signed",
    "financial_close",
    "notice_to_proceed",
    "energy_services",
)
PHASE_MILESTONES = (
    "building_complete",
    "equipment_on_site",
    "energised",
    "commissioned",
    "ready_for_service",
    "rent_commencement",
    "first_live",
    "full_live",
    "ended",
)
LOT_MILESTONES = ("ordered", "delivered", "installed", "live")


def problem(code: str, message: str) -> PydanticCustomError:
    """A pydantic error that carries one of our problem codes."""
    return PydanticCustomError(code, "{message}", {"message": message})


def problems(found: list[tuple[tuple[str | int, ...], str, str]]) -> PydanticCustomError:
    """A pydantic error that carries several problems: where below the field, a problem code, a message."""
    text = "; ".join(message for _, _, message in found)
    return PydanticCustomError("QUANTITY", "{message}", {"message": text, "problems": found})


def printed_date(raw: object) -> str:
    """A date as a source prints it: a day, a month or a year. Raises a pydantic error with code DATE."""
    text = str(raw) if isinstance(raw, str | int | dt.date) and not isinstance(raw, bool) else ""
    if not re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", text):
        raise problem("DATE", f"expected a date such as 2026-07-01, 2026-07 or 2026, got {describe(raw)}")
    return text


PrintedDate = Annotated[str, BeforeValidator(printed_date, json_schema_input_type=str | int)]
Whole = Annotated[int, Field(strict=True)]
YesNo = Annotated[bool, Field(strict=True)]
Score = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Block(BaseModel):
    """A closed, frozen mapping of the scenario file; provenance may stand on any of them."""

    # Validators are built when a scenario is first read: one for the whole instead of one for every block.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, arbitrary_types_allowed=True)

    source: str | None = None
    """Id of an entry of `sources:`; inherited by everything below."""
    as_of: PrintedDate | None = None
    """Date at which the numbers below held."""
    confidence: Literal["high", "medium", "low", "guess"] | None = None
    """Overrides the confidence of the source."""

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, data: Any) -> Any:
        """What every field may be written as.

        Null is as if left out where the field may be. `{value: x, source: …}` is allowed around every field; numbers
        keep their own wrapper. Provenance may stand among the entries of a section (`sites: {source: …, ohio-1: {…}}`).
        """
        if not isinstance(data, Mapping):
            return data
        out = dict(data)
        forms = forms_of(cls)
        for name, value in data.items():
            form = forms.get(name)
            if form is None:
                continue
            if value is None and not form.required:
                del out[name]
            elif isinstance(value, Mapping):
                if form.unwraps and is_wrapper(value) and (not form.section or isinstance(value["value"], Mapping)):
                    out[name] = value = value["value"]
                if form.section and isinstance(value, Mapping):
                    out[name] = {k: v for k, v in value.items() if k not in PROVENANCE or isinstance(v, Mapping)}
        return out


def is_wrapper(value: Mapping[Any, Any]) -> bool:
    """Whether a mapping is a value with provenance beside it."""
    return "value" in value and META.issuperset(key for key in value if key != "value")


class Form(NamedTuple):
    """How a field of a block may be written."""

    required: bool
    section: bool
    """A mapping of entries by id."""
    unwraps: bool
    """Takes off a wrapper by itself: everything but numbers, which keep what is in it."""


@cache
def forms_of(block: type[Block]) -> dict[str, Form]:
    """How the fields of a block may be written, by the key of each."""
    forms = {}
    for name, info in block.model_fields.items():
        numeric = any(isinstance(part, Number) for part in (*info.metadata, *_parts(info.annotation)))
        forms[info.alias or name] = Form(info.is_required(), get_origin(info.annotation) is dict, not numeric)
    return forms


def _parts(annotation: Any) -> Iterator[Any]:
    """What stands in an annotation, unions included, containers not."""
    if get_origin(annotation) in (dict, tuple):
        return
    for part in (*get_args(annotation), *getattr(annotation, "__metadata__", ())):
        yield part
        yield from _parts(part)


@dataclass(frozen=True)
class Number:
    """Marks a field as a quantity in a unit, with the bounds that its law must keep."""

    unit: str
    minimum: float | None = None
    maximum: float | None = None
    exclusive: bool = False
    whole: bool = False
    constant: bool = False
    worse: Literal["high", "low"] = "high"
    of: str = ""
    """What the amount is relative to, for those who write it out (`0.05 of cost`, `3 months of rent`)."""

    def parse(self, raw: object) -> Quantity:
        try:
            return parse_quantity(
                self._bare(raw) if self.of else raw,
                self.unit,
                constant=self.constant,
                minimum=self.minimum,
                maximum=self.maximum,
                exclusive=self.exclusive,
                whole=self.whole,
                worse=self.worse,
            )
        except QuantityError as error:
            raise problems(error.problems) from None

    def _bare(self, raw: object) -> object:
        """The amount without the words that say what it is relative to; of something else, it is refused."""
        if isinstance(raw, Mapping) and isinstance(raw.get("value"), str):
            return {**raw, "value": self._bare(raw["value"])}
        if not isinstance(raw, str) or " of " not in raw:
            return raw
        amount, _, basis = raw.partition(" of ")
        if basis.strip() != self.of:
            raise problem("TYPE", f"expected an amount of {self.of}, got {describe(raw)}{suggest(basis, [self.of])}")
        try:
            return float(amount)
        except ValueError:
            return amount.strip()

    def _read(self, raw: object, info: ValidationInfo) -> Quantity:
        """The quantity; what many entries inherit is parsed once, where the validation has a context to keep it in."""
        if isinstance(raw, Quantity):
            return raw
        known: dict[object, tuple[object, Quantity]] | None = info.context
        if known is None:
            return self.parse(raw)
        key = (self, type(raw), raw if isinstance(raw, str | int | float) else id(raw))
        if key not in known:
            known[key] = raw, self.parse(raw)  # holding what was read, so that nothing else takes its id
        return known[key][1]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self._read,
            serialization=core_schema.plain_serializer_function_ser_schema(str),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """What the field is kept in; `dcsim.scenario.describe` adds the forms in which it may be written."""
        found: dict[str, Any] = {"x-unit": self.unit, "x-worse": self.worse, "x-constant": self.constant}
        for name, bound in (("minimum", self.minimum), ("maximum", self.maximum)):
            if bound is not None:
                found[f"exclusive{name.title()}" if self.exclusive else name] = bound
        return {**found, "x-whole": self.whole}


Days = Annotated[Quantity, Number("days", minimum=0)]
Chance = Annotated[Quantity, Number("fraction", minimum=0, maximum=1, constant=True)]
Success = Annotated[Quantity, Number("fraction", minimum=0, maximum=1, constant=True, worse="low")]
Share = Annotated[Quantity, Number("fraction", minimum=0, maximum=1)]
Power = Annotated[Quantity, Number("MW", minimum=0, maximum=1e6, exclusive=True, constant=True, worse="low")]
AnyPower = Annotated[Quantity, Number("MW", minimum=0, maximum=1e6, constant=True, worse="low")]
Dollars = Annotated[Quantity, Number("usd_m", minimum=0)]
FixedDollars = Annotated[Quantity, Number("usd_m", minimum=0, constant=True, worse="low")]
Factor = Annotated[Quantity, Number("number", minimum=0)]
Count = Annotated[Quantity, Number("count", minimum=0, whole=True, constant=True, worse="low")]
Loading = Annotated[Quantity, Number("number", minimum=-1, maximum=1, constant=True)]
PositiveCount = Annotated[Quantity, Number("count", minimum=1, whole=True, constant=True, worse="low")]


def _check_id(value: str) -> str:
    if not ID.fullmatch(value):
        raise problem("ID", f"{value!r} is not an id: small letters, digits, - and _, beginning with a letter or digit")
    return value


Id = Annotated[str, AfterValidator(_check_id), Field(json_schema_extra={"pattern": f"^{ID.pattern}$"})]


Loads = dict[Id, Loading]
"""Loadings on common factors by their ids."""


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


Ids = Annotated[tuple[Id, ...], BeforeValidator(_as_list, json_schema_input_type=str | list[str])]
Ref = str
"""The id of an entry elsewhere; whether there is one is found by the checks, which can say what was meant."""
Names = Annotated[tuple[str, ...], BeforeValidator(_as_list, json_schema_input_type=str | list[str])]


def parse_date(raw: object) -> dt.date:
    """A calendar date without zone. Raises a pydantic error with code DATE."""
    if isinstance(raw, dt.date) and not isinstance(raw, dt.datetime):
        return raw
    if isinstance(raw, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", raw):
        try:
            return dt.date.fromisoformat(raw)
        except ValueError as error:
            raise problem("DATE", f"{raw}: {error}") from None
    if isinstance(raw, str) and re.match(r"\d{4}-\d{2}-\d{2}T", raw):
        raise problem("DATE", f"expected a calendar date without time or zone (2026-07-01), got {describe(raw)}")
    raise problem("DATE", f"expected a date like 2026-07-01, got {describe(raw)}")


Date = Annotated[dt.date, BeforeValidator(parse_date)]


_DATE_LIKE = re.compile(r"\d+([-/.]\d+)*")
"""A text that was meant to be a date, a day or a number, and is no name."""


class When(Block):
    """A minute to come: a date, a day of the scenario, or a delay after milestones.

    Written as `2027-03-31`, `day 600`, `start`, `lease_signed`, a law of dates
    (`{pert: {low: 2026-10-15, mode: 2027-01-15, high: 2027-12-15}}`), or `{after: lease_signed, delay: 60}`.
    """

    after: Names = ()
    """Milestones, workstreams or activities that must all be reached; `previous` in a ramp; empty: the calendar."""
    delay: Annotated[Quantity, Number("days")] = Field(default_factory=lambda: parse_quantity(0, "days"))
    """Days after the last of them; without `after`: days after the epoch (dates) or after the start (`day n`)."""
    calendar: Literal["", "date", "start"] = ""
    """What a delay without `after` counts from."""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, raw: Any) -> Any:
        return raw if isinstance(raw, When) else _read_when(raw)

    @model_validator(mode="after")
    def _not_back(self) -> Self:
        """Only a day of the scenario may lie before what it counts from: the start."""
        if self.calendar != "start" and self.delay.law.bounds()[0] < 0:
            raise problems([(("delay",), "RANGE", f"must be >= 0, got {self.delay}")])
        return self

    @property
    def dated(self) -> bool:
        """True when it depends on the calendar alone."""
        return not self.after


def _read_when(raw: Any) -> Mapping[str, Any]:
    """The fields of a When in any of its forms."""
    if isinstance(raw, Mapping):
        if is_wrapper(raw):
            return {**_read_when(raw["value"]), **{k: raw[k] for k in PROVENANCE if k in raw}}
        if "after" in raw or "delay" in raw:
            after = _as_list(raw.get("after", []))
            if after == ["start"] or not after:
                return {**raw, "after": [], "calendar": "start"}
            return raw
        if not is_quantity(raw):
            known = ("after", "delay", "value", *LAW_NAMES)
            odd = [str(key) for key in raw if key not in known]
            if not odd:
                raise problem("DATE", _no_date(raw))
            raise problems([((key,), "UNKNOWN", f"unknown key '{printable(key)}'{suggest(key, known)}") for key in odd])
        return {"calendar": "date", "delay": _date_law(raw)}
    if isinstance(raw, dt.date) or (isinstance(raw, str) and re.match(r"\d{4}-\d{2}-\d{2}", raw)):
        return {"calendar": "date", "delay": parse_date(raw).toordinal()}
    if isinstance(raw, str) and not _DATE_LIKE.fullmatch(raw):
        if match := re.fullmatch(r"day\s+(-?\d+(?:\.\d+)?)", raw):
            return {"calendar": "start", "delay": float(match[1])}
        if raw == "start":
            return {"calendar": "start", "delay": 0}
        return {"after": [raw]}
    if isinstance(raw, list) and raw:
        return {"after": raw}
    raise problem("DATE", _no_date(raw))


def _no_date(raw: object) -> str:
    return f"expected a date like 2026-07-01, `day 600`, a milestone or {{after, delay}}, got {describe(raw)}"


def _date_law(raw: Any) -> Quantity:
    """A law of dates, in day numbers."""
    try:
        return parse_quantity(_dates_to_days(raw), "days")
    except QuantityError as error:
        raise problems([(at, code, _with_dates(message)) for at, code, message in error.problems]) from None


def _with_dates(message: str) -> str:
    return re.sub(r"\b[5-9]\d{5}\b", lambda day: str(dt.date.fromordinal(int(day[0]))), message)


def _dates_to_days(raw: Any) -> Any:
    if isinstance(raw, Mapping):
        return {k: v if k in PROVENANCE else _dates_to_days(v) for k, v in raw.items()}
    if isinstance(raw, list):
        return [_dates_to_days(v) for v in raw]
    if isinstance(raw, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", raw):
        return parse_date(raw).toordinal()
    return raw


class After(Block):
    """When a step may begin: milestones and an offset."""

    after: Names = ()
    """Milestones (or names of the same network) that must all be reached; the step's default if left out."""
    delay: Days | None = None
    """Days after the last of them."""


RATINGS = (
    "AAA", "AA+", "AA", "AA-", "A+", "A", "A-", "BBB+", "BBB", "BBB-",
    "BB+", "BB", "BB-", "B+", "B", "B-", "CCC", "D",
)  # fmt: skip


def _check_rating(value: Any) -> Any:
    if value not in RATINGS:
        hint = suggest(value, RATINGS) if isinstance(value, str) else ""
        raise problem("UNKNOWN", f"expected a rating from {RATINGS[0]} to {RATINGS[-1]}, got {describe(value)}{hint}")
    return value


Rating = Annotated[str, BeforeValidator(_check_rating), WithJsonSchema({"enum": list(RATINGS)})]


def at_least(rating: str | None, floor: str | None) -> bool:
    """True when `rating` is `floor` or better; no floor asks nothing, no rating is below every floor."""
    if floor is None:
        return True
    return rating is not None and RATINGS.index(rating) <= RATINGS.index(floor)


def strictest(floors: Iterable[str | None]) -> str | None:
    """The best of the ratings asked for; None if nobody asks."""
    return min((floor for floor in floors if floor is not None), key=RATINGS.index, default=None)
