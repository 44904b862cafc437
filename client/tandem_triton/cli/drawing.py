"""A picture with its cards and fields outlined, and below it, in the boxes' colours, what was read."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from tandem_triton.media.picture import Quad
from tandem_triton.services.id_card import Card

Colour = tuple[int, int, int]

_CARD_COLOUR: Colour = (255, 64, 32)
_FIELD_COLOURS: tuple[Colour, ...] = (
    (0, 122, 61),
    (0, 92, 197),
    (153, 0, 153),
    (176, 96, 0),
    (0, 128, 128),
    (176, 0, 70),
)
_PAPER: Colour = (255, 255, 255)
_LINE_SHARE = 1 / 300  # of the picture's longer side
_SMALLEST_TEXT_PX = 12
_TEXT_SHARE = 1 / 32  # of the picture's longer side
_SPACING = 1.5  # between lines of text, of their size


def draw_cards(picture: bytes, cards: Sequence[Card], font: Path) -> Image.Image:
    """The picture, upright by its EXIF orientation, the cards outlined, and below it what was read, RGB.

    Nothing is written on the picture, so nothing on it is hidden.

    Args:
        picture: encoded, as it was sent.
        cards: their coordinates are pixels of the picture after EXIF rotation.
        font: a file with Chinese glyphs.
    """
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(picture))).convert("RGB")
    width = max(1, round(max(image.size) * _LINE_SHARE))
    canvas = ImageDraw.Draw(image)
    for card in cards:
        _outline(canvas, card.quad, _CARD_COLOUR, 2 * width)
        for colour, name in _coloured(card):
            box = card.boxes.get(name)
            if box is not None:
                _outline(canvas, box, colour, width)
    return _with_text_below(image, [line for card in cards for line in _lines(card)], font)


def _with_text_below(image: Image.Image, lines: Sequence[tuple[Colour, str]], font: Path) -> Image.Image:
    if not lines:
        return image
    largest = max(_SMALLEST_TEXT_PX, round(max(image.size) * _TEXT_SHARE))
    size = min(largest, max(_SMALLEST_TEXT_PX, int(largest * image.width / _width(lines, font, largest))))
    pitch = round(size * _SPACING)
    # A narrow picture gets a wider sheet before its text becomes too small to read.
    width = max(image.width, _width(lines, font, size))
    sheet = Image.new("RGB", (width, image.height + pitch * len(lines) + size), _PAPER)
    sheet.paste(image)
    canvas = ImageDraw.Draw(sheet)
    glyphs = ImageFont.truetype(str(font), size)
    for number, (colour, text) in enumerate(lines):
        canvas.text((size // 2, image.height + size // 2 + number * pitch), text, fill=colour, font=glyphs)
    return sheet


def _width(lines: Sequence[tuple[Colour, str]], font: Path, size: int) -> int:
    """How wide the longest line is, in pixels, with its margins."""
    glyphs = ImageFont.truetype(str(font), size)
    return math.ceil(max(glyphs.getlength(text) for _, text in lines)) + 2 * size


def _lines(card: Card) -> Iterator[tuple[Colour, str]]:
    """What was read, a line a field."""
    for colour, name in _coloured(card):
        yield colour, f"{name}  {card.fields[name]}"


def _coloured(card: Card) -> Iterator[tuple[Colour, str]]:
    """Each field's name and its colour."""
    for number, name in enumerate(card.fields):
        yield _FIELD_COLOURS[number % len(_FIELD_COLOURS)], name


def _outline(canvas: ImageDraw.ImageDraw, quad: Quad, colour: Colour, width: int) -> None:
    canvas.line([*quad, quad[0]], fill=colour, width=width, joint="curve")
