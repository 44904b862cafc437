from __future__ import annotations

from pathlib import Path

import pytest

from tandem.services.text_keywords.lanes import LENGTH
from tandem.services.text_keywords.tokens import MAX_WINDOWS, TextTokenizer
from tests.services.text_keywords.small_tokenizer import small_vocabulary, write_tokenizer

LEAD = len("▁query:")


@pytest.fixture
def tokenizer(tmp_path: Path) -> TextTokenizer:
    write_tokenizer(tmp_path)
    return TextTokenizer(tmp_path)


def test_characters_are_replaced_and_spaces_joined(tokenizer: TextTokenizer) -> None:
    pieces = small_vocabulary().pieces
    assert [pieces[i] for i in tokenizer.pieces(" Ａ\u200b  b ")] == ["▁", "A", "▁", "b"]
    assert tokenizer.pieces("é") == tokenizer.pieces("Б")  # both unknown


def test_a_phrase_stands_between_the_tokens_that_frame_a_text(tokenizer: TextTokenizer) -> None:
    tokens = tokenizer.phrase("ab")
    assert (tokens[0], tokens[-1]) == (0, 2)
    assert tokens[1:-1] == tokenizer.pieces("query: ab")
    assert len(tokenizer.phrase("x" * 500)) == LENGTH


def test_a_short_text_is_one_window_and_a_long_one_several(tokenizer: TextTokenizer) -> None:
    assert tokenizer.windows("ab") == [tokenizer.phrase("ab")]
    windows = tokenizer.windows("x" * 300)
    assert [len(window) for window in windows] == [
        LENGTH,
        LENGTH,
        2 + LEAD + 1 + 300 - 2 * (LENGTH - 2 - LEAD),
    ]
    assert all(window[1 : 1 + LEAD] == tokenizer.pieces("query: ") for window in windows)


def test_of_a_very_long_text_windows_are_spread_over_all_of_it(tokenizer: TextTokenizer) -> None:
    windows = tokenizer.windows("a" * 10_000 + "z" * 10_000)
    assert len(windows) == MAX_WINDOWS
    a, z = tokenizer.pieces("a")[-1], tokenizer.pieces("z")[-1]
    assert sum(a in window for window in windows) == pytest.approx(MAX_WINDOWS / 2, abs=1)
    assert sum(z in window for window in windows) == pytest.approx(MAX_WINDOWS / 2, abs=1)
