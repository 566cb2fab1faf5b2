"""A quantity: a law in a unit, with what it depends on and where it comes from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from dcsim import units
from dcsim.errors import ModelError
from dcsim.quantity.laws import Constant, Law, edited, remaining

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_RESERVED = frozenset({"null", "true", "false"})


@dataclass(frozen=True, slots=True)
class Quantity:
    """A constant or a law, in one of the canonical units of `dcsim.units`.

    Equal when all fields are equal, hashable, picklable. It holds no random state: who draws it decides whether once
    in a replication or repeatedly (`dcsim.engine.draws`).
    """

    law: Law
    unit: str
    kind: Literal["aleatory", "epistemic"] = "aleatory"
    """Luck, drawn by every user of its own; or ignorance, drawn once where it is declared."""
    worse: Literal["high", "low"] = "high"
    """The direction that is later, dearer or failed: a high uniform always draws that side."""
    loads: tuple[tuple[str, float], ...] = ()
    """Factor names and loadings, as written."""
    range: tuple[float, float] | None = None
    """Ends for tornado and slider; never drawn from."""
    whatif: str | None = None
    """The label of its slider."""
    source: str | None = None
    as_of: str | None = None
    confidence: str | None = None
    path: str = ""
    """The dotted path of whoever uses it, once bound."""
    address: str = ""
    """The name it is drawn under: its path (aleatory), or where it was declared (epistemic)."""
    factors: tuple[tuple[str, float], ...] = ()
    """`loads` resolved to the addresses of factor members."""
    drivers: tuple[str, ...] = ()
    """Addresses of the risk-driver members that hit it."""

    @property
    def is_constant(self) -> bool:
        """True when there is nothing to draw."""
        return isinstance(self.law, Constant)

    @property
    def value(self) -> float:
        """The value of a constant. Raises ModelError for a law, which has to be drawn."""
        if isinstance(self.law, Constant):
            return self.law.value
        raise ModelError(f"{self.path or 'a quantity'}: {self} is a law and has no single value; draw it")

    @property
    def median(self) -> float:
        """The law's median; drivers and factors are not in it."""
        return self.law.median()

    @property
    def mean(self) -> float:
        """The law's mean; drivers are not in it."""
        return self.law.mean()

    def with_binding(
        self,
        *,
        path: str | None = None,
        address: str | None = None,
        factors: tuple[tuple[str, float], ...] | None = None,
        drivers: tuple[str, ...] | None = None,
    ) -> Quantity:
        """The same quantity bound to its place in a scenario; what is not given stays as it is."""
        return replace(
            self,
            path=self.path if path is None else path,
            address=self.address if address is None else address,
            factors=self.factors if factors is None else factors,
            drivers=self.drivers if drivers is None else drivers,
        )

    def edited(self, times: float = 1.0, plus: float = 0.0) -> Quantity:
        """The quantity whose every draw is this one's * times + plus (times >= 0), under the same address."""
        return replace(self, law=edited(self.law, times, plus))

    def remaining(self, age: float) -> Quantity:
        """What is left of it given that it has lasted `age` so far, under the same address."""
        return replace(self, law=remaining(self.law, age))

    def written(self) -> float | dict[str, object]:
        """The number or mapping that `parse_quantity` reads back as this quantity, in its unit, without binding."""
        meta: dict[str, object] = {
            "kind": self.kind if self.kind != "aleatory" else None,
            "loads": dict(self.loads) or None,
            "range": list(self.range) if self.range else None,
            "whatif": self.whatif,
            "source": self.source,
            "as_of": self.as_of,
            "confidence": self.confidence,
        }
        meta = {key: value for key, value in meta.items() if value is not None}
        if isinstance(self.law, Constant) and not meta:
            return self.law.value
        return {**self.law.written(), **meta}

    def __str__(self) -> str:
        """`written` as YAML in one line: `{lognormal: {median: 40, p90: 80}}`."""
        return _flow(self.written())

    def described(self) -> str:
        """For people: `426 days`; `lognormal, median 40 days (P10 20 days, P90 80 days)`."""
        if isinstance(self.law, Constant):
            return units.format(self.law.value, self.unit)
        low, high = self.law.quantile(0.1), self.law.quantile(0.9)
        p10, p50, p90 = (units.format(x, self.unit) for x in (low, self.median, high))
        return f"{self.law.name}, median {p50} (P10 {p10}, P90 {p90})"


def _flow(raw: object) -> str:
    """YAML flow style; numbers so that both YAML 1.1 and 1.2 read them as numbers."""
    if isinstance(raw, Mapping):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(value)}" for key, value in raw.items()) + "}"
    if isinstance(raw, list | tuple):
        return "[" + ", ".join(map(_flow, raw)) + "]"
    if isinstance(raw, float | int):
        text = str(int(raw)) if raw == int(raw) and abs(raw) < 1e15 else repr(raw)
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    text = str(raw)
    return text if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED else json.dumps(text, ensure_ascii=False)
