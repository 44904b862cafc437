"""Cards in one call: sides, faults and stamps in the shares asked for."""

from __future__ import annotations

import numpy as np
import pytest

from tandem.training.draw.cards import Card, draw_card
from tandem.training.draw.people import check_digit
from tandem.training.errors import StyleError


def many(count: int = 60, **options: float) -> list[Card]:
    rng = np.random.default_rng(11)
    return [draw_card(rng, "train", width_px=120, **options) for _ in range(count)]  # type: ignore[arg-type]


def test_both_sides_are_drawn_and_either_can_be_asked_for() -> None:
    assert {card.face.side for card in many()} == {"portrait", "emblem"}
    rng = np.random.default_rng(0)
    assert {draw_card(rng, "test", side="emblem", width_px=100).face.side for _ in range(8)} == {"emblem"}


def test_no_share_no_stamp_and_no_fault() -> None:
    for card in many(stamp_share=0, fault_share=0):
        assert card.covered == frozenset()
        assert card.fault is None


def test_faults_are_what_they_say() -> None:
    cards = many(fault_share=1)
    assert {card.fault for card in cards} == {"checksum", "birth", "sex", "expired", "span"}
    for card in cards:
        if card.face.side == "portrait":
            number = card.face.fields["公民身份号码"]
            assert (check_digit(number[:17]) != number[17]) == (card.fault == "checksum")


def test_stamps_cover_some_fields() -> None:
    covered = [card.covered for card in many(stamp_share=1)]
    assert any(covered)
    assert not all(covered)


def test_same_seed_same_card() -> None:
    one, again = (draw_card(np.random.default_rng(5), "train", width_px=200) for _ in range(2))
    assert np.array_equal(one.face.image, again.face.image)
    assert one.face.fields == again.face.fields


@pytest.mark.parametrize("shares", [(-0.1, 0), (0, 1.5)])
def test_impossible_shares_are_refused(shares: tuple[float, float]) -> None:
    with pytest.raises(StyleError, match="between 0 and 1"):
        draw_card(np.random.default_rng(0), "train", stamp_share=shares[0], fault_share=shares[1])
