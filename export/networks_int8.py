"""The small networks that every card passes through, for CPUs: their convolutions in 8-bit integers.

    python -m export.networks_int8 calibrate document_classifier
    python -m export.networks_int8 make document_classifier

The detector takes half of its time so, the classifier a third. The first convolution, which takes the
picture, and the last, behind which stand corners' places or kinds, stay float32, and so does what follows.
The ranges of the tensors were measured on drawn pictures (`calibrate`) and lie beside this file: see
`export.integers`.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from export.for_cpu import write_for_cpu
from export.half_weights import stored_in_float
from export.integers import (
    IntegerGraph,
    Ranges,
    integer_tensors,
    measured_ranges,
    read_ranges,
    write_ranges,
)

REPOSITORY = Path("model_repository")
NETWORKS = ("card_detector", "document_classifier")

_DOCUMENTS = 6  # of each kind, drawn for calibrating

_log = logging.getLogger(__name__)


def ranges_of(network: str) -> Path:
    """The file of a network's measured ranges."""
    return Path(__file__).with_name(f"{network}_ranges.json")


def quantized(model: onnx.ModelProto, ranges: Ranges) -> onnx.ModelProto:
    """The served network with 8-bit convolutions.

    Args:
        model: as it is exported from torch.
        ranges: least and largest value of every tensor that becomes integers, by name.

    Raises:
        ExportError: a range is missing: the model is another one than was calibrated.
    """
    convolutions = integer_convolutions(model)
    changed = stored_in_float(model)
    graph = IntegerGraph(changed)
    graph.quantize(integer_tensors(changed, convolutions), convolutions, ranges)
    graph.write_back()
    onnx.checker.check_model(changed, full_check=True)
    return changed


def integer_convolutions(model: onnx.ModelProto) -> list[str]:
    """What the convolutions make, but for the first and the last."""
    return [node.output[0] for node in model.graph.node if node.op_type == "Conv"][1:-1]


def calibrated(
    model: onnx.ModelProto, inputs: Iterable[Mapping[str, NDArray[Any]]]
) -> dict[str, tuple[float, float]]:
    """The ranges of every tensor that becomes integers, measured on inputs."""
    plain = stored_in_float(model)
    names = integer_tensors(plain, integer_convolutions(plain))
    return dict(measured_ranges(plain, names, inputs))


def make_for_cpu(network: str, repository: Path = REPOSITORY) -> Path:
    """Writes beside a network of `NETWORKS` the file that CPUs serve; gives its path.

    Raises:
        ExportError: the model is another one than was calibrated.
    """
    folder = repository / network / "1"
    plain = onnx.load(str(folder / "model.onnx"))
    return write_for_cpu(folder, plain, lambda model: quantized(model, read_ranges(ranges_of(network))))


def _drawn_inputs(network: str, count: int, seed: int) -> Iterator[dict[str, NDArray[np.uint8]]]:
    """What a network is fed when it is calibrated, one picture each; needs the extra "training"."""
    if network == "card_detector":
        from export.detector import thumbnails  # noqa: PLC0415  # needs the training extra

        yield from ({"THUMBNAIL": one[np.newaxis]} for one in thumbnails(count, seed))
    else:
        from export.document_classifier.__main__ import drawn_views  # noqa: PLC0415  # needs the training extra

        views = drawn_views(count, seed, documents=_DOCUMENTS)
        yield from ({"VIEWS": one[np.newaxis, np.newaxis]} for one in views)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    calibrate = commands.add_parser(
        "calibrate", help="measure ranges on drawn pictures (needs the extra 'training')"
    )
    calibrate.add_argument("--count", type=int, default=160, help="pictures to draw (default: %(default)s)")
    calibrate.add_argument("--seed", type=int, default=7)
    making = commands.add_parser("make", help="write the file for CPUs beside the model")
    for command in (calibrate, making):
        command.add_argument("network", choices=NETWORKS)
        command.add_argument("--repository", type=Path, default=REPOSITORY, help="default: %(default)s")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if options.command == "make":
        make_for_cpu(options.network, options.repository)
        return
    model = onnx.load(str(options.repository / options.network / "1" / "model.onnx"))
    ranges = calibrated(model, _drawn_inputs(options.network, options.count, options.seed))
    write_ranges(ranges, ranges_of(options.network))
    _log.info("%d ranges measured", len(ranges))


if __name__ == "__main__":
    main()
