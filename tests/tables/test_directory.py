"""Directories that are there complete or not at all, and never in place of anything else."""

import errno
import json
import os

import pytest

from dcsim.errors import UsageError
from dcsim.tables.directory import MANIFEST, ResultsError, StagedDirectory, check_destination, write_file


def results(path, status="complete"):
    path.mkdir()
    (path / MANIFEST).write_text(json.dumps({"status": status}))
    (path / "mark").write_text("old")
    return path


def test_nothing_is_there_before_the_commit(tmp_path):
    with StagedDirectory(tmp_path / "deep" / "run") as staged:
        (staged.path / "a").write_text("a")
        assert staged.path.name.startswith(".")
        assert not (tmp_path / "deep" / "run").exists()
        staged.commit()
        assert (tmp_path / "deep" / "run" / "a").read_text() == "a"
    assert os.listdir(tmp_path / "deep") == ["run"]


def test_leaving_without_a_commit_leaves_nothing(tmp_path):
    def fail():
        with StagedDirectory(tmp_path / "run") as staged:
            (staged.path / "a").write_text("a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert os.listdir(tmp_path) == []


def test_a_complete_run_is_refused(tmp_path):
    results(tmp_path / "run")
    with pytest.raises(UsageError, match="already holds a complete run"):
        StagedDirectory(tmp_path / "run")
    assert os.listdir(tmp_path) == ["run"]


@pytest.mark.parametrize(("status", "overwrite"), [("complete", True), ("interrupted", False), ("failed", False)])
def test_what_may_be_replaced_is_replaced_whole(tmp_path, status, overwrite):
    results(tmp_path / "run", status)
    with StagedDirectory(tmp_path / "run", overwrite) as staged:
        (staged.path / "new").write_text("new")
        assert (tmp_path / "run" / "mark").read_text() == "old"
        staged.commit()
    assert os.listdir(tmp_path / "run") == ["new"]
    assert os.listdir(tmp_path) == ["run"]


def test_what_became_complete_meanwhile_is_refused_at_the_commit(tmp_path):
    def late():
        with StagedDirectory(tmp_path / "run") as staged:
            results(tmp_path / "run")
            staged.commit()

    with pytest.raises(UsageError, match="already holds"):
        late()
    assert (tmp_path / "run" / "mark").read_text() == "old"
    assert os.listdir(tmp_path) == ["run"]


def test_a_failed_rename_restores_what_was_there(tmp_path, monkeypatch):
    results(tmp_path / "run")
    real = os.rename

    def rename(source, target):
        if str(target).endswith("/run") and (source / "new").exists():
            raise OSError(errno.EIO, "Input/output error")
        real(source, target)

    monkeypatch.setattr(os, "rename", rename)
    with StagedDirectory(tmp_path / "run", True) as staged:
        (staged.path / "new").write_text("new")
        with pytest.raises(ResultsError, match="Input/output error"):
            staged.commit()
    assert (tmp_path / "run" / "mark").read_text() == "old"
    assert os.listdir(tmp_path) == ["run"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_anything_else_is_never_replaced(tmp_path, overwrite):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter").write_text("years of work")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="something else than results"):
        check_destination(tmp_path / "thesis", overwrite)
    with pytest.raises(UsageError, match="not a directory"):
        check_destination(tmp_path / "file", overwrite)


def test_an_empty_directory_may_be_used(tmp_path):
    (tmp_path / "run").mkdir()
    with StagedDirectory(tmp_path / "run") as staged:
        (staged.path / "a").write_text("a")
        staged.commit()
    assert os.listdir(tmp_path / "run") == ["a"]


def test_a_link_is_followed(tmp_path):
    results(tmp_path / "run", "failed")
    (tmp_path / "latest").symlink_to("run")
    with StagedDirectory(tmp_path / "latest") as staged:
        (staged.path / "a").write_text("a")
        staged.commit()
    assert os.listdir(tmp_path / "run") == ["a"]
    assert (tmp_path / "latest").is_symlink()


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    (tmp_path / "a").write_text("old")

    def fill(file):
        file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(ResultsError, match="No space left on device"):
        write_file(tmp_path / "a", fill)
    assert (tmp_path / "a").read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]
    write_file(tmp_path / "a", lambda file: file.write(b"new"))
    assert (tmp_path / "a").read_text() == "new"
    assert os.listdir(tmp_path) == ["a"]
