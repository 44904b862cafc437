"""Files of a model that are made at set-up: once, and again when what makes them changes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from export.files import locked, write_atomically

_STAMP = "made-from.txt"


def make_once(model: Path, made_from: str, make: Callable[[], None]) -> None:
    """Make a model's files, unless they are there.

    Args:
        model: its folder in the model repository.
        made_from: a line of text that changes when what they are made from does.
        make: makes them, having said so: it takes longer than a moment.
    """
    if _is_made(model, made_from):
        return
    with locked(model / "1"):  # two commands may be started at once
        if _is_made(model, made_from):
            return
        _stamp(model).unlink(missing_ok=True)
        make()
        write_atomically(_stamp(model), made_from.encode())


def digest_of(paths: Iterable[Path]) -> str:
    """The SHA-256 of files' contents, whatever order they come in."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _is_made(model: Path, made_from: str) -> bool:
    try:
        return _stamp(model).read_text("utf-8") == made_from
    except OSError:
        return False


def _stamp(model: Path) -> Path:
    """Written last: where it is, the other files are whole."""
    return model / "1" / _STAMP
