"""Environments of the peers' own: what another server needs is never installed beside ours.

An environment holds the locked packages of `deploy/requirements/peer-<name>.txt` and, behind them on its
path, those of this one: numpy, OpenCV and ONNX Runtime are the same files for every server. All of it may be
deleted at any time.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from tandem.evaluation.errors import PeerError
from tandem.runtime.setup import CHECKOUT

FOLDER = CHECKOUT / ".cache" / "peers"
_DONE = "done"


def requirements_of(name: str) -> Path:
    """The locked list of what the peer needs."""
    return CHECKOUT / "deploy" / "requirements" / f"peer-{name}.txt"


def installed_python(name: str, folder: Path = FOLDER) -> Path | None:
    """The Python of a peer's environment; None if it isn't there or was made for other packages."""
    done = folder / name / _DONE
    if not done.exists() or done.read_text("utf-8") != _fingerprint(name):
        return None
    return _python(folder / name)


def install(name: str, folder: Path = FOLDER) -> Path:
    """The Python of a peer's environment, made if it isn't there; needs the package index then.

    Raises:
        PeerError: it can't be installed; the message says what to run.
    """
    if (there := installed_python(name, folder)) is not None:
        return there
    home = folder / name
    venv.create(home, clear=True, with_pip=False, symlinks=True)
    beside = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    (beside / "this-environment.pth").write_text(f"{sysconfig.get_path('purelib')}\n", "utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(_python(home)), "install", "--quiet", "--no-deps"]
    options = ["--disable-pip-version-check", "--require-hashes", "-r", str(requirements_of(name))]
    if subprocess.run([*pip, *options], check=False, stdout=subprocess.DEVNULL).returncode != 0:
        raise PeerError(
            f"{name} isn't installed in {home}, and pip couldn't install it (its message is above): run"
            " scripts/bench --peers once where it reaches a package index"
        )
    (home / _DONE).write_text(_fingerprint(name), "utf-8")
    return _python(home)


def _python(home: Path) -> Path:
    return home / "bin" / "python"


def _fingerprint(name: str) -> str:
    """Changes when something else has to be installed, or for another Python."""
    text = f"{sysconfig.get_path('purelib')} {sys.version} {requirements_of(name).read_text('utf-8')}"
    return hashlib.sha256(text.encode()).hexdigest()
