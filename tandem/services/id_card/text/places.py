"""Where a field begins with a place, its characters are decided within the list of places.

Addresses and issuing authorities begin with a province, a prefecture or a county, and all of these are known,
abolished ones too. Where the recogniser only guesses, one of its own runner-ups may make a place of the
beginning; or else the one character with which what is read around it is a place at all. What makes none
stays as it was read. Where most of a place's characters are guesses, the list
would make a place of anything: then it decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tandem.services.id_card.text.correction import Correction
from tandem.services.id_card.text.ctc import Glyph
from tandem.services.id_card.text.region_names import missing_character, place_length

#: A character read less surely is decided by the list. Who trusts fields from 0.9 on is not told to trust one
#: with such a character: that it stands in a place's name makes it worth so much, and no more.
PLACE_CONFIDENCE = 0.7
#: A runner-up that makes a place is believed against a first choice that makes none and is less sure.
_DECIDABLE = 0.9
#: A runner-up needs as much of the recogniser's own support.
_LEAST_SUPPORT = 0.02
#: A character that the recogniser did not think of needs so many sure ones of the place behind it, or one
#: (区, 县) and so many before it.
_LEAST_BEHIND, _LEAST_BEFORE = 2, 6
_LABEL = "住址"


def decide_place(glyphs: Sequence[Glyph]) -> tuple[tuple[Glyph, ...], tuple[Correction, ...]]:
    """The glyphs with those of the place that they begin with decided, and which of them were replaced.

    Args:
        glyphs: a field's, in order.
    """
    decided, corrections = list(glyphs), list[Correction]()
    for index, glyph in enumerate(glyphs):
        if glyph.confidence >= _DECIDABLE or place_length(_text(decided)) > index:
            continue
        character = _runner_up(decided, index) or _only_one(decided, index)
        if character:
            confidence = min(glyph.confidence, PLACE_CONFIDENCE)  # it was another character's
            decided[index] = replace(glyph, character=character, confidence=confidence)
            corrections.append(
                Correction(index=index, read=glyph.character, now=character, support=glyph.support(character))
            )
    named = place_length(_text(decided))
    if 2 * sum(glyph.confidence < PLACE_CONFIDENCE for glyph in decided[:named]) > named:
        return tuple(glyphs), ()
    believed = [
        replace(glyph, confidence=max(glyph.confidence, PLACE_CONFIDENCE)) for glyph in decided[:named]
    ]
    return (*believed, *decided[named:]), tuple(corrections)


def without_speck(glyphs: Sequence[Glyph]) -> tuple[Glyph, ...]:
    """A line without a first character that was guessed and without which, only, it begins with a place.

    A copier's speck between label and value is read as a character, of those that stand there on other cards;
    and the label's last one is sometimes read twice.
    """
    text = _text(glyphs)
    foreign = bool(glyphs) and (glyphs[0].confidence < PLACE_CONFIDENCE or text[0] in _LABEL)
    if foreign and not place_length(text) and place_length(text[1:]) > _LEAST_BEHIND:
        return tuple(glyphs[1:])
    return tuple(glyphs)


def _runner_up(glyphs: Sequence[Glyph], index: int) -> str:
    """The likeliest character of those the recogniser saw there that makes a place; "" if none does."""
    text = _text(glyphs)
    for character, support in glyphs[index].runners_up:
        if support < _LEAST_SUPPORT:
            break
        if place_length(text[:index] + character + text[index + 1 :]) > index:
            return character
    return ""


def _only_one(glyphs: Sequence[Glyph], index: int) -> str:
    """The only character that makes a place with what is surely read around it; "" if none does."""
    if glyphs[index].confidence >= PLACE_CONFIDENCE:
        return ""
    text = _text(glyphs)
    character = missing_character(text, index)
    length = place_length(text[:index] + character + text[index + 1 :]) if character else 0
    sure = all(glyph.confidence >= PLACE_CONFIDENCE for i, glyph in enumerate(glyphs[:length]) if i != index)
    behind = length - index - 1
    enough = behind >= _LEAST_BEHIND or (behind > 0 and index >= _LEAST_BEFORE)
    return character if sure and enough else ""


def _text(glyphs: Sequence[Glyph]) -> str:
    return "".join(glyph.character for glyph in glyphs)
