from __future__ import annotations

from pathlib import Path

import pytest

from export.errors import UnfitFolderError
from export.package_weights import PackageWeights
from export.translator import set_up
from export.translator.pinned import DEFAULT_SIZE, SIZES
from export.translator.set_up import NEEDED, choose_folder, choose_size, make_translator
from tests.export.translator.small_gguf import small_qwen, write_gguf

DOWNLOADS_MB = {"0.5b": 478, "1.5b": 1093}
FILES = {"0.5b": 491_400_064, "1.5b": 1_117_320_768}


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def own_model(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    for name in NEEDED:
        (folder / name).write_text(f"content of {name}")
    return folder


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, a cache, and weights that are a small random network instead of a download."""
    monkeypatch.setattr(set_up, "cache_folder", lambda _environment: tmp_path / "cache")
    (tmp_path / "cache" / "weights").mkdir(parents=True)

    def fetched(weights: PackageWeights, *, say: object) -> Path:
        folder = tmp_path / "cache" / "weights" / weights.sha256
        folder.mkdir()
        write_gguf(small_qwen(seed=weights.file_bytes % 97), folder / "model.gguf")
        fetches.append(weights.title)
        return folder

    monkeypatch.setattr(set_up, "ensure_weights", fetched)
    fetches.clear()
    return tmp_path / "models"


fetches: list[str] = []


def model(repository: Path) -> Path:
    return repository / "translator" / "1" / "model"


def test_the_small_model_comes_first_and_only_once(repository: Path, said: list[str]) -> None:
    make_translator(said.append, repository)
    assert fetches == [SIZES[DEFAULT_SIZE].title]
    assert any("about a minute" in line for line in said)
    assert all((model(repository) / name).is_file() for name in NEEDED)
    said.clear()
    make_translator(said.append, repository)
    assert (len(fetches), said) == (1, [])


def test_who_chose_the_large_one_keeps_it_and_may_go_back_without_a_download(
    repository: Path, said: list[str]
) -> None:
    choose_size("1.5b", said.append, repository)
    large = (model(repository) / "model.bin").read_bytes()
    make_translator(said.append, repository)
    assert (model(repository) / "model.bin").read_bytes() == large
    choose_size("0.5b", said.append, repository)
    assert (model(repository) / "model.bin").read_bytes() != large
    choose_size("1.5b", said.append, repository)
    assert (model(repository) / "model.bin").read_bytes() == large
    assert len(fetches) == 2


def test_a_file_that_went_missing_is_made_again(repository: Path, said: list[str]) -> None:
    make_translator(said.append, repository)
    (model(repository) / "tokenizer.json").unlink()
    make_translator(said.append, repository)
    assert (model(repository) / "tokenizer.json").is_file()


def test_ones_own_model_is_served_and_kept(repository: Path, own_model: Path, said: list[str]) -> None:
    choose_folder(own_model, said.append, repository)
    make_translator(said.append, repository)
    assert fetches == []
    assert (model(repository) / "model.bin").read_text() == "content of model.bin"
    assert str(own_model) in said[0]


def test_a_folder_without_a_model_is_refused_and_the_served_one_stays(
    repository: Path, own_model: Path, said: list[str]
) -> None:
    choose_folder(own_model, said.append, repository)
    (own_model / "config.json").unlink()
    with pytest.raises(UnfitFolderError, match=r"config\.json"):
        choose_folder(own_model, said.append, repository)
    assert (model(repository) / "config.json").is_file()


@pytest.mark.parametrize("size", sorted(SIZES))
def test_what_is_pinned(size: str) -> None:
    weights = SIZES[size]
    assert round(weights.download_bytes / 10**6) == DOWNLOADS_MB[size]
    assert weights.file_bytes == FILES[size]
    assert weights.licence == "Apache-2.0"
