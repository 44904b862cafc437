"""One person from the cards of several pictures: the fields of both sides, and checks across them.

The checks compare what two sides print; a card may break them and be genuine, so that they are warnings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from tandem.services.id_card.normalized import birth_date, validity
from tandem.services.id_card.text.region_names import split_address

SIDES = ("portrait", "emblem")
# Law on Resident Identity Cards, article 5: years of validity by the age at issue; from 46 on for good.
_SPANS: tuple[tuple[int, int], ...] = ((16, 5), (26, 10), (46, 20))
_DAY_TOLERANCE = 1  # the 29th of February has no anniversary

Card = Mapping[str, Any]


def person_of(cards: Sequence[Card]) -> dict[str, Any]:
    """What the cards say of one person.

    `sides` counts what was found; `fields` holds the fields of every side that was found once, or more often
    with the same text; `checks` those of the sides, and `one_person`, `validity_matches_age`,
    `issued_after_birth`, `authority_matches_address`; None where it can't be told.

    Args:
        cards: of all pictures, as `id_card` answers them.
    """
    by_side = {side: [card for card in cards if card["side"] == side] for side in SIDES}
    fields: dict[str, str] = {}
    checks: dict[str, bool | None] = {}
    agree = True
    for found in by_side.values():
        if not found:
            continue
        if all(card["fields"] == found[0]["fields"] for card in found):
            fields |= found[0]["fields"]
            checks |= found[0]["checks"]
        else:
            agree = False
    complete = agree and all(by_side.values())
    checks["one_person"] = False if not agree else (True if complete else None)
    checks |= _across(fields)
    return {
        "sides": {side: len(found) for side, found in by_side.items()},
        "fields": fields,
        "checks": checks,
    }


def _across(fields: Mapping[str, str]) -> dict[str, bool | None]:
    born = birth_date(fields.get("出生", ""))
    begin, end, for_good = validity(fields.get("有效期限", ""))
    return {
        "validity_matches_age": validity_matches_age(born, begin, end, for_good),
        "issued_after_birth": None if born is None or begin is None else born <= begin,
        "authority_matches_address": authority_matches_address(
            fields.get("签发机关", ""), fields.get("住址", "")
        ),
    }


def validity_matches_age(
    born: date | None, begin: date | None, end: date | None, for_good: bool | None
) -> bool | None:
    """Whether the card is valid for as long as the law has it for that age.

    Args:
        born: day of birth.
        begin: first day of validity.
        end: last day, None for good or where it can't be told.
        for_good: whether it says 长期.
    """
    if born is None or begin is None or for_good is None or begin < born:
        return None
    age = begin.year - born.year - ((begin.month, begin.day) < (born.month, born.day))
    years = next((span for below, span in _SPANS if age < below), None)
    if years is None or for_good:
        return years is None and for_good
    if end is None:
        return None
    return abs((end - _later(begin, years)).days) <= _DAY_TOLERANCE


def authority_matches_address(authority: str, address: str) -> bool | None:
    """Whether the issuing authority is named after a region of the address."""
    parts = split_address(address)
    if not authority or parts is None:
        return None
    names = [name for name in (parts["county"], parts["city"], parts["province"]) if name]
    if not names:
        return None
    return any(name in authority for name in names)


def _later(day: date, years: int) -> date:
    if day.year + years > date.max.year:
        return date.max
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # the 29th of February
        return day.replace(year=day.year + years, day=28)
