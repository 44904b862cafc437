"""The number's row on bent cards is followed and levelled; on flat ones it is left as it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.services.id_card.card import PX_PER_MM, outline, warp
from tandem.services.id_card.geometry.bent_number import _is_level, unbent_strip
from tandem.services.id_card.geometry.row_outlines import Row
from tandem.services.id_card.geometry.rows import find_rows
from tandem.services.id_card.records import RowKind
from tests.services.id_card.drawn import PAPER, SCALE, draw_card, row_blocks
from tests.services.id_card.geometry.test_rows import ANALYSIS_SIZE, small

#: Where the drawn number's digits begin and end, mm, and how high they are.
LEFT, RIGHT, EM = 30.1, 74.9, 3.2


def bent(card: NDArray[np.uint8], sagitta_mm: float) -> NDArray[np.uint8]:
    """The card with its middle so much higher than its left and right end, as a bent one looks from below."""
    height, width = card.shape[:2]
    across = np.linspace(-1, 1, width, dtype=np.float32)
    rows = np.arange(height, dtype=np.float32)[:, np.newaxis] + sagitta_mm * SCALE * (1 - across**2)
    columns = np.broadcast_to(np.arange(width, dtype=np.float32), rows.shape)
    return np.asarray(
        cv2.remap(
            card,
            np.ascontiguousarray(columns),
            rows,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=PAPER,
        ),
        np.uint8,
    )


def number_of(card: NDArray[np.uint8]) -> Row:
    (row,) = (row for row in find_rows(small(card), emblem=False).rows if row.kind is RowKind.NUMBER)
    return row


def strip_of(card: NDArray[np.uint8], row: Row, height: int = 48) -> NDArray[np.uint8]:
    """The row's strip, as it goes on a lane; the card is the picture."""
    scale = SCALE / PX_PER_MM
    size = (height, round(height * np.ptp(row.quad[:, 0]) / np.ptp(row.quad[:, 1])))
    quad = (row.quad * scale).astype(np.float32)
    return unbent_strip(card, row, quad, size) if row.bow_mm else warp(card, quad, size)


def free_above_and_below(strip: NDArray[np.uint8]) -> tuple[int, int]:
    """Rows of a strip without ink at its top and bottom; of all columns, so that a curve has few."""
    ink = (strip.min(axis=2) < 120).any(axis=1)
    return int(ink.argmax()), int(ink[::-1].argmax())


@pytest.mark.parametrize("sagitta_mm", [-3.5, -2.5, 2.5, 3.5])
@pytest.mark.parametrize("address_lines", [2, 4])
def test_a_bent_row_is_followed_and_levelled(sagitta_mm: float, address_lines: int) -> None:
    card = bent(draw_card(row_blocks(0, 0, address_lines)), sagitta_mm)
    row = number_of(card)
    assert row.bow_mm * sagitta_mm > 0
    x0, x1 = row.quad[[0, 3], 0].mean() / PX_PER_MM, row.quad[[1, 2], 0].mean() / PX_PER_MM
    assert x0 < LEFT + 0.1
    assert x1 > RIGHT - 0.1
    above, below = free_above_and_below(strip_of(card, row))
    # Digits take 36 of 48 px where they are level.
    assert above >= 2
    assert below >= 2
    assert above + below >= 8


@pytest.mark.parametrize("tilt_deg", [-1.5, 0.0, 1.5])
@pytest.mark.parametrize("address_lines", [1, 4])
def test_a_flat_row_is_left_as_it_is(tilt_deg: float, address_lines: int) -> None:
    rows = find_rows(small(draw_card(row_blocks(0, 0, address_lines)), tilt_deg), emblem=False).rows
    assert all(row.bow_mm == 0 for row in rows)


def test_a_card_without_a_number_has_no_bent_one() -> None:
    blocks = [block for block in row_blocks() if block.kind is not RowKind.NUMBER]
    card = draw_card(blocks)
    assert number_of(card).bow_mm == 0
    noise = np.random.default_rng(2).integers(0, 256, card.shape, np.uint8)
    assert number_of(np.asarray(noise, np.uint8)).quad.shape == (4, 2)
    blank = np.full((*ANALYSIS_SIZE, 3), 200, np.uint8)
    assert all(row.bow_mm == 0 for row in find_rows(blank, emblem=False).rows)


def test_a_strip_that_is_not_bent_is_the_warped_one() -> None:
    card = draw_card(row_blocks())
    height, width = card.shape[:2]
    quad = outline(width, height)
    row = Row(kind=RowKind.NUMBER, quad=outline(1011, 638), bow_mm=1e-9)
    plain = warp(card, quad, (48, 600))
    assert np.abs(unbent_strip(card, row, quad, (48, 600)).astype(int) - plain).mean() < 2


@pytest.mark.parametrize(
    ("down", "level"), [((0, 0, 0), True), ((0, 2, 3), True), ((0, 2, 5), False), ((3, -3, 3), False)]
)
def test_a_row_is_level_if_its_thirds_are_equally_high(down: tuple[int, int, int], level: bool) -> None:
    shifts, reach = np.arange(43), 21
    held = np.stack([np.maximum(0, 20 - abs(shifts - reach - down[k // 16])) for k in range(48)], axis=1)
    assert _is_level(held.astype(np.float32), reach) == level
