"""Build TensorRT engines from the ONNX files: `python -m export.tensorrt`.

Writes `model.plan` beside each `model.onnx`, in fp16, with an optimisation profile of batch 1 / 2 / 8
(least, best tuned, most). An engine belongs to the GPU and the TensorRT release it was built with: build it
on the machine, and with the release, that serves it. Without an engine, `--config-name tensorrt` lets ONNX
Runtime build and cache one.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import onnx

from export.errors import BuildError, ExportError, MissingToolError
from tandem.media.letterbox import THUMBNAIL_SIDE
from tandem.services.id_card.geometry.lanes import LANE_HEIGHT, LaneConfig, no_lanes
from tandem.services.id_card.records import MAX_CARDS

REPOSITORY = Path("model_repository")
BATCHES = (1, 2, 8)  # least, best tuned, most
_LANES = LaneConfig()
_SIDE = THUMBNAIL_SIDE
# Sizes of dynamic dimensions other than the batch, per input: least, best tuned, most.
# Lanes of a picture: one narrow one without a card, one card's, the most cards'.
SHAPES: dict[str, dict[str, tuple[tuple[int, ...], ...]]] = {
    "card_detector": {"THUMBNAIL": ((_SIDE, _SIDE, 3),) * 3},
    "text_recognizer": {
        "LANES": (
            no_lanes().shape,
            (_LANES.lanes_per_card, LANE_HEIGHT, _LANES.width, 3),
            (MAX_CARDS * _LANES.lanes_per_card, LANE_HEIGHT, _LANES.width, 3),
        )
    },
}


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One input's shapes, batch included: least, best tuned, most."""

    name: str
    shapes: tuple[tuple[int, ...], ...]


def profiles(model: str, path: Path) -> list[Profile]:
    """The optimisation profile of a model's inputs, checked against its ONNX file.

    Raises:
        ExportError: The model is not known, its file is missing, or its inputs are others than expected.
    """
    if model not in SHAPES:
        raise ExportError(f"no profile for {model!r}; there are {', '.join(SHAPES)}")
    if not path.is_file():
        raise ExportError(
            f"no ONNX file at {path}: export it first (python -m export.detector, export.recognizer)"
        )
    graph = onnx.load(str(path), load_external_data=False).graph
    inputs = {value.name for value in graph.input}
    if inputs != set(SHAPES[model]):
        raise ExportError(f"{path} has inputs {sorted(inputs)}, the profile is for {sorted(SHAPES[model])}")
    return [
        Profile(
            name=name, shapes=tuple((batch, *shape) for batch, shape in zip(BATCHES, shapes, strict=True))
        )
        for name, shapes in SHAPES[model].items()
    ]


def import_tensorrt() -> ModuleType:
    """The TensorRT module, with a GPU it can build for.

    Raises:
        MissingToolError: TensorRT is not installed, or there is no GPU.
    """
    try:
        tensorrt = importlib.import_module("tensorrt")
    except ImportError as error:
        raise MissingToolError(
            "TensorRT is not installed: pip install tensorrt==10.5.* (the 24.10 image has it), "
            "or run this inside that image"
        ) from error
    if not Path("/dev/nvidiactl").exists():
        raise MissingToolError(
            "no NVIDIA GPU on this machine: an engine is built on the GPU that will run it"
        )
    return tensorrt


def build(trt: Any, path: Path, wanted: Sequence[Profile], *, fp16: bool, workspace_bytes: int) -> bytes:
    """The serialised engine of an ONNX file.

    Raises:
        BuildError: TensorRT could not read the file or build the engine.
    """
    logger = trt.Logger(trt.Logger.WARNING)
    builder = trt.Builder(logger)
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(path)):
        raise BuildError("; ".join(str(parser.get_error(index)) for index in range(parser.num_errors)))
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, workspace_bytes)
    if fp16:
        config.set_flag(trt.BuilderFlag.FP16)
    profile = builder.create_optimization_profile()
    for entry in wanted:
        profile.set_shape(entry.name, *entry.shapes)
    config.add_optimization_profile(profile)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise BuildError(f"TensorRT built no engine from {path}; its messages are above")
    return bytes(engine)


def main(argv: Sequence[str] | None = None) -> int:
    """Build the engines; 0 if all were built."""
    parser = argparse.ArgumentParser(prog="python -m export.tensorrt", description=__doc__)
    parser.add_argument("--models", nargs="+", default=list(SHAPES), choices=SHAPES, help="default: all")
    parser.add_argument("--repository", type=Path, default=REPOSITORY, help="default: %(default)s")
    parser.add_argument("--fp32", action="store_true", help="keep float32 (default: fp16 where it is faster)")
    parser.add_argument("--workspace-mib", type=int, default=1024, help="default: %(default)s")
    options = parser.parse_args(argv)
    try:
        jobs = [
            (path, profiles(model, path))
            for model in options.models
            for path in [options.repository / model / "1" / "model.onnx"]
        ]
        trt = import_tensorrt()
        for path, wanted in jobs:
            engine = build(
                trt, path, wanted, fp16=not options.fp32, workspace_bytes=options.workspace_mib * 2**20
            )
            path.with_suffix(".plan").write_bytes(engine)
            print(f"wrote {path.with_suffix('.plan')}")  # noqa: T201 - a command's answer
    except ExportError as error:
        print(f"export: {error}", file=sys.stderr)  # noqa: T201 - a command's answer
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
