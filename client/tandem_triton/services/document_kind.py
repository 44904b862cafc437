"""`document_kind`: which kind of document a picture shows."""

from __future__ import annotations

import msgspec

from tandem_triton.core.errors import BadPictureError
from tandem_triton.core.service import Service
from tandem_triton.media.picture import BLANK_PICTURE, PICTURE_TYPES, encode_picture

NO_DOCUMENT = "none"
"""The kind of a picture that shows no document."""


class KindScore(msgspec.Struct, frozen=True, kw_only=True):
    """A kind and how likely it is.

    Attributes:
        kind: e.g. "resident_id.portrait", "bank_card", "none".
        score: 0-1.
    """

    kind: str
    score: float


class KindsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the server says of one picture.

    Attributes:
        kinds: every kind, best first.
        unread_pages: how many more pages the file has, of which nothing was read; only a TIFF has any.
    """

    kinds: tuple[KindScore, ...]
    unread_pages: int = 0


SERVICE = Service(
    name="document_kind",
    summary="Says which kind of document a picture shows.",
    input="IMAGE",
    content_types=PICTURE_TYPES,
    answer=KindsAnswer,
    encode=encode_picture,
    probe=BLANK_PICTURE,
    empty=lambda answer: not answer.kinds or answer.kinds[0].kind == NO_DOCUMENT,
    bad_item=BadPictureError,
)
