"""What an emblem side's title says about the kind of the card, if it can be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tandem.media.document_kinds import RESIDENT_EMBLEM
from tandem.services.id_card.records import RowKind, Segment
from tandem.services.id_card.text.characters import is_hanzi
from tandem.services.id_card.text.ctc import read_row

RESIDENT_TITLE = "居民身份证"
#: A title is believed if each of its characters is read at least this surely.
SURE_CHARACTER = 0.8
#: Of the resident title's characters, so many in order leave open what a title is; with fewer it is another.
_DOUBTFUL = 4
_SHORTEST = 3
_ENDINGS = ("证", "卡", "照", "本")
#: What in a title names a kind; the first that is found counts.
_NAMES = (
    ("外国人", "foreign_permanent_resident.emblem"),
    ("永久居留", "foreign_permanent_resident.emblem"),
    ("临时", "temporary_id.emblem"),
    ("时居民", "temporary_id.emblem"),  # 临 is cut off where the quad is narrow
    ("港澳居民居住", "hmt_residence_permit.emblem"),
    ("台湾居民居住", "hmt_residence_permit.emblem"),
    ("居住证", "residence_permit"),
    ("驾驶证", "driving_licence"),
    ("行驶证", "vehicle_licence"),
    ("社会保障", "social_security"),
    ("社会保险", "social_security"),
    ("医疗保险", "social_security"),
)
_OTHER = "other_card"


@dataclass(frozen=True, kw_only=True)
class Title:
    """A title as it was read.

    Attributes:
        text: its characters; empty: none was read.
        confidence: of its least sure character, 0-1.
    """

    text: str = ""
    confidence: float = 0.0

    def kind(self) -> str | None:
        """The kind that the title names for sure; None where it does not."""
        if self.confidence < SURE_CHARACTER:
            return None
        if self.text == RESIDENT_TITLE:
            return RESIDENT_EMBLEM
        known = next((kind for name, kind in _NAMES if name in self.text), None)
        if known is not None:
            return known
        title = len(self.text) >= _SHORTEST and self.text.endswith(_ENDINGS)
        return _OTHER if title and _in_order(self.text, RESIDENT_TITLE) < _DOUBTFUL else None


def read_titles(
    characters: NDArray[np.int32],
    probabilities: NDArray[np.float32],
    titles: NDArray[np.float32],
    dictionary: Sequence[str],
) -> list[Title]:
    """The title of each card, in the cards' order.

    Args:
        characters: (L, T, 5) the likeliest classes of each time step of each lane, best first.
        probabilities: (L, T, 5) theirs.
        titles: (C, 3) lane, x0, x1; without columns where there is none.
        dictionary: the character of each class.
    """
    return [
        _read(characters, probabilities, int(lane), float(x0), float(x1), dictionary)
        for lane, x0, x1 in titles
    ]


def _read(
    characters: NDArray[np.int32],
    probabilities: NDArray[np.float32],
    lane: int,
    x0: float,
    x1: float,
    dictionary: Sequence[str],
) -> Title:
    if x1 <= x0:
        return Title()
    place = Segment(
        card=0, kind=RowKind.AUTHORITY, lane=lane, x0=x0, x1=x1, quad=np.zeros((4, 2), np.float32)
    )
    glyphs = [
        g for g in read_row(characters, probabilities, place, dictionary).glyphs if is_hanzi(g.character)
    ]
    if not glyphs:
        return Title()
    return Title(
        text="".join(glyph.character for glyph in glyphs),
        confidence=min(glyph.confidence for glyph in glyphs),
    )


def _in_order(text: str, title: str) -> int:
    """How many characters of `title` stand in `text` in its order (longest common subsequence)."""
    best = [0] * (len(title) + 1)
    for character in text:
        previous = best[:]
        for index, own in enumerate(title):
            best[index + 1] = (
                previous[index] + 1 if own == character else max(previous[index + 1], best[index])
            )
    return best[-1]
