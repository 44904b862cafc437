"""Where a text row begins and ends: labels, gaps, the portrait beside it, and stamps that run into it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.geometry.ink import ANALYSIS_PX_PER_MM as SCALE
from tandem.services.id_card.geometry.ink import FloatArray
from tandem.services.id_card.layout import PrintedRow
from tandem.services.id_card.records import RowKind

#: A column has ink if the sum over the row's height is at least this, mm.
_LEAST_COLUMN_MM = 0.12
#: Ink runs narrower than this, alone, are dirt.
_LEAST_RUN_MM = 0.35
#: Where the number's digits begin, and the least free paper before them, mm.
_DIGITS_BEGIN_MM = (26.5, 33.0)
_LABEL_GAP_MM = 1.5
#: Text is not interrupted by more paper than this, mm: from the label to the value; where labels too pale
#: to be seen lie between, more.
_USUAL_GAP_MM = 5.0
_WIDEST_GAP_MM = {
    RowKind.NAME: 8.0,
    RowKind.SEX_NATION: 17.0,
    RowKind.BIRTH: 12.0,
    RowKind.ADDRESS: 8.0,
    RowKind.NUMBER: 12.0,
}
#: The number always ends behind the first of these, mm from the card's left edge; if its ink seems to end
#: before, it is cut at the second.
_NUMBER_ENDS_BEHIND_MM, _NUMBER_ENDS_MM = 68.0, 79.0
#: How far left of its printed place a row's label may begin, mm.
LABEL_SEARCH_MM = 1.9
#: Texts may run this far over their usual right end, mm (cards without a portrait, other fonts).
OVERLAP_MM = 4.5
#: Beyond a row's usual end only ink this near to the text (ems) and no longer than this belongs to it, not to
#: the portrait.
_CHARACTER_GAP = 0.45
_LONGEST_OVERHANG = 1.6


def text_ends(band: FloatArray, printed: PrintedRow) -> tuple[int, int]:
    """First and one past the last column of the row's text in its band.

    Args:
        band: (h, w) float32 ink, level; its left end is `LABEL_SEARCH_MM` left of the row's printed begin.
        printed: which row it is.
    """
    first, last = _seen_ends(band, printed)
    if printed.kind is RowKind.NUMBER:
        behind, usual = (
            round((mm - printed.left + LABEL_SEARCH_MM) * SCALE)
            for mm in (_NUMBER_ENDS_BEHIND_MM, _NUMBER_ENDS_MM)
        )
        last = last if last >= behind else min(usual, band.shape[1])
    return first, last


def printed_ends(printed: PrintedRow) -> tuple[int, int]:
    """The same where the ink does not tell: the layout's own, the longest text's end."""
    first = LABEL_SEARCH_MM
    if printed.kind is RowKind.NUMBER:
        first += _DIGITS_BEGIN_MM[0] - printed.left
    return round(first * SCALE), round((printed.right - printed.left + LABEL_SEARCH_MM) * SCALE)


def _seen_ends(band: FloatArray, printed: PrintedRow) -> tuple[int, int]:
    """The same by the ink alone."""
    em = printed.em * SCALE
    runs = _runs(band.sum(axis=0) / SCALE >= _LEAST_COLUMN_MM)
    usual_end = (printed.right - printed.left + LABEL_SEARCH_MM) * SCALE
    inside = [run for run in runs if run[1] <= usual_end and run[1] - run[0] >= _LEAST_RUN_MM * SCALE]
    if not inside:
        return 0, band.shape[1]
    # A label too pale to be seen is still read: the row begins no later than where it is printed.
    first = min(inside[0][0], round(LABEL_SEARCH_MM * SCALE))
    if printed.kind is RowKind.NUMBER:
        first = _behind_label(inside, printed) or first
    widest_gap = _WIDEST_GAP_MM.get(printed.kind, _USUAL_GAP_MM) * SCALE
    last = inside[0][1]
    for begin, end in (run for run in runs if run in inside or run[1] > usual_end):
        starts_inside = begin < usual_end - em
        if begin - last > (widest_gap if starts_inside else _CHARACTER_GAP * em):
            break
        if end - usual_end > _LONGEST_OVERHANG * em or end == band.shape[1] > usual_end:
            # Text that runs into something else (a stamp) is at least read up to its usual end.
            return first, max(last, round(usual_end)) if starts_inside else last
        last = end
    return first, last


def _behind_label(runs: list[tuple[int, int]], printed: PrintedRow) -> int | None:
    """Where the number's digits begin, None if it is not plain.

    Its label is a third of the row, and nothing is learnt from it: 18 digits are found without.
    """
    low, high = ((mm - printed.left + LABEL_SEARCH_MM) * SCALE for mm in _DIGITS_BEGIN_MM)
    gaps = [(run[0] - before[1], run[0]) for before, run in pairwise(runs) if low <= run[0] <= high]
    gap, begin = max(gaps, default=(0, 0))
    return begin if gap >= _LABEL_GAP_MM * SCALE else None


def _runs(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Begin and end (exclusive) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
