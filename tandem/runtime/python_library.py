"""This Python's shared library, needed by Triton's Python backend, not part of Debian's `python3`."""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tandem.runtime.cache import cache_folder
from tandem.runtime.errors import InstallationError

_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
LIBRARY = f"libpython{_VERSION}.so.1.0"
PACKAGE = f"libpython{_VERSION}"
# A package of 2 MB.
_DOWNLOAD_TIMEOUT_S = 120


def python_library_folder() -> Path | None:
    """The folder of this Python's shared library if the loader wouldn't find it by itself, else None.

    Raises:
        InstallationError: there is none: the server's Python backend can't start.
    """
    for folder in _own_folders():
        if (folder / LIBRARY).exists():
            return folder
    if ctypes.util.find_library(f"python{_VERSION}"):
        return None
    for path in _fetched_folder().rglob(LIBRARY):
        return path.parent
    raise InstallationError(f"the server's Python backend needs {LIBRARY}: apt install {PACKAGE}")


def ensure_python_library() -> None:
    """Fetch this Python's shared library from the distribution, for this project only, if it is missing.

    Needs no root: the package is downloaded and unpacked into the cache folder, not installed.

    Raises:
        InstallationError: it is missing and can't be fetched.
    """
    try:
        python_library_folder()
    except InstallationError:
        if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
            raise
        _fetch()
        python_library_folder()


def _fetch() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        try:
            # As root, apt would complain that its own user can't write there.
            _run(["apt-get", "-o", "APT::Sandbox::User=root", "download", PACKAGE], scratch)
            for package in Path(scratch).glob("*.deb"):
                _run(["dpkg-deb", "--extract", str(package), str(_fetched_folder())], scratch)
        except (OSError, subprocess.SubprocessError) as error:
            raise InstallationError(
                f"the server's Python backend needs {LIBRARY}, which can't be fetched: apt install {PACKAGE}"
            ) from error


def _run(command: list[str], folder: str) -> None:
    subprocess.run(command, cwd=folder, check=True, timeout=_DOWNLOAD_TIMEOUT_S, stdout=subprocess.DEVNULL)


def _own_folders() -> Iterator[Path]:
    yield Path(sys.base_prefix) / "lib"
    configured = sysconfig.get_config_var("LIBDIR")
    if configured:
        yield Path(configured)


def _fetched_folder() -> Path:
    return cache_folder(os.environ) / PACKAGE
