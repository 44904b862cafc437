from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem.errors import InputError
from tandem.services.speech_to_text.vocabulary import Vocabulary
from tests.services.speech_to_text.sounds import small_vocabulary, tokens_of


def test_languages_are_what_the_tokens_say(tmp_path: Path) -> None:
    vocabulary = small_vocabulary(tmp_path)
    assert vocabulary.languages == {"en", "zh", "haw"}
    vocabulary.check_language("haw")
    with pytest.raises(InputError, match="known are en, haw, zh"):
        vocabulary.check_language("xx")


def test_the_prompt_asks_for_no_time_stamps(tmp_path: Path) -> None:
    vocabulary = small_vocabulary(tmp_path)
    assert len(vocabulary.prompt("zh", "transcribe")) == 4
    assert vocabulary.text(vocabulary.prompt("zh", "transcribe")) == ""


def test_chinese_has_a_piece_a_character(tmp_path: Path) -> None:
    vocabulary = small_vocabulary(tmp_path)
    pieces = vocabulary.pieces(tokens_of("你好,世界", tmp_path), "zh")
    assert [piece.text for piece in pieces] == ["你", "好", ",", "世", "界"]
    assert [(piece.first, piece.last) for piece in pieces] == [(0, 2), (3, 5), (6, 6), (7, 9), (10, 12)]


def test_english_has_a_piece_a_word(tmp_path: Path) -> None:
    vocabulary = small_vocabulary(tmp_path)
    pieces = vocabulary.pieces(tokens_of(" It's late, is it?", tmp_path), "en")
    assert [piece.text for piece in pieces] == [" It's", " late,", " is", " it?"]


def test_half_a_character_at_the_end_is_left_out(tmp_path: Path) -> None:
    vocabulary = small_vocabulary(tmp_path)
    tokens = tokens_of("你好", tmp_path)[:-1]
    pieces = vocabulary.pieces(tokens, "zh")
    assert "".join(piece.text for piece in pieces) == "你"
    assert pieces[-1].last == len(tokens) - 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(
    text=st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffd"))
)
def test_no_text_is_lost(tmp_path: Path, text: str) -> None:
    vocabulary = small_vocabulary(tmp_path)
    tokens = tokens_of(text, tmp_path)
    for language in ("zh", "en"):
        pieces = vocabulary.pieces(tokens, language)
        assert "".join(piece.text for piece in pieces) == text
        assert [i for piece in pieces for i in range(piece.first, piece.last + 1)] == list(range(len(tokens)))


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"is no tokenizer\.json"):
        Vocabulary(path)
