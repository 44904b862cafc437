from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.services.text_translation.sentences import MAX_CHARACTERS, clauses, join, split


def sentences(text: str, language: str) -> list[str]:
    return [piece.text for piece in split(text, language) if piece.is_sentence]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("你好。我很好！你呢？", "zh", ["你好。", "我很好！", "你呢？"]),
        ("Dr. Smith paid $3.50. He left at 5 p.m. today.", "en",
         ["Dr. Smith paid $3.50.", "He left at 5 p.m. today."]),
        ("  - First point\n  2. Second point\n", "en", ["First point", "Second point"]),
        ("（一）总则\n\n（二）细则", "zh", ["总则", "细则"]),
        ("3.5 kg", "en", ["3.5 kg"]),
        ("价格是3.5元。", "zh", ["价格是3.5元。"]),
        ("2024 was good.", "en", ["2024 was good."]),
    ],
)  # fmt: skip
def test_sentences(text: str, language: str, expected: list[str]) -> None:
    assert sentences(text, language) == expected


def test_places_are_those_of_the_text() -> None:
    text = " 你好。 我很好！\r\n* 你呢？ \n"
    for piece in split(text, "zh"):
        assert text[piece.start : piece.start + len(piece.text)] == piece.text
    assert "".join(piece.text for piece in split(text, "zh")) == text


def test_the_layout_stays_and_the_gaps_are_the_targets() -> None:
    text = "你好。我很好！\n\n  - 你呢？\n"
    assert (
        join(split(text, "zh"), ["Hello.", "I'm fine!", "And you?"], "en")
        == "Hello. I'm fine!\n\n  - And you?\n"
    )
    text = "Hello. I'm fine!\n\n  - And you?\n"
    assert join(split(text, "en"), ["你好。", "我很好！", "你呢？"], "zh") == "你好。我很好！\n\n  - 你呢？\n"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("unit", ["很长的句子没有标点", "very long words here ", "a", "一二，"])
def test_a_long_sentence_falls_into_short_pieces(language: str, unit: str) -> None:
    text = unit * 200
    pieces = split(text, language)
    assert "".join(piece.text for piece in pieces) == text
    assert max(len(piece.text) for piece in pieces) <= MAX_CHARACTERS[language]
    assert len(sentences(text, language)) <= 4 * len(text) / MAX_CHARACTERS[language] + 2


@given(st.text(alphabet='你好ab.。!？,， \n\t\r1-"”“(', max_size=80), st.sampled_from(["zh", "en"]))
def test_joined_pieces_are_the_text_whatever_it_is(text: str, language: str) -> None:
    pieces = split(text, language)
    assert "".join(piece.text for piece in pieces) == text
    places = [piece.start for piece in pieces]
    assert places == sorted(places)
    wanted = [piece for piece in pieces if piece.is_sentence]
    assert all(piece.text.strip() == piece.text and piece.text for piece in wanted)
    joined = join(pieces, [piece.text for piece in wanted], language)
    assert joined.count("\n") == text.count("\n")
    assert "".join(joined.split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("sentence", "parts"),
    [
        ("好。", ["好。"]),
        ("别急，马上到：三点。", ["别急，", "马上到：", "三点。"]),
        ("At 10:30, pay 1,200 yuan; then go.", ["At 10:30,", "pay 1,200 yuan;", "then go."]),
        ("", []),
    ],
)
def test_clauses_end_at_commas_outside_of_numbers(sentence: str, parts: list[str]) -> None:
    assert clauses(sentence) == parts
