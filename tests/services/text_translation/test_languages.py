from __future__ import annotations

import pytest

from tandem.errors import InputError
from tandem.services.text_translation.languages import Direction, detect_language, has_words, read_direction

ZH_EN, EN_ZH = Direction(source="zh", target="en"), Direction(source="en", target="zh")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("今天天气很好。", "zh"),
        ("The weather is fine.", "en"),
        ("请打开 Microsoft Word 文档，然后另存为 PDF 格式。", "zh"),
        ("The word 茶 means tea.", "en"),
        ("我的iPhone坏了", "zh"),
        ("Café au lait à Paris", "en"),
        ("12345", "en"),
        ("《东京物语》是日本导演小津安二郎的代表作，原名为東京物語。", "zh"),
    ],
)
def test_the_language_with_more_words_is_the_texts(text: str, language: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize(
    "text", ["こんにちは、世界。", "Привет, как дела?", "안녕하세요", "สวัสดี", "東京は日本の首都です。"]
)
def test_other_languages_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"another language; zh \(Chinese\) and en \(English\) are allowed"):
        detect_language(text)


@pytest.mark.parametrize(
    ("options", "direction"),
    [
        (None, ZH_EN),
        (b"{}", ZH_EN),
        (b'{"target": "zh"}', EN_ZH),
        (b'{"source": "en"}', EN_ZH),
        (b'{"source": "zh", "target": "en"}', ZH_EN),
    ],
)
def test_options_decide_before_the_text_does(options: bytes | None, direction: Direction) -> None:
    assert read_direction("今天天气很好。", options) == direction


@pytest.mark.parametrize(
    "options", [b'{"source": "en", "target": "en"}', b'{"target": "fr"}', b'{"to": "en"}']
)
def test_bad_options_are_refused(options: bytes) -> None:
    with pytest.raises(InputError, match="OPTIONS"):
        read_direction("今天", options)


def test_a_direction_as_text_and_back() -> None:
    assert Direction.parse(str(ZH_EN)) == ZH_EN
    for text in ("zh-zh", "zh", "", "en-fr", "fr-en"):
        with pytest.raises(InputError):
            Direction.parse(text)


def test_words_of_a_language() -> None:
    assert has_words("OK 了", "zh")
    assert has_words("OK 了", "en")
    assert not has_words("110 %", "en")
    assert not has_words("hello", "zh")
