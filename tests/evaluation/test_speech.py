from __future__ import annotations

import json
from pathlib import Path

import pytest

from tandem.evaluation.speech import Recording, counted, error_rate, read_recordings, units


def recording(text: str, language: str) -> Recording:
    return Recording(name="a", data=b"", language=language, seconds=1.0, text=text)


def test_what_is_compared() -> None:
    assert units("你好，世界！ 123", "zh") == list("你好世界123")
    assert units("It’s Mr. O'Neil's, 2 o'clock.", "en") == ["it's", "mr", "o'neil's", "2", "o'clock"]


@pytest.mark.parametrize(
    ("truth", "read", "language", "errors", "length"),
    [
        ("每一天都要快乐喔", "每一天，都要快樂", "zh", 2, 8),
        ("换一首歌", "", "zh", 4, 4),
        ("Ask not what", "ask, not what you", "en", 1, 3),
    ],
)
def test_errors_are_edits(truth: str, read: str, language: str, errors: int, length: int) -> None:
    heard = counted(recording(truth, language), read)
    assert (heard.errors, heard.length) == (errors, length)


def test_the_rate_weighs_by_length() -> None:
    heard = [
        counted(recording("一", "zh"), ""),
        counted(recording("一二三四五六七八九", "zh"), "一二三四五六七八九"),
    ]
    assert error_rate(heard) == pytest.approx(0.1)


def test_a_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"sound")
    row = {"file": "a.wav", "lang": "en", "seconds": 2, "text": "hello", "source": "mine"}
    (tmp_path / "index.json").write_text(json.dumps([row, {**row, "lang": "fr"}]))
    (only,) = read_recordings(tmp_path)
    assert (only.data, only.text) == (b"sound", "hello")
    (tmp_path / "index.json").write_text('[{"lang": "en"}]')
    with pytest.raises(ValueError, match="needs file, lang, seconds and text"):
        read_recordings(tmp_path)
