"""The backend directory that the embedded server is started with.

The wheel keeps Triton's Python backend and its stubs (one a Python version) apart; Triton wants them in one
folder, beside our own backend `onnxruntime`. It refuses links that lead out of that folder, so the files are
copied (3 MB), again whenever they changed.
"""

from __future__ import annotations

import filecmp
import shutil
import tempfile
from pathlib import Path

from tandem.runtime.wheel import Installation

OWN_BACKENDS = Path(__file__).parent / "backends"


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
