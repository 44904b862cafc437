"""Fetching grounds: only the pinned file is taken, only what is wanted of it, and each pool has its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tandem.evaluation.errors import GroundsError
from tandem.evaluation.grounds import packages
from tandem.evaluation.grounds.packages import PACKAGES, Package, fetch

pytestmark = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs dpkg-deb, as Debian has it")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """A package with a picture and something else, and an `apt-get` that delivers it."""
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    control = (
        "Package: pictures\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody\nDescription: pictures\n"
    )
    (tree / "DEBIAN" / "control").write_text(control)
    (tree / "usr" / "share").mkdir(parents=True)
    (tree / "usr" / "share" / "wood.jpg").write_bytes(b"picture")
    (tree / "usr" / "share" / "run-me.sh").write_bytes(b"program")
    archive = tmp_path / "pictures_1.0_all.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "--build", tree, archive], check=True, capture_output=True
    )
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "apt-get").write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\ncp {archive} .\n')
    (programs / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    made = Package(
        index="debian",
        name="pictures",
        version="1.0",
        sha256=hashlib.sha256(archive.read_bytes()).hexdigest(),
        pool="test",
        photographs=("*.jpg",),
    )
    monkeypatch.setattr(packages, "PACKAGES", (made, replace(made, name="others", pool="train")))
    return made


def test_what_is_wanted_is_taken_once(package: Package, tmp_path: Path) -> None:
    said: list[str] = []
    for _ in range(2):
        fetch("test", tmp_path / "cache", said.append)
    assert [path.name for path in (tmp_path / "cache" / package.folder).iterdir()] == ["wood.jpg"]
    assert len(list((tmp_path / "cache").iterdir())) == 1  # neither the other pool's nor anything half done
    assert len(said) == 1
    assert (tmp_path / "asked").read_text().split()[-1] == "pictures=1.0"


def test_two_that_fetch_at_once_both_have_it(package: Package, tmp_path: Path) -> None:
    cache = tmp_path / "cache"

    def the_other_is_faster(_line: str) -> None:
        fetch("test", cache, lambda _line: None)

    fetch("test", cache, the_other_is_faster)
    assert [path.name for path in (cache / package.folder).iterdir()] == ["wood.jpg"]
    assert len(list(cache.iterdir())) == 1


def test_another_file_under_the_same_name_is_refused(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "PACKAGES", (replace(package, sha256="0" * 64),))
    with pytest.raises(GroundsError, match=package.sha256):
        fetch("test", tmp_path / "cache", lambda _line: None)
    assert not list((tmp_path / "cache").iterdir())


def test_a_package_that_nobody_delivers_is_named(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin" / "apt-get").write_text("#!/bin/sh\nexit 100\n")
    with pytest.raises(GroundsError, match=r"pictures 1\.0"):
        fetch("test", tmp_path / "cache", lambda _line: None)
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with pytest.raises(GroundsError, match="no apt-get"):
        fetch("test", tmp_path / "cache", lambda _line: None)


def test_no_package_is_in_both_pools() -> None:
    assert len({package.name for package in PACKAGES}) == len(PACKAGES)
    assert all(len(package.sha256) == 64 for package in PACKAGES)
