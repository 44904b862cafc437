"""The card detector for CPUs: its convolutions in 8-bit integers, half of its time.

    python -m export.detector_int8 calibrate
    python -m export.detector_int8 make --model card_detector/1/model.onnx

The first convolution, which takes the picture, and the last, whose outputs are the corners' places, stay
float32, and so does what follows. The ranges of the tensors were measured on drawn thumbnails (`calibrate`)
and lie beside this file: see `export.integers`.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import onnx

from export.for_cpu import write_for_cpu
from export.integers import (
    IntegerGraph,
    Ranges,
    integer_tensors,
    measured_ranges,
    read_ranges,
    write_ranges,
)

MODEL = Path("model_repository/card_detector/1/model.onnx")
RANGES = Path(__file__).with_name("detector_ranges.json")
_INPUT = "THUMBNAIL"

_log = logging.getLogger(__name__)


def quantized(model: onnx.ModelProto, ranges: Ranges) -> onnx.ModelProto:
    """The served detector with 8-bit convolutions.

    Args:
        model: as `export.detector` makes it.
        ranges: least and largest value of every tensor that becomes integers, by name.

    Raises:
        ExportError: a range is missing: the model is another one than was calibrated.
    """
    convolutions = integer_convolutions(model)
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    graph = IntegerGraph(changed)
    graph.quantize(integer_tensors(model, convolutions), convolutions, ranges)
    graph.write_back()
    onnx.checker.check_model(changed, full_check=True)
    return changed


def integer_convolutions(model: onnx.ModelProto) -> list[str]:
    """What the convolutions make, but for the first and the last."""
    return [node.output[0] for node in model.graph.node if node.op_type == "Conv"][1:-1]


def make_for_cpu(model: Path) -> Path:
    """Writes beside the detector the file that CPUs serve; gives its path."""
    plain = onnx.load(str(model))
    return write_for_cpu(model.parent, plain, lambda model: quantized(model, read_ranges(RANGES)))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    calibrate = commands.add_parser(
        "calibrate", help="measure ranges on drawn thumbnails (needs the extra 'training')"
    )
    calibrate.add_argument("--thumbnails", type=int, default=96, help="how many to draw")
    calibrate.add_argument("--seed", type=int, default=7)
    calibrate.add_argument("--ranges", type=Path, default=RANGES, help="file to write")
    making = commands.add_parser("make", help="write the file for CPUs beside the model")
    for command in (calibrate, making):
        command.add_argument("--model", type=Path, default=MODEL, help="default: %(default)s")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if options.command == "make":
        make_for_cpu(options.model)
        return
    from export.detector import thumbnails  # noqa: PLC0415  # needs the training extra

    model = onnx.load(str(options.model))
    drawn = thumbnails(options.thumbnails, options.seed)
    names = integer_tensors(model, integer_convolutions(model))
    ranges = measured_ranges(model, names, ({_INPUT: one[None]} for one in drawn))
    write_ranges(ranges, options.ranges)
    _log.info("%d ranges measured", len(ranges))


if __name__ == "__main__":
    main()
