"""The number's row on a bent card, where it runs otherwise than the rows left of it, and in a curve.

Rows are cut straight, along what the card's rows have in common. On a card that is bent over its long side,
as pockets bend it, the labels and the number's end lie on different slopes: one falls where the others rise,
and the last digits are cut off.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.media.quads import warp
from tandem.services.id_card.card import PX_PER_MM
from tandem.services.id_card.geometry.ink import ANALYSIS_PX_PER_MM as SCALE
from tandem.services.id_card.geometry.ink import FloatArray
from tandem.services.id_card.geometry.row_ends import LABEL_SEARCH_MM, OVERLAP_MM, text_ends
from tandem.services.id_card.geometry.row_outlines import (
    HEIGHT_PER_EM,
    SIDE_MARGIN_MM,
    Row,
    middle_of,
    outline_of,
)
from tandem.services.id_card.layout import PrintedRow, SideLayout

#: Where the digits are, mm from the card's left edge.
_DIGITS_MM = (29.5, 78.0)
#: Slopes on the level map that are tried, and how much further down the ends may be than straight, mm.
_SLOPE, _SLOPE_STEP = 0.2, 0.01
_BOW_MM, _BOW_STEP_MM = 1.8, 0.3
#: How far the row's middle may be from where it was found, mm.
_REACH_MM = 3.5
_COLUMN_MM = 1.0
#: A curve holds so many times the ink that a straight row does. On 190 cards that lie flat none held more
#: than 1.02 times; what holds many times as much is no number.
_GAIN, _MOST_GAIN = 1.05, 2.5
#: Thirds of a row are equally high if they differ by so much at most; how far up and down is looked, px.
_LEVEL, _LEVEL_REACH = 3.0, round(1.5 * SCALE)


def bent_number(
    level: FloatArray, printed: PrintedRow, middle: float, slope: float, card_slope: float, layout: SideLayout
) -> Row | None:
    """The number's row along the curve that holds its ink; None where a straight row holds as much.

    Args:
        level: (h, w) float32, the ink of the layout's area, sheared so that the card's rows are level.
        printed: the row's layout.
        middle: px, of the row as it was found.
        slope: its slope on the level map, as the card's other rows let it be expected.
        card_slope: that of the card's rows before the map was sheared.
        layout: of its side.
    """
    left, right = (round((mm - layout.area[0]) * SCALE) for mm in _DIGITS_MM)
    curve = _curve(level[:, left:right], middle, slope, round(printed.em * SCALE))
    if curve is None:
        return None
    middle, slope, bow = curve
    first, last = (
        round((mm - layout.area[0]) * SCALE)
        for mm in (printed.left - LABEL_SEARCH_MM, min(printed.right + OVERLAP_MM, layout.area[2]))
    )
    columns = np.arange(max(first, 0), min(last, level.shape[1]))
    x = columns - (left + right) / 2
    half = round(0.75 * printed.em * SCALE)
    rows = np.rint(middle + slope * x + bow * _bend(2 * x / (right - left))).astype(np.intp)
    rows = np.clip(rows + np.arange(-half, half + 1)[:, np.newaxis], 0, len(level) - 1)
    straight = level[rows, columns]
    begin, end = text_ends(straight, printed)
    # Of windows that hold all of a row of digits there are several, and the first was taken.
    middle += middle_of(straight[:, begin:end], printed.em * SCALE) - half
    margin = SIDE_MARGIN_MM * SCALE
    ends = np.array([begin - margin, end + margin], np.float64) + columns[0]
    area_middle = (layout.area[2] - layout.area[0]) * SCALE / 2
    ys = middle + slope * (ends - (left + right) / 2) + card_slope * (ends - area_middle)
    quad = outline_of(ends, ys, printed.em * HEIGHT_PER_EM, layout)
    return Row(kind=printed.kind, quad=quad, bow_mm=bow / SCALE)


def unbent_strip(
    pixels: NDArray[np.uint8], row: Row, outline: NDArray[np.float32], size: tuple[int, int]
) -> NDArray[np.uint8]:
    """(height, width, 3) uint8: a row's strip, its characters level though they run in a curve.

    Args:
        pixels: (h, w, 3) uint8, the picture.
        row: on the card.
        outline: (4, 2) float32, px of the picture, the row's quad.
        size: (height, width), px.
    """
    height, width = size
    x_mm = row.quad[0, 0] + (np.arange(width) + 0.5) / width * (row.quad[1, 0] - row.quad[0, 0])
    middle_mm, half_mm = sum(_DIGITS_MM) / 2, (_DIGITS_MM[1] - _DIGITS_MM[0]) / 2
    down = _bend((x_mm / PX_PER_MM - middle_mm) / half_mm) * row.bow_mm * PX_PER_MM
    down *= height / np.linalg.norm(row.quad[3] - row.quad[0])
    margin = int(np.ceil(np.abs(down).max()))
    tall = warp(pixels, outline, (height + 2 * margin, width), (0, margin))
    columns = np.broadcast_to(np.arange(width, dtype=np.float32), size)
    rows = (np.arange(height)[:, np.newaxis] + margin + down).astype(np.float32)
    return np.asarray(cv2.remap(tall, np.ascontiguousarray(columns), rows, cv2.INTER_LINEAR), np.uint8)


def _bend(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far down the curve is for a bow of 1: 1 where t is -1 or 1, 0 in the mean (Legendre's second)."""
    return (3 * t**2 - 1) / 2


def _curve(digits: FloatArray, middle: float, slope: float, em: int) -> tuple[float, float, float] | None:
    """The middle (px), slope and bow (px) of the curve that holds most ink; None if a line holds as much.

    Args:
        digits: (h, w) float32, the ink in the digits' columns.
        middle: px, where the row was found.
        slope: its slope, if it is straight.
        em: px, height of its characters.
    """
    step, reach = round(_COLUMN_MM * SCALE), round(_REACH_MM * SCALE)
    count = digits.shape[1] // step
    tried, down = _curves(count, step)
    half = em // 2
    most = int(np.abs(down).max()) + reach + half
    top = round(middle) - most
    ink = np.zeros((2 * most + 1, count), np.float32)
    seen = digits[max(top, 0) : max(top + len(ink), 0), : count * step]
    ink[max(-top, 0) : max(-top, 0) + len(seen)] = seen.reshape(len(seen), count, step).sum(axis=2)
    sums = np.zeros((len(ink) + 1, count), np.float32)
    np.cumsum(ink, axis=0, out=sums[1:])
    held = sums[2 * half :] - sums[: -2 * half]  # of windows as high as characters, by where they begin
    begin, columns = most - half - reach + down, np.arange(count)
    lines = np.flatnonzero(tried[:, 1] == 0)
    expected = begin[lines[np.abs(tried[lines, 0] - slope).argmin()]]
    if _is_level(held[expected + np.arange(2 * reach + 1)[:, np.newaxis], columns], reach):
        return None  # soon said of nearly all cards; to try all curves takes twenty times as long
    straight = lines[np.abs(tried[lines, 0] - slope) <= _SLOPE_STEP]
    shifts = np.arange(2 * reach + 1)[:, np.newaxis, np.newaxis]
    plain = float(held[begin[straight] + shifts, columns].sum(axis=2).max())
    if plain <= 0:
        return None
    by_curve = np.array([held[begin + shift, columns].sum(axis=1) for shift in range(2 * reach + 1)])
    shift, curve = np.unravel_index(int(by_curve.argmax()), by_curve.shape)
    gain = float(by_curve[shift, curve]) / plain
    if not _GAIN <= gain <= _MOST_GAIN or shift in (0, 2 * reach):
        return None
    return round(middle) - reach + float(shift), float(tried[curve, 0]), float(tried[curve, 1])


def _is_level(held: FloatArray, middle: int) -> bool:
    """Whether the row's left, middle and right are equally high.

    Args:
        held: (shifts, columns) float32, the ink that a window holds so far down the expected line.
        middle: the shift at which it lies on the line.
    """
    near = held[middle - _LEVEL_REACH : middle + _LEVEL_REACH + 1]
    parts = [part.sum(axis=1) for part in np.array_split(near, 3, axis=1)]
    # Windows are higher than digits: the middle of those that hold them all.
    heights = [float(np.flatnonzero(part >= 0.985 * part.max()).mean()) for part in parts]
    return max(heights) - min(heights) <= _LEVEL


@lru_cache(maxsize=4)
def _curves(count: int, step: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The (slope, bow in px) that are tried, (n, 2), and how far down columns lie then, (n, count) px."""
    slopes = np.arange(-round(_SLOPE / _SLOPE_STEP), round(_SLOPE / _SLOPE_STEP) + 1) * _SLOPE_STEP
    bows = np.arange(-round(_BOW_MM / _BOW_STEP_MM), round(_BOW_MM / _BOW_STEP_MM) + 1) * _BOW_STEP_MM * SCALE
    tried = np.stack(np.meshgrid(slopes, bows, indexing="ij"), axis=-1).reshape(-1, 2)
    x = (np.arange(count) + 0.5 - count / 2) * step
    down = tried[:, :1] * x + tried[:, 1:] * _bend(2 * x / (count * step))
    return tried, np.rint(down).astype(np.intp)
