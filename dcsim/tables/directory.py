"""A directory of results: there complete, or not there at all.

It is built beside its destination under a name that starts with a dot, every file written out to the disk, and then
renamed. Whatever goes wrong before leaves the destination as it was.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from dcsim.errors import DcsimError, UsageError, printable

MANIFEST: Final = "manifest.json"


class ResultsError(DcsimError):
    """Results cannot be written, or what is read is incomplete or damaged (exit status 1)."""


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an `OSError` inside into a `ResultsError` that names `path`: a full disk is an error of its own."""
    try:
        yield
    except OSError as error:
        raise ResultsError(f"cannot write {printable(str(path))}: {error.strerror or error}") from error


def settle(file: IO[bytes]) -> None:
    """Flush `file` and make the disk take it."""
    file.flush()
    os.fsync(file.fileno())


def settle_directory(path: Path) -> None:
    """Make the disk take the names in a directory (where the system can)."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_file(path: Path, fill: Callable[[IO[bytes]], object]) -> None:
    """Write a file whole or not at all: `fill` gets it open under another name, which then becomes `path`.

    Raises `ResultsError` when the disk refuses, a full one included.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    with writing(path):
        try:
            with open(aside, "wb") as file:
                fill(file)
                settle(file)
            os.replace(aside, path)
            settle_directory(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                aside.unlink()
            raise


def is_complete(directory: Path) -> bool:
    """Whether `directory` holds the results of a run that went to its end."""
    import json

    try:
        return bool(json.loads((directory / MANIFEST).read_text(encoding="utf-8")).get("status") == "complete")
    except (OSError, ValueError, AttributeError):
        return False


def check_destination(destination: Path, overwrite: bool) -> None:
    """Raise `UsageError` if results may not be put at `destination`.

    A complete run is replaced only with `overwrite`; an interrupted or failed one always; anything that is not results
    never, unless it is an empty directory.
    """
    shown = printable(str(destination))
    if destination.is_dir():
        if (destination / MANIFEST).is_file():
            if is_complete(destination) and not overwrite:
                raise UsageError(f"{shown} already holds a complete run; choose another directory or overwrite it")
        elif any(destination.iterdir()):
            raise UsageError(f"{shown} exists and holds something else than results; choose another directory")
    elif destination.is_symlink() or destination.exists():
        raise UsageError(f"{shown} exists and is not a directory")


class StagedDirectory:
    """A context in which `path` is a fresh directory; `commit` makes it `destination`, leaving without it removes it.

    Raises `UsageError` at once if the destination may not be used, `ResultsError` if it cannot be.
    """

    path: Path

    def __init__(self, destination: Path, overwrite: bool = False) -> None:
        self.destination = destination.resolve()
        self._overwrite = overwrite
        check_destination(self.destination, overwrite)
        with writing(self.destination):
            self.destination.parent.mkdir(parents=True, exist_ok=True)
            self.path = self._sibling()
            self.path.mkdir()

    def _sibling(self) -> Path:
        """A name beside the destination that nobody has."""
        return self.destination.with_name(f".{self.destination.name}.{secrets.token_hex(6)}")

    def __enter__(self) -> StagedDirectory:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()

    def discard(self) -> None:
        """Remove what was staged; nothing after a commit."""
        shutil.rmtree(self.path, ignore_errors=True)

    def commit(self) -> None:
        """Rename the staged directory to its destination, in place of what may be replaced there."""
        check_destination(self.destination, self._overwrite)
        with writing(self.destination):
            settle_directory(self.path)
            if not self.destination.exists():
                os.rename(self.path, self.destination)
            else:
                former = self._sibling()
                os.rename(self.destination, former)
                try:
                    os.rename(self.path, self.destination)
                except BaseException:
                    os.rename(former, self.destination)
                    raise
                shutil.rmtree(former, ignore_errors=True)
            settle_directory(self.destination.parent)

