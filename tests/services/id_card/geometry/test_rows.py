"""Rows found on drawn cards: where the layout has them, moved, tilted, missing, and beside a portrait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.services.id_card.card import CARD_HEIGHT_MM, CARD_WIDTH_MM, PX_PER_MM, outline, warp
from tandem.services.id_card.geometry.ink import ANALYSIS_PX_PER_MM
from tandem.services.id_card.geometry.row_outlines import Row
from tandem.services.id_card.geometry.rows import find_rows
from tandem.services.id_card.records import RowKind
from tests.services.id_card.drawn import PAPER, SCALE, Block, draw_card, emblem_blocks, row_blocks

ANALYSIS_SIZE = (round(CARD_HEIGHT_MM * ANALYSIS_PX_PER_MM), round(CARD_WIDTH_MM * ANALYSIS_PX_PER_MM))


def small(card: NDArray[np.uint8], tilt_deg: float = 0.0) -> NDArray[np.uint8]:
    height, width = card.shape[:2]
    if tilt_deg:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), tilt_deg, 1)
        card = np.asarray(cv2.warpAffine(card, turn, (width, height), borderValue=PAPER), np.uint8)
    return warp(card, outline(width, height), ANALYSIS_SIZE)


def lines_of(blocks: Sequence[Block]) -> list[tuple[RowKind, list[Block]]]:
    """The blocks by printed line, top to bottom."""
    lines: list[tuple[RowKind, list[Block]]] = []
    for block in sorted(blocks, key=lambda b: b.y + b.em / 2):
        middle = block.y + block.em / 2
        if lines and abs(lines[-1][1][0].y + lines[-1][1][0].em / 2 - middle) < 2:
            lines[-1][1].append(block)
        else:
            lines.append((block.kind, [block]))
    return lines


def box_mm(row: Row) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1."""
    (x0, y0), (x1, y1) = row.quad.min(axis=0) / PX_PER_MM, row.quad.max(axis=0) / PX_PER_MM
    return float(x0), float(y0), float(x1), float(y1)


def assert_rows_hold(rows: Sequence[Row], blocks: Sequence[Block], slack: float = 0.1) -> None:
    """Every printed line has its row: all its characters in it, no other line's, little paper beside them."""
    lines = lines_of(blocks)
    assert [row.kind for row in rows] == [kind for kind, _ in lines]
    for row, (kind, parts) in zip(rows, lines, strict=True):
        values = [b for b in parts if not b.label] if kind is RowKind.NUMBER else parts
        x0, y0, x1, y1 = box_mm(row)
        left, right = min(b.x for b in values), max(b.x + b.em * b.count for b in values)
        top, bottom = min(b.y for b in values), max(b.y + b.em for b in values)
        assert x0 <= left + slack, (kind, x0, left)
        assert x1 >= right - slack, (kind, x1, right)
        assert y0 <= top + 0.1 * 2.7 + slack, (kind, y0, top)
        assert y1 >= bottom - 0.1 * 2.7 - slack, (kind, y1, bottom)
        assert x1 <= right + 1.5, (kind, x1, right)
        assert y1 - y0 < 5.2, kind


@pytest.mark.parametrize("lines", [1, 2, 3, 4])
@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (1.4, -1.9), (-1.2, 1.5)])
def test_rows_are_found_where_they_are_printed(lines: int, dx: float, dy: float) -> None:
    blocks = row_blocks(dx, dy, lines)
    assert_rows_hold(find_rows(small(draw_card(blocks)), emblem=False).rows, blocks)


@pytest.mark.parametrize("lines", [1, 2])
def test_the_emblem_side_has_two_or_three_rows(lines: int) -> None:
    blocks = emblem_blocks(lines)
    assert_rows_hold(find_rows(small(draw_card(blocks)), emblem=True).rows, blocks)


@pytest.mark.parametrize("tilt_deg", [-2.0, -0.7, 1.0, 2.2])
def test_a_tilt_left_over_is_followed(tilt_deg: float) -> None:
    rows = find_rows(small(draw_card(row_blocks()), tilt_deg), emblem=False).rows
    assert [row.kind for row in rows] == [kind for kind, _ in lines_of(row_blocks())]
    for row in rows:
        top = row.quad[1] - row.quad[0]
        if top[0] > 15 * PX_PER_MM:  # one character has no direction
            assert np.rad2deg(np.arctan2(top[1], top[0])) == pytest.approx(-tilt_deg, abs=0.35)


def test_rows_shifted_each_by_itself_are_found() -> None:
    shifts = {RowKind.NAME: -1.8, RowKind.SEX_NATION: -1.2, RowKind.BIRTH: -0.4, RowKind.NUMBER: 0.8}
    blocks = [replace(b, y=b.y + shifts.get(b.kind, 0.3)) for b in row_blocks()]
    assert_rows_hold(find_rows(small(draw_card(blocks)), emblem=False).rows, blocks)


def test_shadow_guilloche_and_a_colour_cast_do_not_move_the_rows() -> None:
    card = draw_card(row_blocks()).astype(np.float32)
    ys, xs = np.mgrid[0 : card.shape[0], 0 : card.shape[1]]
    edge = (xs - 0.3 * card.shape[1] - 0.4 * ys) / (1.5 * SCALE)
    card *= (0.5 + 0.5 / (1 + np.exp(-edge)))[..., None]  # a shadow across
    card += (9 * np.sin(xs / 7 + 6 * np.sin(ys / 60)) * np.sin(ys / 9))[..., None]
    card *= np.array([0.7, 0.9, 1.05], np.float32)
    rows = find_rows(small(np.clip(card, 0, 255).astype(np.uint8)), emblem=False).rows
    assert_rows_hold(rows, row_blocks(), slack=0.4)


def test_the_portrait_beside_the_text_is_left_out() -> None:
    card = draw_card(row_blocks())
    x, y = round(54.8 * SCALE), round(9.1 * SCALE)
    card[y : y + round(30.6 * SCALE), x : x + round(22.7 * SCALE)] = (60, 50, 45)
    rows = find_rows(small(card), emblem=False).rows
    assert_rows_hold(rows, row_blocks())


def test_a_text_that_runs_on_to_the_portrait_is_kept_whole() -> None:
    blocks = row_blocks()
    longer = [replace(b, count=15) if b.kind is RowKind.ADDRESS and b.count == 11 else b for b in blocks]
    assert_rows_hold(find_rows(small(draw_card(longer)), emblem=False).rows, longer, slack=0.3)


def test_pale_labels_are_still_inside() -> None:
    card = draw_card(row_blocks())
    label = (card == np.array((210, 151, 9))).all(axis=2)
    card[label] = np.array(PAPER) - 9
    for row in find_rows(small(card), emblem=False).rows:
        if row.kind is not RowKind.NUMBER and box_mm(row)[3] < 33:
            assert box_mm(row)[0] < 7.0


def test_a_stamped_row_is_expected_where_its_neighbours_say() -> None:
    blocks = [b for b in row_blocks(0.5, 1.0) if b.kind is not RowKind.BIRTH]
    rows = find_rows(small(draw_card(blocks)), emblem=False).rows
    birth = next(row for row in rows if row.kind is RowKind.BIRTH)
    _, top, _, bottom = box_mm(birth)
    assert (top + bottom) / 2 == pytest.approx(24.7, abs=1.6)


@pytest.mark.parametrize("emblem", [False, True])
@pytest.mark.parametrize("brightness", [0, 40, 255])
def test_an_empty_card_gets_the_layouts_rows(emblem: bool, brightness: int) -> None:
    rows = find_rows(np.full((*ANALYSIS_SIZE, 3), brightness, np.uint8), emblem).rows
    expected = emblem_blocks() if emblem else row_blocks(address_lines=1)
    assert [row.kind for row in rows] == [kind for kind, _ in lines_of(expected)]
    for row, (_, parts) in zip(rows, lines_of(expected), strict=True):
        _, top, _, bottom = box_mm(row)
        assert (top + bottom) / 2 == pytest.approx(parts[-1].y + parts[-1].em / 2, abs=0.5)


def test_noise_breaks_nothing() -> None:
    rng = np.random.default_rng(0)
    for emblem in (False, True):
        rows = find_rows(rng.integers(0, 255, (*ANALYSIS_SIZE, 3), np.uint8), emblem).rows
        assert all(np.isfinite(row.quad).all() for row in rows)


def test_a_short_last_line_with_little_ink_follows_a_full_one_only() -> None:
    blocks = row_blocks(address_lines=3)
    *others, last = [block for block in blocks if block.kind is RowKind.ADDRESS]
    rest = [block for block in blocks if block.kind is not RowKind.ADDRESS]
    thin = replace(last, count=0)  # 1号 has hardly more ink than this stroke

    def lines(second: int, shade: int = 60) -> int:
        stroke = ((last.x + 0.4, last.y + 0.3), (last.x + 0.4, last.y + 2.4))
        card = draw_card([*rest, *others[:-1], replace(others[-1], count=second), thin])
        ends = [(round(x * SCALE), round(y * SCALE)) for x, y in stroke]
        cv2.line(card, ends[0], ends[1], (shade, shade - 5, shade - 5), 7)
        return sum(row.kind is RowKind.ADDRESS for row in find_rows(small(card), emblem=False).rows)

    assert lines(second=11) == 3
    assert lines(second=4) == 2
    # Where not one more character found room, a 1 is enough.
    assert lines(second=12, shade=150) == 3
    assert lines(second=11, shade=150) == 2


@pytest.mark.parametrize(("covered", "lines"), [(0.6, 2), (0.8, 1)])
def test_below_a_line_that_is_nearly_full_a_last_character_may_be_faint(covered: float, lines: int) -> None:
    """A line of ten characters ends at 41.8 mm; what is left of the next one's only character counts."""
    blocks = [
        replace(block, x=block.x - 0.8, count=10)
        if block.kind is RowKind.ADDRESS and block.count == 11
        else block
        for block in row_blocks(0, 0, 2)
    ]
    card = draw_card(blocks)
    last = [block for block in blocks if block.kind is RowKind.ADDRESS][-1]
    x, y, em = (round(mm * SCALE) for mm in (last.x, last.y, last.em))
    card[y : y + em, x : x + round(covered * em)] = PAPER
    rows = find_rows(small(card), emblem=False).rows
    assert sum(row.kind is RowKind.ADDRESS for row in rows) == lines
