"""What drawn documents share: a sheet of any colours, blocks of text, photographs, chips, bars and seals."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.training.draw import confuser_text as words
from tandem.training.draw import fonts, guilloche
from tandem.training.draw.canvas import Canvas, Colour
from tandem.training.draw.fonts import FontFace
from tandem.training.draw.portraits import draw_portrait

CARD_MM = (85.6, 54.0)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A document being drawn: its canvas, its size in millimetres, its fonts and inks."""

    canvas: Canvas
    width: float
    height: float
    chinese: FontFace
    latin: FontFace
    title: FontFace
    ink: Colour
    accent: Colour


def colour(rng: np.random.Generator, low: float, high: float) -> Colour:
    """A colour with every channel in [low, high)."""
    red, green, blue = rng.uniform(low, high, 3).astype(int)
    return int(red), int(green), int(blue)


def patterned(
    rng: np.random.Generator, height: int, width: int, low: float, high: float
) -> NDArray[np.uint8]:
    """(height, width, 3) uint8 RGB: a gradient under wavy lines, colours in [low, high)."""
    stops = [tuple(map(float, colour(rng, low, high))) for _ in range(int(rng.integers(1, 4)))]
    stops = stops * 2 if len(stops) == 1 else stops
    inks = [tuple(map(float, colour(rng, 60, 240))) for _ in range(2)]
    return guilloche.sheet(rng, height, width, stops=stops, inks=inks, strength=float(rng.uniform(0, 0.6)))


def coloured(rng: np.random.Generator, height: int, width: int, low: float, high: float) -> NDArray[np.uint8]:
    """(height, width, 3) uint8 RGB: soft or hard-edged patches, as pictures on cards have, in [low, high)."""
    cells = int(rng.integers(2, 10))
    coarse = rng.uniform(low, high, (cells, cells, 3)).astype(np.float32)
    method = (cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_NEAREST)[int(rng.integers(3))]
    patches = cv2.resize(coarse, (width, height), interpolation=method)
    return np.asarray(np.clip(patches, 0, 255), np.uint8)


def identity_like(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """(height, width, 3) uint8 RGB: paper like a resident identity card's, or pale in another colour."""
    return (
        guilloche.sheet(rng, height, width) if rng.random() < 0.6 else patterned(rng, height, width, 190, 250)
    )


def sheet(
    rng: np.random.Generator, paper: NDArray[np.uint8], width_mm: float, *, light_ink: bool = False
) -> Sheet:
    """Begins a document on a paper."""
    canvas = Canvas(paper, width_mm)
    ink = colour(rng, 200, 256) if light_ink else colour(rng, 0, 60)
    accent = colour(rng, 170, 256) if light_ink else colour(rng, 0, 190)
    return Sheet(
        canvas=canvas,
        width=width_mm,
        height=paper.shape[0] / canvas.scale,
        chinese=fonts.pick(rng, fonts.VALUE_FONTS, "train"),
        latin=fonts.pick(rng, fonts.LATIN_FONTS, "train"),
        title=fonts.pick(rng, fonts.TITLE_FONTS, "train"),
        ink=ink,
        accent=accent,
    )


def photograph(
    rng: np.random.Generator,
    page: Sheet,
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    cut_out_share: float = 0.25,
) -> None:
    """Pastes a drawn portrait, lengths in millimetres; `cut_out_share` of them have no background."""
    scale = page.canvas.scale
    size = max(round(height * scale), 8), max(round(width * scale), 8)
    picture, alpha = draw_portrait(rng, *size, cut_out=bool(rng.random() < cut_out_share))
    page.canvas.paste(picture, alpha, (x, y))


def rectangle(
    page: Sheet, box: tuple[float, float, float, float], fill: Colour | None, line: Colour | None = None
) -> None:
    """Fills or outlines x, y, width, height in millimetres."""
    scale = page.canvas.scale
    x, y, width, height = (part * scale for part in box)
    pen = max(round(0.25 * scale), 1)
    page.canvas.draw.rectangle(
        (x, y, x + max(width, 1), y + max(height, 1)), fill=fill, outline=line, width=pen
    )


def chip(rng: np.random.Generator, page: Sheet, x: float, y: float) -> None:
    """A contact chip, 11 by 8.5 mm."""
    gold = colour(rng, 150, 225)
    metal = (gold[0], min(gold[0] - 20, gold[1]), min(gold[0] - 60, gold[2]))
    page_scale = page.canvas.scale
    box = [part * page_scale for part in (x, y, x + 11, y + 8.5)]
    page.canvas.draw.rounded_rectangle(box, radius=1.2 * page_scale, fill=metal, outline=(90, 80, 50))
    for share in (0.33, 0.66):
        rectangle(page, (x, y + 8.5 * share, 11, 0.1), (90, 80, 50))
        rectangle(page, (x + 11 * share, y, 0.1, 8.5), (90, 80, 50))


def seal(rng: np.random.Generator, page: Sheet, x: float, y: float, size: float) -> None:
    """A red square seal with characters."""
    red = (int(rng.uniform(190, 235)), int(rng.uniform(30, 80)), int(rng.uniform(30, 70)))
    rectangle(page, (x, y, size, size), None, red)
    em = size / 4
    for row in range(3):
        line = words.sentence(rng, 3)
        page.canvas.text(
            (x + em * 0.4, y + em * (0.35 + row * 1.15)), line, page.title, em, red, pitch=em * 1.1
        )


def bars(rng: np.random.Generator, page: Sheet, x: float, y: float, width: float, height: float) -> None:
    """A bar code."""
    at = x
    while at < x + width:
        bar = float(rng.uniform(0.15, 0.7))
        rectangle(page, (at, y, bar, height), (20, 20, 20))
        at += bar + float(rng.uniform(0.2, 0.8))


def matrix_code(rng: np.random.Generator, page: Sheet, x: float, y: float, size: float) -> None:
    """A square code of dark and light cells."""
    cells = int(rng.integers(21, 34))
    side = max(round(size * page.canvas.scale), cells)
    pattern = (rng.random((cells, cells)) < 0.5).astype(np.uint8) * 255
    for row, column in ((0, 0), (0, cells - 7), (cells - 7, 0)):
        pattern[row : row + 7, column : column + 7] = 0
        pattern[row + 1 : row + 6, column + 1 : column + 6] = 255
        pattern[row + 2 : row + 5, column + 2 : column + 5] = 0
    large = cv2.resize(pattern, (side, side), interpolation=cv2.INTER_NEAREST)
    page.canvas.paste(np.repeat(large[:, :, None], 3, axis=2), np.full((side, side), 255, np.uint8), (x, y))


def logo(rng: np.random.Generator, page: Sheet, x: float, y: float, size: float) -> None:
    """A made-up mark: discs, rings, a polygon."""
    scale = page.canvas.scale
    pen = page.canvas.draw
    for _ in range(int(rng.integers(1, 4))):
        cx, cy = x + size / 2 + float(rng.normal(0, size / 6)), y + size / 2 + float(rng.normal(0, size / 6))
        reach = size * float(rng.uniform(0.2, 0.5))
        box = [part * scale for part in (cx - reach, cy - reach, cx + reach, cy + reach)]
        if rng.random() < 0.5:
            pen.ellipse(
                box, fill=colour(rng, 0, 256) if rng.random() < 0.6 else None, outline=colour(rng, 0, 256)
            )
        else:
            angles = rng.uniform(0, 6.3) + np.arange(int(rng.integers(3, 8))) * 1.2
            points = [((cx + reach * np.cos(a)) * scale, (cy + reach * np.sin(a)) * scale) for a in angles]
            pen.polygon(points, fill=colour(rng, 0, 256))


def lines(  # noqa: RUF100
    rng: np.random.Generator,
    page: Sheet,
    box: tuple[float, float, float, float],
    em: float,
    *,
    chinese: float = 0.7,
) -> None:
    """Fills x, y, width, height (mm) with lines of text; `chinese` of them are Chinese."""
    x, y, width, height = box
    at = y
    while at + em < y + height:
        share = float(rng.uniform(0.4, 1))
        if rng.random() < chinese:
            page.canvas.text(
                (x, at), words.sentence(rng, max(int(width * share / em), 1)), page.chinese, em, page.ink
            )
        else:
            count = max(int(width * share / em / 3.4), 1)
            page.canvas.text((x, at), words.english(rng, count), page.latin, em, page.ink)
        at += em * float(rng.uniform(1.25, 1.8))
