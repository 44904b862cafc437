"""The recogniser that is served, made when it is missing or made by other code, for another processor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from export.made_once import digest_of, make_once
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
    model = repository / _MODEL

    def make() -> None:
        # Imported here: onnx and ONNX Runtime take a second, and mostly there is nothing to make.
        from export.recognizer import make_served  # noqa: PLC0415

        say("making the recogniser from its published weights, once …")
        make_served(model / "1" / "model.onnx", model / "characters.txt")

    make_once(model, _made_from(), make)


def _made_from() -> str:
    """What the recogniser is made from, as a line of text that changes when that does."""
    made_by = digest_of(
        [
            *_EXPORT.glob("recognizer*"),
            *_EXPORT.glob("weights/text_recognizer*.npz"),
            _EXPORT / "integers.py",
            _EXPORT / "for_cpu.py",
        ]
    )
    integers = "fast" if has_fast_integers() else "slow"
    return f"weights {SHA256}, export {made_by}, 8-bit integers {integers}\n"
