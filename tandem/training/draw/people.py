"""What is printed on drawn cards: invented people and authorities, consistent unless asked otherwise.

Everything is invented by a seeded generator. `corrupt` makes a card that a reader reads as printed and flags.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

import numpy as np

from tandem.services.id_card.text.nations import NATIONS
from tandem.training.draw.addresses import draw_address
from tandem.training.draw.names import draw_name
from tandem.training.draw.nation_shares import nation_shares
from tandem.training.draw.pools import RARE_SHARE, Pool, choose
from tandem.training.draw.regions import Region, draw_region
from tandem.training.errors import StyleError

PortraitFault = Literal["checksum", "birth", "sex"]
EmblemFault = Literal["expired", "span"]

# Cards of this kind exist since 2004-03-29; younger and older holders than these are rare.
FIRST_ISSUE = date(2004, 3, 29)
FIRST_BIRTH, LAST_BIRTH = date(1925, 1, 1), date(2024, 12, 31)
# "Expired" needs a day to compare with, and drawn cards must not change from one day to the next.
REFERENCE_DAY = date(2026, 1, 1)
VALIDITY_YEARS = (5, 10, 20)
LONG_TERM, LONG_TERM_SHARE = "长期", 0.12
# GB 11643-1999: the check digit makes the weighted sum 1 modulo 11 (ISO 7064 MOD 11-2).
_WEIGHTS = tuple(2**power % 11 for power in range(17, 0, -1))
_CHECK_DIGITS = "10X98765432"


@dataclass(frozen=True, kw_only=True)
class PortraitText:
    """The text of a portrait side, as printed."""

    name: str
    sex: str
    nation: str
    birth: str
    address: str
    number: str

    def fields(self) -> dict[str, str]:
        """The fields by the keys of the result's contract."""
        return {
            "姓名": self.name,
            "性别": self.sex,
            "民族": self.nation,
            "出生": self.birth,
            "住址": self.address,
            "公民身份号码": self.number,
        }


@dataclass(frozen=True, kw_only=True)
class EmblemText:
    """The text of an emblem side, as printed."""

    authority: str
    validity: str

    def fields(self) -> dict[str, str]:
        """The fields by the keys of the result's contract."""
        return {"签发机关": self.authority, "有效期限": self.validity}


def check_digit(first_17: str) -> str:
    """The 18th character of a number, from its first 17 digits (GB 11643-1999).

    >>> check_digit("11010519491231002")
    'X'
    """
    return _CHECK_DIGITS[
        sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True)) % 11
    ]


def _day(rng: np.random.Generator, first: date, last: date) -> date:
    return first + timedelta(days=int(rng.integers((last - first).days + 1)))


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)


def _printed_birth(day: date, *, padded: bool) -> str:
    return (
        f"{day.year}年{day.month:02d}月{day.day:02d}日" if padded else f"{day.year}年{day.month}月{day.day}日"
    )


def _number(rng: np.random.Generator, region: Region, born: date, *, female: bool) -> str:
    sequence = int(rng.integers(500)) * 2 + (0 if female else 1)
    first_17 = f"{region.code}{born:%Y%m%d}{sequence:03d}"
    return first_17 + check_digit(first_17)


def _corrupted(
    text: PortraitText, rng: np.random.Generator, fault: PortraitFault, *, padded: bool
) -> PortraitText:
    if fault == "checksum":
        wrong = choose(rng, _CHECK_DIGITS.replace(text.number[-1], ""))
        return replace(text, number=text.number[:-1] + wrong)
    if fault == "sex":
        return replace(text, sex="男" if text.sex == "女" else "女")
    if fault == "birth":
        printed = text.number[6:14]
        other = printed
        while other == printed:
            day = _day(rng, FIRST_BIRTH, LAST_BIRTH)
            other = f"{day:%Y%m%d}"
        return replace(text, birth=_printed_birth(day, padded=padded))
    raise StyleError(f"unknown fault of a portrait side: {fault!r}; known: checksum, birth, sex")


def draw_portrait_text(
    rng: np.random.Generator,
    pool: Pool,
    *,
    corrupt: PortraitFault | None = None,
    rare_share: float = RARE_SHARE,
) -> PortraitText:
    """An invented person's card.

    Args:
        rng: the only source of randomness.
        pool: "test" draws names and places that "train" never draws.
        rare_share: of the characters of given names and of places, how many are rare ones, 0–1.
        corrupt: None: number, birth, sex and region agree and the checksum is right. "checksum": wrong last
            character. "birth", "sex": the printed one contradicts the number.

    Raises:
        StyleError: unknown `corrupt`.
    """
    female = bool(rng.random() < 0.5)
    nation = NATIONS[int(rng.choice(len(NATIONS), p=nation_shares()))]
    region = draw_region(rng, pool)
    born = _day(rng, FIRST_BIRTH, LAST_BIRTH)
    padded = bool(rng.random() < 0.25)
    text = PortraitText(
        name=draw_name(rng, pool, female=female, nation=nation, rare_share=rare_share),
        sex="女" if female else "男",
        nation=nation,
        birth=_printed_birth(born, padded=padded),
        address=draw_address(rng, pool, region, rare_share=rare_share),
        number=_number(rng, region, born, female=female),
    )
    return text if corrupt is None else _corrupted(text, rng, corrupt, padded=padded)


def _authority(rng: np.random.Generator, region: Region) -> str:
    county = region.county
    city = region.city or region.province
    forms = [f"{county}公安局", f"{city}公安局{county[:-1]}分局", f"{city}{county}公安局", f"{city}公安局"]
    shares = [0.05, 0.75, 0.05, 0.15] if county.endswith("区") else [0.7, 0.05, 0.15, 0.1]
    return forms[int(rng.choice(4, p=shares))]


def _validity(rng: np.random.Generator, fault: EmblemFault | None) -> str:
    years = int(rng.choice(VALIDITY_YEARS, p=[0.2, 0.35, 0.45]))
    if fault == "expired":
        issued = _day(rng, FIRST_ISSUE, _years_later(REFERENCE_DAY, -years) - timedelta(days=1))
    elif fault is None and rng.random() < LONG_TERM_SHARE:
        return f"{_day(rng, FIRST_ISSUE, REFERENCE_DAY):%Y.%m.%d}-{LONG_TERM}"
    else:
        issued = _day(rng, max(FIRST_ISSUE, _years_later(REFERENCE_DAY, -years)), REFERENCE_DAY)
    if fault == "span":
        years = int(choose(rng, ("3", "7", "15", "30")))
    return f"{issued:%Y.%m.%d}-{_years_later(issued, years):%Y.%m.%d}"


def draw_emblem_text(
    rng: np.random.Generator, pool: Pool, *, corrupt: EmblemFault | None = None
) -> EmblemText:
    """An invented emblem side.

    Args:
        rng: the only source of randomness.
        pool: "test" draws places that "train" never draws.
        corrupt: None: valid on `REFERENCE_DAY`, for 5, 10 or 20 years or for ever. "expired": ended before
            `REFERENCE_DAY`. "span": valid for a number of years that no card is valid for.

    Raises:
        StyleError: unknown `corrupt`.
    """
    if corrupt not in {None, "expired", "span"}:
        raise StyleError(f"unknown fault of an emblem side: {corrupt!r}; known: expired, span")
    region = draw_region(rng, pool, abolished_share=0.1)
    return EmblemText(authority=_authority(rng, region), validity=_validity(rng, corrupt))
