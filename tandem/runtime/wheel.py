"""Where the real tritonserver lies: inside the `nvidia-pytriton` wheel, found through the import system."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

from tandem.runtime.errors import InstallationError

INSTALL_HINT = "start through scripts/serve, which installs it, or in the checkout: pip install -e '.[serve]'"
# The embedded Python backend is built against numpy 1: with numpy 2 its outputs come back empty, silently.
HIGHEST_NUMPY_MAJOR = 1


@dataclass(frozen=True, kw_only=True)
class Installation:
    """The parts of the wheel that a server is started from.

    Attributes:
        server: the program `tritonserver`.
        libraries: folder of the shared libraries that the wheel brings along.
        python_backend: folder of Triton's Python backend.
        stub: the Python backend's stub for the running Python.
    """

    server: Path
    libraries: Path
    python_backend: Path
    stub: Path


def find_installation() -> Installation:
    """The embedded server's parts, all of them there.

    Raises:
        InstallationError: the wheel is missing, has no stub for this Python, or numpy is too new.
    """
    spec = importlib.util.find_spec("pytriton")
    if spec is None or spec.origin is None:
        raise InstallationError(
            f"the package nvidia-pytriton, which carries tritonserver, is missing: {INSTALL_HINT}"
        )
    check_numpy(importlib.metadata.version("numpy"))
    package = Path(spec.origin).parent
    root = package / "tritonserver"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    installation = Installation(
        server=root / "bin" / "tritonserver",
        libraries=package.parent / "nvidia_pytriton.libs",
        python_backend=root / "backends" / "python",
        stub=root / "python_backend_stubs" / version / "triton_python_backend_stub",
    )
    if not installation.stub.exists():
        stubs = sorted(path.name for path in installation.stub.parents[1].glob("3.*"))
        raise InstallationError(
            f"no Python backend for Python {version}: use one of {', '.join(stubs) or 'none'}"
        )
    for path in (installation.server, installation.libraries, installation.python_backend):
        if not path.exists():
            raise InstallationError(f"nvidia-pytriton is installed, but {path} is missing: reinstall it")
    return installation


def check_numpy(version: str) -> None:
    """Return if the embedded server works with this numpy.

    Raises:
        InstallationError: numpy 2 or later.
    """
    if int(version.split(".", maxsplit=1)[0]) > HIGHEST_NUMPY_MAJOR:
        raise InstallationError(
            f"the embedded server needs numpy < 2, found {version}: pip install 'numpy<2'"
        )
