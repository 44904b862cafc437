"""Reading within a closed alphabet: digits, X, 长期.

Where the recogniser put a look-alike first (O, l, 〇) its own runner-up may say the digit; each such
character is reported. Where it does not, the character is none of the field's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tandem.services.id_card.text.correction import Correction
from tandem.services.id_card.text.ctc import Glyph, Row
from tandem.services.id_card.text.fields import Field, field_of, spelled

# Below this a digit is a guess. On drawn cards the least sure one that was right had 0.79; what a stamp left
# of a digit had up to 0.63.
LEAST_CONFIDENCE = 0.7
LEAST_SUPPORT = 0.05  # of a character that was not read first
# One shape, one meaning in these fields: no correction.
_SAME_SHAPE = {"x": "X", "×": "X", "Ⅹ": "X", "長": "长"}
# What has a digit's shape but another meaning: its probability speaks for the digit too.
_LOOK_ALIKES = {"0": "OoQD〇○●", "1": "lI|i!", "2": "Zz", "5": "Ss", "6": "b", "8": "B", "9": "gq"}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A glyph taken for a character of the field's alphabet.

    Attributes:
        glyph: with that character.
        read: what the recogniser put first.
        support: its own probability for that character.
    """

    glyph: Glyph
    read: str
    support: float


def choose(glyph: Glyph, alphabet: frozenset[str]) -> Choice | None:
    """The glyph as the likeliest character of the alphabet; None if none was likely."""
    own = _SAME_SHAPE.get(glyph.character, glyph.character)
    if own in alphabet:
        turned = spelled(glyph, lambda character: _SAME_SHAPE.get(character, character))
        return Choice(glyph=turned, read=own, support=turned.confidence)
    for other, support in glyph.runners_up:
        if other in alphabet and support >= LEAST_SUPPORT:
            alike = sum(glyph.support(shape) for shape in _LOOK_ALIKES.get(other, ""))
            turned = replace(glyph, character=other, confidence=min(support + alike, 1.0))
            return Choice(glyph=turned, read=glyph.character, support=support)
    return None


def chosen_field(row: Row, text: str, choices: Sequence[Choice], places: Sequence[int]) -> Field:
    """The field; `places` gives each choice's index in `text`."""
    corrections = [
        Correction(index=index, read=choice.read, now=choice.glyph.character, support=choice.support)
        for choice, index in zip(choices, places, strict=True)
        if choice.read != choice.glyph.character
    ]
    parts = [(row, tuple(choice.glyph for choice in choices))]
    return field_of(text, parts, corrections, LEAST_CONFIDENCE)
