"""Export the corner refiner from torch to ONNX: `python -m export.corner_refiner`.

The exported graph is the whole Triton step: uint8 views in; offsets and probabilities out. It is compared
with torch at batch 1, 2 and 5 before it is written in place.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray

from export.errors import ExportError, ParityError
from export.files import beside
from export.half_weights import store_in_half
from export.trained import load_trained
from tandem.services.id_card.geometry.corner_look import VIEW_HEIGHT, VIEW_WIDTH
from tandem.training.network.corner_refiner import CornerRefiner, ServedRefiner

WEIGHTS = Path("export/weights/corner_refiner.pt")
MODEL = Path("model_repository/corner_refiner/1/model.onnx")
INPUT = "VIEWS"
OUTPUTS = ("OFFSETS", "WAYS")
OPSET = 18
#: float32 sums taken in another order: mm for offsets, probability for ways.
TOLERANCE = {"OFFSETS": 0.01, "WAYS": 1e-3}
_SEED = 9


def load(weights: Path) -> ServedRefiner:
    """The refiner as it is served, with trained weights, in evaluation mode.

    Raises:
        ExportError: the weights' file is missing or belongs to another network.
    """
    network = CornerRefiner()
    load_trained(network, weights, "tandem.training.fit.corner_refiner")
    return ServedRefiner(network).eval()


def export(refiner: ServedRefiner, path: Path) -> None:
    """Write the refiner as ONNX: any number of views; weights in 16 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sample = torch.zeros(2, VIEW_HEIGHT, VIEW_WIDTH, 3, dtype=torch.uint8)
    program = torch.onnx.export(
        refiner,
        (sample,),
        dynamo=True,
        opset_version=OPSET,
        verbose=False,
        input_names=[INPUT],
        output_names=list(OUTPUTS),
        dynamic_shapes=({0: torch.export.Dim("views", min=1, max=64)},),
    )
    if program is None:
        raise ExportError("torch gave no ONNX program")
    model = program.model_proto
    store_in_half(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def check(refiner: ServedRefiner, path: Path, views: NDArray[np.uint8]) -> dict[str, float]:
    """The largest difference of each output between torch and ONNX Runtime.

    Args:
        refiner: the original.
        path: the exported model.
        views: (5 or more, 128, 176, 3) uint8.

    Raises:
        ParityError: one is more than its `TOLERANCE`.
    """
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = dict.fromkeys(OUTPUTS, 0.0)
    for count in (1, 2, 5):
        got = session.run(list(OUTPUTS), {INPUT: views[:count]})
        with torch.no_grad():
            want = [value.numpy() for value in refiner(torch.from_numpy(views[:count]))]
        for name, ours, theirs in zip(OUTPUTS, got, want, strict=True):
            worst[name] = max(worst[name], float(np.abs(ours - theirs).max()))
    wrong = {name: value for name, value in worst.items() if value > TOLERANCE[name]}
    if wrong:
        raise ParityError(f"ONNX differs from torch by {wrong}; allowed is {TOLERANCE}")
    return worst


def drawn_views(count: int) -> NDArray[np.uint8]:
    """(count, 128, 176, 3) uint8 looks at drawn cards, for the comparison."""
    # Drawing needs fonts, exporting not.
    from tandem.training.fit.corner_views import draw_corner_pools, draw_corner_samples  # noqa: PLC0415

    pools = draw_corner_pools(_SEED, faces=4, confusers=2, backdrops=4)
    rng = np.random.default_rng(_SEED)
    views: list[NDArray[np.uint8]] = []
    while len(views) < count:
        views += [look.view for look in draw_corner_samples(rng, pools)]
    return np.stack(views[:count])


def main(argv: Sequence[str] | None = None) -> int:
    """Export, compare, put in place; 0 if the exported model may be served."""
    parser = argparse.ArgumentParser(prog="python -m export.corner_refiner", description=__doc__)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=MODEL, help="default: %(default)s")
    options = parser.parse_args(argv)
    try:
        with beside(options.out) as scratch:
            refiner = load(options.weights)
            export(refiner, scratch)
            worst = check(refiner, scratch, drawn_views(5))
            scratch.replace(options.out)
    except ExportError as error:
        print(f"export: {error}", file=sys.stderr)  # noqa: T201 - a command's answer
        return 1
    print(f"wrote {options.out}; largest differences from torch: {worst}")  # noqa: T201 - a command's answer
    return 0


if __name__ == "__main__":
    sys.exit(main())
