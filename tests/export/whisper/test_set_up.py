"""Which Whisper is served: the packaged one the first time, an operator's own until told otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from export.errors import UnfitFolderError
from export.whisper import set_up
from export.whisper.base import WHISPER_BASE
from export.whisper.set_up import NEEDED, choose_base, choose_folder, make_speech_recognizer


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whisper base as if it were in the cache; the list grows whenever it is asked for."""
    asked: list[str] = []
    folder = whisper(tmp_path / "cache", "base")

    def ensure(weights: object, *, say: object) -> Path:
        assert weights is WHISPER_BASE
        asked.append("base")
        return folder

    monkeypatch.setattr(set_up, "ensure_weights", ensure)
    return asked


def whisper(folder: Path, content: str) -> Path:
    folder.mkdir()
    for name in (*NEEDED, "vocabulary.txt"):
        (folder / name).write_text(content)
    return folder


def served(repository: Path) -> str:
    return (repository / "speech_recognizer" / "1" / "model" / "model.bin").read_text()


def test_the_packaged_one_is_taken_once(base: list[str], tmp_path: Path) -> None:
    repository = tmp_path / "models"
    for _ in range(2):
        make_speech_recognizer(print, repository)
    assert served(repository) == "base"
    assert base == ["base"]
    (repository / "speech_recognizer" / "1" / "model" / "tokenizer.json").unlink()
    make_speech_recognizer(print, repository)
    assert base == ["base", "base"], "what is damaged is made again"


def test_an_own_one_stays_until_told_otherwise(base: list[str], tmp_path: Path) -> None:
    said: list[str] = []
    repository = tmp_path / "models"
    choose_folder(whisper(tmp_path / "small", "small"), said.append, repository)
    make_speech_recognizer(print, repository)
    assert served(repository) == "small"
    assert base == []
    assert "small" in said[0]
    names = {path.name for path in (repository / "speech_recognizer" / "1" / "model").iterdir()}
    assert names == {*NEEDED, "vocabulary.txt"}
    choose_base(print, repository)
    assert served(repository) == "base"


def test_a_folder_that_is_no_whisper_changes_nothing(base: list[str], tmp_path: Path) -> None:
    repository = tmp_path / "models"
    make_speech_recognizer(print, repository)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "model.bin").touch()
    with pytest.raises(UnfitFolderError, match=r"has no config\.json, tokenizer\.json, which speech_to_text"):
        choose_folder(tmp_path / "other", print, repository)
    assert served(repository) == "base"
