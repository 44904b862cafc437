"""What an evaluation's sets promise: their truth, and that it survives a folder."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from tandem.evaluation.expected import expected_checks
from tandem.evaluation.photo_sets import (
    SUBSETS,
    draw_photos,
    read_photos,
    write_photos,
)
from tandem.services.id_card.text.checks import emblem_checks, portrait_checks
from tandem.training.draw.cards import draw_card
from tandem.training.scene.photographs import CardTruth

TODAY = date(2026, 6, 1)


def test_a_photograph_depends_on_its_seed_subset_and_number_alone() -> None:
    (third,) = draw_photos("tilted", 1, 5, first=2)
    *_, again = draw_photos("tilted", 3, 5)
    assert third.name == again.name == "tilted-5-0002.jpg"
    assert third.data == again.data
    (other,) = draw_photos("tilted", 1, 6, first=2)
    assert other.data != third.data


def test_an_unknown_subset_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="easy"):
        next(draw_photos("simple", 1, 1))


def test_two_cards_are_two_and_a_negative_has_none() -> None:
    for photo in draw_photos("two", 3, 1):
        assert len(photo.cards) == 2
    assert [photo.cards for photo in draw_photos("negative", 2, 1)] == [(), ()]


def test_a_set_for_thresholds_has_numbers_only() -> None:
    assert all(
        "公民身份号码" in card.fields for photo in draw_photos("numbers", 3, 1) for card in photo.cards
    )


def test_what_the_checks_have_to_say_is_what_they_say_of_the_printed_text() -> None:
    """The truth comes from how a card was drawn; the checks, from its text: two ways that have to meet."""
    rng = np.random.default_rng(0)
    faults = set()
    for i in range(60):
        card = draw_card(rng, "test", side=("portrait", "emblem")[i % 2], width_px=64, fault_share=0.8)
        fields = card.face.fields
        said = portrait_checks(fields) if card.face.side == "portrait" else emblem_checks(fields, TODAY)
        assert said == expected_checks(card.face.side, fields, card.fault, TODAY), card.fault
        faults.add(card.fault)
    assert faults == {None, "checksum", "birth", "sex", "expired", "span"}


def test_a_folder_gives_back_what_was_written(tmp_path: Path) -> None:
    _, data = cv2.imencode(".jpg", np.zeros((20, 30, 3), np.uint8))
    quad = np.array([[0, 0], [30, 0], [30, 20], [0, 20]], np.float32)
    plain = CardTruth(quad=quad, side="emblem", fields={"签发机关": "上海市公安局"})
    special = replace(plain, checks={"expired": True}, covered=frozenset({"签发机关"}), fault="expired")
    (photo,) = draw_photos("easy", 1, 1)
    photos = [replace(photo, data=data.tobytes(), cards=(plain, special))]
    write_photos(photos, tmp_path)
    (read,) = read_photos(tmp_path)
    assert read.data == photos[0].data
    for card, written in zip(read.cards, photos[0].cards, strict=True):
        assert np.array_equal(card.quad, written.quad)
        assert replace(card, quad=quad) == replace(written, quad=quad)


def test_every_subset_draws() -> None:
    for subset in SUBSETS:
        (photo,) = draw_photos(subset, 1, 3)
        assert cv2.imdecode(np.frombuffer(photo.data, np.uint8), cv2.IMREAD_COLOR) is not None
