from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tandem.services.text_keywords.tokens import PASSAGE_LENGTHS, PHRASE_LENGTHS, PHRASE_ROWS, TextTokenizer
from tests.services.text_keywords.small_tokenizer import small_vocabulary, write_tokenizer

PREFIX_TOKENS = len("▁query:▁")


@pytest.fixture
def tokenizer(tmp_path: Path) -> TextTokenizer:
    write_tokenizer(tmp_path)
    return TextTokenizer(tmp_path)


def test_characters_are_replaced_and_spaces_joined(tokenizer: TextTokenizer) -> None:
    pieces = small_vocabulary().pieces
    assert [pieces[i] for i in tokenizer.ids(" Ａ\u200b  b ")] == ["▁", "A", "▁", "b"]
    assert tokenizer.ids("é") == tokenizer.ids("Б")  # both unknown


def test_phrases_are_sorted_by_length_into_blocks_of_one_shape(tokenizer: TextTokenizer) -> None:
    phrases = ["a" * (1 + i % 20) for i in range(50)]
    blocks = tokenizer.phrase_blocks(phrases)
    assert sorted(place for block in blocks for place in block.places) == list(range(50))
    for block in blocks:
        rows, length = block.tokens.shape
        assert rows == PHRASE_ROWS
        assert length in PHRASE_LENGTHS
        for row, place in zip(block.tokens, block.places, strict=False):
            real = int(np.count_nonzero(row != tokenizer.pad))
            assert real == min(2 + PREFIX_TOKENS + len(phrases[place]), PHRASE_LENGTHS[-1])
            assert row[0] == 0
        assert (block.tokens[len(block.places) :] == tokenizer.pad).all()


def test_a_short_passage_is_one_row_and_a_long_one_several(tokenizer: TextTokenizer) -> None:
    (block,) = tokenizer.passage_blocks("short")
    assert block.tokens.shape == (1, PASSAGE_LENGTHS[0])
    blocks = tokenizer.passage_blocks("x" * 1200)
    assert [block.tokens.shape[1] for block in blocks] == [512, 512, 256]
    words = np.concatenate([block.tokens[block.tokens > 3] for block in blocks])
    assert len(words) == PREFIX_TOKENS + 1200  # nothing is lost


def test_a_phrase_that_is_too_long_is_cut(tokenizer: TextTokenizer) -> None:
    (block,) = tokenizer.phrase_blocks(["x" * 100])
    assert block.tokens.shape == (PHRASE_ROWS, PHRASE_LENGTHS[-1])
