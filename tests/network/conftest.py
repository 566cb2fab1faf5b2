"""The cases of tests/data/finance_cases.json, asked for by id and compared at their own tolerance."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).parents[1] / "data" / "finance_cases.json"
CASES = {case["id"]: case for case in json.loads(DATA.read_text(encoding="utf-8"))["cases"]}


class Case:
    """One case; at the end of a test everything that it expects must have been compared, or waived."""

    def __init__(self, name):
        self.case = CASES[name]
        self.inputs = self.case["inputs"]
        self.open = set(self.case["expected"])

    def expected(self, name):
        self.open.discard(name)
        return self.case["expected"][name]

    def close(self, got, name):
        """Numbers, lists or dictionaries of them agree, relatively or absolutely, within the case's tolerance."""
        self.near(got, self.expected(name))

    def near(self, got, want):
        if isinstance(want, dict):
            assert got.keys() == want.keys()
            got, want = [got[key] for key in want], list(want.values())
        np.testing.assert_allclose(np.asarray(got, dtype=float), want, rtol=self.case["tol"], atol=self.case["tol"])

    def named(self, values):
        """An array over parties as a dictionary by name."""
        return dict(zip(self.inputs["names"], np.asarray(values).tolist(), strict=True))


@pytest.fixture
def case():
    """Asks for a case by its id."""
    asked = []

    def ask(name):
        asked.append(Case(name))
        return asked[-1]

    yield ask
    for one in asked:
        assert not one.open, f"not compared: {sorted(one.open)}"
