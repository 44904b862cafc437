"""The backend directory that the embedded server is started with.

The wheel keeps Triton's Python backend and its stubs (one a Python version) apart; Triton wants them in one
folder, beside our own backend `onnxruntime`. It refuses links that lead out of that folder, so the files are
copied (3 MB), again whenever they changed.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tandem.runtime.errors import InstallationError
from tandem.runtime.wheel import Installation

OWN_BACKENDS = Path(__file__).parent / "backends"


def cache_folders(environment: Mapping[str, str]) -> Iterator[Path]:
    """Folders that may hold what can be made again, best first: the checkout's, the user's, the machine's."""
    checkout = Path(__file__).parents[2]
    if (checkout / "pyproject.toml").exists():
        yield checkout / ".cache"
    if environment.get("XDG_CACHE_HOME"):
        yield Path(environment["XDG_CACHE_HOME"]) / "tandem"
    if environment.get("HOME"):
        yield Path(environment["HOME"]) / ".cache" / "tandem"
    yield Path(tempfile.gettempdir()) / f"tandem-{os.getuid()}"


def cache_folder(environment: Mapping[str, str]) -> Path:
    """The first of `cache_folders` that can be written; made if missing.

    Raises:
        InstallationError: none can be written.
    """
    tried = []
    for folder in cache_folders(environment):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            tried.append(folder)
            continue
        if os.access(folder, os.W_OK | os.X_OK) and folder.stat().st_uid == os.getuid():
            return folder
        tried.append(folder)
    raise InstallationError(
        f"no folder for the server's files can be written, tried: {', '.join(map(str, tried))}"
    )


def assemble_backends(installation: Installation, folder: Path) -> Path:
    """`folder`, holding the backends `python` and `onnxruntime`.

    Several servers may assemble the same folder at once: each file appears whole.
    """
    files = {path.name: path for path in installation.python_backend.iterdir() if path.is_file()}
    files[installation.stub.name] = installation.stub
    for name, target in files.items():
        _copy(folder / "python" / name, target)
    for own in OWN_BACKENDS.iterdir():
        for path in own.glob("*.py"):
            _copy(folder / own.name / path.name, path)
    return folder


def _copy(target: Path, source: Path) -> None:
    """Make `target` equal to `source` in one step, unless it already is (same size and time of change)."""
    if target.exists() and filecmp.cmp(source, target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        fresh = Path(shutil.copy2(source, scratch))
        fresh.replace(target)
