"""The published weights of the recogniser: where they come from, and that they are the ones we know.

PP-OCRv6 small (PaddleOCR, Apache-2.0), carried by the wheel `rapidocr`. Only this file of the wheel is used,
and none of its code is imported. The file is known by its hash, whatever version of the wheel brings it.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from export.errors import ExportError

SHA256 = "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"
_PACKAGE, _WEIGHTS = "rapidocr", "models/PP-OCRv6_rec_small.onnx"
_HINT = "scripts/serve --set-up-only fetches it; by hand: pip install --no-deps rapidocr==3.10.0"


def published_weights(package: str = _PACKAGE, sha256: str = SHA256) -> Path:
    """The recogniser's file in the installed wheel.

    Args:
        package: the wheel's import name.
        sha256: what the file must hash to.

    Raises:
        ExportError: the wheel isn't installed, or its file is another.
    """
    spec = importlib.util.find_spec(package)  # finds, without importing it and what it needs
    if spec is None or spec.origin is None:
        raise ExportError(f"the package {package}, which carries the recogniser, is missing: {_HINT}")
    path = Path(spec.origin).parent / _WEIGHTS
    if not path.is_file():
        raise ExportError(f"the installed {package} has no {_WEIGHTS}: {_HINT}")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise ExportError(f"{path} is not the recogniser that we know (its SHA-256 is {found}): {_HINT}")
    return path
