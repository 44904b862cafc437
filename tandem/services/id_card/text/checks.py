"""What follows from a card's text: true, false, or None where the text was not read.

A check says something about the card, not about the reading: a wrong checksum may be printed so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import MAXYEAR, date, timedelta

from tandem.services.id_card.text.closed_lists import SEXES
from tandem.services.id_card.text.fields import BIRTH, NUMBER, SEX, VALIDITY
from tandem.services.id_card.text.id_number import OLD_LENGTH, birth_of, checksum_holds, day_of, is_male
from tandem.services.id_card.text.regions import region_check

Check = bool | None

LONG_TERM = "长期"
_SPANS_YEARS = (5, 10, 20)  # by age at issue; from 46 on: for good
_BIRTH = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日", re.ASCII)
_VALIDITY = re.compile(rf"(\d{{4}})\.(\d\d)\.(\d\d)-(?:(\d{{4}})\.(\d\d)\.(\d\d)|{LONG_TERM})", re.ASCII)


def portrait_checks(fields: Mapping[str, str]) -> dict[str, Check]:
    """The checks of a portrait side; `fields` is text by field, "" where it was not read."""
    number = fields[NUMBER]
    return {
        "number_checksum": number_checksum(number),
        "birth_matches_number": birth_matches_number(fields[BIRTH], number),
        "sex_matches_number": sex_matches_number(fields[SEX], number),
        "region_known": region_check(number[:6]) if number else None,
    }


def emblem_checks(fields: Mapping[str, str], today: date) -> dict[str, Check]:
    """The checks of an emblem side; `today` decides what has expired."""
    validity = fields[VALIDITY]
    return {"validity_span": validity_span(validity), "expired": expired(validity, today)}


def number_checksum(number: str) -> Check:
    """Whether the number's check digit is right; None for the old 15 digits, which had none."""
    return None if len(number) in (0, OLD_LENGTH) else checksum_holds(number)


def birth_matches_number(birth: str, number: str) -> Check:
    """Whether 出生 is the day that the number holds."""
    printed = _BIRTH.fullmatch(birth)
    if printed is None or not number:
        return None
    day = day_of(*printed.groups())
    return day is not None and day == birth_of(number)


def sex_matches_number(sex: str, number: str) -> Check:
    """Whether 性别 is what the number's sequence number says."""
    male = is_male(number)
    return None if male is None or sex not in SEXES else (sex == SEXES[0]) == male


def validity_span(validity: str) -> Check:
    """Whether the card is valid for 5, 10 or 20 years or for good, as the law has it.

    A day more or less is right: the 29th of February has no anniversary.
    """
    printed = _VALIDITY.fullmatch(validity)
    if printed is None:
        return None
    begin = day_of(*printed.groups()[:3])
    if begin is None:
        return False
    if printed.group(4) is None:
        return True
    end = day_of(*printed.groups()[3:])
    return end is not None and any(
        abs(end - _after(begin, years)) <= timedelta(days=1) for years in _SPANS_YEARS
    )


def expired(validity: str, today: date) -> Check:
    """Whether the last day of validity is over; the last day itself still counts."""
    printed = _VALIDITY.fullmatch(validity)
    if printed is None:
        return None
    if printed.group(4) is None:
        return False
    end = day_of(*printed.groups()[3:])
    return None if end is None else end < today


def _after(day: date, years: int) -> date:
    if day.year + years > MAXYEAR:
        return date.max
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # the 29th of February
        return day.replace(year=day.year + years, day=28)
