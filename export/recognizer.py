"""Makes the recogniser that Triton serves from the file in RapidOCR's wheel, in seconds and without torch.

python -m export.recognizer --out model_repository/text_recognizer/1/model.onnx \
        --characters model_repository/text_recognizer/characters.txt --check
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

import onnx
import onnxruntime

from export.files import write_atomically
from export.for_cpu import write_for_cpu
from export.recognizer_classes import class_names, kept_classes
from export.recognizer_gate import read_gate
from export.recognizer_graph import dictionary_of, serving_graph
from export.recognizer_int8 import quantized, read_ranges
from export.recognizer_lean import lean
from export.recognizer_parity import TOLERANCE, check_agreement, check_parity
from export.recognizer_tuned import Tuned, read_tuned, with_tuned
from export.recognizer_weights import published_weights

_log = logging.getLogger(__name__)


def export_recognizer(source: Path, out: Path, characters: Path, tuned: Tuned | None = None) -> list[int]:
    """Writes the served model and its characters; gives the classes of the published one that were kept.

    Args:
        source: the published recogniser.
        out: the ONNX file to write.
        characters: the text file to write, one line a class.
        tuned: trained weights; None: as published.

    Raises:
        ExportError: `source` is not the recogniser that we know, or not the one that was trained.
    """
    published = onnx.load(str(source))
    dictionary = dictionary_of(published)
    classes = kept_classes(dictionary)
    served = folded(serving_graph(published, classes))
    names = class_names(dictionary, classes)
    if tuned is not None:
        served = with_tuned(served, tuned)
        names += tuned.added
    write_atomically(out, served.SerializeToString())
    write_atomically(characters, "\n".join([*names, ""]).encode())
    return classes


def folded(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same computation with constants folded and biases and batch norms merged, in standard operators."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(path)
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        optimised = onnx.load(str(path))
    # ONNX Runtime lists every domain it knows; other runtimes may refuse those.
    del optimised.opset_import[:]
    optimised.opset_import.extend(model.opset_import[:1])
    return optimised


def export_for_cpu(model: Path, *, tuned: bool = True) -> Path:
    """Writes beside `model` the file that CPUs serve; gives its path.

    It leaves out what changes nothing (`export.recognizer_lean`), and computes in 8-bit integers where this
    CPU does so without overflow.

    Args:
        model: as `export_recognizer` wrote it.
        tuned: whether it has the trained weights, whose features the gate and the ranges know; without, it
            has no gate, and computes in float32.
    """
    served = lean(onnx.load(str(model)), read_gate() if tuned else read_gate().opened())
    quantize = (lambda plain: quantized(plain, read_ranges())) if tuned else None
    return write_for_cpu(model.parent, served, quantize)


def make_served(
    out: Path, characters: Path, source: Path | None = None, *, tuned: bool = True, check: bool = True
) -> None:
    """Writes all that is served: the model, the CPU's file beside it, and the characters.

    Args:
        out: the ONNX file to write.
        characters: the text file to write, one line a class.
        source: the published recogniser; None: the one in the wheel.
        tuned: with the weights that were trained on drawn cards.
        check: compare with the published recogniser, and the CPU's file with the other.

    Raises:
        ExportError: the weights are missing or others.
        ParityError: what was written doesn't compute what the published one computes.
    """
    published = source or published_weights()
    if check:
        worst = check_surgery(published)
        _log.info("largest difference of a probability %.1e, allowed %.0e", worst, TOLERANCE)
    trained = read_tuned() if tuned else None
    classes = export_recognizer(published, out, characters, trained)
    for_cpu = export_for_cpu(out, tuned=tuned)
    _log.info("recogniser with %d characters written", len(classes) + (len(trained.added) if trained else 0))
    if check:
        share = check_agreement(out, for_cpu)
        _log.info("for the CPU: the same character in %.2f %% of the time steps", 100 * share)


def check_surgery(source: Path) -> float:
    """The largest difference between the published recogniser and what the graph surgery makes of it.

    Raises:
        ExportError: `source` is not the recogniser that we know.
        ParityError: the difference is above the tolerance.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model.onnx"
        classes = export_recognizer(source, out, Path(folder) / "characters.txt")
        return check_parity(source, out, classes)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    parser.add_argument(
        "--characters", type=Path, required=True, help="character list to write, a line a class"
    )
    parser.add_argument(
        "--source", type=Path, help="published recogniser (default: the one in rapidocr's wheel)"
    )
    parser.add_argument(
        "--as-published", action="store_true", help="without the weights that were trained on drawn cards"
    )
    parser.add_argument(
        "--check", action="store_true", help="compare with the published recogniser, and the CPU's file"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    make_served(
        options.out,
        options.characters,
        options.source,
        tuned=not options.as_published,
        check=options.check,
    )


if __name__ == "__main__":
    main()
