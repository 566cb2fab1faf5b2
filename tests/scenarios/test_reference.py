"""results/reproduce.py writes the same as `dcsim run` says, the same again, and what is kept in results/reference."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import dcsim
from dcsim.cli.group import cli

sys.path.append(str(Path(__file__).parents[2] / "results"))

import reproduce

ROOT = reproduce.ROOT
FEW = ("walk", "quickstart", "backstop-precedents")
COUNT = {"walk": 1, "quickstart": 20, "backstop-precedents": 20}
FILES = ["manifest.json", "picture.png", "summary.csv", "summary.txt"]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("reference")
    for name in FEW:
        assert reproduce.main(["--only", name, "--replications", str(COUNT[name]), "--out", str(place)]) == 0
    return place


@pytest.fixture(params=FEW)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def read(path: Path) -> Iterator[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def test_every_file_is_there_and_small(out: Path, name: str) -> None:
    found = sorted((out / name).iterdir())
    assert [path.name for path in found] == FILES
    assert all(0 < path.stat().st_size < 150_000 for path in found)


def test_the_summary_is_what_the_command_prints(out: Path, name: str, tmp_path: Path) -> None:
    """All but the last line, which names the directory, and the blank one before it."""
    file = ROOT / "scenarios" / f"{name}.yaml"
    call = ["run", str(file), "--replications", str(COUNT[name]), "--out", str(tmp_path / "run")]
    shown = CliRunner().invoke(cli, call)
    assert shown.exit_code in (0, 3)  # 3: something that the file expects does not hold in so few replications
    lines = shown.stdout.splitlines()
    assert lines[-1].startswith("  tables in ")
    assert (out / name / "summary.txt").read_text(encoding="utf-8").splitlines() == lines[:-2]
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    kept = json.loads((out / name / "manifest.json").read_text(encoding="utf-8"))
    assert kept["scenario"] == manifest["scenario"]


def test_the_manifest_has_the_hashes_of_any_other_run(out: Path, name: str) -> None:
    """In chunks of three, and of all tables at once."""
    scenario = dcsim.load(ROOT / "scenarios" / f"{name}.yaml")
    result = dcsim.simulate(scenario, COUNT[name], chunk=3, workers=1)
    manifest = json.loads((out / name / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest) == {*reproduce.KEPT, "tables"}
    assert manifest["seed"] == scenario.seed
    assert manifest["replications"] == {"asked": COUNT[name], "done": COUNT[name]}
    hashes = {table: entry["hash"] for table, entry in manifest["tables"].items()}
    assert hashes == {table: entry["hash"] for table, entry in result.manifest["tables"].items()}


def test_the_same_bytes_again(out: Path, name: str) -> None:
    texts = reproduce.texts(reproduce.run(name, COUNT[name]))
    assert sorted([*texts, "picture.png"]) == FILES
    for file, text in texts.items():
        assert text.encode() == (out / name / file).read_bytes(), file


def test_nothing_of_the_machine_is_kept(out: Path, name: str) -> None:
    for file in ("manifest.json", "summary.csv", "summary.txt"):
        text = (out / name / file).read_text(encoding="utf-8")
        assert str(Path.home()) not in text
        assert "/tmp" not in text
        assert str(ROOT) not in text


def test_the_walk_in_the_table(out: Path) -> None:
    """By hand: 100 MW live on 2028-07-12, and one replication has no interval."""
    rows = {row["outcome"]: row for row in read(out / "walk" / "summary.csv")}
    assert rows["date_of_100_mw"] == {
        "tenant": "lab", "outcome": "date_of_100_mw", "unit": "date", "p10": "2028-07-12", "p50": "2028-07-12",
        "p90": "2028-07-12", "mean": "", "mean_low": "", "mean_high": "", "reached": "1",
    }  # fmt: skip
    idle = rows["idle_mw_days"]
    assert (idle["p50"], idle["mean"], idle["mean_low"], idle["unit"]) == ("5200", "5200", "", "MW-days")


def test_the_table_agrees_with_the_tables(out: Path) -> None:
    scenario = dcsim.load(ROOT / "scenarios" / "quickstart.yaml")
    outcomes = dcsim.simulate(scenario, COUNT["quickstart"]).outcomes
    rows = {row["outcome"]: row for row in read(out / "quickstart" / "summary.csv")}
    for name in ("live_mw_2030", "rent_usd_m", "signed_mw"):
        values = np.sort(outcomes[name].to_numpy())
        assert float(rows[name]["mean"]) == pytest.approx(values.mean(), rel=1e-5)
        for order in (("p10", "p50", "p90"), ("mean_low", "mean", "mean_high")):
            low, middle, high = (float(rows[name][cell]) for cell in order)
            assert values[0] <= low <= middle <= high <= values[-1]
    reached = outcomes["date_of_100_mw"].notna().mean()
    assert float(rows["date_of_100_mw"]["reached"]) == pytest.approx(reached, rel=1e-5)
    assert all(row["unit"] for row in rows.values())


def test_the_picture_is_1400_wide(out: Path, name: str) -> None:
    data = (out / name / "picture.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    assert width == reproduce.PIXELS
    assert 700 <= height <= 1_800


def test_few_colours_keep_rare_ones() -> None:
    """White, a grey edge of many hues, and one red pixel: with three colours the red stays, and greys go together."""
    sheet = np.full((4, 4, 3), 255, np.uint8)
    sheet[0, 0] = (250, 0, 0)
    sheet[1, :] = np.array([100, 101, 102, 103], np.uint8)[:, None]
    indices, palette = reproduce.few_colours(sheet, 3)
    back = palette[indices]
    assert len(palette) == 3
    assert back[0, 0].tolist() == [250, 0, 0]
    assert back[2, 2].tolist() == [255, 255, 255]
    assert np.abs(back[1].astype(int) - sheet[1]).max() <= 3


def test_a_picture_in_few_colours_already_is_exact() -> None:
    sheet = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)
    indices, palette = reproduce.few_colours(sheet)
    assert (palette[indices] == sheet).all()


def test_what_is_kept_is_what_the_command_writes_now() -> None:
    """The walk takes a second. If this fails because the model has changed, run results/reproduce.py again."""
    for file, text in reproduce.texts(reproduce.run("walk")).items():
        assert text.encode() == (reproduce.REFERENCE / "walk" / file).read_bytes(), file


def test_what_is_kept_is_of_shipped_scenarios_and_complete() -> None:
    kept = sorted(path.name for path in reproduce.REFERENCE.iterdir())
    assert {"walk", "quickstart"} <= set(kept) <= set(reproduce.shipped())
    for scenario in kept:
        files = sorted((reproduce.REFERENCE / scenario).iterdir())
        assert [path.name for path in files] == FILES
        assert all(path.stat().st_size < 150_000 for path in files)


def test_an_unknown_scenario_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert reproduce.main(["--only", "wlak", "--out", str(tmp_path)]) == 2
    assert "no scenario wlak; there are" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
