"""Export the card detector from torch to ONNX: `python -m export.detector`.

The exported graph is the whole Triton step: uint8 thumbnails in; quads, scores and sides out. Normalisation,
peak picking and the removal of duplicates are inside. It is compared with torch before it is written in
place: at batch 1, 2 and 5 and at another picture size.
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
from tandem.media.letterbox import THUMBNAIL_SIDE
from tandem.training.network.decode_maps import ExportedDetector
from tandem.training.network.detector import CardDetector

WEIGHTS = Path("export/weights/card_detector.pt")
MODEL = Path("model_repository/card_detector/1/model.onnx")
INPUT = "THUMBNAIL"
OUTPUTS = ("QUADS", "SCORES", "EMBLEM")
OPSET = 18
# float32 sums taken in another order: pixels for quads, probability for the others.
TOLERANCE = {"QUADS": 0.05, "SCORES": 1e-4, "EMBLEM": 1e-4}
# Peaks weaker than this are noise: two of equal strength may come in either order.
_COMPARED_SCORE = 0.05
_OTHER_SIZE = 256  # px: the network is fully convolutional, so another size must work as well


def load(weights: Path) -> ExportedDetector:
    """The exportable detector with trained weights, in evaluation mode.

    Raises:
        ExportError: The weights' file is missing or belongs to another network.
    """
    network = CardDetector()
    load_trained(network, weights, "tandem.training.fit.detector")
    return ExportedDetector(network).eval()


def export(detector: ExportedDetector, path: Path, *, half: bool = False) -> None:
    """Write the detector as ONNX: dynamic batch, height and width (multiples of 32).

    Args:
        detector: the original.
        path: of the file.
        half: keep large weights in 16 bits.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sample = torch.zeros(2, THUMBNAIL_SIDE, THUMBNAIL_SIDE + 32, 3, dtype=torch.uint8)
    batch = torch.export.Dim("batch", min=1, max=64)
    rows, columns = torch.export.Dim("rows", min=4, max=64), torch.export.Dim("columns", min=4, max=64)
    program = torch.onnx.export(
        detector,
        (sample,),
        dynamo=True,
        opset_version=OPSET,
        verbose=False,
        input_names=[INPUT],
        output_names=list(OUTPUTS),
        dynamic_shapes=({0: batch, 1: 32 * rows, 2: 32 * columns},),
    )
    if program is None:
        raise ExportError("torch gave no ONNX program")
    model = program.model_proto
    if half:
        store_in_half(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def difference(detector: ExportedDetector, path: Path, pictures: NDArray[np.uint8]) -> dict[str, float]:
    """Largest difference per output between torch and ONNX Runtime on pictures (B, H, W, 3) uint8."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    got = session.run(list(OUTPUTS), {INPUT: pictures})
    with torch.no_grad():
        want = [value.numpy() for value in detector(torch.from_numpy(pictures))]
    strong = want[1] > _COMPARED_SCORE
    return {
        name: float(np.abs(ours - theirs)[strong].max()) if strong.any() else 0.0
        for name, ours, theirs in zip(OUTPUTS, got, want, strict=True)
    }


def check(detector: ExportedDetector, path: Path, pictures: NDArray[np.uint8]) -> dict[str, float]:
    """The largest differences at batch 1, 2 and 5 and at 256 px.

    Args:
        detector: the original.
        path: the exported model.
        pictures: (5 or more, 320, 320, 3) uint8 thumbnails, some with cards.

    Raises:
        ParityError: An output differs by more than its tolerance.
    """
    worst = dict.fromkeys(OUTPUTS, 0.0)
    other = np.ascontiguousarray(pictures[:2, :_OTHER_SIZE, :_OTHER_SIZE])
    for batch in (pictures[:1], pictures[:2], pictures[:5], other):
        for name, value in difference(detector, path, batch).items():
            worst[name] = max(worst[name], value)
    wrong = {name: value for name, value in worst.items() if value > TOLERANCE[name]}
    if wrong:
        raise ParityError(f"ONNX differs from torch by {wrong}; allowed is {TOLERANCE}")
    return worst


def thumbnails(count: int, seed: int) -> NDArray[np.uint8]:
    """Synthetic thumbnails (count, 320, 320, 3) uint8 for the comparison."""
    from tandem.training.fit.dataset import build_pools, draw_sample  # noqa: PLC0415 - drawing needs fonts, exporting not

    rng = np.random.default_rng(seed)
    pools = build_pools(seed, faces=4, confusers=2, backdrops=4)
    return np.stack([draw_sample(rng, pools).thumbnail for _ in range(count)])


def main(argv: Sequence[str] | None = None) -> int:
    """Export, compare, put in place; 0 if the exported model may be served."""
    parser = argparse.ArgumentParser(prog="python -m export.detector", description=__doc__)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=MODEL, help="default: %(default)s")
    parser.add_argument(
        "--half", action="store_true", help="weights in 16 bits: half the file, if it still agrees"
    )
    options = parser.parse_args(argv)
    try:
        with beside(options.out) as scratch:
            detector = load(options.weights)
            export(detector, scratch, half=options.half)
            worst = check(detector, scratch, thumbnails(8, seed=9))
            scratch.replace(options.out)
    except ExportError as error:
        print(f"export: {error}", file=sys.stderr)  # noqa: T201 - a command's answer
        return 1
    print(f"wrote {options.out}; largest differences from torch: {worst}")  # noqa: T201 - a command's answer
    return 0


if __name__ == "__main__":
    sys.exit(main())
