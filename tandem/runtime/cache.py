"""Where the server's helper files go: things that can be made again at any time."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tandem.runtime.errors import InstallationError


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
    """The first of `cache_folders` that is ours to write; made if missing.

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
        # Somebody else's folder must not be trusted: libraries are loaded from here.
        if os.access(folder, os.W_OK | os.X_OK) and folder.stat().st_uid == os.getuid():
            return folder
        tried.append(folder)
    raise InstallationError(f"no folder for the server's files can be written: {', '.join(map(str, tried))}")
