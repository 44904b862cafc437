from __future__ import annotations

import numpy as np
import pytest

from tandem.services.id_card.records import RowKind
from tandem.services.id_card.text.ctc import read_row
from tests.services.id_card.text.spelling import Speller, row, segment


def _read(steps: list[list[tuple[str, float]]], x0: float = 0, x1: float | None = None) -> list[str]:
    """Characters read from time steps given as (character or "" for the blank, probability)."""
    speller = Speller()
    lane = [[(speller.index(c) if c else 0, p) for c, p in step] for step in steps]
    characters, probabilities = speller.arrays([lane])
    place = segment(RowKind.NAME, 0, len(steps) * 8)
    place = type(place)(**{**vars(place), "x0": x0, "x1": len(steps) * 8 if x1 is None else x1})
    return [g.character for g in read_row(characters, probabilities, place, speller.dictionary).glyphs]


def test_equal_neighbours_are_one_character_and_a_blank_parts_two() -> None:
    one, blank = [("1", 0.9)], [("", 0.9)]
    assert _read([one, one, blank, one, blank, blank, one]) == ["1", "1", "1"]


def test_only_steps_whose_centres_lie_in_the_segment_count() -> None:
    steps = [[(character, 0.9)] for character in "1234"]
    assert _read(steps, x0=8, x1=24) == ["2", "3"]
    assert _read(steps, x0=5, x1=28) == ["2", "3"]  # centres are 4, 12, 20, 28
    assert _read(steps, x0=100, x1=200) == []


def test_spaces_are_left_out() -> None:
    assert _read([[("1", 0.9)], [(" ", 0.9)], [("2", 0.9)]]) == ["1", "2"]


def test_two_opinions_on_one_hanzi_are_one() -> None:
    assert _read([[("漢", 0.6), ("汉", 0.3)], [("汉", 0.7), ("漢", 0.2)]]) == ["汉"]
    assert _read([[("汉", 0.6)], [("", 0.9)], [("族", 0.7)]]) == ["汉", "族"]


def test_digits_close_together_stay_apart() -> None:
    assert _read([[("1", 0.6)], [("2", 0.7)]]) == ["1", "2"]


def test_runners_up_come_with_their_best_probability() -> None:
    (glyph,) = row(RowKind.NAME, [(("0", 0.7), ("O", 0.2), ("〇", 0.05))]).glyphs
    assert glyph.runners_up[0][0] == "O"
    assert glyph.support("O") == pytest.approx(0.2)
    assert glyph.support("〇") == pytest.approx(0.05)
    assert glyph.support("0") == pytest.approx(0.7)
    assert glyph.support("8") == 0


def test_spans_meet_half_way_and_are_no_wider_than_the_row_is_high() -> None:
    first, second, far = row(RowKind.NAME, "张三   丰").glyphs
    assert first.x1 == second.x0 == (first.centre + second.centre) / 2
    assert far.x1 - far.x0 <= 48
    assert second.x1 <= second.centre + 24


def test_a_row_of_blanks_is_empty() -> None:
    speller = Speller()
    characters, probabilities = speller.arrays([[[(0, 1.0)]] * 10])
    read = read_row(characters, probabilities, segment(RowKind.NAME, 0, 80), speller.dictionary)
    assert read.glyphs == ()
    assert len(read.steps) == len(read.centres) == 10
    assert np.allclose(np.diff(read.centres), 8)
