"""出生 and 有效期限 as printed. What stands between their digits is printed on every card."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from tandem.services.id_card.text.characters import DASHES, DIGITS, DOTS
from tandem.services.id_card.text.checks import LONG_TERM
from tandem.services.id_card.text.choices import Choice, choose, chosen_field
from tandem.services.id_card.text.completeness import places_mm
from tandem.services.id_card.text.ctc import Glyph, Row
from tandem.services.id_card.text.fields import UNREAD, Field, doubted
from tandem.services.id_card.text.labels import value_of

_ALPHABET = DIGITS | frozenset(LONG_TERM)
_UNITS = frozenset("年月日")
_VALIDITY = re.compile(rf"(\d{{8}})(?:(\d{{8}})|{LONG_TERM})", re.ASCII)
_GROUPS, _YEAR_DIGITS = 3, 4
#: From the middle of a month's or day's last digit to its unit's: 2.6-4.9 on drawn cards; a digit takes 1.9.
_UNIT_WITHIN_MM = 5.6
_GROUP_GAP = 1.6  # times the pitch of the year's digits: another group begins


def read_birth(rows: Sequence[Row]) -> Field:
    """出生: `1990年1月2日`, month and day padded as printed. 年, 月 and 日 are printed on every card."""
    for row in rows:
        # Specks of a copy are read as dots; the gap that a unit leaves parts the digits without it.
        printed = [glyph for glyph in value_of(row) if glyph.character not in DOTS]
        choices = [None if glyph.character in _UNITS else choose(glyph, DIGITS) for glyph in printed]
        groups = _groups(choices, widest=math.inf)
        if len(groups) != _GROUPS:  # a unit was not read: the gap in its place parts the groups
            groups = _groups(choices, widest=_GROUP_GAP * _year_pitch(choices))
        if len(groups) != _GROUPS or len(groups[0]) != _YEAR_DIGITS:
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
        field = chosen_field(row, text, [choice for group in groups for choice in group], places)
        return doubted(field) if field.text and _may_lack_a_digit(row, groups) else field
    return UNREAD


def _may_lack_a_digit(row: Row, groups: Sequence[Sequence[Choice]]) -> bool:
    """Whether behind a month or a day of one digit its unit is missing or far: a second one may be covered.

    Where no unit is read, they are too pale to be seen, and say nothing.
    """
    units = [glyph for glyph in row.glyphs if glyph.character in _UNITS]
    for group, unit in zip(groups[1:], "月日", strict=True):
        (digit_mm,) = places_mm(row, [group[-1].glyph])
        behind_mm = places_mm(row, [glyph for glyph in units if glyph.character == unit])
        reach_mm = min((place - digit_mm for place in behind_mm if place > digit_mm), default=math.inf)
        if len(group) == 1 and units and math.isfinite(digit_mm) and reach_mm > _UNIT_WITHIN_MM:
            return True
    return False


def _groups(choices: Sequence[Choice | None], widest: float) -> list[list[Choice]]:
    """The digits, parted where something else or a gap of more than `widest` px stands between two."""
    groups: list[list[Choice]] = []
    previous: Glyph | None = None
    for choice in choices:
        if choice is None:
            previous = None
            continue
        if previous is None or choice.glyph.centre - previous.centre > widest:
            groups.append([])
        groups[-1].append(choice)
        previous = choice.glyph
    return groups


def _year_pitch(choices: Sequence[Choice | None]) -> float:
    """The mean distance of the first four digits, px: a single one says little, being whole time steps."""
    centres = [choice.glyph.centre for choice in choices if choice is not None][:_YEAR_DIGITS]
    return (centres[-1] - centres[0]) / (len(centres) - 1) if len(centres) > 1 else 0.0


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
