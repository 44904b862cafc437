"""Makes the recogniser that Triton serves from the file in RapidOCR's wheel, in seconds and without torch.

python -m export.recognizer --out model_repository/text_recognizer/1/model.onnx \
        --characters model_repository/text_recognizer/characters.txt --check
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

import onnx
import onnxruntime

from export.errors import ExportError
from export.files import write_atomically
from export.recognizer_classes import class_names, kept_classes
from export.recognizer_graph import dictionary_of, serving_graph
from export.recognizer_int8 import has_fast_integers, quantized, read_ranges
from export.recognizer_parity import TOLERANCE, check_agreement, check_parity
from export.recognizer_tail import Tail, read_tail, with_tail

_PACKAGE, _WEIGHTS = "rapidocr", "models/PP-OCRv6_rec_small.onnx"
CPU_FILE = "model.cpu.onnx"  # what config.pbtxt names; configs/gpu.pbtxt names the model itself
_log = logging.getLogger(__name__)


def published_weights() -> Path:
    """Where RapidOCR's wheel put the recogniser (PP-OCRv6 small, Apache-2.0).

    Raises:
        ExportError: the wheel is not installed, or is another version.
    """
    spec = importlib.util.find_spec(_PACKAGE)  # finds, without importing it and what it needs
    if spec is None or spec.origin is None:
        raise ExportError("the recogniser's wheel is missing: pip install --no-deps rapidocr==3.10.0")
    path = Path(spec.origin).parent / _WEIGHTS
    if not path.is_file():
        raise ExportError(
            f"the installed {_PACKAGE} has no {_WEIGHTS}: pip install --no-deps rapidocr==3.10.0"
        )
    return path


def export_recognizer(source: Path, out: Path, characters: Path, tail: Tail | None = None) -> list[int]:
    """Writes the served model and its characters; gives the classes of the published one that were kept.

    Args:
        source: the published recogniser.
        out: the ONNX file to write.
        characters: the text file to write, one line a class.
        tail: fine-tuned weights for its end; None: as published.

    Raises:
        ExportError: `source` is not the recogniser that we know, or not the tail's.
    """
    published = onnx.load(str(source))
    dictionary = dictionary_of(published)
    classes = kept_classes(dictionary)
    served = folded(serving_graph(published, classes))
    names = class_names(dictionary, classes)
    if tail is not None:
        served = with_tail(served, tail)
        names += tail.added
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


def export_for_cpu(model: Path) -> Path:
    """Writes beside `model` the file that CPUs serve; gives its path.

    It computes in 8-bit integers where this CPU does so without overflow, else it is the same model.
    """
    out = model.with_name(CPU_FILE)
    if has_fast_integers():
        write_atomically(out, quantized(onnx.load(str(model)), read_ranges()).SerializeToString())
    else:
        write_atomically(out, model.read_bytes())
    return out


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
        "--as-published", action="store_true", help="without the weights that were fine-tuned on drawn cards"
    )
    parser.add_argument(
        "--check", action="store_true", help="compare with the published recogniser, and the CPU's file"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    source = options.source or published_weights()
    if options.check:
        worst = check_surgery(source)
        _log.info("largest difference of a probability %.1e, allowed %.0e", worst, TOLERANCE)
    tail = None if options.as_published else read_tail()
    classes = export_recognizer(source, options.out, options.characters, tail)
    for_cpu = export_for_cpu(options.out)
    _log.info("recogniser with %d characters written", len(classes) + (len(tail.added) if tail else 0))
    if options.check:
        share = check_agreement(options.out, for_cpu)
        _log.info("for the CPU: the same character in %.2f %% of the time steps", 100 * share)


if __name__ == "__main__":
    main()
