"""What is printed on a rectified card, freed from light, shadow and guilloche: the ink map, and its slants.

The map is made from the red channel: there the labels' blue is as dark as the values' black, and red stamps
vanish.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

#: Resolution of the analysis: 2.7 mm characters are 16 px high, strokes 1.5 px wide.
ANALYSIS_PX_PER_MM = 6

_RED = 2
#: Wider than any stroke, so that closing removes the text, and narrower than a hand's shadow.
_BACKGROUND_MM = 2.2
#: Paper darker than this is not trusted to be paper (0-255).
_DARKEST_PAPER = 24.0
#: Of the paper and the text together, this percentile of darkness is text on any card ...
_INK_PERCENTILE = 97.0
#: ... and this one is paper, guilloche included.
_PAPER_PERCENTILE = 80.0
#: Ink is at least this dark: in shares of the paper's brightness, of the text's darkness, of the guilloche's.
_LEAST_DARKNESS = 0.06
_LEAST_OF_TEXT = 0.2
_LEAST_OF_GUILLOCHE = 1.8


def ink_map(card: NDArray[np.uint8], text: NDArray[np.bool_]) -> FloatArray:
    """(h, w) float32, 0 (paper) to 1 (as dark as the text): the ink of a part of a card.

    Args:
        card: (h, w, 3) uint8 BGR, a part of the rectified card, `ANALYSIS_PX_PER_MM`.
        text: (h, w) bool, where to learn how dark text and paper are.
    """
    red = cv2.GaussianBlur(np.ascontiguousarray(card[..., _RED]), (3, 3), 0)
    size = round(_BACKGROUND_MM * ANALYSIS_PX_PER_MM) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    paper = cv2.blur(cv2.morphologyEx(red, cv2.MORPH_CLOSE, kernel), (size, size)).astype(np.float32)
    darkness = np.clip((paper - red) / np.maximum(paper, _DARKEST_PAPER), 0, 1)
    sample = darkness[::2, ::2][text[::2, ::2]]
    guilloche, full = np.percentile(sample, (_PAPER_PERCENTILE, _INK_PERCENTILE))
    floor = max(_LEAST_OF_TEXT * full, _LEAST_OF_GUILLOCHE * guilloche, _LEAST_DARKNESS)
    full = max(full, 2 * floor)
    return np.asarray(np.clip((darkness - floor) / (full - floor), 0, 1), np.float32)


def slant(ink: FloatArray, limit: float, step: float) -> float:
    """The slope dy/dx along which the ink's rows are sharpest: what the text is tilted by.

    Args:
        ink: (h, w) float32.
        limit: slopes from -limit to +limit are tried.
        step: distance between them; the result is interpolated.
    """
    ys, xs = np.nonzero(ink > 0)
    if len(ys) < 20:
        return 0.0
    weights = ink[ys, xs]
    centred = xs - ink.shape[1] / 2
    count = round(limit / step)
    slopes = np.arange(-count, count + 1) * step
    reach = int(np.ceil(limit * ink.shape[1] / 2)) + 1
    sharpness = np.empty(len(slopes))
    for i, slope in enumerate(slopes):
        rows = np.rint(ys - slope * centred).astype(np.intp) + reach
        profile = np.bincount(rows, weights, minlength=ink.shape[0] + 2 * reach)
        profile = profile[:-2] + 2 * profile[1:-1] + profile[2:]
        sharpness[i] = float((profile**2).sum())
    best = int(sharpness.argmax())
    if best in (0, len(slopes) - 1):
        return float(slopes[best])
    before, at, after = sharpness[best - 1 : best + 2]
    bend = before - 2 * at + after
    shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return float(slopes[best] + shift * step)


def unslanted(ink: FloatArray, slope: float) -> FloatArray:
    """The map sheared about its middle so that text of this slope lies level."""
    height, width = ink.shape
    matrix = np.array([[1, 0, 0], [slope, 1, -slope * width / 2]], np.float32)
    sheared = cv2.warpAffine(ink, matrix, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.asarray(sheared, np.float32)
