"""Rows of the CSV files and workbooks that lie beside a scenario, with the place of every cell."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple

from dcsim.errors import Mark, Problem, ScenarioError, printable, suggest
from dcsim.scenario.yaml_reader import read_bytes
from dcsim.scenario.yaml_text import decode

MOST_ROWS = 100_000
MOST_COLUMNS = 1_000
MOST_UNPACKED = 100_000_000


class Cell(NamedTuple):
    """A cell that is not empty: its text, or a value that the workbook keeps as a number or truth value."""

    value: Any
    mark: Mark


def inside(folder: Path, file: str, mark: Mark | None = None, path: str = "") -> Path:
    """The full path of a file in the scenario's folder or below it.

    Raises ScenarioError: PATH for a name that leads elsewhere, FILE for one that is not there.
    """
    shown = printable(file[:200])

    def refuse(code: str, message: str) -> ScenarioError:
        return ScenarioError([Problem(code, path, message, mark)])

    if "://" in file or file.startswith(("//", "\\\\")):
        raise refuse("PATH", f"'{shown}': only local files")
    parts = re.split(r"[/\\]", file)
    if PurePosixPath(file).is_absolute() or PureWindowsPath(file).drive or file.startswith(("\\", "~")):
        raise refuse("PATH", f"'{shown}' must be given relative to the scenario's folder")
    if ".." in parts:
        raise refuse("PATH", f"'{shown}' must stay inside the scenario's folder")
    if not file.isprintable() or not file.strip():
        raise refuse("PATH", f"'{shown}' is not a file name")
    home = folder.resolve()
    full = home / file
    try:
        real = full.resolve()
        if not real.is_relative_to(home):
            raise refuse("PATH", f"'{shown}' leads outside the scenario's folder")
        if not real.is_file():
            raise refuse("FILE", f"{shown} not found (relative to the scenario)")
    except (OSError, RuntimeError) as error:
        raise refuse("FILE", f"{shown} cannot be read: {error}") from None
    return real


def csv_rows(path: Path, file: str) -> Iterator[list[Cell | None]]:
    """Rows of a CSV file with commas; a mark's line is the row's first line, its column the cell's number."""
    shown = printable(file)
    text = decode(read_bytes(path, shown), shown)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for number, row in enumerate(reader):
            if number > MOST_ROWS or len(row) > MOST_COLUMNS:
                raise ScenarioError([Problem("LIMIT", "", _too_many(), Mark(shown, line, 1))])
            yield [Cell(v.strip(), Mark(shown, line, i + 1)) if v.strip() else None for i, v in enumerate(row)]
            line = reader.line_num + 1
    except csv.Error as error:
        raise ScenarioError([Problem("SYNTAX", "", f"not CSV: {error}", Mark(shown, line, 1))]) from None


def _too_many() -> str:
    return f"more than {MOST_ROWS:,} rows or {MOST_COLUMNS:,} columns"


def xlsx_rows(path: Path, file: str, sheet: str | None) -> list[list[Cell | None]]:
    """Rows of a worksheet; a formula gives the value that the spreadsheet program stored with it."""
    from openpyxl import load_workbook

    shown = printable(file)
    data = read_bytes(path, shown)
    start = Mark(shown, 1, 1)
    books = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_UNPACKED:
                message = f"more than {MOST_UNPACKED // 10**6} MB when unpacked"
                raise ScenarioError([Problem("LIMIT", "", message, start)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about features of the workbook that do not matter here
            # Twice: the stored values, and the formulas, to tell an empty cell from a formula without a stored value.
            for stored in (True, False):
                books.append(load_workbook(io.BytesIO(data), read_only=True, data_only=stored))
            if sheet is not None and sheet not in books[0].sheetnames:
                message = f"{shown} has no sheet '{printable(sheet)}'{suggest(sheet, books[0].sheetnames)}"
                raise ScenarioError([Problem("REF", "", message, start)])
            return list(_cells(books, sheet, shown))
    except ScenarioError:
        raise
    except Exception as error:  # noqa: BLE001  a broken workbook fails in many ways inside the library
        message = f"{shown} is not an xlsx workbook ({type(error).__name__})"
        raise ScenarioError([Problem("FILE", "", message, start)]) from None
    finally:
        for book in books:
            book.close()


def _cells(books: list[Any], sheet: str | None, shown: str) -> Iterator[list[Cell | None]]:
    sheets = [book[sheet] if sheet is not None else book.worksheets[0] for book in books]
    for one in sheets:
        one.reset_dimensions()  # as declared in the file they may be anything
    for number, (stored, written) in enumerate(zip(sheets[0].rows, sheets[1].rows, strict=False), start=1):
        if number > MOST_ROWS + 1 or len(stored) > MOST_COLUMNS:
            raise ScenarioError([Problem("LIMIT", "", _too_many(), Mark(shown, number, 1))])
        row: list[Cell | None] = []
        for index, cell in enumerate(stored):
            mark = Mark(shown, number, index + 1)
            formula = index < len(written) and written[index].data_type == "f"
            if cell.data_type == "e" or (formula and cell.value is None):
                what = f"the error {cell.value}" if cell.data_type == "e" else "a formula without a stored value"
                raise ScenarioError([Problem("TYPE", "", f"{what}; save the workbook with its values", mark)])
            value = _plain(cell.value)
            row.append(None if value is None or value == "" else Cell(value, mark))
        yield row


def _plain(value: Any) -> Any:
    """A cell's value as a scenario file would have it: dates are text."""
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, str):
        return value.strip()
    return value if isinstance(value, bool | int | float) or value is None else str(value)
