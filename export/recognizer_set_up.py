"""The recogniser that is served, made when it is missing or made by other code, for another processor."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from export.files import locked, write_atomically
from export.recognizer_weights import SHA256
from tandem.runtime.processor import has_fast_integers
from tandem.runtime.setup import REPOSITORY

_EXPORT = Path(__file__).parent
_MODEL = "text_recognizer"


def make_recognizer(say: Callable[[str], None], repository: Path = REPOSITORY) -> None:
    """Make the recogniser's files in the model repository, unless they are there.

    Args:
        say: gets one line if they have to be made, which takes some seconds.
        repository: where the model `text_recognizer` is.

    Raises:
        ExportError: the weights are missing or others, or the export failed.
    """
    if _is_made(repository / _MODEL):
        return
    with locked(repository / _MODEL / "1"):  # two commands may be started at once
        if not _is_made(repository / _MODEL):
            _make(say, repository / _MODEL)


def _make(say: Callable[[str], None], model: Path) -> None:
    # Imported here: onnx and ONNX Runtime take a second, and mostly there is nothing to make.
    from export.recognizer import make_served  # noqa: PLC0415

    say("making the recogniser from its published weights, once …")
    _stamp(model).unlink(missing_ok=True)
    make_served(model / "1" / "model.onnx", model / "characters.txt")
    write_atomically(_stamp(model), _made_from().encode())


def _is_made(model: Path) -> bool:
    try:
        return _stamp(model).read_text("utf-8") == _made_from()
    except OSError:
        return False


def _stamp(model: Path) -> Path:
    """Written last: where it is, the other files are whole."""
    return model / "1" / "made-from.txt"


def _made_from() -> str:
    """What the recogniser is made from, as a line of text that changes when that does."""
    digest = hashlib.sha256()
    made_by = (*_EXPORT.glob("recognizer*"), *_EXPORT.glob("weights/text_recognizer*"))
    for path in sorted(made_by):
        digest.update(path.read_bytes())
    integers = "fast" if has_fast_integers() else "slow"
    return f"weights {SHA256}, export {digest.hexdigest()}, 8-bit integers {integers}\n"
