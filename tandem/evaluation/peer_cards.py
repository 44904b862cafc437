"""Cards among a general reader's lines of a whole photograph, which nobody told where a card is.

A line with a citizen's number or a validity stands at a known place of the card, at a known size: that says
where the card is, and which other lines are its own. It is all the help that the reader gets, and it gets it
from its own text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from tandem.evaluation.peer_rows import read_lines
from tandem.evaluation.peers import Line
from tandem.services.id_card.card import CARD_HEIGHT_MM, CARD_WIDTH_MM
from tandem.training.score import Quad


@dataclass(frozen=True, kw_only=True)
class _Anchor:
    """A row by which a card is found.

    Attributes:
        pattern: what its text looks like.
        label: the word before its value.
        left: where the label, and where the value begins, mm.
        right: where the value ends, mm.
        middle: of the row, mm from the card's top.
    """

    pattern: re.Pattern[str]
    label: str
    left: tuple[float, float]
    right: float
    middle: float


_ANCHORS = (
    _Anchor(pattern=re.compile(r"\d{17}[\dXx]"), label="号码", left=(6.9, 28.5), right=72.0, middle=46.4),
    _Anchor(
        pattern=re.compile(r"\d{4}\.\d\d\.\d\d.?(\d{4}\.\d\d\.\d\d|长期)"),
        label="期限",
        left=(20.8, 35.4),
        right=64.0,
        middle=46.7,
    ),
)


def cards_of_photograph(lines: Sequence[Line], today: date) -> list[dict[str, Any]]:
    """What the field rules make of a photograph's lines, as `result.schema.json` has it.

    Args:
        lines: of the whole photograph.
        today: the day that decides whether a card has expired.
    """
    cards = []
    for line in lines:
        text = line.text.replace(" ", "")
        for anchor in _ANCHORS:
            if anchor.pattern.search(text):
                tried = [read_lines(lines, outline, today) for outline in _outlines(line, text, anchor)]
                cards.append(max(tried, key=_said))
    return cards


def _said(card: dict[str, Any]) -> int:
    return sum(text != "" for text in card["fields"].values())


def _outlines(line: Line, text: str, anchor: _Anchor) -> list[Quad]:
    """Where the card is if the line is this row of it: as the line lies, and upside down."""
    sides = line.quad[[1, 2]] - line.quad[[0, 1]]
    long = sides[int(np.linalg.norm(sides, axis=1).argmax())]
    left = anchor.left[0 if anchor.label in text else 1]
    px_per_mm = float(np.linalg.norm(long)) / (anchor.right - left)
    along = long / np.linalg.norm(long) * px_per_mm
    across = np.array([-along[1], along[0]])
    corners = np.array([[0, 0], [CARD_WIDTH_MM, 0], [CARD_WIDTH_MM, CARD_HEIGHT_MM], [0, CARD_HEIGHT_MM]])
    own = corners - ((left + anchor.right) / 2, anchor.middle)
    spread = own @ np.stack([along, across])
    middle = line.quad.mean(axis=0)
    return [(middle + spread).astype(np.float32), (middle - spread).astype(np.float32)]
