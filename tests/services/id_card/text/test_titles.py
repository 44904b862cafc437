"""A title is read off its lane, between its own columns, and believed only where every character is sure."""

from __future__ import annotations

import numpy as np
import pytest

from tandem.services.id_card.text.titles import Title, read_titles

DICTIONARY = ["", *"居民身份证健康卡签发机关 1"]


def lanes(*texts: str, confidence: float = 0.95, unsure: str = "") -> tuple[np.ndarray, np.ndarray]:
    """What the recogniser says of lanes with a character every fifth time step (40 px), from the second."""
    characters = np.zeros((len(texts), 100, 5), np.int32)
    probabilities = np.zeros((len(texts), 100, 5), np.float32)
    probabilities[..., 0] = 0.99
    for lane, text in enumerate(texts):
        for index, character in enumerate(text):
            characters[lane, 1 + 5 * index, 0] = DICTIONARY.index(character)
            probabilities[lane, 1 + 5 * index, 0] = 0.4 if character in unsure else confidence
    return characters, probabilities


def read(*places: tuple[float, float, float], **options: str) -> list[Title]:
    told = lanes("签发机关 1居民健康卡", "居民身份证", **options)  # type: ignore[arg-type]
    return read_titles(*told, np.array(places, np.float32), DICTIONARY)


def test_a_title_is_what_stands_between_its_columns() -> None:
    health, resident = read((0, 240, 480), (1, 0, 240))
    assert (health.text, resident.text) == ("居民健康卡", "居民身份证")
    assert health.confidence == pytest.approx(0.95)
    assert (health.kind(), resident.kind()) == ("other_card", "resident_id.emblem")


def test_what_is_no_hanzi_is_no_part_of_a_title() -> None:
    (title,) = read((0, 160, 480))
    assert title.text == "居民健康卡"


def test_one_unsure_character_leaves_the_kind_open() -> None:
    (title,) = read((1, 0, 240), unsure="份")
    assert title.text == "居民身份证"
    assert title.kind() is None


def test_a_title_without_columns_was_not_read() -> None:
    assert read((0, 0, 0)) == [Title()]
    assert Title().kind() is None
