"""A model's folder put into the model repository whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path


def install_folder(source: Path, target: Path, names: Sequence[str] | None = None) -> None:
    """Make `target` hold the source's files: as links, which cost no room, or as copies on another disk.

    Args:
        source: a folder of plain files.
        target: is replaced in one step; its parent must be there.
        names: only these files; None: all of them.
    """
    scratch = Path(tempfile.mkdtemp(prefix=".installing-", dir=target.parent))
    try:
        for path in sorted(source.iterdir()):
            if path.is_file() and (names is None or path.name in names):
                _link_or_copy(path, scratch / path.name)
        scratch.chmod(0o755)
        shutil.rmtree(target, ignore_errors=True)
        scratch.replace(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, target)
