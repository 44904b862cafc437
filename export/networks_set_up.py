"""The small networks that CPUs serve, made when missing or made by other code, for another processor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from export.made_once import digest_of, make_once
from tandem.runtime.processor import has_fast_integers
from tandem.runtime.setup import REPOSITORY

_EXPORT = Path(__file__).parent
_MAKERS = ("integers.py", "for_cpu.py", "half_weights.py", "networks_int8.py")


def make_detector(say: Callable[[str], None], repository: Path = REPOSITORY) -> None:
    """Make the card detector's file for CPUs in the model repository, unless it is there.

    Args:
        say: gets one line if it has to be made, which takes a second.
        repository: where the model `card_detector` is.

    Raises:
        ExportError: the model is another than was calibrated.
    """
    _make("card_detector", say, repository)


def make_classifier(say: Callable[[str], None], repository: Path = REPOSITORY) -> None:
    """The same of the model `document_classifier`."""
    _make("document_classifier", say, repository)


def _make(network: str, say: Callable[[str], None], repository: Path) -> None:
    def make() -> None:
        # Imported here: onnx and ONNX Runtime take a second, and mostly there is nothing to make.
        from export.networks_int8 import make_for_cpu  # noqa: PLC0415

        say(f"making the {network.replace('_', ' ')} for this processor, once …")
        make_for_cpu(network, repository)

    made_from = _made_from(network, repository / network / "1" / "model.onnx")
    make_once(repository / network, made_from, make)


def _made_from(network: str, source: Path) -> str:
    """What the file is made from, as a line of text that changes when that does."""
    makers = (_EXPORT / name for name in (*_MAKERS, f"{network}_ranges.json"))
    made_by = digest_of([source, *makers])
    integers = "fast" if has_fast_integers() else "slow"
    return f"export {made_by}, 8-bit integers {integers}\n"
