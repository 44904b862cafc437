"""Orders for the test model of `model_repository/id_card`."""

from __future__ import annotations

import json


def order(**wishes: object) -> bytes:
    """The "picture" that makes the test model answer as wished (see its docstring)."""
    return json.dumps(wishes).encode()
