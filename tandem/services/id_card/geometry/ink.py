"""What is printed on a rectified card, freed from light, shadow and guilloche: the ink map, and its slants.

The map is made from the red channel: there the labels' blue is as dark as the values' black, and red stamps
vanish.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.geometry.waves import without_waves

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
#: Paper this dark, as a share of the text, may have waves over it; a usual guilloche has 0.1 to 0.2.
_WAVES = 0.22


def ink_map(card: NDArray[np.uint8], text: NDArray[np.bool_]) -> FloatArray:
    """(h, w) float32, 0 (paper) to 1 (as dark as the text): the ink of a part of a card.

    Args:
        card: (h, w, 3) uint8 BGR, a part of the rectified card, `ANALYSIS_PX_PER_MM`.
        text: (h, w) bool, where to learn how dark text and paper are.
    """
    darkness, guilloche, full = _darkness(card[..., _RED], text)
    if guilloche > _WAVES * full:
        level = _darkness(without_waves(card[..., _RED]), text)
        if level[1] * full < guilloche * level[2]:
            darkness, guilloche, full = level
    floor = max(_LEAST_OF_TEXT * full, _LEAST_OF_GUILLOCHE * guilloche, _LEAST_DARKNESS)
    full = max(full, 2 * floor)
    return np.asarray(np.clip((darkness - floor) / (full - floor), 0, 1), np.float32)


def _darkness(channel: NDArray[np.uint8], text: NDArray[np.bool_]) -> tuple[FloatArray, float, float]:
    """(h, w) float32, how much darker than the paper around; how dark there guilloche is, and text."""
    shown = cv2.GaussianBlur(np.ascontiguousarray(channel), (3, 3), 0)
    size = round(_BACKGROUND_MM * ANALYSIS_PX_PER_MM) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    paper = cv2.blur(cv2.morphologyEx(shown, cv2.MORPH_CLOSE, kernel), (size, size))
    darkness = darker_than(np.asarray(paper, np.uint8), np.asarray(shown, np.uint8), _DARKEST_PAPER)
    guilloche, full = np.percentile(darkness[::2, ::2][text[::2, ::2]], (_PAPER_PERCENTILE, _INK_PERCENTILE))
    return darkness, float(guilloche), float(full)


def darker_than(paper: NDArray[np.uint8], ink: NDArray[np.uint8], darkest_paper: float) -> FloatArray:
    """(h, w) float32, 0-1: how much darker than the paper, as a share of its brightness.

    Args:
        paper: (h, w) uint8, what the paper's brightness is thought to be.
        ink: (h, w) uint8, how bright it is.
        darkest_paper: darker paper is taken to be as bright as this.
    """
    darker = cv2.subtract(paper, ink)  # 0 where it is brighter
    return np.asarray(cv2.divide(darker, cv2.max(paper, darkest_paper), dtype=cv2.CV_32F), np.float32)


@dataclass(frozen=True, kw_only=True)
class _Shear:
    """How a map of one size is sheared by many slopes: neighbouring columns that move alike are one run.

    Attributes:
        slopes: (s,) those that are tried.
        begins: (r,) the first column of each run, all slopes' runs one behind the other.
        ends: (r,) behind the last one.
        length: of a sheared map's profile, px.
        places: (r * height,) where each px of each run's sum goes in all profiles one behind the other.
    """

    slopes: NDArray[np.float64]
    begins: NDArray[np.intp]
    ends: NDArray[np.intp]
    length: int
    places: NDArray[np.intp]


@lru_cache(maxsize=64)  # a card's areas have few sizes
def _shear(height: int, width: int, count: int, step: float) -> _Shear:
    slopes = np.arange(-count, count + 1) * step
    reach = int(np.ceil(count * step * width / 2)) + 1
    length = height + 2 * reach
    begins, ends, places = [], [], []
    for number, slope in enumerate(slopes):
        moved = np.rint(-slope * (np.arange(width) - width / 2)).astype(np.intp) + reach
        changes = np.flatnonzero(np.diff(moved, prepend=-1))
        begins.append(changes)
        ends.append(np.append(changes[1:], width))
        places.append((number * length + moved[changes][:, None] + np.arange(height)).ravel())
    return _Shear(
        slopes=slopes,
        begins=np.concatenate(begins),
        ends=np.concatenate(ends),
        length=length,
        places=np.concatenate(places),
    )


def slant(ink: FloatArray, limit: float, step: float) -> float:
    """The slope dy/dx along which the ink's rows are sharpest: what the text is tilted by.

    Args:
        ink: (h, w) float32.
        limit: slopes from -limit to +limit are tried.
        step: distance between them; the result is interpolated.
    """
    if cv2.countNonZero(ink) < 20:
        return 0.0
    height, width = ink.shape
    shear = _shear(height, width, round(limit / step), step)
    left_of = np.zeros((width + 1, height))  # the sum of what lies left of each column
    np.cumsum(ink.T, axis=0, out=left_of[1:])
    runs = left_of[shear.ends] - left_of[shear.begins]
    profiles = np.bincount(shear.places, runs.ravel(), shear.slopes.size * shear.length)
    profiles = profiles.reshape(shear.slopes.size, shear.length)
    profiles = profiles[:, :-2] + 2 * profiles[:, 1:-1] + profiles[:, 2:]
    sharpness, slopes = np.einsum("sy,sy->s", profiles, profiles), shear.slopes
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
