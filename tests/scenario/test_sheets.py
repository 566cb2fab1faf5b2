"""Entries and columns kept in spreadsheets."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from dcsim.errors import Mark, ScenarioError
from dcsim.scenario import archetypes, sheets
from dcsim.scenario.tree import Node, declared_at, mark_of, plain
from dcsim.scenario.yaml_reader import read_yaml, write_yaml

ROWS = '''\
id,developer,like,loi.signed,phases,tags,score,title,lease.rent,lease.term
tx-west,dev-a,k,2026-04-14,48 MW; 48 MW,letters; weak,0.9,"=1+1; ""a, b""",$135/kW-month,
ny-lake, dev-b ,,2026-05-05,60,letters,060,,140,15 years
,,,,,,,,,
007,NO,,1:40,1,,,,,
'''


def write(folder: Path, name: str, text: str | bytes) -> None:
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)


def joined(folder: Path, text: str) -> Node:
    raw = read_yaml(text, "f")
    before = write_yaml(raw)
    out = sheets.join(raw, folder)
    assert write_yaml(raw) == before
    return out


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        sheets.join(read_yaml(text, "f"), folder)
    return [str(p) for p in caught.value.problems]


@pytest.mark.parametrize("encode", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_row_is_an_entry_and_cells_mean_what_they_would_unquoted(tmp_path: Path, encode: str, line_end: str) -> None:
    write(tmp_path, "l.csv", ROWS.replace("\n", line_end).encode(encode))
    assert plain(joined(tmp_path, "sites: {csv: l.csv}")) == {
        "sites": {
            "tx-west": {
                "developer": "dev-a",
                "like": "k",
                "loi": {"signed": "2026-04-14"},
                "phases": ["48 MW", "48 MW"],
                "tags": ["letters", "weak"],
                "score": 0.9,
                "title": '=1+1; "a, b"',
                "lease": {"rent": "$135/kW-month"},
            },
            "ny-lake": {
                "developer": "dev-b",
                "loi": {"signed": "2026-05-05"},
                "phases": [60],
                "tags": ["letters"],
                "score": 60,
                "lease": {"rent": 140, "term": "15 years"},
            },
            "007": {"developer": "NO", "loi": {"signed": "1:40"}, "phases": [1]},
        }
    }


def test_marks_name_the_file_row_and_column(tmp_path: Path) -> None:
    write(tmp_path, "l.csv", 'id,note,mw\na,"two\nlines",5\nb,,6\n')
    raw = joined(tmp_path, "sites: {csv: l.csv}")
    assert mark_of(raw, ("sites", "a", "mw")) == Mark("l.csv", 2, 3)
    assert mark_of(raw, ("sites", "b", "mw")) == Mark("l.csv", 4, 3)
    assert mark_of(raw, ("sites", "b")) == Mark("l.csv", 4, 1)
    assert raw["sites"]["a"]["note"] == "two\nlines"
    assert declared_at(raw, "sites.b.mw") == "sites.b.mw"


def test_entries_beside_the_file_go_over_its_rows_and_archetypes_apply(tmp_path: Path) -> None:
    write(tmp_path, "l.csv", ROWS)
    raw = joined(
        tmp_path,
        "defaults: {site: {tenant: lab}}\narchetypes: {k: {pue: 1.3}}\n"
        "sites:\n  csv: l.csv\n  source: guess\n  tx-west: {score: {times: 2}, tags: [x]}\n  more: {like: ny-lake}\n",
    )
    assert list(raw["sites"]) == ["tx-west", "ny-lake", "007", "source", "more"]
    filled, found = archetypes.fill(raw)
    assert found == []
    west = plain(filled["sites"]["tx-west"])
    assert (west["score"], west["tags"], west["pue"], west["tenant"]) == (1.8, ["x"], 1.3, "lab")
    assert west["phases"] == {"p1": {"mw": "48 MW"}, "p2": {"mw": "48 MW"}}
    assert filled["sites"]["more"]["lease"]["rent"] == 140
    assert mark_of(filled, ("sites", "tx-west", "score")) == Mark("f", 6, 20)
    assert mark_of(filled, ("sites", "tx-west", "developer")) == Mark("l.csv", 2, 2)


def test_what_is_joined_needs_no_file(tmp_path: Path) -> None:
    write(tmp_path, "l.csv", ROWS)
    raw = joined(tmp_path, "sites: {csv: l.csv}\nx: {empirical: {csv: l.csv, column: score}}")
    assert plain(read_yaml(write_yaml(raw))) == plain(raw)
    assert raw["x"]["empirical"] == [0.9, 60]


def test_other_sections(tmp_path: Path) -> None:
    write(tmp_path, "o.csv", "id,product,racks\na,p,800\n")
    raw = joined(tmp_path, "chips: {orders: {csv: o.csv}, products: {p: {}}}\nparties: {csv: o.csv}\n")
    assert raw["chips"]["orders"] == {"a": {"product": "p", "racks": 800}}
    assert raw["chips"]["products"] == {"p": {}}
    assert raw["parties"]["a"]["racks"] == 800


def test_an_entry_may_be_called_csv(tmp_path: Path) -> None:
    text = "sites: {csv: {developer: x}}"
    assert joined(tmp_path, text) == read_yaml(text)


# Paths.


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../x.csv", "PATH"), ("a/../../x.csv", "PATH"), ("a\\..\\x.csv", "PATH"), ("/etc/passwd", "PATH"),
        ("C:\\x.csv", "PATH"), ("\\\\host\\x.csv", "PATH"), ("//host/x.csv", "PATH"), ("~/x.csv", "PATH"),
        ("http://127.0.0.1/x.csv", "PATH"), ("file:///etc/passwd", "PATH"), ("", "PATH"), ("a\nb.csv", "PATH"),
        ("link.csv", "PATH"), ("linked/x.csv", "PATH"), ("missing.csv", "FILE"), (".", "FILE"), ("sub", "FILE"),
    ],
)  # fmt: skip
def test_files_stay_inside_the_scenarios_folder(tmp_path: Path, name: str, code: str) -> None:
    home = tmp_path / "home"
    (home / "sub").mkdir(parents=True)
    write(tmp_path, "x.csv", "id\na\n")
    os.symlink(tmp_path / "x.csv", home / "link.csv")
    os.symlink(tmp_path, home / "linked")
    with pytest.raises(ScenarioError) as caught:
        sheets.inside(home, name)
    assert [p.code for p in caught.value.problems] == [code]


def test_files_below_and_links_within_the_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", "x.csv", "id\na\n")
    os.symlink("sub/x.csv", tmp_path / "link.csv")
    for name in ("sub/x.csv", "./sub/x.csv", "link.csv"):
        assert list(joined(tmp_path, f"sites: {{csv: {name}}}")["sites"]) == ["a"]


def test_a_bad_path_is_named_with_its_place(tmp_path: Path) -> None:
    assert problems(tmp_path, "sites:\n  csv: ../x.csv\nparties: {csv: no.csv}\n") == [
        "f:2:8: sites.csv: '../x.csv' must stay inside the scenario's folder [PATH]",
        "f:3:16: parties.csv: no.csv not found (relative to the scenario) [FILE]",
    ]


def test_a_sheet_of_more_than_ten_megabytes(tmp_path: Path) -> None:
    with (tmp_path / "big.csv").open("wb") as out:
        out.truncate(10_000_001)
    assert "LIMIT" in problems(tmp_path, "sites: {csv: big.csv}")[0]


# Bad sheets.


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("", ["l.csv:1:1: sites: l.csv has no rows [EMPTY]"]),
        ("name\nx\n", ["l.csv:1:1: sites: the first row names no column 'id' [REQUIRED]"]),
        ("id,a\nx,1\n,2\n", ["l.csv:3:2: sites: row 3 has no id [REQUIRED]"]),
        ("id\nx\ny\nx\n", ["l.csv:4:1: sites.x: duplicate id 'x' at lines 2 and 4 [DUPLICATE]"]),
        ("id,a,a\nx,1,2\n", ["l.csv:1:3: sites: columns 'a' and 'a' give the same field [DUPLICATE]"]),
        ("id,a,a.b\nx,1,2\n", ["l.csv:1:3: sites: columns 'a' and 'a.b' give the same field [DUPLICATE]"]),
        ("id,a..b\nx,1\n", ["l.csv:1:2: sites: column name 'a..b' is no path [UNKNOWN]",
                            "l.csv:2:2: sites.x: a cell under no column name [UNKNOWN]"]),
        ("id,a\nx,1,2\n", ["l.csv:2:3: sites.x: a cell under no column name [UNKNOWN]"]),
        ("id,a\nx,1e400\ny,9e999;1\n", ["l.csv:2:2: sites.x.a: must be finite (1e400 overflows) [RANGE]",
                                       "l.csv:3:2: sites.y.a: must be finite (9e999 overflows) [RANGE]"]),
        ('id\n"x\n', ["l.csv:2:1: sites.csv: not CSV: unexpected end of data [SYNTAX]"]),
        (b"id\ncaf\xe9\n", ["l.csv:2:4: sites.csv: not UTF-8 at byte 6; re-save as UTF-8 [ENCODING]"]),
        (b"id,a\nx,\x1b[2J\n", ["l.csv:2:3: sites.csv: control character U+001B at line 2 [ENCODING]"]),
        (b"\x89PNG\0\0", ["l.csv:1:1: sites.csv: not a text file [ENCODING]"]),
    ],
)  # fmt: skip
def test_bad_rows(tmp_path: Path, rows: str | bytes, expected: list[str]) -> None:
    write(tmp_path, "l.csv", rows)
    assert problems(tmp_path, "sites: {csv: l.csv}") == expected


def test_columns(tmp_path: Path) -> None:
    write(tmp_path, "l.csv", ROWS)
    assert sheets.column(tmp_path, "l.csv", "lease.rent") == ["$135/kW-month", 140]
    assert problems(tmp_path, "a: {b: [{empirical: {csv: l.csv, column: scor}}]}") == [
        "f:1:27: a.b.0.empirical: l.csv has no column 'scor'; did you mean 'score'? [REF]"
    ]
    assert problems(tmp_path, "a: {empirical: {csv: l.csv}}") == [
        "f:1:22: a.empirical: expected {csv: FILE, column: NAME} [TYPE]"
    ]


# Workbooks.


def workbook(path: Path, rows: list[list[Any]], title: str = "Letters", texts: dict[str, str] | None = None) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for place, text in (texts or {}).items():
        sheet[place] = text
        sheet[place].data_type = "s"
    book.save(path)


def test_a_workbook(tmp_path: Path) -> None:
    rows = [
        ["id", "loi.signed", "mw", "score", "note", "ok", "tags", None],
        ["x", dt.date(2026, 4, 14), 48, 0.5, "hi", True, "a; b", None],
        [7, dt.datetime(2026, 5, 1), 48.5, None, None, "true", "a", None],
        [None, None, None, None, None, None, None, None],
        ["z", "2026-06-01", "48 MW", None, None, False, None, None],
    ]
    workbook(tmp_path / "w.xlsx", rows, texts={"E3": "=1+1"})
    raw = joined(tmp_path, "sites: {xlsx: w.xlsx}")
    assert plain(raw["sites"]) == {
        "x": {"loi": {"signed": "2026-04-14"}, "mw": 48, "score": 0.5, "note": "hi", "ok": True, "tags": ["a", "b"]},
        "7": {"loi": {"signed": "2026-05-01"}, "mw": 48.5, "note": "=1+1", "ok": True, "tags": ["a"]},
        "z": {"loi": {"signed": "2026-06-01"}, "mw": "48 MW", "ok": False},
    }
    assert mark_of(raw, ("sites", "z", "mw")) == Mark("w.xlsx", 5, 3)
    assert joined(tmp_path, "sites: {xlsx: w.xlsx, sheet: Letters}") == raw


def test_a_formula_gives_its_stored_value(tmp_path: Path) -> None:
    path = tmp_path / "w.xlsx"
    workbook(path, [["id", "mw"], ["x", "=40+8"]])
    assert problems(tmp_path, "sites: {xlsx: w.xlsx}") == [
        "w.xlsx:2:2: sites.xlsx: a formula without a stored value; save the workbook with its values [TYPE]"
    ]
    stored = tmp_path / "stored.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(stored, "w") as new:
        for member in old.namelist():
            data = old.read(member)
            if member == "xl/worksheets/sheet1.xml":
                assert b"<f>40+8</f><v" in data
                data = data.replace(b"<f>40+8</f><v />", b"<f>40+8</f><v>48</v>").replace(
                    b"<f>40+8</f><v/>", b"<f>40+8</f><v>48</v>"
                )
            new.writestr(member, data)
    assert joined(tmp_path, "sites: {xlsx: stored.xlsx}")["sites"]["x"]["mw"] == 48


def test_bad_workbooks(tmp_path: Path) -> None:
    workbook(tmp_path / "w.xlsx", [["id"], ["x"]])
    write(tmp_path, "l.csv", "id\nx\n")
    with zipfile.ZipFile(tmp_path / "empty.xlsx", "w") as archive:
        archive.writestr("a.txt", "x")
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 101_000_000)
    assert (
        "has no sheet 'Leters'; did you mean 'Letters'? [REF]"
        in problems(tmp_path, "sites: {xlsx: w.xlsx, sheet: Leters}")[0]
    )
    assert "give either csv, or xlsx and its sheet [TYPE]" in problems(tmp_path, "sites: {xlsx: w.xlsx, csv: l.csv}")[0]
    assert "not an xlsx workbook" in problems(tmp_path, "sites: {xlsx: l.csv}")[0]
    assert "not an xlsx workbook" in problems(tmp_path, "sites: {xlsx: empty.xlsx}")[0]
    assert "100 MB when unpacked [LIMIT]" in problems(tmp_path, "sites: {xlsx: bomb.xlsx}")[0]


def test_reading_a_scenario_without_workbooks_does_not_import_openpyxl() -> None:
    code = "import sys, dcsim.scenario.sheets; sys.exit(bool({'openpyxl', 'pandas', 'networkx'} & set(sys.modules)))"
    root = Path(sheets.__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=root).returncode == 0
