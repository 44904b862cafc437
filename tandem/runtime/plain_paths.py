"""Paths as Triton's Python backend can take them.

It starts a model's process by a shell command without quotes, and its processes read paths in the C locale. A
space ends a path there, and a Chinese character raises `UnicodeEncodeError`. Such a folder is handed over as
a link with a plain name.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from tandem.runtime.errors import InstallationError

_PLAIN = re.compile(r"[A-Za-z0-9/._+@%:,=~-]+")


class PlainPaths:
    """Links to folders, removed by `close`."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._count = 0

    def plain(self, path: Path) -> Path:
        """`path`, or a link to it if it has characters that Triton would misread.

        Raises:
            InstallationError: the folder for temporary files has such characters, too.
        """
        if _PLAIN.fullmatch(str(path)):
            return path
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="tandem-")
        if not _PLAIN.fullmatch(self._folder.name):
            raise InstallationError(
                f"Triton can't use the path {path}, nor a link to it in {self._folder.name}: set TMPDIR to a"
                " folder whose path has only letters, digits and . _ -"
            )
        link = Path(self._folder.name) / str(self._count)
        link.symlink_to(path)
        self._count += 1
        return link

    def close(self) -> None:
        """Remove the links."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
