"""Columns and their exact types, in Arrow and in data frames."""

from datetime import date

import pandas as pd
import pyarrow as pa
import pytest
from fake_study import FakeScenario, plan, walk

from dcsim.model.history import PARTY_NUMBERS
from dcsim.tables.chunk import ChunkBuilder
from dcsim.tables.layout import Layout
from dcsim.tables.schema import (
    ASSUMPTIONS,
    CAPACITY,
    CASH,
    DEFAULTS,
    DELAYS,
    EVENTS,
    EXPOSURE,
    HASHES,
    LEDGER,
    LOANS,
    MILESTONES,
    PARTIES,
    TABLE_NAMES,
    outcomes_schema,
    run_schemas,
    target_name,
    year_ends,
)

LAYOUT = Layout.of(FakeScenario(), plan(FakeScenario()))


MONEY = (
    "amount", "ltc", "min_dscr", "peak_drawn", "interest_during_construction", "contingency_left", "recovery",
    "breakeven_delay_days", "opening", "received", "paid", "closing", "usd_m", *PARTY_NUMBERS,
)  # fmt: skip


def test_types_of_columns():
    types = {
        "replication": pa.int64(), "tenant": pa.string(), "site": pa.string(), "phase": pa.string(), "lot": pa.int32(),
        "milestone": pa.string(), "day": pa.float64(), "date": pa.date32(), "committed": pa.date32(),
        "month": pa.date32(), "cause": pa.string(), "days": pa.float64(), "mw_days": pa.float64(),
        "planned_days": pa.float64(), "reached": pa.bool_(), "kind": pa.string(), "entity": pa.string(),
        "detail": pa.string(), "live_mw_2026": pa.float64(), "live_mw_2027": pa.float64(),
        "live_mw_2028": pa.float64(), "live_mw_at_horizon": pa.float64(), "date_first_live": pa.date32(),
        "date_of_12_5_mw": pa.date32(), "date_of_50_mw": pa.date32(), "date_of_100_mw": pa.date32(),
        "idle_mw_days": pa.float64(), "calls": pa.float64(), "cost": pa.float64(),
        "closed": pa.date32(), "binding_limit": pa.string(), "defaulted": pa.date32(),
        "closes_without_guarantor": pa.bool_(), "party": pa.string(), "payer": pa.string(), "payee": pa.string(),
        "source": pa.string(), "target": pa.string(), **dict.fromkeys(MONEY, pa.float64()),
    }  # fmt: skip
    nullable = {
        "lot", "committed", "planned_days", "calls", "cost", "demand_mw", "unserved_mw", "min_dscr", "recovery",
        "breakeven_delay_days", "defaulted",
    }  # fmt: skip
    builder = ChunkBuilder(LAYOUT, TABLE_NAMES)
    builder.add(walk(0, trace=True))
    tables = builder.arrow()
    assert list(tables) == list(TABLE_NAMES)
    for name, table in tables.items():
        table.validate(full=True)
        for field in table.schema:
            expected = types.get(field.name, pa.float64() if "mw" in field.name else None)
            assert field.type == expected, (name, field.name)
            may = field.name in nullable or field.name.startswith("date_") or (
                name == "milestones" and field.name == "phase"
            )
            may = may and name != "parties"
            assert field.nullable == may, (name, field.name)
            assert field.metadata[b"doc"], (name, field.name)


def test_columns_promised():
    assert MILESTONES.column_names == (
        "replication", "tenant", "site", "phase", "lot", "milestone", "day", "date", "committed",
    )  # fmt: skip
    assert CAPACITY.column_names == (
        "replication", "tenant", "month", "loi_mw", "diligence_mw", "leased_mw", "closed_mw", "building_mw",
        "energised_mw", "ready_mw", "chips_on_hand_mw", "live_mw", "cloud_mw", "demand_mw",
        "unserved_mw",
    )  # fmt: skip
    assert LOANS.column_names == (
        "replication", "site", "closed", "amount", "binding_limit", "ltc", "min_dscr", "peak_drawn",
        "interest_during_construction", "contingency_left", "defaulted", "recovery", "closes_without_guarantor",
        "breakeven_delay_days",
    )  # fmt: skip
    assert LEDGER.column_names == ("replication", "month", "payer", "payee", "kind", "usd_m")
    assert EXPOSURE.column_names == ("replication", "month", "source", "target", "kind", "usd_m")
    assert CASH.column_names == ("replication", "month", "party", "opening", "received", "paid", "closing")
    assert PARTIES.column_names == ("replication", "party", *PARTY_NUMBERS)
    assert DEFAULTS.column_names == ("replication", "day", "date", "party", "cause")
    assert DELAYS.column_names == (
        "replication", "tenant", "site", "phase", "cause", "days", "mw_days", "planned_days", "reached",
    )  # fmt: skip
    assert EVENTS.column_names == ("replication", "day", "date", "kind", "entity", "detail")
    assert ASSUMPTIONS.column_names == ("path", "value", "unit", "source", "as_of", "confidence")
    assert HASHES.column_names == ("replication", "table", "hash")


def test_outcomes_follow_the_scenario():
    schema = outcomes_schema(date(2026, 12, 31), date(2028, 12, 30), [1000.0, 12.5, 1000], ["calls"])
    assert schema.column_names == (
        "replication", "tenant", "live_mw_2026", "live_mw_2027", "live_mw_at_horizon", "date_first_live",
        "date_of_12_5_mw", "date_of_1000_mw", "mw_live", "mw_rejected", "mw_shelved", "mw_lost", "mw_unguaranteed",
        "mw_unfinanced", "mw_terminated", "mw_pending", "idle_mw_days", "calls",
    )  # fmt: skip
    with pytest.raises(ValueError, match="mw_live"):
        outcomes_schema(date(2026, 1, 1), date(2026, 2, 1), scalars=["mw_live"])


def test_year_ends_include_both_ends():
    assert year_ends(date(2026, 12, 31), date(2027, 12, 31)) == [date(2026, 12, 31), date(2027, 12, 31)]
    assert year_ends(date(2027, 1, 1), date(2027, 12, 30)) == []


@pytest.mark.parametrize(("mw", "name"), [(1000.0, "date_of_1000_mw"), (12.5, "date_of_12_5_mw"), (7, "date_of_7_mw")])
def test_target_names(mw, name):
    assert target_name(mw) == name


def test_tables_keep_their_order():
    schema = outcomes_schema(date(2026, 1, 1), date(2026, 2, 1))
    assert list(run_schemas(schema, ["delays", "outcomes"])) == ["outcomes", "delays"]


def test_frames_have_numbers_and_dates(tmp_path):
    from dcsim.tables.reading import read_frame
    from dcsim.tables.writer import RunWriter

    builder = ChunkBuilder(LAYOUT, TABLE_NAMES)
    builder.add(walk(0, trace=True))
    writer = RunWriter(tmp_path, LAYOUT, TABLE_NAMES)
    writer.append(builder.finish())
    writer.close()
    frame = read_frame(tmp_path, "milestones")
    assert pd.api.types.is_datetime64_dtype(frame["date"])
    assert pd.api.types.is_datetime64_dtype(frame["committed"])
    assert frame["lot"].dtype == pd.Int32Dtype()
    assert frame["replication"].dtype == "int64"
    assert frame["lot"].isna().sum() == 4
    assert read_frame(tmp_path, "delays")["reached"].dtype == bool
    assert list(read_frame(tmp_path, "events")["kind"]) == ["milestone"]
