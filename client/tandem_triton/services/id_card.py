"""`id_card`: the resident identity cards in a picture, each with its fields as printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from tandem_triton.core.errors import BadPictureError
from tandem_triton.core.in_flight import Result
from tandem_triton.core.service import Service
from tandem_triton.media.document import FoundDocument
from tandem_triton.media.picture import BLANK_PICTURE, PICTURE_TYPES, Picture, Quad, encode_picture

Side = Literal["portrait", "emblem"]


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """A character that is not the recogniser's first choice: its runner-up, or all that makes a place.

    Attributes:
        field: name of the field.
        index: of the character in the field's text.
        read: the first choice.
        now: what the field says.
        support: the recogniser's probability for it, 0-1; 0 where only the list of places says it.
    """

    field: str
    index: int
    read: str
    now: str
    support: float


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One resident identity card found in a picture.

    Attributes:
        side: "portrait" or "emblem".
        score: detector's confidence, 0-1.
        quad: corners x, y in pixels of the picture as sent (after EXIF rotation), clockwise from the
            card's own top left.
        fields: text as printed by field name (姓名 …); empty where it was not read.
        confidence: 0-1 by field name.
        boxes: outline by field name, as `quad`; None where it was not read.
        checks: what follows from the text; None where it can't be told.
        quality: what is wrong with the photograph, each 0 (nothing) to 1; `mirrored`: whether it is.
        corrected: characters that were decided by more than the recogniser's first choice.
        incomplete_fields: fields of which a part was plainly not read.
    """

    side: Side
    score: float
    quad: Quad
    fields: Mapping[str, str]
    confidence: Mapping[str, float] = {}
    boxes: Mapping[str, Quad | None] = {}
    checks: Mapping[str, bool | None] = {}
    quality: Mapping[str, float | bool] = {}
    corrected: tuple[Correction, ...] = ()
    incomplete_fields: tuple[str, ...] = ()


class CardsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What `id_card` answers about one picture.

    Attributes:
        cards: the resident identity cards in it, maybe none.
        others: what else was seen, documents that are no resident identity card; one that was not located has
            the picture's own outline.
        unread_pages: how many more pages the file has, of which nothing was read; only a TIFF has any.
    """

    cards: tuple[Card, ...]
    others: tuple[FoundDocument, ...] = ()
    unread_pages: int = 0


class Reading(Result[CardsAnswer]):
    """What became of one picture of many; see `Result`."""

    @property
    def picture(self) -> Picture:
        """The picture as it was given."""
        return self.item  # type: ignore[no-any-return]

    @property
    def cards(self) -> list[Card]:
        """The cards in the picture.

        Raises:
            TandemError: why there is no answer.
        """
        return list(self.value.cards)


SERVICE = Service(
    name="id_card",
    summary="Reads the Chinese resident identity cards in a picture.",
    input="IMAGE",
    content_types=PICTURE_TYPES,
    answer=CardsAnswer,
    encode=encode_picture,
    probe=BLANK_PICTURE,
    empty=lambda answer: not answer.cards,
    bad_item=BadPictureError,
)
