"""Where the checkout is, and the programs that the tests of this folder run."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def find_program(name: str, hint: str) -> str:
    """The path of a program, or the test is skipped with what to install."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is missing: {hint}")
    return found
