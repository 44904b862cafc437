"""A picture with what was read drawn on it: each card's outline, each field's box and its text."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from tandem_triton.services.id_card import Card, Quad

_CARD_COLOUR = (255, 64, 32)
_FIELD_COLOUR = (0, 150, 60)
_TEXT_BACKDROP = (255, 255, 255, 210)
_LINE_SHARE = 1 / 300  # of the picture's longer side
_SMALLEST_TEXT_PX = 12
_TEXT_SHARE = 0.05  # of the card's height: as large as print on the card, 2.7 of 54 mm


def draw_cards(picture: bytes, cards: Sequence[Card], font: Path) -> Image.Image:
    """The picture, upright by its EXIF orientation, with the cards drawn on it, RGB.

    Args:
        picture: encoded, as it was sent.
        cards: their coordinates are pixels of the picture after EXIF rotation.
        font: a file with Chinese glyphs.
    """
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(picture))).convert("RGB")
    canvas = ImageDraw.Draw(image, "RGBA")
    width = max(1, round(max(image.size) * _LINE_SHARE))
    for card in cards:
        _outline(canvas, card.quad, _CARD_COLOUR, 2 * width)
        for box in card.boxes.values():
            _outline(canvas, box, _FIELD_COLOUR, width)
        # Texts last, so that no box's line crosses one.
        for name, box in card.boxes.items():
            _write(canvas, f"{name} {card.fields.get(name, '')}".strip(), box, font, _text_size(card.quad))
    return image


def _outline(canvas: ImageDraw.ImageDraw, quad: Quad, colour: tuple[int, int, int], width: int) -> None:
    canvas.line([*quad, quad[0]], fill=colour, width=width, joint="curve")


def _write(canvas: ImageDraw.ImageDraw, text: str, box: Quad, font: Path, size: int) -> None:
    """Write `text` upright above the box, inside the picture."""
    limit = canvas.im.size[0]
    glyphs = ImageFont.truetype(str(font), size)
    if (length := glyphs.getlength(text)) > limit:
        glyphs = ImageFont.truetype(str(font), max(_SMALLEST_TEXT_PX, int(size * limit / length)))
    x0, y0, x1, y1 = canvas.textbbox((0, 0), text, font=glyphs)
    left = max(0.0, min(*(x for x, _ in box), limit - x1))
    top = max(0.0, min(y for _, y in box) - y1)
    canvas.rectangle((left + x0, top + y0, left + x1, top + y1), fill=_TEXT_BACKDROP)
    canvas.text((left, top), text, fill=_FIELD_COLOUR, font=glyphs)


def _text_size(card: Quad) -> int:
    """One size for all texts of a card, in pixels: an address has many rows in one box."""
    height = (math.dist(card[0], card[3]) + math.dist(card[1], card[2])) / 2
    return max(_SMALLEST_TEXT_PX, round(height * _TEXT_SHARE))
