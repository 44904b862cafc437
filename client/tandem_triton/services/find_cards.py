"""`find_cards`: every card-like document in a picture, its outline and its kind."""

from __future__ import annotations

import msgspec

from tandem_triton.core.errors import BadPictureError
from tandem_triton.core.service import Service
from tandem_triton.media.document import FoundDocument
from tandem_triton.media.picture import BLANK_PICTURE, PICTURE_TYPES, encode_picture


class ObjectsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the server says of one picture.

    Attributes:
        objects: every document in it, surest first.
        unread_pages: how many more pages the file has, of which nothing was read; only a TIFF has any.
    """

    objects: tuple[FoundDocument, ...]
    unread_pages: int = 0


SERVICE = Service(
    name="find_cards",
    summary="Finds the cards and papers in a picture and says of which kind each is.",
    input="IMAGE",
    content_types=PICTURE_TYPES,
    answer=ObjectsAnswer,
    encode=encode_picture,
    probe=BLANK_PICTURE,
    empty=lambda answer: not answer.objects,
    bad_item=BadPictureError,
)
