"""Whether a text of several lines was read whole: by where its characters stand, and by what it begins with.

A line that a thumb or a stamp cuts reads as smoothly as a whole one. But an address's lines begin under each
other, break only where they are full, and have no gap between two characters; and the first begins with the
name of a province, a city or a county.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite
from statistics import median

from tandem.services.id_card.text.characters import is_hanzi
from tandem.services.id_card.text.ctc import Glyph, Row
from tandem.services.id_card.text.region_names import split_address

Part = tuple[Row, tuple[Glyph, ...]]

#: In pitches of two hanzi: a gap that one more would fill, how much later a line may begin than the others,
#: and how much earlier a line that goes on below may end than the longest.
_HOLE, _LATE_BEGIN, _EARLY_END = 1.75, 1.2, 2.3
#: Usual distance of two hanzi, mm, where a text has no two side by side; and what it can be.
_USUAL_PITCH_MM, _PITCHES_MM = 2.9, (2.2, 3.9)
#: Between a name's characters are 3.2-4.2 mm on drawn cards, 3.6-5.1 with a middle dot.
_NAME_HOLE_MM = 5.6
#: A line whose last character stands behind this is full, mm: hardly an address ends just there.
_FULL_LINE_MM = 43.5


def is_cut(parts: Sequence[Part]) -> bool:
    """Whether characters are missing within a line, at its begin, or at the end of any line but the last.

    A full line by itself goes on below, too.

    Args:
        parts: rows from top to bottom and the glyphs of each that belong to the field; rows whose place on
            the card is not known say nothing.
    """
    lines = [(places_mm(row, glyphs), glyphs) for row, glyphs in parts if glyphs]
    if not lines or not all(isfinite(place) for places, _ in lines for place in places):
        return False
    pitch = _pitch(lines)
    if any(right - left > _HOLE * pitch for places, _ in lines for left, right in pairwise(places)):
        return True
    begins = [places[0] - _half_width(glyphs[0], pitch) for places, glyphs in lines]
    ends = [places[-1] for places, _ in lines]
    if len(lines) == 1 and ends[0] > _FULL_LINE_MM:
        return True
    late = max(begins) - min(begins) > _LATE_BEGIN * pitch
    return late or any(max(ends) - end > _EARLY_END * pitch for end in ends[:-1])


def has_room_in_name(parts: Sequence[Part]) -> bool:
    """Whether a name has room for one more character between two that were read."""
    places = [place for row, glyphs in parts for place in places_mm(row, glyphs)]
    return any(right - left > _NAME_HOLE_MM for left, right in pairwise(places))


def length_of_name(row: Row, glyphs: Sequence[Glyph]) -> int:
    """How many of a name's glyphs stand before the first gap that no name has."""
    gaps = enumerate(pairwise(places_mm(row, glyphs)), start=1)
    return next((i for i, (left, right) in gaps if right - left > _NAME_HOLE_MM), len(glyphs))


def begins_nowhere(address: str) -> bool:
    """Whether an address begins with no place of `region_names.txt`: its begin or first line was lost."""
    parts = split_address(address)
    return parts is not None and parts["rest"] == address


def has_single_bracket(text: str) -> bool:
    """Whether half of a pair of brackets is missing: it was lost, or a digit was read as the other half."""
    return sum(map(text.count, "(（")) != sum(map(text.count, ")）"))


def places_mm(row: Row, glyphs: Sequence[Glyph]) -> list[float]:
    """The glyphs' centres, mm from the card's left edge; NaN where that is not known."""
    segment = row.segment
    scale = (segment.right_mm - segment.left_mm) / max(segment.x1 - segment.x0, 1e-6)
    return [segment.left_mm + (glyph.centre - segment.x0) * scale for glyph in glyphs]


def _pitch(lines: Sequence[tuple[list[float], tuple[Glyph, ...]]]) -> float:
    distances = [
        right - left
        for places, glyphs in lines
        for (left, right), (one, other) in zip(pairwise(places), pairwise(glyphs), strict=True)
        if is_hanzi(one.character) and is_hanzi(other.character)
    ]
    low, high = _PITCHES_MM
    return min(max(median(distances), low), high) if distances else _USUAL_PITCH_MM


def _half_width(glyph: Glyph, pitch: float) -> float:
    return pitch / 2 if is_hanzi(glyph.character) else pitch / 4
