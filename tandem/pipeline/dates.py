"""出生 and 有效期限 as printed. What stands between their digits is printed on every card."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tandem.pipeline.characters import DASHES, DIGITS, DOTS
from tandem.pipeline.checks import LONG_TERM
from tandem.pipeline.choices import Choice, choose, chosen_field
from tandem.pipeline.ctc import Glyph, Row
from tandem.pipeline.fields import UNREAD, Field
from tandem.pipeline.labels import usual_pitch, value_of

_ALPHABET = DIGITS | frozenset(LONG_TERM)
_UNITS = frozenset("年月日")
_VALIDITY = re.compile(rf"(\d{{8}})(?:(\d{{8}})|{LONG_TERM})", re.ASCII)
_GROUP_GAP = 1.6  # times the usual pitch between two digits of the year: another group begins


def read_birth(rows: Sequence[Row]) -> Field:
    """出生: `1990年1月2日`, month and day padded as printed. 年, 月 and 日 are printed on every card."""
    for row in rows:
        groups = _groups(value_of(row))
        if [len(group) for group in groups[:1]] != [4] or len(groups) != 3:
            continue
        year, month, day = ("".join(choice.glyph.character for choice in group) for group in groups)
        if not _is_day(month, day):
            continue
        text = f"{year}年{month}月{day}日"
        places = [
            *range(4),
            *(5 + i for i in range(len(month))),
            *(6 + len(month) + i for i in range(len(day))),
        ]
        return chosen_field(row, text, [choice for group in groups for choice in group], places)
    return UNREAD


def _groups(glyphs: Sequence[Glyph]) -> list[list[Choice]]:
    """The digits, parted where something else or a wide gap stands between two."""
    choices = [None if glyph.character in _UNITS else choose(glyph, DIGITS) for glyph in glyphs]
    pitch = usual_pitch([choice.glyph for choice in choices if choice is not None][:4])  # the year's
    groups: list[list[Choice]] = []
    previous: Glyph | None = None
    for choice in choices:
        if choice is None:
            previous = None
            continue
        if previous is None or choice.glyph.centre - previous.centre > _GROUP_GAP * pitch:
            groups.append([])
        groups[-1].append(choice)
        previous = choice.glyph
    return groups


def _is_day(month: str, day: str) -> bool:
    return len(month) <= 2 and len(day) <= 2 and 1 <= int(month) <= 12 and 1 <= int(day) <= 31


def read_validity(rows: Sequence[Row]) -> Field:
    """有效期限: `2006.08.26-2026.08.26` or `2006.08.26-长期`. Dots and dash stand at fixed places."""
    for row in rows:
        choices = [choice for glyph in value_of(row) if (choice := _validity_choice(glyph)) is not None]
        printed = _printed_validity("".join(choice.glyph.character for choice in choices))
        if printed:
            places = [i for i, character in enumerate(printed) if character in _ALPHABET]
            return chosen_field(row, printed, choices, places)
    return UNREAD


def _printed_validity(read: str) -> str:
    """What is printed, from its digits (and 长期); "" if a card cannot print that."""
    parts = _VALIDITY.fullmatch(read)
    if parts is None or not all(_is_day(date[4:6], date[6:8]) for date in parts.groups() if date):
        return ""
    begin, end = (f"{date[:4]}.{date[4:6]}.{date[6:8]}" if date else LONG_TERM for date in parts.groups())
    return f"{begin}-{end}"


def _validity_choice(glyph: Glyph) -> Choice | None:
    signs = DOTS | DASHES
    return None if glyph.character in signs else choose(glyph, _ALPHABET)
