"""Rows that stand beside a portrait side's on temporary and foreigners' cards only."""

from __future__ import annotations

import pytest

from tandem.services.id_card.records import RowKind
from tandem.services.id_card.text.other_rows import has_other_rows
from tests.services.id_card.text.spelling import Likely, row

PORTRAIT = [
    (RowKind.NAME, "姓名 司徒芳"),
    (RowKind.SEX_NATION, "性别 女 民族 汉"),
    (RowKind.BIRTH, "出生 2015 年 7 月 24 日"),
    (RowKind.ADDRESS, "住址 福建省三明市"),
]
EMBLEM = [(RowKind.AUTHORITY, "签发机关 三明市公安局"), (RowKind.VALIDITY, "有效期限 2025.03.02-2035.03.02")]


def judged(
    *more: tuple[RowKind, str | list[str | Likely]], beside: list[tuple[RowKind, str]] = PORTRAIT
) -> bool:
    return has_other_rows([row(kind, text) for kind, text in [*beside, *more]])


@pytest.mark.parametrize(
    "other",
    [
        (RowKind.NUMBER, "有效期限 2025.03.02-2025.06.02"),
        (RowKind.NUMBER, "签发机关 三明市公安局"),
        (RowKind.ADDRESS, "效期限 2025.03.02"),  # cut where an address's lines begin
        (RowKind.ADDRESS, "发机关 三明市公安局"),
        (RowKind.NUMBER, "2025.03.02-2025.06.02"),
        (RowKind.BIRTH, "出生日期 2015 年 7 月 24 日"),
    ],
)
def test_a_row_that_a_resident_card_has_not(other: tuple[RowKind, str]) -> None:
    assert judged(other)


def test_a_resident_cards_own_rows() -> None:
    assert not judged((RowKind.NUMBER, "公民身份号码 350430201507243668"))
    assert not judged(beside=EMBLEM)


def test_where_two_cards_are_read_as_one_nothing_but_one_label_says_portrait() -> None:
    assert not judged(*EMBLEM, beside=PORTRAIT[:1])


@pytest.mark.parametrize(
    "text",
    [
        "住址 三明市机关大院2号",
        "福建省有效村签发路3号",
        "2025.03.02",  # a day by itself: a stamp, a programme's mark
        "复印仅供办理有效期限内使用",  # a line of purpose across the card
        "仅供办理2025.03.02-2025.06.02",
    ],
)
def test_what_may_stand_on_a_resident_card(text: str) -> None:
    assert not judged((RowKind.ADDRESS, text))


def test_a_row_that_is_not_read_for_sure_decides_nothing() -> None:
    doubtful: list[str | Likely] = [((character, 0.7),) for character in "有效期限"]
    assert not judged((RowKind.NUMBER, [*doubtful, " ", *"2025"]))
