"""A general reader's lines become a card's fields: whichever way round, and however they are cut."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest

from tandem.evaluation.peer_cards import cards_of_photograph
from tandem.evaluation.peer_rows import read_lines
from tandem.evaluation.peers import Line
from tandem.training.score import Quad, quad_iou

TODAY = date(2026, 1, 1)
MM = 10.0  # px
OUTLINE = (np.array([[0, 0], [85.6, 0], [85.6, 54], [0, 54]], np.float32) * MM).astype(np.float32)
# Text, left and middle in mm, size in mm: as the standard prints a card.
PORTRAIT = [
    ("姓名", 6.9, 10.8, 2.7),
    ("张三", 15.6, 10.8, 3.3),
    ("性别女", 6.9, 17.4, 2.7),
    ("民族汉", 26.1, 17.4, 2.7),
    ("出生1949年12月31日", 7.1, 23.8, 2.7),
    ("住址北京市东城区", 6.9, 30.1, 2.7),
    ("景山前街4号", 15.6, 34.7, 2.7),
    ("公民身份号码", 6.9, 46.6, 2.7),
    ("11010519491231002X", 30.1, 46.6, 4.3),
]
EMBLEM = [
    ("中华人民共和国", 30.2, 9.0, 5.2),
    ("居民身份证", 26.3, 18.0, 7.6),
    ("签发机关上海市公安局黄浦分局", 20.5, 40.1, 2.7),
    ("有效期限2005.10.08-2025.10.08", 20.5, 46.7, 2.7),
]
FIELDS = {
    "姓名": "张三",
    "性别": "女",
    "民族": "汉",
    "出生": "1949年12月31日",
    "住址": "北京市东城区景山前街4号",
    "公民身份号码": "11010519491231002X",
}


def lines(card: Sequence[tuple[str, float, float, float]], turn: float = 0.0, at: float = 0.0) -> list[Line]:
    """Lines as a reader of whole photographs gives them: in any order, corners as the picture has them."""
    return [line(*printed, turn=turn, at=at) for printed in reversed(card)]


def line(text: str, left: float, middle: float, em: float, *, turn: float, at: float) -> Line:
    width = em * sum(0.55 if character.isascii() else 1.0 for character in text)
    box = np.array([[0, -0.5], [1, -0.5], [1, 0.5], [0, 0.5]]) * [width, 1.3 * em] + [left, middle]
    quad = turned((box * MM).astype(np.float32), turn) + np.float32(at)
    # The first corner is the upper left one of the picture, whichever way the text runs.
    quad = np.roll(quad, -int(quad.sum(axis=1).argmin()), axis=0)
    return Line(text=text, confidence=0.98, quad=quad)


def turned(points: Quad, degrees: float) -> Quad:
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    middle = OUTLINE.mean(axis=0)
    return ((points - middle) @ np.array([[cos, sin], [-sin, cos]]) + middle).astype(np.float32)


@pytest.mark.parametrize("turn", [0, 7, -12, 90, 180, 270, 137])
def test_a_portrait_side_whichever_way_round(turn: float) -> None:
    card = read_lines(lines(PORTRAIT, turn), turned(OUTLINE, turn), TODAY)
    assert card["side"] == "portrait"
    assert card["fields"] == FIELDS
    assert np.allclose(card["quad"], turned(OUTLINE, turn))


def test_an_emblem_side() -> None:
    card = read_lines(lines(EMBLEM), OUTLINE, TODAY)
    assert card["side"] == "emblem"
    assert card["fields"] == {"签发机关": "上海市公安局黄浦分局", "有效期限": "2005.10.08-2025.10.08"}
    assert card["checks"]["expired"] is True


@pytest.mark.parametrize("missing", ["姓名", "公民身份号码"])
def test_a_lost_label_is_told_by_the_neighbours(missing: str) -> None:
    kept = [printed for printed in PORTRAIT if printed[0] != missing]
    assert read_lines(lines(kept), OUTLINE, TODAY)["fields"] == FIELDS


def test_a_card_without_lines_has_empty_fields() -> None:
    assert set(read_lines([], OUTLINE, TODAY)["fields"].values()) == {""}


@pytest.mark.parametrize("turn", [0, -12, 90, 180, 270])
def test_a_card_is_found_by_its_number_alone(turn: float) -> None:
    (card,) = cards_of_photograph(lines(PORTRAIT, turn), TODAY)
    assert card["fields"] == FIELDS
    assert quad_iou(np.asarray(card["quad"], np.float32), turned(OUTLINE, turn)) > 0.85


def test_two_cards_keep_their_lines_apart() -> None:
    found = cards_of_photograph([*lines(PORTRAIT), *lines(EMBLEM, turn=90, at=1500)], TODAY)
    cards = {card["side"]: card["fields"] for card in found}
    assert len(found) == 2
    assert cards["portrait"] == FIELDS
    assert cards["emblem"]["签发机关"] == "上海市公安局黄浦分局"


def test_lines_around_a_card_are_not_read_as_its_own() -> None:
    page = [
        ("住址填写说明", 10.0, -12.0, 4.0),
        ("姓名和民族", 100.0, 20.0, 4.0),
        ("出生1900年1月1日", 10.0, 66.0, 4.0),
    ]
    (card,) = cards_of_photograph([*lines(PORTRAIT), *lines(page)], TODAY)
    assert card["fields"] == FIELDS


def test_a_photograph_without_a_number_or_a_validity_has_no_card() -> None:
    assert cards_of_photograph(lines(PORTRAIT[:6]), TODAY) == []
    assert cards_of_photograph([], TODAY) == []
