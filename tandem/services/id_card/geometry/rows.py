"""The card's text rows where they are on this card: found by their ink, led by the standard's layout.

Real cards differ from the standard's layout by a few mm and the rectification leaves small shifts and
slants. So the layout only says what to expect; where the ink is decides. Rows that cannot be seen (a stamp,
a blur) are cut where the neighbours let them be expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.geometry.bent_number import bent_number
from tandem.services.id_card.geometry.ink import ANALYSIS_PX_PER_MM as SCALE
from tandem.services.id_card.geometry.ink import FloatArray, ink_map, slant, unslanted
from tandem.services.id_card.geometry.line_pairs import two_around
from tandem.services.id_card.geometry.row_ends import LABEL_SEARCH_MM, OVERLAP_MM, printed_ends, text_ends
from tandem.services.id_card.geometry.row_outlines import (
    HEIGHT_PER_EM,
    SIDE_MARGIN_MM,
    Row,
    middle_of,
    outline_of,
)
from tandem.services.id_card.layout import (
    PORTRAIT_BOTTOM_MM,
    PORTRAIT_LEFT_MM,
    PrintedRow,
    SideLayout,
    side_layout,
)
from tandem.services.id_card.records import RowKind

#: How far a row may be from its expected place, mm.
_REACH_MM = 3.0
#: Neighbouring rows shift together: what a difference of 1 mm costs, in units of a clear row's response.
_UNEVEN_COST = 0.12
#: What a shift of 1 mm from the layout costs.
_SHIFT_COST = 0.03
#: The tilt that the rectification may leave, as a slope (2.9 degrees), and that of one row beside the others.
_CARD_SLANT = 0.05
_ROW_SLANT = 0.02
#: Lines that follow each other: distance, mm.
_PITCH_MM = (3.2, 5.5)
#: ... and of the last of four lines of an address to the number.
_TIGHTEST_PITCH_MM = 2.5
#: How far left of its usual place a value may begin (a quad that is too narrow); the paper before it, mm.
_VALUE_SHIFT_MM, _VALUE_GAP_MM, _BEFORE_VALUE_MM = 5.0, 1.2, 0.6
#: What has less ink than this (0-1) is paper.
_INK = 0.3
#: How far the first few characters reach beyond the first one, mm.
_FEW_CHARACTERS_MM = 9.0
#: A further line must be so clear beside the first one; below a full line, whose ink goes beyond the last
#: (mm), less is enough: 号 has little, 1 less. (Below the last lines of 200 drawn cards there is 0.015 at
#: most, but for two with 0.29 and 0.32, which end before 41 mm; below 112 more, 0.03.)
_FURTHER_LINE_SHARE = 0.35
_BELOW_FULL_LINE = ((0.05, 46.0), (0.12, 42.5), (0.2, 41.0))  # share, mm
#: A further line has no label: at most this share of its value's ink may stand there (dirt).
_LABEL_INK_SHARE = 0.5
#: How much one row's slope may differ from the card's usual one.
_UNUSUAL_SLANT = 0.006


@dataclass(frozen=True, kw_only=True)
class _Line:
    """A row as it was found: its layout, and its middle at the area's centre, px of the level map."""

    printed: PrintedRow
    middle: float


@dataclass(frozen=True, kw_only=True)
class _Band:
    """A row's surroundings: their ink, and where they begin on the level map, px."""

    printed: PrintedRow
    ink: FloatArray
    left: int
    top: int


@dataclass(frozen=True, kw_only=True)
class FoundRows:
    """A card's rows, and how well they fit the layout.

    Attributes:
        rows: top to bottom.
        fit: mm of ink where the layout expects rows, less what their shifts cost: of two ways to rectify a
            card the one with the larger fit is the better.
    """

    rows: list[Row]
    fit: float


def find_rows(card: NDArray[np.uint8], emblem: bool, *, whole: bool = False) -> FoundRows:
    """The card's text rows.

    Args:
        card: (324, 514, 3) uint8 BGR, the rectified card at `ANALYSIS_PX_PER_MM`.
        emblem: which side it is.
        whole: whether rows are cut as long as the layout's longest, wherever their ink ends.
    """
    layout = side_layout(emblem)
    x0, y0, x1, y1 = (round(mm * SCALE) for mm in layout.area)
    columns = np.arange(x0, x1) / SCALE
    beside_portrait = (np.arange(y0, y1)[:, None] < PORTRAIT_BOTTOM_MM * SCALE) & (not emblem)
    text = ~(beside_portrait & (columns >= PORTRAIT_LEFT_MM))
    ink = ink_map(card[y0:y1, x0:x1], text)
    slope = slant(ink * text, _CARD_SLANT, 0.005)
    level = unslanted(ink, slope)
    placed, fit = _place_rows(level, layout)
    lines = _further_lines(placed, level, layout)
    bands = [_band(line, below, level, layout) for line, below in zip(lines, [*lines[1:], None], strict=True)]
    slopes = _row_slopes(bands)
    rows = [_cut(band, own, slope, layout, whole) for band, own in zip(bands, slopes, strict=True)]
    last = lines[-1]
    if last.printed.kind is RowKind.NUMBER:
        bent = bent_number(level, last.printed, last.middle, slopes[-1], slope, layout)
        rows[-1:] = [bent or rows[-1]]
    return FoundRows(rows=rows, fit=fit)


def _row_slopes(bands: Sequence[_Band]) -> list[float]:
    """Each row's slope on the level map: long rows tell it, short and stained ones follow.

    Where the rectification is a little wrong the rows fan out: their slopes change evenly from top to bottom.
    """
    seen = np.array([slant(band.ink, _ROW_SLANT, 0.004) for band in bands])
    usual = float(np.median(seen))
    seen = np.clip(seen, usual - _UNUSUAL_SLANT, usual + _UNUSUAL_SLANT)
    weights = np.array([float((band.ink.max(axis=0) > 0).sum()) for band in bands]) + 1e-3
    tops = np.array([band.top for band in bands], np.float64)
    line = np.polyfit(tops, seen, 1 if len(bands) > 3 else 0, w=weights)
    return [float(value) for value in np.polyval(line, tops)]


def _place_rows(level: FloatArray, layout: SideLayout) -> tuple[list[_Line], float]:
    """Every row of the layout where the ink has it: near the layout's places and near each other."""
    shifts = np.arange(-_REACH_MM, _REACH_MM + 1e-6, 1 / SCALE)
    response = _response(level, layout.anchor, layout)
    middles = np.array([(row.middle - layout.area[1]) * SCALE for row in layout.rows])
    scores = response[_clipped(middles[:, None] + shifts * SCALE, len(response))]  # (rows, shifts)
    clear = max(float(np.median(scores.max(axis=1))), 1e-6)
    scores = np.minimum(scores / clear, 1.5) - _SHIFT_COST * shifts**2
    unevenness = _UNEVEN_COST * (shifts[:, None] - shifts) ** 2
    best, came_from = scores[0], []
    for row_scores in scores[1:]:
        reached = best[:, None] - unevenness  # (from, to)
        came_from.append(reached.argmax(axis=0))
        best = reached.max(axis=0) + row_scores
    path = [int(best.argmax())]
    for step in reversed(came_from):
        path.append(int(step[path[-1]]))
    lines = [
        _Line(printed=row, middle=float(middle + shifts[index] * SCALE))
        for row, middle, index in zip(layout.rows, middles, reversed(path), strict=True)
    ]
    return lines, float(best.max()) * clear


def _response(level: FloatArray, zone: tuple[float, float], layout: SideLayout) -> FloatArray:
    """(h,) float32: how much a text row centred at each y stands out in the columns of `zone`, mm of ink."""
    left, right = (round((mm - layout.area[0]) * SCALE) for mm in zone)
    profile = level[:, max(left, 0) : right].sum(axis=1) / SCALE
    inside, around = round(2.7 * SCALE), round(4.6 * SCALE)
    near = cv2.blur(profile[:, None], (1, inside), borderType=cv2.BORDER_CONSTANT).ravel()
    wide = cv2.blur(profile[:, None], (1, around), borderType=cv2.BORDER_CONSTANT).ravel()
    flanks = (wide * around - near * inside) / (around - inside)
    return np.asarray(np.maximum(near - flanks, 0), np.float32)


def _clipped(positions: NDArray[np.float64], length: int) -> NDArray[np.intp]:
    return np.clip(np.rint(positions), 0, length - 1).astype(np.intp)


def _further_lines(lines: list[_Line], level: FloatArray, layout: SideLayout) -> list[_Line]:
    """The lines, with those that continue the address or the authority."""
    index = next(i for i, line in enumerate(lines) if line.printed.kind is layout.repeats)
    first, following = lines[index], lines[index + 1]
    above = level.copy()
    above[round(following.middle - following.printed.em / 2 * SCALE) :] = 0
    value = _value_begins(level, first, layout)
    # The first character tells where lines are, also short last ones; but 一 has hardly any ink.
    zones = ((value, value + 4.8), (value, value + 4.8 + _FEW_CHARACTERS_MM))
    at_first = _clipped(np.array([first.middle]), len(above))[0]
    responses = [_response(above, zone, layout) for zone in zones]
    if layout.repeats is RowKind.AUTHORITY:
        pair = two_around(responses[1], first.middle, float(responses[1][at_first]))
        if pair is not None:
            both = [_Line(printed=_continued(first.printed, layout), middle=float(middle)) for middle in pair]
            return [*lines[:index], *both, *lines[index + 1 :]]
    response = np.max([seen / max(float(seen[at_first]), 1e-6) for seen in responses], axis=0)
    labels = _response(above, (layout.anchor[0], value - 0.5), layout)
    labels /= max(float(responses[0][at_first]), 1e-6)
    further: list[_Line] = []
    middle = first.middle
    while len(further) < layout.most - 1:
        low = round(middle + _PITCH_MM[0] * SCALE)
        high = min(round(middle + _PITCH_MM[1] * SCALE), round(following.middle - _TIGHTEST_PITCH_MM * SCALE))
        if high <= low:
            break
        middle = low + int(response[low:high].argmax())
        share, before = float(response[middle]), further[-1] if further else first
        if share <= _BELOW_FULL_LINE[0][0] or labels[middle] > share * _LABEL_INK_SHARE:
            break  # nothing there, or a line with a label's ink: a second script above the next row
        if share <= _FURTHER_LINE_SHARE and not _is_full(before, share, level, layout):
            break
        further.append(_Line(printed=_continued(first.printed, layout), middle=float(middle)))
    return [*lines[: index + 1], *further, *lines[index + 1 :]]


def _is_full(line: _Line, below: float, level: FloatArray, layout: SideLayout) -> bool:
    """Whether a line of the address ends where it had to be broken, for so clear a line to follow."""
    band = _band(line, None, level, layout)
    end_mm = (band.left + text_ends(band.ink, band.printed)[1]) / SCALE + layout.area[0]
    return layout.repeats is RowKind.ADDRESS and any(
        below > share and end_mm > full_mm for share, full_mm in _BELOW_FULL_LINE
    )


def _value_begins(level: FloatArray, line: _Line, layout: SideLayout) -> float:
    """Where a row's value begins, mm: behind the paper that parts it from its label, if that is plain."""
    half = round(0.5 * line.printed.em * SCALE)
    top = max(round(line.middle) - half, 0)
    usual = layout.value[0]
    left, right = (round((usual + mm - layout.area[0]) * SCALE) for mm in (-_VALUE_SHIFT_MM, 3.0))
    free = level[top : round(line.middle) + half + 1, left:right].max(axis=0) < _INK
    ends = np.flatnonzero(np.diff(np.concatenate([[False], free, [False]]).astype(np.int8))).reshape(-1, 2)
    # Labels have gaps, too, but values have none: the last one counts.
    gaps = [end for begin, end in ends.tolist() if end < len(free) and end - begin >= _VALUE_GAP_MM * SCALE]
    if not gaps:
        return usual
    return float(min(usual, (left + gaps[-1]) / SCALE + layout.area[0] - _BEFORE_VALUE_MM))


def _continued(printed: PrintedRow, layout: SideLayout) -> PrintedRow:
    """The row's continuation, which has no label."""
    return replace(printed, left=layout.value[0] + 1)


def _band(line: _Line, below: _Line | None, level: FloatArray, layout: SideLayout) -> _Band:
    """The part of the level map in which the row lies, wherever it begins and ends, without the row below."""
    printed = line.printed
    half = round(0.75 * printed.em * SCALE)
    top = max(round(line.middle) - half, 0)
    left = round((printed.left - LABEL_SEARCH_MM - layout.area[0]) * SCALE)
    right = round((min(printed.right + OVERLAP_MM, layout.area[2]) - layout.area[0]) * SCALE)
    ink = level[top : round(line.middle) + half + 1, left:right].copy()
    if below is not None:
        ink[max(round(below.middle - below.printed.em / 2 * SCALE) - top, 0) :] = 0
    return _Band(printed=printed, ink=ink, left=left, top=top)


def _cut(band: _Band, own_slope: float, slope: float, layout: SideLayout, whole: bool) -> Row:
    """The row's outline on the card: its own slant, middle, height and ends."""
    straight = unslanted(band.ink, own_slope)
    first, last = printed_ends(band.printed) if whole else text_ends(straight, band.printed)
    centre_row = middle_of(straight[:, first:last], band.printed.em * SCALE)
    height_mm = band.printed.em * HEIGHT_PER_EM
    # Back to the area: the band's own shear turned about its middle, the area's about its own.
    margin = SIDE_MARGIN_MM * SCALE
    ends = np.array([first - margin, last + margin], np.float64) + band.left
    band_middle = band.left + band.ink.shape[1] / 2
    area_middle = (layout.area[2] - layout.area[0]) * SCALE / 2
    ys = band.top + centre_row + own_slope * (ends - band_middle) + slope * (ends - area_middle)
    return Row(kind=band.printed.kind, quad=outline_of(ends, ys, height_mm, layout))
