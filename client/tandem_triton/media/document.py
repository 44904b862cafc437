"""A document in a picture, as services that find or name documents answer it."""

from __future__ import annotations

import msgspec

from tandem_triton.media.picture import Quad


class FoundDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One document found in a picture.

    Attributes:
        kind: e.g. "resident_id.portrait", "bank_card", "paper".
        score: that it lies there and is of this kind, 0-1.
        quad: corners x, y in pixels of the picture as sent (after EXIF rotation), clockwise from the
            document's own top left.
    """

    kind: str
    score: float
    quad: Quad
