"""Waves (moiré) are taken out of a card's picture, its text is not; the rows below them are found."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.services.id_card.geometry.rows import find_rows
from tandem.services.id_card.geometry.waves import without_waves
from tests.services.id_card.drawn import draw_card, row_blocks
from tests.services.id_card.geometry.test_rows import assert_rows_hold, small

# px at 6 px/mm: as fine as strokes, and as wide as characters; degrees.
WAVES = [(6.0, 30.0), (9.0, 75.0), (12.0, 140.0), (17.0, 60.0)]


def _waves(shape: tuple[int, ...], length: float, turn_deg: float, drift: float = 0.0) -> NDArray[np.float32]:
    """(h, w) float32, -1 to 1."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    turn = np.deg2rad(turn_deg)
    along = (np.cos(turn) * x + np.sin(turn) * y) * 2 * np.pi / length
    return np.asarray(np.sin(along * (1 + drift * x / shape[1])), np.float32)


def _card() -> NDArray[np.uint8]:
    return small(draw_card(row_blocks(address_lines=3)))


def _under(card: NDArray[np.uint8], strength: float, length: float, turn_deg: float) -> NDArray[np.uint8]:
    """The card with two waves over it, which lie elsewhere in each colour."""
    lit = card.astype(np.float32)
    for channel in range(3):
        one = np.roll(_waves(card.shape[:2], length, turn_deg, drift=0.06), 3 * channel, axis=1)
        other = np.roll(_waves(card.shape[:2], length * 1.3, turn_deg + 80), 4 * channel, axis=0)
        lit[..., channel] *= 1 + strength * (one + 0.7 * other)
    return np.asarray(np.clip(lit, 0, 255), np.uint8)


@pytest.mark.parametrize(("length", "turn_deg"), WAVES)
def test_waves_alone_go_and_paper_stays(length: float, turn_deg: float) -> None:
    waves = 40 * _waves((279, 468), length, turn_deg)
    level = without_waves(np.asarray(150 + waves, np.uint8)).astype(np.float32)
    inner = level[20:-20, 20:-20]
    assert inner.std() < 0.2 * waves.std()
    assert abs(float(inner.mean()) - 150) < 2


def test_text_stays() -> None:
    red = np.ascontiguousarray(_card()[..., 2])
    assert np.corrcoef(without_waves(red).ravel(), red.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("channel", [np.full((279, 468), 90, np.uint8), np.zeros((279, 468), np.uint8)])
def test_an_even_picture_stays_as_it_is(channel: NDArray[np.uint8]) -> None:
    assert np.array_equal(without_waves(channel), channel)


@pytest.mark.parametrize(("length", "turn_deg"), WAVES)
def test_rows_are_found_below_waves(length: float, turn_deg: float) -> None:
    blocks = row_blocks(address_lines=3)
    card = _card()
    assert_rows_hold(find_rows(card, emblem=False).rows, blocks)
    assert_rows_hold(find_rows(_under(card, 0.22, length, turn_deg), emblem=False).rows, blocks, slack=0.6)
