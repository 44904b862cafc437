"""A card's fields in the forms that programs want: ISO dates, M or F, codes, the parts of an address.

Everything here is derived from the text as printed; what can't be told is None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from tandem.services.id_card.text.closed_lists import SEXES
from tandem.services.id_card.text.id_number import day_of
from tandem.services.id_card.text.nations import NATIONS
from tandem.services.id_card.text.region_names import split_address

_BIRTH = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日", re.ASCII)
_VALIDITY = re.compile(r"(\d{4})\.(\d\d)\.(\d\d)-(?:(\d{4})\.(\d\d)\.(\d\d)|长期)", re.ASCII)
_SEX_CODES = dict(zip(SEXES, "MF", strict=True))
_FORMER = {"崩龙": "德昂", "毛难": "毛南"}  # names until 1985 and 1986
_OTHER = {"穿青人": "97"}  # GB/T 3304's "others": printed, but none of the 56


def normalized(fields: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a card, or of both sides, by English names.

    Args:
        fields: text as printed by name; "" where it was not read.
    """
    result: dict[str, Any] = {}
    if "姓名" in fields:
        result |= {
            "name": fields["姓名"] or None,
            "sex": _SEX_CODES.get(fields["性别"]),
            "ethnic_group": ethnic_group(fields["民族"]),
            "birth_date": _iso(birth_date(fields["出生"])),
            "address": split_address(fields["住址"]),
            "id_number": fields["公民身份号码"] or None,
        }
    if "签发机关" in fields:
        begin, end, for_good = validity(fields["有效期限"])
        result |= {
            "issuing_authority": fields["签发机关"] or None,
            "valid_from": _iso(begin),
            "valid_until": _iso(end),
            "valid_indefinitely": for_good,
        }
    return result


def ethnic_group(printed: str) -> dict[str, str] | None:
    """Name and code; the code is GB/T 3304's number, "01" to "56", or "97" for others."""
    name = _FORMER.get(printed, printed)
    if name in NATIONS:
        return {"name": printed, "code": f"{NATIONS.index(name) + 1:02d}"}
    return {"name": printed, "code": _OTHER[name]} if name in _OTHER else None


def birth_date(printed: str) -> date | None:
    """The day that 出生 says; None where it is none."""
    found = _BIRTH.fullmatch(printed)
    return None if found is None else day_of(*found.groups())


def validity(printed: str) -> tuple[date | None, date | None, bool | None]:
    """First day, last day, and whether for good, as 有效期限 says; None where it can't be told."""
    found = _VALIDITY.fullmatch(printed)
    if found is None:
        return None, None, None
    begin = day_of(*found.groups()[:3])
    if found.group(4) is None:
        return begin, None, True
    return begin, day_of(*found.groups()[3:]), False


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
