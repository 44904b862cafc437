"""Which tritonserver is started: the one inside the `nvidia-pytriton` wheel, or one that is installed here.

An installed one (NVIDIA's container) brings its own backends, `onnxruntime` among them, and finds its own
libraries. The wheel's needs ours, this Python's stub, and the folder of the wheel's libraries.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tandem.runtime.backends_folder import assemble_backends
from tandem.runtime.cache import cache_folder
from tandem.runtime.errors import InstallationError
from tandem.runtime.python_library import python_library_folder
from tandem.runtime.setup import ensure_ready
from tandem.runtime.wheel import find_installation


@dataclass(frozen=True, kw_only=True)
class Program:
    """A tritonserver and what it is started with.

    Attributes:
        path: the program.
        backends: its backend directory.
        libraries: folders that its loader must search besides its own.
    """

    path: Path
    backends: Path
    libraries: tuple[Path, ...] = ()


def find_program(server: Path | None) -> Program:
    """The program to start.

    Args:
        server: an installed tritonserver, `…/bin/tritonserver` with `…/backends` beside `bin`; None for the
            wheel's.

    Raises:
        InstallationError: it is not there, or not whole.
    """
    return _embedded() if server is None else _installed(server)


def _embedded() -> Program:
    ensure_ready()
    installation = find_installation()
    folder = cache_folder(os.environ) / f"backends-{sys.version_info.major}.{sys.version_info.minor}"
    library = python_library_folder()
    return Program(
        path=installation.server,
        backends=assemble_backends(installation, folder),
        libraries=(installation.libraries, *([library] if library else [])),
    )


def _installed(server: Path) -> Program:
    backends = server.parents[1] / "backends"
    if not os.access(server, os.X_OK) or not server.is_file():
        raise InstallationError(f"there is no program {server}: --server names a tritonserver")
    if not (backends / "python").is_dir():
        raise InstallationError(f"{server} has no backend 'python' in {backends}: its Python models need it")
    return Program(path=server, backends=backends)
