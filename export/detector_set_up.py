"""The card detector that CPUs serve, made when it is missing or made by other code, for another processor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from export.made_once import digest_of, make_once
from tandem.runtime.processor import has_fast_integers
from tandem.runtime.setup import REPOSITORY

_EXPORT = Path(__file__).parent
_MODEL = "card_detector"
_MAKERS = ("integers.py", "for_cpu.py", "detector_int8.py", "detector_ranges.json")


def make_detector(say: Callable[[str], None], repository: Path = REPOSITORY) -> None:
    """Make the detector's file for CPUs in the model repository, unless it is there.

    Args:
        say: gets one line if it has to be made, which takes a second.
        repository: where the model `card_detector` is.

    Raises:
        ExportError: the model is another than was calibrated.
    """
    source = repository / _MODEL / "1" / "model.onnx"

    def make() -> None:
        # Imported here: onnx and ONNX Runtime take a second, and mostly there is nothing to make.
        from export.detector_int8 import make_for_cpu  # noqa: PLC0415

        say("making the card detector for this processor, once …")
        make_for_cpu(source)

    make_once(repository / _MODEL, _made_from(source), make)


def _made_from(source: Path) -> str:
    """What the file is made from, as a line of text that changes when that does."""
    makers = (_EXPORT / name for name in _MAKERS)
    made_by = digest_of([source, *makers])
    integers = "fast" if has_fast_integers() else "slow"
    return f"export {made_by}, 8-bit integers {integers}\n"
