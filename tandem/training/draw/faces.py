"""Flat faces of resident identity cards: invented text on a drawn card, with the place of every field.

Positions are millimetres from the card's top left (DESIGN.md, "Card facts"), moved a little from card to card
as real ones are. Everything chancy is drawn from the generator passed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.card import (
    CARD_WIDTH_MM,
    CORNER_RADIUS_MM,
    RECTIFIED_HEIGHT,
    RECTIFIED_WIDTH,
)
from tandem.services.id_card.records import RowKind
from tandem.training.draw import guilloche
from tandem.training.draw.canvas import Canvas, bounding_box
from tandem.training.draw.devices import draw_state_device, wall_picture
from tandem.training.draw.masks import rounded_mask
from tandem.training.draw.people import EmblemText, PortraitText
from tandem.training.draw.portraits import draw_portrait
from tandem.training.draw.printing import Box, Printer, Row
from tandem.training.draw.scripts import Bilingual, print_second_script
from tandem.training.draw.styles import Style, draw_style
from tandem.training.errors import StyleError

Side = Literal["portrait", "emblem"]

SMALLEST_WIDTH_PX = 64

PORTRAIT_BOX_MM = (55.1, 9.1, 22.7, 30.6)
DEVICE_BOX_MM = (5.2, 5.6, 16.6)
# An authority of more characters than fit before the card's edge goes on below after so many.
MOST_AUTHORITY_CHARACTERS, AUTHORITY_MEASURE, AUTHORITY_PITCH_MM = 15, 13, 3.8
WALL_BOX_MM = (6.0, 23.0, 74.0, 26.0)


@dataclass(frozen=True, kw_only=True)
class Face:
    """A flat card face.

    Attributes:
        image: (h, w, 3) uint8 BGR.
        alpha: (h, w) uint8, 0 outside rounded corners.
        side: which side.
        fields: the text as printed, by the keys of the result's contract.
        boxes: for each field, (4, 2) float32, pixels, clockwise from the top left.
        rows: the printed rows, top to bottom.
        style: how it was drawn.
    """

    image: NDArray[np.uint8]
    alpha: NDArray[np.uint8]
    side: Side
    fields: dict[str, str]
    boxes: dict[str, Box]
    rows: tuple[Row, ...]
    style: Style


def _sheet(rng: np.random.Generator, width_px: int) -> NDArray[np.uint8]:
    if width_px < SMALLEST_WIDTH_PX:
        raise StyleError(f"a face is at least {SMALLEST_WIDTH_PX} px wide, got {width_px}")
    return guilloche.sheet(rng, round(width_px * RECTIFIED_HEIGHT / RECTIFIED_WIDTH), width_px)


def _print_person(printer: Printer, text: PortraitText, em: float) -> None:
    shift = printer.row_shift()
    label = printer.label("姓名", 6.9, 9.9 + shift)
    box = printer.value(text.name, 15.6, 9.3 + shift, 3.3 if len(text.name) <= 9 else 2.5, stretch=0.0)
    printer.boxes["姓名"] = box
    printer.add_row(RowKind.NAME, "姓名" + text.name, [label, box])
    shift = printer.row_shift()
    labels = [printer.label("性别", 6.9, 16.2 + shift), printer.label("民族", 26.1, 16.2 + shift)]
    printer.boxes["性别"] = printer.value(text.sex, 15.6, 16.0 + shift, em)
    printer.boxes["民族"] = printer.value(text.nation, 33.8, 16.0 + shift, em)
    values = [printer.boxes["性别"], printer.boxes["民族"]]
    printer.add_row(RowKind.SEX_NATION, f"性别{text.sex}民族{text.nation}", labels + values)


def _print_birth(printer: Printer, text: PortraitText, em: float) -> None:
    shift = printer.row_shift()
    year, rest = text.birth.split("年")
    month, day = rest.rstrip("日").split("月")
    label = printer.label("出生", 7.0, 22.4 + shift)
    parts = []
    wide = 0.8 if len(month) == 1 else 0.0
    for value, x in ((year, 15.6), (month, 30.1 + wide), (day, 39.2 + (0.8 if len(day) == 1 else 0.0))):
        parts.append(printer.value(value, x, 22.3 + shift, em))
    for unit, x in (("年", 25.9), ("月", 34.8), ("日", 43.7)):
        parts.append(printer.label(unit, x, 22.4 + shift))
    printer.boxes["出生"] = bounding_box(parts)
    printer.add_row(RowKind.BIRTH, "出生" + text.birth, [label, *parts])


def _print_address(printer: Printer, text: PortraitText, em: float) -> None:
    shift = printer.row_shift()
    label = printer.label("住址", 6.9, 28.7 + shift)
    boxes = []
    lines = printer.wrap(text.address, em)
    pitch = printer.line_pitch(len(lines))
    for index, line in enumerate(lines):
        box = printer.value(line, 15.6, 28.6 + shift + index * pitch, em)
        boxes.append(box)
        printer.add_row(
            RowKind.ADDRESS, ("住址" if index == 0 else "") + line, [label, box] if index == 0 else [box]
        )
    printer.boxes["住址"] = bounding_box(boxes)


def _print_number(printer: Printer, text: PortraitText, style: Style) -> None:
    shift = printer.row_shift()
    title = style.number_title
    pitch = style.number_title_span / len(title)
    label = printer.label(title, 6.9, 45.3 + shift, pitch=pitch)
    box = printer.number(text.number, style.number_x, 45.0 + shift)
    printer.boxes["公民身份号码"] = box
    printer.add_row(RowKind.NUMBER, title + text.number, [label, box])


def _paste_portrait(canvas: Canvas, rng: np.random.Generator, style: Style) -> None:
    if style.portrait == "none":
        return
    x, y, width, height = PORTRAIT_BOX_MM
    grow = float(rng.uniform(0.92, 1.08))
    size = round(height * grow * canvas.scale), round(width * grow * canvas.scale)
    picture, alpha = draw_portrait(rng, *size, cut_out=style.portrait == "cut_out")
    canvas.paste(picture, alpha, (x + style.shift_x + float(rng.uniform(-0.8, 0.8)), y + style.shift_y))


def _finish(
    canvas: Canvas,
    printer: Printer,
    rng: np.random.Generator,
    style: Style,
    side: Side,
    fields: dict[str, str],
) -> Face:
    image = canvas.pixels()
    if style.grey:
        image = _grey_copy(image, rng, style)
    height, width = canvas.shape()
    radius = 0.0 if style.square_corners else CORNER_RADIUS_MM * canvas.scale
    return Face(
        image=image,
        alpha=rounded_mask(height, width, radius),
        side=side,
        fields=fields,
        boxes=printer.boxes,
        rows=tuple(printer.rows),
        style=style,
    )


def _grey_copy(image: NDArray[np.uint8], rng: np.random.Generator, style: Style) -> NDArray[np.uint8]:
    """A photocopy: no colour, more contrast, specks of toner."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    grey = (grey - 128) * rng.uniform(0.7, 1.6) + 128 + rng.uniform(-40, 40)
    if style.toner:
        grey += rng.normal(0, rng.uniform(3, 14), grey.shape).astype(np.float32)
    copy: NDArray[np.uint8] = cv2.cvtColor(np.clip(grey, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    return copy


def draw_portrait_face(
    text: PortraitText,
    rng: np.random.Generator,
    *,
    style: Style | None = None,
    width_px: int = RECTIFIED_WIDTH,
) -> Face:
    """The side with the person's data.

    Args:
        text: what it says.
        rng: the only source of randomness.
        style: how it looks; None: drawn for the training pool.
        width_px: pixels, ≥ 64; the height follows.

    Raises:
        StyleError: `width_px` too small.
        FontsMissingError: no fonts to draw with.
    """
    style = style or draw_style(rng)
    canvas = Canvas(_sheet(rng, width_px), CARD_WIDTH_MM)
    _paste_portrait(canvas, rng, style)
    printer = Printer(canvas, style, rng)
    em = style.value_em
    _print_person(printer, text, em)
    _print_birth(printer, text, em)
    _print_address(printer, text, em)
    _print_number(printer, text, style)
    print_second_script(canvas, rng, style, Bilingual.PORTRAIT_LINES)
    return _finish(canvas, printer, rng, style, "portrait", text.fields())


def _emblem_sheet(rng: np.random.Generator, width_px: int) -> NDArray[np.uint8]:
    paper = _sheet(rng, width_px)
    scale = width_px / CARD_WIDTH_MM
    x, y, width, height = (round(part * scale) for part in WALL_BOX_MM)
    dark = wall_picture(rng, height, width)[:, :, None] * rng.uniform(0.1, 0.5)
    ink = np.array((96, 122, 112), np.float32) + rng.normal(0, 15, 3).astype(np.float32)
    region = paper[y : y + height, x : x + width].astype(np.float32)
    paper[y : y + height, x : x + width] = np.clip(region + (ink - region) * dark, 0, 255).astype(np.uint8)
    return paper


def _print_authority(printer: Printer, text: EmblemText, em: float) -> None:
    """The authority on one line, or on two where it would reach the card's edge."""
    shift = printer.row_shift()
    lines = [text.authority]
    if len(text.authority) > MOST_AUTHORITY_CHARACTERS:
        lines = [text.authority[:AUTHORITY_MEASURE], text.authority[AUTHORITY_MEASURE:]]
    top = 38.9 + shift - (len(lines) - 1) * AUTHORITY_PITCH_MM / 2
    label = printer.emblem_label("签发机关", 20.9, top)
    boxes = []
    for index, line in enumerate(lines):
        box = printer.value(line, 35.6, top + index * AUTHORITY_PITCH_MM, em)
        boxes.append(box)
        printer.add_row(
            RowKind.AUTHORITY, line if index else "签发机关" + line, [box] if index else [label, box]
        )
    printer.boxes["签发机关"] = bounding_box(boxes)


def _print_titles(canvas: Canvas, rng: np.random.Generator, style: Style) -> None:
    for text, x, y, em, pitch in (
        ("中华人民共和国", 29.8, 6.0, 5.2, 6.65),
        ("居民身份证", 26.3, 14.7, 7.6, 11.0),
    ):
        at = (x + style.shift_x, y + style.shift_y + float(rng.uniform(-0.4, 0.4)))
        canvas.text(at, text, style.title_face, em * style.em_scale, style.ink, pitch=pitch)


def draw_emblem_face(
    text: EmblemText,
    rng: np.random.Generator,
    *,
    style: Style | None = None,
    width_px: int = RECTIFIED_WIDTH,
) -> Face:
    """The side with the state emblem.

    Args:
        text: what it says.
        rng: the only source of randomness.
        style: how it looks; None: drawn for the training pool.
        width_px: pixels, ≥ 64; the height follows.

    Raises:
        StyleError: `width_px` too small.
        FontsMissingError: no fonts to draw with.
    """
    style = style or draw_style(rng)
    canvas = Canvas(_emblem_sheet(rng, width_px), CARD_WIDTH_MM)
    x, y, size = DEVICE_BOX_MM
    picture, alpha = draw_state_device(rng, round(size * canvas.scale * float(rng.uniform(0.95, 1.05))))
    canvas.paste(picture, alpha, (x + style.shift_x, y + style.shift_y))
    _print_titles(canvas, rng, style)
    printer = Printer(canvas, style, rng)
    _print_authority(printer, text, style.value_em)
    shift = printer.row_shift()
    label = printer.emblem_label("有效期限", 20.9, 45.5 + shift)
    printer.boxes["有效期限"] = printer.value(text.validity, 35.6, 45.5 + shift, style.value_em)
    printer.add_row(RowKind.VALIDITY, "有效期限" + text.validity, [label, printer.boxes["有效期限"]])
    print_second_script(canvas, rng, style, Bilingual.EMBLEM_LINES)
    return _finish(canvas, printer, rng, style, "emblem", text.fields())
