"""What can be wrong with a translation, seen without knowing both languages."""

from __future__ import annotations

import re

from tandem.services.text_translation.languages import CHINESE, HAN, LATIN_WORD, Direction, has_words
from tandem.services.text_translation.numbers import lost_identities, lost_numbers, lost_units

NOTHING_CAME = "empty"
TRUNCATED = "truncated"
REPETITION = "repetition"
SOURCE_LEFT = "source_left"
OTHER_LANGUAGE = "other_language"
IDENTITY_CHANGED = "identity_number_changed"
NUMBER_CHANGED = "number_changed"
UNIT_CHANGED = "unit_changed"
ADDED_TEXT = "added_text"
LEFT_OUT = "left_out"
#: Every kind of warning, the worst first.
KINDS = (
    NOTHING_CAME,
    TRUNCATED,
    REPETITION,
    OTHER_LANGUAGE,
    ADDED_TEXT,
    LEFT_OUT,
    IDENTITY_CHANGED,
    NUMBER_CHANGED,
    SOURCE_LEFT,
    UNIT_CHANGED,
)
#: What an answer to the text has, where a translation was asked for.
OF_ODD_LENGTH = frozenset({ADDED_TEXT, LEFT_OUT})

#: An English word says as much as so many Chinese characters. A translation then is 0.56 to 1.78 times as
#: long as its source (of 120 pairs of everyday sentences); what is far from that is an answer, or half of it.
_CHARACTERS_PER_WORD = 1.25
_SHORTEST, _LONGEST = 0.5, 2.5
_LEAST_LENGTH = 6.0  # shorter sentences vary more: 好 may be "That's all right."
_CODE = "```"

#: So often in a row says nobody anything, except on purpose: then the source has it too.
_TIMES = 4
_REPEATED = re.compile(rf"(.{{1,40}}?)\1{{{_TIMES - 1},}}", re.DOTALL)
_MANY_LETTERS = re.compile(rf"([^\W\d_])\1{{{2 * _TIMES},}}")
_WORD_OR_NUMBER = re.compile(r"[A-Za-zÀ-ɏ]+(?:['’-][A-Za-zÀ-ɏ]+)*|\d+(?:[.,:]\d+)*")
#: A lower-case English word of so many letters in a Chinese sentence was left over (km and e.g. are shorter).
_LEFT_OVER = re.compile(r"(?<![A-Za-z0-9@./_-])[a-z]{4,}(?![A-Za-z0-9@_-]|[./][a-z])")


def faults(source: str, translation: str, direction: Direction, *, cut: bool) -> tuple[str, ...]:
    """The kinds of warning that the translation deserves, the worst first.

    Args:
        source: one sentence.
        translation: of it.
        direction: which way.
        cut: whether the network was stopped at the longest length allowed.
    """
    found = {
        NOTHING_CAME: not translation.strip(),
        TRUNCATED: cut,
        REPETITION: _repeats(translation) and not _repeats(source),
        OTHER_LANGUAGE: _is_other_language(source, translation, direction),
        ADDED_TEXT: _is_more(source, translation),
        LEFT_OUT: _is_less(source, translation),
        SOURCE_LEFT: source_left(source, translation, direction),
        IDENTITY_CHANGED: lost_identities(source, translation),
        NUMBER_CHANGED: lost_numbers(source, translation),
        UNIT_CHANGED: lost_units(source, translation, direction.source),
    }
    return tuple(kind for kind in KINDS if found[kind])


def source_left(source: str, translation: str, direction: Direction) -> bool:
    """Whether words of the source's language stand in the translation that belong to no name.

    From Chinese: any Chinese character. From English: a lower-case word that the source has, for names and
    abbreviations keep their capitals.
    """
    if direction.source == CHINESE:
        return HAN.search(translation) is not None
    known = {word.lower() for word in LATIN_WORD.findall(source)}
    return any(word in known for word in _LEFT_OVER.findall(translation))


def _length(text: str) -> float:
    """How much a text says, in Chinese characters."""
    return len(HAN.findall(text)) + _CHARACTERS_PER_WORD * len(_WORD_OR_NUMBER.findall(text))


def _is_more(source: str, translation: str) -> bool:
    """Whether there is what no sentence's translation has: several lines, code, far too many words."""
    came = translation.strip()
    layout = ("\n" in came and "\n" not in source) or (_CODE in came and _CODE not in source)
    return layout or _length(came) > _LONGEST * max(_length(source), _LEAST_LENGTH)


def _is_less(source: str, translation: str) -> bool:
    """Whether half of the source and more is missing; laughter may be any length."""
    length = _length(source)
    return length >= _LEAST_LENGTH and _length(translation) < _SHORTEST * length and not _repeats(source)


def _is_other_language(source: str, translation: str, direction: Direction) -> bool:
    """Whether what came back has no word of the target's language, and is not the source itself (a name)."""
    came = translation.strip()
    return bool(came) and came != source.strip() and not has_words(came, direction.target)


def _repeats(text: str) -> bool:
    for match in _REPEATED.finditer(text):
        unit = match.group(1)
        if (
            any(letter.isalnum() for letter in unit)
            and not unit.isdigit()
            and len(match.group()) > 2 * _TIMES
        ):
            return True
    return _MANY_LETTERS.search(text) is not None
