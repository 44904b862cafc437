"""Where this checkout is, and what the embedded server needs beyond the packages.

What a *service* needs (weights made into the files that are served) is made by `export.services`.
"""

from __future__ import annotations

from pathlib import Path

from tandem.runtime.python_library import ensure_python_library
from tandem.runtime.wheel import find_installation

CHECKOUT = Path(__file__).parents[2]
REPOSITORY = CHECKOUT / "model_repository"


def ensure_ready() -> None:
    """Make what is missing of the embedded server; milliseconds when nothing is.

    Raises:
        InstallationError: something is missing and can't be made; the message says what to do.
    """
    find_installation()
    ensure_python_library()
