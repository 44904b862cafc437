"""What the steps of an ensemble have to say of an item, beside its tensors: `NOTE`, BYTES [1].

A note is empty, or a JSON object: `{"error": {"code", "message"}}` for an item of several that failed, which
is then its `RESULT`; else keys that the last step adds to the result, and the item's ticket
(`tandem.triton.company`), which it takes away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

NOTE = "NOTE"
_TICKET = "ticket"
_TICKETS = 2**63


def pack_note(said: Mapping[str, Any]) -> NDArray[np.object_]:
    """`said` as the tensor `NOTE`, (1,) bytes; empty where there is nothing to say."""
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode() if said else b""
    return np.array([text], np.object_)


def unpack_note(note: NDArray[Any]) -> dict[str, Any]:
    """What the tensor says."""
    said: dict[str, Any] = json.loads(note[0]) if note[0] else {}
    return said


def with_ticket(said: Mapping[str, Any], ticket: int) -> dict[str, Any]:
    """`said`, and the item's ticket."""
    return {**said, _TICKET: ticket}


def take_ticket(said: dict[str, Any]) -> int | None:
    """The item's ticket, which `said` then no longer has; None where the step before gave none.

    Who asks a last step by itself may have written anything there.
    """
    ticket = said.pop(_TICKET, None)
    return ticket if isinstance(ticket, int) and 0 <= ticket < _TICKETS else None


def error_note(code: str, message: str) -> NDArray[np.object_]:
    """The note of an item that failed.

    Args:
        code: the name of a Triton error code.
        message: what was wrong, and what is allowed.
    """
    return pack_note({"error": {"code": code, "message": message}})


def is_error(note: NDArray[Any]) -> bool:
    """Whether the item has failed."""
    return "error" in unpack_note(note)
