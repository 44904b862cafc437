from __future__ import annotations

from pathlib import Path

import pytest

from tandem.runtime import cache
from tandem.runtime.errors import InstallationError


def test_the_checkouts_folder_comes_first() -> None:
    folders = list(cache.cache_folders({"XDG_CACHE_HOME": "/x", "HOME": "/h"}))
    assert folders[0] == Path(cache.__file__).parents[2] / ".cache"
    assert folders[1:3] == [Path("/x/tandem"), Path("/h/.cache/tandem")]


def test_an_empty_environment_still_has_a_folder() -> None:
    assert cache.cache_folder({}).is_dir()


def test_a_folder_that_can_not_be_made_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(cache, "cache_folders", lambda _: iter([tmp_path / "file" / "x", tmp_path / "good"]))
    assert cache.cache_folder({}) == tmp_path / "good"


def test_nowhere_to_write_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(cache, "cache_folders", lambda _: iter([tmp_path / "file" / "x"]))
    with pytest.raises(InstallationError, match="can be written"):
        cache.cache_folder({})
