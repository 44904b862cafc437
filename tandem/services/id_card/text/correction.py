"""A character of a field that is not the recogniser's first choice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A character of a field that was replaced: by the recogniser's runner-up, or by all that makes a place.

    Attributes:
        index: of the character in the field's text.
        read: what the recogniser put first.
        now: what the field says.
        support: the recogniser's own probability for `now`; 0 where only the list of places says it.
    """

    index: int
    read: str
    now: str
    support: float
