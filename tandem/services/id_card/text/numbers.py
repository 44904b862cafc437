"""公民身份号码 as printed: 18 characters, or the 17 or 15 that some cards have.

A wrong digit that looks right is worse than no answer: a number with a digit missing is left empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from tandem.services.id_card.text.characters import DASHES, DIGITS, DOTS
from tandem.services.id_card.text.checks import birth_matches_number
from tandem.services.id_card.text.choices import LEAST_SUPPORT, Choice, choose, chosen_field
from tandem.services.id_card.text.ctc import Row
from tandem.services.id_card.text.fields import UNREAD, Field, doubted, untaken
from tandem.services.id_card.text.id_number import LENGTH, OLD_LENGTH, WITHOUT_CHECK, birth_of, checksum_holds
from tandem.services.id_card.text.labels import value_of
from tandem.services.id_card.text.regions import is_known_region

_ALPHABET = DIGITS | {"X"}
_LENGTHS = (LENGTH, WITHOUT_CHECK, OLD_LENGTH)
_SECOND_CHOICE = 0.2  # of a first choice's probability: what the checksum may turn to
# Times the mean distance of two digits: one between them was not read, or two equal ones were read as one.
# Only shorter numbers are asked, for which a lost digit is the likelier story.
_HOLE = 1.35
_SHORT_CONFIDENCE = 0.5  # at most, of a number of 17
_CONTRADICTED = 0.5  # likewise, of a birth that a sound number contradicts


def read_number(rows: Sequence[Row]) -> Field:
    """公民身份号码: 18 characters, or 17 or 15 where that is what is printed."""
    for row in rows:
        choices = _without_neighbours(_number_run(row))
        if len(choices) in _LENGTHS and (len(choices) == LENGTH or not _has_hole(choices)):
            choices = _mended(choices)
            text = "".join(choice.glyph.character for choice in choices)
            field = chosen_field(row, text, choices, range(len(text)))
            # Hardly any card prints 17, and 18 lose one easily.
            return doubted(field, _SHORT_CONFIDENCE) if field.text and len(text) == WITHOUT_CHECK else field
    return UNREAD


def believed_number(number: Field, birth: Field) -> Field:
    """The number, or an empty field if it has 15 digits and the rest of the card does not bear it out.

    A card that was found askew may lose digits at the end of its row: what is left may look like the 15 of
    old, which have no check digit to tell. It holds another day then, if any, or a region that never was.

    Args:
        number: as `read_number` gives it.
        birth: 出生 as printed on the same card.
    """
    if len(number.text) != OLD_LENGTH:
        return number
    holds = birth_matches_number(birth.text, number.text) and is_known_region(number.text[:6])
    return number if holds else untaken(number)


def believed_birth(birth: Field, number: Field) -> Field:
    """The birth, less sure where it contradicts a number whose check digit holds.

    A digit of a copy is misread far more often than a card is printed so; what was read stays, for who checks
    cards wants to see it.

    Args:
        birth: as `read_birth` gives it.
        number: 公民身份号码 of the same card.
    """
    if checksum_holds(number.text) and birth_matches_number(birth.text, number.text) is False:
        return replace(birth, confidence=min(birth.confidence, _CONTRADICTED))
    return birth


def _number_run(row: Row) -> list[Choice]:
    """The longest run of the number's characters; specks between them are passed over."""
    best: list[Choice] = []
    run: list[Choice] = []
    for glyph in value_of(row):
        if glyph.character in DOTS or glyph.character in DASHES:
            continue
        choice = choose(glyph, _ALPHABET)
        if choice is None:
            run = []
            continue
        run = [*run, choice]
        if len(run) > len(best):
            best = run
    inner = [choice.glyph.character for choice in best[:-1]]
    return [] if "X" in inner else best


def _without_neighbours(choices: list[Choice]) -> list[Choice]:
    """The number within a longer run: an edge or a line beside it reads as 1 or l.

    Only if one place alone holds a check digit, a day and a region.
    """
    if len(choices) <= LENGTH:
        return choices
    windows = [choices[i : i + LENGTH] for i in range(len(choices) - LENGTH + 1)]
    numbers = ["".join(choice.glyph.character for choice in window) for window in windows]
    right = [
        window
        for window, number in zip(windows, numbers, strict=True)
        if checksum_holds(number) and birth_of(number) and is_known_region(number[:6])
    ]
    return right[0] if len(right) == 1 else choices


def _has_hole(choices: Sequence[Choice]) -> bool:
    """Whether a shorter number looks like a longer one with a digit missing."""
    centres = [choice.glyph.centre for choice in choices]
    mean = (centres[-1] - centres[0]) / (len(centres) - 1)
    ends_in_x = choices[-1].glyph.character == "X"
    return ends_in_x or max(right - left for left, right in pairwise(centres)) > _HOLE * mean


def _mended(choices: list[Choice]) -> list[Choice]:
    """The number with one character turned to its runner-up, if only that mends the checksum."""
    text = "".join(choice.glyph.character for choice in choices)
    if len(text) != LENGTH or checksum_holds(text):
        return choices
    mended = []
    for i, choice in enumerate(choices):
        for other, probability in choice.glyph.runners_up:
            enough = probability >= max(LEAST_SUPPORT, _SECOND_CHOICE * choice.glyph.confidence)
            if other in _ALPHABET and enough and checksum_holds(text[:i] + other + text[i + 1 :]):
                # Given that the number is right, it is one of the two; the checksum says which.
                either = min(choice.glyph.confidence + probability, 1.0)
                turned = replace(choice.glyph, character=other, confidence=either)
                mended.append((i, Choice(glyph=turned, read=choice.read, support=probability)))
    if len(mended) != 1:  # none, or two ways to be right: then nobody knows
        return choices
    ((place, only),) = mended
    return [*choices[:place], only, *choices[place + 1 :]]
