"""Titles take the room that rows leave on the lanes, and only emblem sides have them."""

from __future__ import annotations

import numpy as np

from tandem.media.picture import Picture
from tandem.services.id_card.geometry.titles import TITLE_BAND_MM, place_titles
from tandem.services.id_card.records import CardRecord, RowKind, Segment

QUAD = np.array([[100, 100], [956, 100], [956, 640], [100, 640]], np.float32)  # 10 px a mm
LANES = np.full((3, 48, 896, 3), 128, np.uint8)


def picture() -> Picture:
    pixels = np.full((800, 1100, 3), 230, np.uint8)
    x, y, width, height = (round(10 * part) for part in TITLE_BAND_MM)
    pixels[100 + y : 100 + y + height, 100 + x : 100 + x + width] = (10, 20, 200)
    return Picture(pixels=pixels, sent_size=(800, 1100))


def row(lane: int, x1: float) -> Segment:
    return Segment(card=0, kind=RowKind.AUTHORITY, lane=lane, x0=0, x1=x1, quad=QUAD)


def card(emblem: float) -> CardRecord:
    return CardRecord(quad=QUAD, score=0.9, emblem=emblem)


def test_a_title_lies_behind_the_rows_of_the_emptiest_lane() -> None:
    lanes, titles = place_titles(picture(), [card(0.9)], [row(0, 500), row(1, 200), row(2, 880)], LANES)
    lane, x0, x1 = titles[0].astype(int)
    assert lane == 1
    assert x0 == 216
    assert x1 - x0 == 273
    assert np.abs(lanes[1, 10:38, x0 + 8 : x1 - 8].astype(int) - (10, 20, 200)).max() < 6
    assert np.array_equal(lanes[[0, 2]], LANES[[0, 2]])
    assert np.array_equal(lanes[1, :, :200], LANES[1, :, :200])


def test_a_portrait_side_has_no_title() -> None:
    lanes, titles = place_titles(picture(), [card(0.1)], [row(0, 500)], LANES)
    assert lanes is LANES
    assert titles.tolist() == [[0, 0, 0]]


def test_without_room_there_is_no_title() -> None:
    full = [row(0, 760), row(1, 760), row(2, 760)]
    lanes, titles = place_titles(picture(), [card(0.9)], full, LANES)
    assert lanes is LANES
    assert titles.tolist() == [[0, 0, 0]]


def test_titles_of_two_cards_do_not_overlap() -> None:
    _, titles = place_titles(picture(), [card(0.9), card(0.1), card(0.9)], [row(1, 880), row(2, 880)], LANES)
    first, none, second = titles
    assert none[1] == none[2] == 0
    assert first[0] == second[0] == 0
    assert second[1] >= first[2] + 16


def test_a_picture_without_cards() -> None:
    lanes, titles = place_titles(picture(), [], [], LANES)
    assert lanes is LANES
    assert titles.shape == (1, 3)
