"""Problems, marks and exceptions."""

from __future__ import annotations

import copy
import pickle

import pytest

from dcsim.errors import CODES, DcsimError, Mark, ModelError, Problem, ScenarioError, UsageError, printable, suggest

MARK = Mark("plan.yaml", 12, 5)


def test_a_problem_reads_file_line_column_path_message_code() -> None:
    problem = Problem("UNKNOWN", "sites.a.loj", "unknown key 'loj'", MARK)
    assert str(problem) == "plan.yaml:12:5: sites.a.loj: unknown key 'loj' [UNKNOWN]"


def test_a_problem_without_mark_or_path_leaves_them_out() -> None:
    assert str(Problem("EMPTY", "", "nothing in it")) == "nothing in it [EMPTY]"
    assert str(Problem("EDIT", "a.b", "no 'a'")) == "a.b: no 'a' [EDIT]"


def test_a_problem_never_puts_control_characters_on_the_terminal() -> None:
    shown = str(Problem("REF", "sites.\x1b[2J", "unknown 'a\nb\u202e'", Mark("\x07", 1, 1)))
    assert shown == "\\x07:1:1: sites.\\x1b[2J: unknown 'a\\nb\\u202e' [REF]"


def test_scenario_error_shows_one_line_a_problem() -> None:
    error = ScenarioError([Problem("TYPE", "a", "x"), Problem("TYPE", "b", "y")])
    assert str(error) == "a: x [TYPE]\nb: y [TYPE]"
    assert isinstance(error, DcsimError)


@pytest.mark.parametrize(
    "error",
    [ScenarioError(), ScenarioError([Problem("TYPE", "a", "x", MARK)]), UsageError("u"), ModelError("m")],
    ids=["empty", "problem", "usage", "model"],
)
def test_errors_survive_pickling_copying_and_being_made_again_from_their_arguments(error: DcsimError) -> None:
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), type(error)(*error.args)):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
    if isinstance(error, ScenarioError):
        assert pickle.loads(pickle.dumps(error)).problems == error.problems


def test_the_codes_are_the_agreed_ones() -> None:
    assert {"EMPTY", "SYNTAX", "EDIT", "WARN", "FILE"} <= CODES
    assert len(CODES) == 19


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("replication", "; did you mean 'replications'?"),
        ("Sites", "; did you mean 'sites'?"),
        ("ready-for-service", "; did you mean 'ready_for_service'?"),
        ("si\u200btes", "; did you mean 'sites'?"),
        ("zebra", ""),
        ("", ""),
        ("x" * 10_000, ""),
    ],
)
def test_suggest(word: str, expected: str) -> None:
    assert suggest(word, ["sites", "replications", "ready_for_service"]) == expected


def test_suggest_does_not_suggest_the_word_itself() -> None:
    assert suggest("sites", ["sites"]) == ""


def test_printable_keeps_letters_of_any_language_and_escapes_what_cannot_be_seen() -> None:
    assert printable("Zürich 数据 $135/kW") == "Zürich 数据 $135/kW"
    assert printable("a\u200bb\u2028c\td\ue000\U000e0101") == "a\\u200bb\\u2028c\\td\\ue000\\U000e0101"
