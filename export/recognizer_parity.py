"""Does the exported recogniser still compute what the published one computes?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from export.errors import ParityError
from export.recognizer_graph import HEIGHT, RUNNERS_UP

# Fused kernels reorder float32 sums: the largest difference seen is 1e-5. A tenth of a thousandth
# of a probability changes no decision of the parser.
TOLERANCE = 1e-4
# Time steps on a character's edge may go either way; whole characters may not.
LEAST_AGREEMENT = 0.97
_SIZES = (
    (1, 3, 320),
    (2, 2, 320),
    (1, 1, 640),
    (2, 3, 88),
)  # (B, L, W); the last is no multiple of the others
_TEXTS = ("11010519491231002X", "2006.08.26-2026.08.26", "Tandem 0123456789", "ABCDEFG hijklmn -#()")


def sample_lanes(batch: int, lanes: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """`(batch, lanes, 48, width, 3)` uint8: lines of Latin text on noise, enough to read."""
    rng = np.random.default_rng(seed)
    strips = rng.normal(225, 6, (batch * lanes, HEIGHT, width, 3)).clip(0, 255).astype(np.uint8)
    for i, strip in enumerate(strips):
        text = _TEXTS[(seed + i) % len(_TEXTS)]
        cv2.putText(strip, text, (8, 34), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (40, 40, 40), 2, cv2.LINE_AA)
    return strips.reshape(batch, lanes, HEIGHT, width, 3)


def check_parity(published: Path, exported: Path, classes: Sequence[int]) -> float:
    """The largest difference of a probability over batches of 1 and 2 and several widths.

    Args:
        published: the recogniser as its authors published it.
        exported: what `serving_graph` made of it.
        classes: the classes that were kept.

    Raises:
        ParityError: a difference is above `TOLERANCE`, or a class differs where its probability stands out.
    """
    reference = onnxruntime.InferenceSession(str(published), providers=["CPUExecutionProvider"])
    served = onnxruntime.InferenceSession(str(exported), providers=["CPUExecutionProvider"])
    worst = 0.0
    for seed, size in enumerate(_SIZES):
        lanes = sample_lanes(*size, seed=seed)
        expected = _expected(reference, lanes, classes)
        characters, probabilities = served.run(["CHARACTERS", "PROBABILITIES"], {"LANES": lanes})
        worst = max(worst, _difference(expected, characters, probabilities, size))
    return worst


def check_agreement(exported: Path, other: Path) -> float:
    """The share of time steps, over several sizes, on which two served models put the same character first.

    Raises:
        ParityError: it is below `LEAST_AGREEMENT`.
    """
    sessions = [
        onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        for path in (exported, other)
    ]
    same = []
    for seed, size in enumerate(_SIZES):
        lanes = sample_lanes(*size, seed=seed)
        first, second = (session.run(["CHARACTERS"], {"LANES": lanes})[0][..., 0] for session in sessions)
        same.append((first == second).reshape(-1))
    share = float(np.concatenate(same).mean())
    if share < LEAST_AGREEMENT:
        raise ParityError(f"only {share:.1%} of the time steps agree, asked are {LEAST_AGREEMENT:.0%}")
    return share


def _expected(
    reference: onnxruntime.InferenceSession, lanes: NDArray[np.uint8], classes: Sequence[int]
) -> NDArray[np.float64]:
    """`(B, L, T, kept)`: the published model's softmax over the kept classes alone."""
    rows = lanes.reshape(-1, *lanes.shape[2:]).transpose(0, 3, 1, 2)
    pixels = (rows.astype(np.float32) / 255 - 0.5) / 0.5  # as RapidOCR writes it
    (likelihood,) = reference.run(None, {reference.get_inputs()[0].name: pixels})
    kept = np.asarray(likelihood, np.float64)[..., np.asarray(classes)]
    kept /= kept.sum(-1, keepdims=True)
    return kept.reshape(*lanes.shape[:2], *kept.shape[1:])


def _difference(
    expected: NDArray[np.float64],
    characters: NDArray[np.int32],
    probabilities: NDArray[np.float32],
    size: tuple[int, int, int],
) -> float:
    if characters.shape != (*expected.shape[:3], RUNNERS_UP) or probabilities.shape != characters.shape:
        raise ParityError(f"{size}: outputs have shapes {characters.shape} and {probabilities.shape}")
    ranked = -np.sort(-expected, axis=-1)[..., :RUNNERS_UP]
    own = np.take_along_axis(expected, characters.astype(np.int64), axis=-1)
    # Ranks agree, and each class has the probability it had: ties may swap, nothing else.
    worst = float(max(np.abs(ranked - probabilities).max(), np.abs(own - probabilities).max()))
    if worst > TOLERANCE:
        raise ParityError(f"{size}: a probability differs by {worst:.2e}, allowed are {TOLERANCE:.0e}")
    return worst
