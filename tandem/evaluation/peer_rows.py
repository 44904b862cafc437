"""A general reader's lines as a card's rows, so that the pipeline's own field rules can read them.

A reader of whole photographs knows no cards. Its lines are tried in all four directions, and a row without
a legible label gets its kind from its text or from its neighbours. `peer_cards` says which lines lie on a
card.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.evaluation.peers import Line
from tandem.services.id_card.records import CardRecord, RowKind, Segment
from tandem.services.id_card.text.ctc import ROW_PX, Glyph, Row
from tandem.services.id_card.text.labels import has_label, kind_by_label
from tandem.services.id_card.text.parse import parse_card
from tandem.training.score import Quad

# A line counts to the card on which its middle lies, or beside it by this share of the card's size.
_MARGIN = 0.03
# Two lines belong to one row if one's middle is at most this share of their height off the other's axis.
_SAME_ROW = 0.5
# Boxes longer than this times their height tell the direction of reading.
_LONG = 2.0
# A digit's or a Latin letter's width beside a Chinese character's.
_NARROW = 0.55
_TITLES = ("中华人民共和国", "居民身份证")

_KINDS_BY_TEXT: tuple[tuple[RowKind, re.Pattern[str]], ...] = (
    (RowKind.NUMBER, re.compile(r"\d{14}|身份(证)?号")),
    (RowKind.VALIDITY, re.compile(r"有效期|\d{4}\.\d\d\.\d\d")),
    (RowKind.AUTHORITY, re.compile(r"签发|机关|公安局")),
    (RowKind.ADDRESS, re.compile(r"住址")),
    (RowKind.BIRTH, re.compile(r"出生|\d{4}年")),
    (RowKind.SEX_NATION, re.compile(r"性别|民族|[男女]")),
    (RowKind.NAME, re.compile(r"姓名")),
)


@dataclass(frozen=True, kw_only=True)
class _Piece:
    """A line in a card's own directions: x0 to x1, its middle's height, slope and size, all px."""

    line: Line
    x0: float
    x1: float
    y: float
    slope: float
    height: float

    @property
    def middle(self) -> float:
        return (self.x0 + self.x1) / 2


def read_lines(lines: Sequence[Line], outline: Quad, today: date) -> dict[str, Any]:
    """What the field rules make of the lines on one card: an entry of `cards` in `result.schema.json`.

    Args:
        lines: of the whole photograph.
        outline: (4, 2) px, where the card is thought to be.
        today: the day that decides whether a card has expired.
    """
    return _best_way_round(_lines_on(lines, outline), outline, today)


def _lines_on(lines: Sequence[Line], outline: Quad) -> list[Line]:
    middle = outline.mean(axis=0)
    grown = (middle + (outline - middle) * (1 + 2 * _MARGIN)).astype(np.float32)
    return [
        line
        for line in lines
        if cv2.pointPolygonTest(grown, tuple(map(float, line.quad.mean(axis=0))), False) >= 0
    ]


def _best_way_round(lines: Sequence[Line], outline: Quad, today: date) -> dict[str, Any]:
    """The reading in the direction that gives most labels and fields."""
    tried = []
    for turn in (_direction(lines) + np.pi / 2 * quarter for quarter in range(4)):
        rows, emblem = _rows(lines, turn)
        labels = sum(has_label(row) for row in rows)
        record = CardRecord(quad=_upright(outline), score=1.0, emblem=float(emblem))
        parsed = parse_card(record, rows, today)
        parsed["quad"] = outline.tolist()
        tried.append((labels + sum(text != "" for text in parsed["fields"].values()), parsed))
    return max(tried, key=lambda entry: entry[0])[1]


def _upright(outline: Quad) -> Quad:
    """Any quad whose sides are the axes: rows are in the card's own directions."""
    size = float(np.ptp(outline)) or 1.0
    return np.array([[0, 0], [size, 0], [size, size], [0, size]], np.float32)


def _direction(lines: Sequence[Line]) -> float:
    """The angle of the lines' long sides, radians, up to a half turn; 0 without long lines."""
    total = 0j
    for line in lines:
        sides = line.quad[[1, 2]] - line.quad[[0, 1]]
        lengths = np.linalg.norm(sides, axis=1)
        if max(lengths) > _LONG * min(lengths):
            x, y = sides[int(lengths.argmax())]
            total += float(max(lengths)) * np.exp(2j * np.arctan2(y, x))
    return float(np.angle(total) / 2) if total else 0.0


def _rows(lines: Sequence[Line], turn: float) -> tuple[list[Row], bool]:
    """The rows from top to bottom in the directions turned by `turn`, and whether this is an emblem side."""
    pieces = [_piece(line, turn) for line in lines if line.text.strip()]
    groups = sorted(_grouped(pieces), key=lambda group: float(np.mean([piece.y for piece in group])))
    texts = ["".join(piece.line.text for piece in group) for group in groups]
    emblem = any(title in text for title in _TITLES for text in texts)
    kept = [
        group
        for group, text in zip(groups, texts, strict=True)
        if not any(title in text for title in _TITLES)
    ]
    kinds = _kinds(["".join(piece.line.text for piece in group) for group in kept], emblem)
    rows = [_row(group, kind) for group, kind in zip(kept, kinds, strict=True) if kind is not None]
    return [row for row in rows if row.glyphs], emblem


def _piece(line: Line, turn: float) -> _Piece:
    cos, sin = np.cos(turn), np.sin(turn)
    points: NDArray[np.float64] = line.quad.astype(np.float64) @ np.array([[cos, -sin], [sin, cos]])
    left, right = points[points[:, 0].argsort()][:2], points[points[:, 0].argsort()][2:]
    begin, end = left.mean(axis=0), right.mean(axis=0)
    height = float(np.linalg.norm(left[1] - left[0]) + np.linalg.norm(right[1] - right[0])) / 2
    width = max(float(end[0] - begin[0]), 1e-3)
    return _Piece(
        line=line,
        x0=float(begin[0]),
        x1=float(end[0]),
        y=float((begin[1] + end[1]) / 2),
        slope=float((end[1] - begin[1]) / width) if width > _LONG * height else 0.0,
        height=max(height, 1.0),
    )


def _grouped(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    """The pieces of each row, from left to right."""
    row_of = list(range(len(pieces)))
    for i, j in combinations(range(len(pieces)), 2):
        if row_of[i] != row_of[j] and _in_one_row(pieces[i], pieces[j]):
            old, new = row_of[j], row_of[i]
            row_of = [new if row == old else row for row in row_of]
    groups = [[pieces[i] for i in range(len(pieces)) if row_of[i] == row] for row in dict.fromkeys(row_of)]
    return [sorted(group, key=lambda piece: piece.x0) for group in groups]


def _in_one_row(one: _Piece, other: _Piece) -> bool:
    longer, shorter = (one, other) if one.x1 - one.x0 >= other.x1 - other.x0 else (other, one)
    expected = longer.y + longer.slope * (shorter.middle - longer.middle)
    apart = shorter.middle < longer.x0 or shorter.middle > longer.x1
    return apart and abs(shorter.y - expected) < _SAME_ROW * min(one.height, other.height)


def _kinds(texts: Sequence[str], emblem: bool) -> list[RowKind | None]:
    """The kind of each row, top to bottom: by its text, else by what stands above and below it."""
    kinds = [next((kind for kind, pattern in _KINDS_BY_TEXT if pattern.search(text)), None) for text in texts]
    above: RowKind | None = None
    for i, kind in enumerate(kinds):
        if kind is None and above in (RowKind.BIRTH, RowKind.ADDRESS):
            kinds[i] = RowKind.ADDRESS
        elif kind is None and above is RowKind.AUTHORITY and emblem:
            kinds[i] = RowKind.AUTHORITY
        elif kind is None and above is None and RowKind.SEX_NATION in kinds[i + 1 : i + 2]:
            kinds[i] = RowKind.NAME
        above = kinds[i] or above
    return kinds


def _row(group: Sequence[_Piece], kind: RowKind) -> Row:
    """The pieces as one row on a lane: each piece's characters spread evenly over its box."""
    scale = ROW_PX / float(np.median([piece.height for piece in group]))
    left = group[0].x0
    glyphs = [glyph for piece in group for glyph in _glyphs(piece, scale, left)]
    width = max((piece.x1 - left) * scale for piece in group)
    top = float(np.mean([piece.y for piece in group]))
    quad = np.array([[0, top], [width, top], [width, top + 1], [0, top + 1]], np.float32)
    segment = Segment(card=0, kind=kind, lane=0, x0=0.0, x1=width, quad=quad)
    row = Row(
        segment=segment,
        kind=kind,
        glyphs=tuple(glyphs),
        steps=tuple({glyph.character: glyph.confidence} for glyph in glyphs),
        centres=tuple(glyph.centre for glyph in glyphs),
    )
    return Row(
        segment=segment, kind=kind_by_label(row), glyphs=row.glyphs, steps=row.steps, centres=row.centres
    )


def _glyphs(piece: _Piece, scale: float, left: float) -> list[Glyph]:
    characters = [character for character in piece.line.text if not character.isspace()]
    widths = np.array([_NARROW if character.isascii() else 1.0 for character in characters])
    ends = np.concatenate([[0.0], np.cumsum(widths)]) / max(widths.sum(), 1e-6)
    places = ((piece.x0 - left) + ends * (piece.x1 - piece.x0)) * scale
    return [
        Glyph(
            character=character,
            confidence=piece.line.confidence,
            centre=float(begin + end) / 2,
            x0=float(begin),
            x1=float(end),
        )
        for character, begin, end in zip(characters, places, places[1:], strict=False)
    ]
