"""The pictures that a command line means: files, folders, patterns."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""What is taken for a picture inside a folder; a file named on its own is taken whatever its name."""


STDIN = Path("-")
"""Stands for standard input."""

READABLE_ELSEWHERE = frozenset({".heic", ".heif", ".avif", ".gif", ".pdf"})
"""What people take for a picture and this command does not send."""


def skipped_files(words: Iterable[str]) -> list[Path]:
    """Files in the folders given that hold pictures of kinds that are not sent, sorted."""
    folders = [Path(word) for word in words if Path(word).is_dir()]
    files = (path for folder in folders for path in folder.rglob("*"))
    return sorted(path for path in files if path.suffix.lower() in READABLE_ELSEWHERE)


def find_pictures(words: Iterable[str]) -> list[Path]:
    """Every picture once, in the order given, a folder's and a pattern's sorted.

    Args:
        words: a file; `-`, standard input; a folder, searched with its folders below; a pattern
            with `*`, `?`, `[…]` or `**`, for shells that leave it to us. What matches nothing stays
            as it is, so that reading it fails and says so.
    """
    return list(dict.fromkeys(path for word in words for path in _pictures_of(word)))


def drawing_paths(pictures: Sequence[Path], out: Path) -> dict[Path, Path]:
    """Where each picture's drawing goes.

    Args:
        pictures: at least one.
        out: of one picture, the drawing itself, unless it is a folder already; of several, the
            folder, in which the pictures' own folders are kept apart.
    """
    if len(pictures) == 1 and not out.is_dir():
        return {pictures[0]: out}
    shared = os.path.commonpath([picture.absolute().parent for picture in pictures])
    targets: dict[Path, Path] = {}
    taken: set[Path] = set()
    for picture in pictures:
        target = out / picture.absolute().relative_to(shared).with_suffix(".jpg")
        if target in taken:  # a.png beside a.jpg
            target = target.with_name(f"{picture.name}.jpg")
        taken.add(target)
        targets[picture] = target
    return targets


def _pictures_of(word: str) -> Iterator[Path]:
    path = Path(word)
    if path.is_dir():
        for folder, folders, names in os.walk(path):
            folders.sort()
            yield from (Path(folder, name) for name in sorted(names) if _is_picture(name))
    elif not path.exists() and glob.has_magic(word):
        matches = [Path(match) for match in sorted(glob.glob(word, recursive=True))]
        yield from [match for match in matches if match.is_file()] or [path]
    else:
        yield path


def _is_picture(name: str) -> bool:
    return Path(name).suffix.lower() in PICTURE_SUFFIXES
