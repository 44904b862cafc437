"""What the evaluation counts, on answers whose faults are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tandem.evaluation.figures import (
    corner_figures,
    covered_figures,
    fault_figures,
    field_figures,
    reading_figures,
)
from tandem.evaluation.photo_sets import Photo
from tandem.evaluation.readings import compare, read_readings, write_readings
from tandem.training.scene.photographs import CardTruth

QUAD = np.array([[0, 0], [856, 0], [856, 540], [0, 540]], np.float32)
FIELDS = {"姓名": "张三", "公民身份号码": "11010519491231002X"}
CHECKS = {"number_checksum": True, "sex_matches_number": True}


def truth(shift: float = 0.0, **changes: Any) -> CardTruth:
    card = CardTruth(quad=QUAD + np.float32(shift), side="portrait", fields=FIELDS, checks=CHECKS)
    return replace(card, **changes)


def answer(shift: float = 0.0, *, side: str = "portrait", **changes: Any) -> dict[str, Any]:
    return {
        "side": side,
        "quad": (QUAD + np.float32(shift)).tolist(),
        "fields": FIELDS | changes,
        "confidence": dict.fromkeys(FIELDS, 0.9),
        "checks": CHECKS,
        "quality": {"blurred": 0.25},
    }


def photo(*cards: CardTruth, name: str = "easy-1-0000.jpg") -> Photo:
    return Photo(name=name, subset="easy", data=b"", cards=cards)


def test_a_card_read_whole() -> None:
    reading = compare(photo(truth()), {"cards": [answer()]}, 0.25)
    assert reading_figures([reading]) == pytest.approx(
        {
            "photos": 1,
            "cards": 1,
            "found": 1,
            "side": 1,
            "all fields": 1,
            "number": 1,
            "CER": 0,
            "checks": 1,
            "false cards": 0,
            "p50 ms": 250,
            "p95 ms": 250,
        }
    )


def test_a_wrong_character_costs_its_field_and_its_card_only() -> None:
    readings = [
        compare(photo(truth()), {"cards": [answer(姓名="张二")]}, 1),
        compare(photo(truth()), {"cards": [answer()]}, 1),
    ]
    row = reading_figures(readings)
    assert (row["all fields"], row["number"], row["CER"]) == (0.5, 1, pytest.approx(1 / 40))
    assert field_figures(readings) == {"姓名": 0.5, "公民身份号码": 1}


def test_a_card_that_is_not_found_is_wrong_in_every_field() -> None:
    row = reading_figures([compare(photo(truth()), {"cards": [answer(5000)]}, 1)])
    assert (row["found"], row["all fields"], row["number"], row["CER"]) == (0, 0, 0, 1)
    assert row["false cards"] == 1
    assert row["checks"] == 0


def test_the_wrong_side_is_found_but_not_right() -> None:
    row = reading_figures([compare(photo(truth()), {"cards": [answer(side="emblem")]}, 1)])
    assert (row["found"], row["side"]) == (1, 0)


def test_a_picture_without_cards_on_which_one_is_seen() -> None:
    readings = [compare(photo(), {"cards": []}, 1), compare(photo(), {"cards": [answer(), answer(900)]}, 1)]
    assert reading_figures(readings)["false cards"] == 0.5


def test_a_check_that_says_nothing_is_not_right() -> None:
    silent = answer() | {"checks": {"number_checksum": True, "sex_matches_number": None}}
    assert reading_figures([compare(photo(truth()), {"cards": [silent]}, 1)])["checks"] == 0.5


def test_corners_before_and_after() -> None:
    # 8.56 px of 856 are 1 %: along one axis for the prediction, and 0.1 % after it.
    predicted = np.stack([QUAD + np.array([8.56, 0], np.float32), QUAD + np.float32(4000)])
    row = corner_figures([compare(photo(truth()), {"cards": [answer(0.856 / 2**0.5)]}, 1, predicted)])
    assert row["median before"] == pytest.approx(0.01, rel=1e-3)
    assert row["median after"] == pytest.approx(0.001, rel=1e-2)
    assert row["better"] == 1
    assert corner_figures([compare(photo(truth()), {"cards": [answer()]}, 1)]) == {"cards": 0}


def test_contradictions_are_judged_by_their_own_field_and_check() -> None:
    wrong_sum = truth(fault="checksum", checks=CHECKS | {"number_checksum": False})
    says = answer() | {"checks": CHECKS | {"number_checksum": False}}
    mended = answer(公民身份号码="110105194912310021")
    readings = [
        compare(photo(wrong_sum), {"cards": [read]}, 1)
        for read in (says, mended, answer() | {"checks": {"number_checksum": None}})
    ]
    assert fault_figures(readings)["checksum"] == pytest.approx(
        {"cards": 3, "as printed": 2 / 3, "check says it": 1 / 3, "check says the opposite": 1 / 3}
    )


def test_fields_under_a_stamp_are_judged_apart() -> None:
    stamped = truth(covered=frozenset({"姓名"}))
    texts = ("张三", "", "张王")
    readings = [compare(photo(stamped), {"cards": [answer(姓名=text)]}, 1) for text in texts]
    assert covered_figures(readings)["姓名"] == pytest.approx(
        {"covered": 3, "right": 1 / 3, "empty": 1 / 3, "wrong": 1 / 3}
    )
    assert reading_figures(readings)["all fields"] == 1
    assert field_figures(readings) == {"公民身份号码": 1}


def test_where_the_place_is_not_known_cards_are_paired_by_side() -> None:
    nowhere = truth(quad=np.zeros((4, 2), np.float32))
    reading = compare(photo(nowhere), {"cards": [answer(900, side="emblem"), answer(50)]}, 1)
    assert reading.cards[0].read_side == "portrait"
    assert reading.cards[0].corner_error is None
    assert reading.spare == 1


def test_records_of_two_files_count_together_but_not_twice(tmp_path: Path) -> None:
    predicted = np.stack([QUAD])
    first = compare(
        photo(truth(fault="sex", covered=frozenset({"姓名"}))), {"cards": [answer()]}, 1, predicted
    )
    second = compare(photo(name="easy-1-0001.jpg"), {"cards": [answer()]}, 2)
    write_readings({"Tandem": [first]}, tmp_path / "1.json")
    write_readings({"Tandem": [second], "other": [second]}, tmp_path / "2.json")
    merged = read_readings([tmp_path / "1.json", tmp_path / "2.json"])
    assert merged == {"Tandem": [first, second], "other": [second]}
    with pytest.raises(ValueError, match="count twice"):
        read_readings([tmp_path / "1.json", tmp_path / "1.json"])
