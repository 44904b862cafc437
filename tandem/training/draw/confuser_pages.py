"""Things that are no cards at all: passports' data pages, papers, screens, keyboards, pictures."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.training.draw import confuser_parts as parts
from tandem.training.draw import confuser_text as words
from tandem.training.draw.confuser_cards import finish
from tandem.training.draw.pools import choose

Drawing = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def passport(rng: np.random.Generator, width_px: int) -> Drawing:
    """A passport's data page: photograph at the left, two machine-readable lines at the foot."""
    page = parts.sheet(rng, parts.patterned(rng, round(width_px * 0.7), width_px, 185, 252), 125.0)
    page.canvas.text((40, 3), "护照 PASSPORT", page.title, 4, page.accent)
    parts.photograph(rng, page, 6, 18, 32, 42)
    for index, label in enumerate(
        ("姓名/Name", "性别/Sex", "国籍/Nationality", "出生日期/Date of birth", "签发机关/Authority")
    ):
        y = 12 + 10.5 * index
        page.canvas.text((44, y), label, page.chinese, 2.2, page.accent)
        page.canvas.text((44, y + 3.2), words.value_for(rng, label[:2]), page.chinese, 3.4, page.ink)
    face = page.latin
    for index in range(2):
        line = f"{choose(rng, 'PG')}<{words.latin_name(rng)}<<{words.digits(rng, 9)}".replace(
            ", ", "<<"
        ).replace(" ", "")
        page.canvas.text((6, 71 + 6.5 * index), line.ljust(44, "<")[:44], face, 3.6, page.ink, pitch=2.55)
    return finish(page, 0.0)


def text_page(rng: np.random.Generator, width_px: int) -> Drawing:
    """A page of a book, a letter or a form."""
    ratio = float(rng.uniform(0.9, 1.45))
    tone = int(rng.uniform(215, 256))
    paper = np.full(
        (round(width_px * ratio), width_px, 3), (tone, tone, max(tone - int(rng.uniform(0, 25)), 0)), np.uint8
    )
    page = parts.sheet(rng, paper, 210.0)
    em = float(rng.uniform(4, 9))
    page.canvas.text((60, 15), words.company(rng), page.title, em * 1.6, page.ink)
    parts.lines(rng, page, (18, 38, 174, page.height - 55), em, chinese=float(rng.uniform(0, 1)))
    if rng.random() < 0.4:
        top, step = float(rng.uniform(40, 120)), float(rng.uniform(9, 18))
        for index in range(int(rng.integers(3, 9))):
            parts.rectangle(page, (18, top + step * index, 174, 0.3), page.ink)
    if rng.random() < 0.3:
        parts.photograph(rng, page, float(rng.uniform(20, 130)), float(rng.uniform(40, 120)), 50, 66)
    return finish(page, 0.0)


def receipt(rng: np.random.Generator, width_px: int) -> Drawing:
    """A receipt, an invoice or a ticket: coloured or white, figures, a bar code."""
    ratio = float(choose(rng, ("0.45", "0.6", "1.3", "1.8")))
    low = float(rng.uniform(150, 235))
    page = parts.sheet(rng, parts.patterned(rng, round(width_px * ratio), width_px, low, 256), 80.0)
    page.canvas.text((8, 3), words.company(rng), page.title, 4.5, page.ink)
    y = 11.0
    while y < page.height - 12:
        page.canvas.text((6, y), words.sentence(rng, int(rng.integers(2, 9))), page.chinese, 3, page.ink)
        page.canvas.text((52, y), f"¥{words.digits(rng, 3)}.{words.digits(rng, 2)}", page.latin, 3, page.ink)
        y += float(rng.uniform(4.2, 6))
    parts.bars(rng, page, 10, page.height - 9, 45, 6)
    if rng.random() < 0.5:
        parts.matrix_code(rng, page, 62, page.height - 17, 14)
    return finish(page, 0.0)


def screen(rng: np.random.Generator, width_px: int) -> Drawing:
    """A telephone's or computer's screen: bars, tiles, buttons, text."""
    ratio = float(choose(rng, ("0.56", "0.6", "1.8", "2.0")))
    dark = bool(rng.random() < 0.35)
    base = parts.colour(rng, 10, 60) if dark else parts.colour(rng, 225, 256)
    paper = np.full((round(width_px * ratio), width_px, 3), base, np.uint8)
    page = parts.sheet(rng, paper, 90.0, light_ink=dark)
    parts.rectangle(page, (0, 0, 90, 8), page.accent)
    y = 11.0
    while y < page.height - 12:
        kind = rng.random()
        height = float(rng.uniform(8, 26))
        if kind < 0.4:
            columns = int(rng.integers(1, 5))
            for column in range(columns):
                box = (4 + column * 82 / columns, y, 82 / columns - 3, height)
                parts.rectangle(page, box, parts.colour(rng, 30, 250))
        elif kind < 0.55:
            parts.photograph(rng, page, float(rng.uniform(4, 60)), y, height * 0.75, height)
        else:
            parts.lines(rng, page, (5, y, 78, height), float(rng.uniform(2.4, 4)))
        y += height + 3
    return finish(page, float(rng.uniform(0, 6)))


def keyboard(rng: np.random.Generator, width_px: int) -> Drawing:
    """A grid of keys."""
    dark = bool(rng.random() < 0.5)
    base = parts.colour(rng, 20, 70) if dark else parts.colour(rng, 180, 240)
    paper = np.full((round(width_px * rng.uniform(0.35, 0.6)), width_px, 3), base, np.uint8)
    page = parts.sheet(rng, paper, 150.0, light_ink=dark)
    key = parts.colour(rng, 40, 110) if dark else parts.colour(rng, 220, 256)
    size = float(rng.uniform(8, 13))
    y = 3.0
    while y + size < page.height:
        x = 3.0 + float(rng.uniform(0, 5))
        while x + size < 148:
            wide = size * (1.7 if rng.random() < 0.1 else 1)
            parts.rectangle(page, (x, y, wide, size), key, (120, 120, 120))
            page.canvas.text(
                (x + size * 0.3, y + size * 0.25),
                choose(rng, "QWERTYUIOPASDFGHJKL"),
                page.latin,
                size * 0.35,
                page.ink,
            )
            x += wide + size * 0.15
        y += size * 1.15
    return finish(page, 2.0)


def picture(rng: np.random.Generator, width_px: int) -> Drawing:
    """A picture of nothing: a landscape of noise, shapes and stripes."""
    height = round(width_px * rng.uniform(0.5, 1.4))
    cells = int(rng.integers(2, 14))
    coarse = rng.uniform(0, 255, (cells, cells, 3)).astype(np.float32)
    smooth = cv2.resize(
        coarse, (width_px, height), interpolation=cv2.INTER_CUBIC if rng.random() < 0.6 else cv2.INTER_NEAREST
    )
    page = parts.sheet(rng, np.clip(smooth, 0, 255).astype(np.uint8), 100.0)
    for _ in range(int(rng.integers(0, 10))):
        parts.logo(
            rng,
            page,
            float(rng.uniform(-10, 90)),
            float(rng.uniform(-10, page.height)),
            float(rng.uniform(5, 60)),
        )
    return finish(page, float(choose(rng, ("0", "0", "3"))))
