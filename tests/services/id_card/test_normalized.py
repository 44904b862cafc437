"""Fields in programs' forms, and one person from two sides."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.services.id_card.normalized import ethnic_group, normalized, validity
from tandem.services.id_card.person import authority_matches_address, person_of, validity_matches_age
from tandem.services.id_card.text.nations import NATIONS
from tandem.services.id_card.text.region_names import NAMES, split_address

PORTRAIT = {
    "姓名": "宋帆洋",
    "性别": "男",
    "民族": "京",
    "出生": "1993年10月5日",
    "住址": "湖北省天门市千桂街道荷杜谭村委会",
    "公民身份号码": "429006199310055513",
}
EMBLEM = {"签发机关": "天门市公安局", "有效期限": "2015.03.02-2025.03.02"}


def card(side: str, fields: dict[str, str]) -> dict[str, Any]:
    return {"side": side, "fields": fields, "checks": {}}


def test_both_sides() -> None:
    assert normalized(PORTRAIT | EMBLEM) == {
        "name": "宋帆洋",
        "sex": "M",
        "ethnic_group": {"name": "京", "code": "49"},
        "birth_date": "1993-10-05",
        "address": {
            "text": "湖北省天门市千桂街道荷杜谭村委会",
            "province": "湖北省",
            "city": None,
            "county": "天门市",
            "rest": "千桂街道荷杜谭村委会",
            "region_code": "429006",
        },
        "id_number": "429006199310055513",
        "issuing_authority": "天门市公安局",
        "valid_from": "2015-03-02",
        "valid_until": "2025-03-02",
        "valid_indefinitely": False,
    }


def test_what_was_not_read_is_none() -> None:
    told = normalized(dict.fromkeys([*PORTRAIT, *EMBLEM], ""))
    assert set(told.values()) == {None}


@pytest.mark.parametrize(
    ("name", "code"),
    # GB/T 3304-1991, by number.
    [("汉", "01"), ("蒙古", "02"), ("维吾尔", "05"), ("朝鲜", "10"), ("黎", "19"), ("土", "30"),
     ("德昂", "46"), ("基诺", "56"), ("崩龙", "46"), ("毛难", "36"), ("穿青人", "97")],
)  # fmt: skip
def test_codes_of_ethnic_groups(name: str, code: str) -> None:
    assert ethnic_group(name) == {"name": name, "code": code}


def test_there_are_56_and_no_other() -> None:
    assert len(NATIONS) == 56
    assert ethnic_group("漠") is None


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("2015.03.02-长期", (date(2015, 3, 2), None, True)),
        ("2015.02.30-2025.02.28", (None, date(2025, 2, 28), False)),
        ("2015.03.02", (None, None, None)),
    ],
)
def test_validity(printed: str, told: tuple[date | None, date | None, bool | None]) -> None:
    assert validity(printed) == told


@pytest.mark.parametrize(
    ("text", "province", "city", "county", "rest"),
    [
        ("北京市东城区东直门1号", "北京市", None, "东城区", "东直门1号"),
        ("广西桂林市象山区中山路", "广西壮族自治区", "桂林市", "象山区", "中山路"),
        ("武汉市洪山区珞喻路1号", "湖北省", "武汉市", "洪山区", "珞喻路1号"),
        ("新疆维吾尔自治区石河子市北四路", "新疆维吾尔自治区", None, "石河子市", "北四路"),
        ("鼓楼区中山路", None, None, "鼓楼区", "中山路"),  # in four cities
        ("广东省东莞市虎门镇", "广东省", "东莞市", None, "虎门镇"),  # a city without counties
        ("某处1号", None, None, None, "某处1号"),
    ],
)
def test_addresses(text: str, province: str | None, city: str | None, county: str | None, rest: str) -> None:
    told = split_address(text)
    assert told is not None
    assert (told["province"], told["city"], told["county"], told["rest"]) == (province, city, county, rest)


NAMED = [line.split("\t")[2] for line in NAMES.read_text("utf-8").splitlines()]


@given(st.text(max_size=40) | st.sampled_from(NAMED))
def test_an_address_ends_in_its_rest(text: str) -> None:
    told = split_address(text)
    assert (told is None) == (text == "")
    assert told is None or text.endswith(told["rest"])


def test_one_person() -> None:
    told = person_of([card("portrait", PORTRAIT), card("emblem", EMBLEM)])
    assert told["fields"] == PORTRAIT | EMBLEM
    assert told["sides"] == {"portrait": 1, "emblem": 1}
    assert told["checks"] == {
        "one_person": True,
        "validity_matches_age": True,
        "issued_after_birth": True,
        "authority_matches_address": True,
    }


def test_two_people_are_not_one() -> None:
    other = PORTRAIT | {"姓名": "李四"}
    told = person_of([card("portrait", PORTRAIT), card("portrait", other), card("emblem", EMBLEM)])
    assert told["fields"] == EMBLEM
    assert told["checks"]["one_person"] is False


def test_one_side_is_no_whole_person() -> None:
    told = person_of([card("emblem", EMBLEM)])
    assert told["checks"]["one_person"] is None
    assert told["checks"]["validity_matches_age"] is None
    assert person_of([])["fields"] == {}


@pytest.mark.parametrize(
    ("born", "span", "right"),
    [  # issued on 2020-06-15; the law's years by age: under 16 five, to 25 ten, to 45 twenty, then for good
        (date(2004, 6, 16), 5, True),
        (date(2004, 6, 15), 5, False),
        (date(2004, 6, 15), 10, True),
        (date(1994, 6, 16), 10, True),
        (date(1994, 6, 15), 20, True),
        (date(1974, 6, 16), 20, True),
        (date(1974, 6, 15), None, True),
        (date(1974, 6, 15), 20, False),
        (date(1990, 1, 1), None, False),
    ],
)
def test_validity_by_age(born: date, span: int | None, right: bool) -> None:
    end = None if span is None else date(2020 + span, 6, 15)
    assert validity_matches_age(born, date(2020, 6, 15), end, span is None) is right


def test_an_authority_elsewhere() -> None:
    assert authority_matches_address("武汉市公安局洪山分局", PORTRAIT["住址"]) is False
    assert authority_matches_address("", PORTRAIT["住址"]) is None
    assert authority_matches_address("天门市公安局", "某处") is None
