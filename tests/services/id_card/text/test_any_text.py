"""Whatever the recogniser says, in whatever order: no exception, and no field that was not read.

`test_parse.py` holds that no character of a field is invented; here the stronger promises: characters come in
the order in which they were read, from one row, whichever way the rows arrive; and what the checks say agrees
with the calendar's and the standard's own arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tandem.services.id_card.records import RowKind
from tandem.services.id_card.text.checks import emblem_checks, portrait_checks
from tandem.services.id_card.text.parse import parse_cards
from tests.services.id_card.text.spelling import Likely, picture

TODAY = date(2026, 1, 1)
Place = str | Likely
Rows = Sequence[tuple[RowKind, Sequence[Place]]]

_LABELS = ("姓名", "性别", "民族", "出生", "住址", "公民身份号码", "签发机关", "有效期限")
_VALUES = (
    "张三",
    "阿布都·克里木",
    "男",
    "女",
    "汉",
    "维吾尔",
    "1949年12月31日",
    "北京市东城区",
    "11010519491231002X",
)
_pieces = st.one_of(
    st.sampled_from([*_LABELS, *_VALUES, "2005.10.08-2025.10.08", "上海市公安局", "长期", " "]),
    st.text(st.characters(codec="utf-8"), max_size=6),
    st.text("0123456789Xx〇OolI", max_size=18),
)
_unsure = st.tuples(
    st.tuples(st.sampled_from("0123456789OX男女汉漢一"), st.floats(0.3, 1)),
    st.tuples(st.characters(codec="utf-8"), st.floats(0.001, 0.3)),
)
_row_texts = st.builds(
    lambda pieces, unsure, at: [*"".join(pieces)[:at], *unsure, *"".join(pieces)[at:]],
    st.lists(_pieces, max_size=4),
    st.lists(_unsure, max_size=2),
    st.integers(0, 40),
)
_rows = st.lists(st.tuples(st.sampled_from(list(RowKind)), _row_texts), max_size=9)
_many = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def parse(rows: Rows, order: Sequence[int] | None = None, emblem: float = 0.0) -> dict[str, Any]:
    """One card's result; `order` is the order in which its rows' strips arrive."""
    characters, probabilities, cards, segments, dictionary = picture(rows, emblem)
    if order is not None:
        segments = np.concatenate([segments[list(order)], segments[len(rows) :]])
    (parsed,) = parse_cards(characters, probabilities, cards, segments, dictionary=dictionary, today=TODAY)
    return parsed


def likely(place: Place) -> set[str]:
    """The characters that the recogniser thought possible at a place, in every spelling of theirs."""
    said = {place} if isinstance(place, str) else {character for character, _ in place}
    return said | {character.upper() for character in said} | ({"X"} if said & set("×Ⅹ") else set())


def is_subsequence(text: str, places: Iterable[Place]) -> bool:
    """Whether the text's characters are possible at places that follow each other."""
    rest = iter(places)
    return all(any(character in likely(place) for place in rest) for character in text)


@given(_rows, st.floats(0, 1), st.data())
@_many
def test_the_order_of_the_strips_changes_nothing(rows: Rows, emblem: float, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(rows))))
    assert parse(rows, order, emblem) == parse(rows, emblem=emblem)


# Mostly whole numbers, sometimes with an unsure place, a speck or a letter between their digits.
_number_rows = st.builds(
    lambda label, digits, last, middle, at: (
        RowKind.NUMBER,
        [*label, *digits[:at], *middle, *digits[at:], *last],
    ),
    st.sampled_from(["公民身份号码 ", "", "公民身份证号码"]),
    st.text("0123456789", min_size=16, max_size=18),
    st.sampled_from(["", "X", "x", "日"]),
    st.one_of(st.just([]), st.lists(_unsure, max_size=1), st.sampled_from([["."], ["汉"], ["X"]])),
    st.integers(0, 18),
)


@given(_rows, st.lists(_number_rows, min_size=1, max_size=2))
@_many
def test_a_number_is_read_from_one_row_digit_after_digit(rows: list[Any], numbers: list[Any]) -> None:
    number = parse([*rows, *numbers])["fields"].get("公民身份号码", "")
    assert len(number) in (0, 15, 17, 18)
    assert any(is_subsequence(number, text) for _, text in [*rows, *numbers])


@given(_rows)
@_many
def test_a_date_holds_the_digits_of_one_row_in_their_order(rows: Rows) -> None:
    fields = parse(rows)["fields"] | parse(rows, emblem=1.0)["fields"]
    for name in ("出生", "有效期限"):
        digits = "".join(character for character in fields.get(name, "") if character.isdigit())
        assert any(is_subsequence(digits, text) for _, text in rows) or not digits


@given(st.lists(st.sampled_from(_VALUES[:6]), max_size=6))
@_many
def test_labels_alone_fill_no_field(values: list[str]) -> None:
    """Rows that hold labels and nothing else: whatever else is on the card, their fields stay empty."""
    rows = [(RowKind.NUMBER, "公民身份号码"), (RowKind.BIRTH, "出生年月日")]
    rows += [(RowKind.ADDRESS, value) for value in values]
    fields = parse(rows)["fields"]
    assert (fields["公民身份号码"], fields["出生"]) == ("", "")


def _iso_7064(digits: str) -> str:
    """The check character by ISO 7064's recursion, which knows no weights."""
    product = 0
    for digit in digits:
        product = (product + int(digit)) * 2 % 11
    return "0123456789X"[(12 - product) % 11]


_days = st.dates(date(1900, 1, 1), date(2030, 12, 31))


@given(_days, st.integers(0, 999), st.sampled_from(["110105", "650104", "440524"]))
def test_a_consistent_card_passes_every_check(born: date, sequence: int, region: str) -> None:
    digits = f"{region}{born:%Y%m%d}{sequence:03d}"
    fields = {
        "公民身份号码": digits + _iso_7064(digits),
        "出生": f"{born.year}年{born.month}月{born.day}日",
        "性别": "男" if sequence % 2 else "女",
    }
    assert set(portrait_checks(fields).values()) == {True}


@given(_days, _days, st.integers(0, 999), st.sampled_from("0123456789X"), st.booleans())
def test_every_contradiction_is_seen_by_its_own_check(
    born: date, printed: date, sequence: int, last: str, woman: bool
) -> None:
    digits = f"110105{born:%Y%m%d}{sequence:03d}"
    checks = portrait_checks(
        {
            "公民身份号码": digits + last,
            "出生": f"{printed.year}年{printed.month:02d}月{printed.day:02d}日",
            "性别": "女" if woman else "男",
        }
    )
    assert checks["number_checksum"] is (last == _iso_7064(digits))
    assert checks["birth_matches_number"] is (born == printed)
    assert checks["sex_matches_number"] is (woman == (sequence % 2 == 0))


@given(_days, st.sampled_from([3, 5, 7, 10, 15, 20]), st.integers(-4, 4), st.integers(-4, 4))
def test_a_card_s_span_and_end_are_judged_to_the_day(begin: date, years: int, off: int, late: int) -> None:
    assume((begin.month, begin.day) != (2, 29))  # it has no anniversary
    end = date(begin.year + years, begin.month, begin.day) + timedelta(days=off)
    checks = emblem_checks({"有效期限": f"{begin:%Y.%m.%d}-{end:%Y.%m.%d}"}, end + timedelta(days=late))
    assert checks["expired"] is (late > 0)
    assert checks["validity_span"] is (years in (5, 10, 20) and abs(off) <= 1)


@pytest.mark.parametrize("name", ["公民身份号码", "出生", "性别"])
@given(text=st.text(max_size=24))
def test_any_text_in_a_field_gives_checks_or_none(name: str, text: str) -> None:
    fields = {"公民身份号码": "11010519491231002X", "出生": "1949年12月31日", "性别": "女"} | {name: text}
    assert all(said in (True, False, None) for said in portrait_checks(fields).values())
    assert emblem_checks({"有效期限": text}, TODAY).keys() == {"validity_span", "expired"}
