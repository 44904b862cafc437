"""Bank cards: lying and upright, with a picture or without, numbers on the front or none, and their backs."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.training.draw import confuser_parts as parts
from tandem.training.draw import confuser_text as words
from tandem.training.draw.confuser_cards import CARD_RATIO, CARD_WIDTH_MM, Drawing, card_height, finish
from tandem.training.draw.confuser_parts import Sheet
from tandem.training.draw.pools import choose

_SORTS = ("信用卡", "借记卡", "储蓄卡", "Credit Card", "DEBIT", "PLATINUM", "GOLD", "联名卡", "公务卡")
_TAPS = ("闪付 Pass", "Quick Pass", "云闪付", "PAY", "ATM", "电子现金")
_UPRIGHT = 0.3  # of all


def bank_card(rng: np.random.Generator, width_px: int) -> Drawing:
    """A bank card: strong colours or a picture, chip, long number, the scheme's mark."""
    upright = bool(rng.random() < _UPRIGHT)
    width_mm, height_mm = (54.0, CARD_WIDTH_MM) if upright else (CARD_WIDTH_MM, 54.0)
    height = round(width_px / CARD_RATIO) if upright else card_height(width_px)
    dark = bool(rng.random() < 0.75)
    page = parts.sheet(rng, _ground(rng, height, width_px, dark=dark), width_mm, light_ink=dark)
    for _ in range(int(rng.integers(0, 5))):
        size = float(rng.uniform(8, 45))
        parts.logo(rng, page, float(rng.uniform(0, width_mm - 15)), float(rng.uniform(0, height_mm)), size)
    if rng.random() < 0.3:
        _letter(rng, page, width_mm, height_mm)
    parts.logo(rng, page, 5, 4, 7)
    em = float(rng.uniform(3, 4.6))
    page.canvas.text((14, 5), words.sentence(rng, 2) + choose(rng, words.BANKS), page.title, em, page.ink)
    if rng.random() < 0.6:
        page.canvas.text((5, 12.5), choose(rng, _SORTS), page.chinese, float(rng.uniform(2, 3)), page.ink)
    if rng.random() < 0.4:
        at = width_mm - 24, float(rng.uniform(11, 20))
        page.canvas.text(at, choose(rng, _TAPS), page.title, float(rng.uniform(3, 5)), page.ink)
    if upright:
        parts.chip(rng, page, float(rng.uniform(6, 36)), float(rng.choice([16.0, 62.0])))
        _numbers(rng, page, 5.0, float(rng.uniform(36, 46)), 3.2)
    else:
        parts.chip(rng, page, 9 + float(rng.uniform(-2, 2)), float(rng.uniform(17, 22)))
        _numbers(rng, page, 8.0, 31.0, 4.8)
    if rng.random() < 0.6:
        _scheme_mark(rng, page, width_mm - 21, height_mm - 16)
    else:
        parts.logo(rng, page, width_mm - 20, height_mm - 16, 14)
    return finish(page)


def _ground(rng: np.random.Generator, height: int, width: int, *, dark: bool) -> NDArray[np.uint8]:
    """Waves, patches, or a fine chequered pattern, dark or light."""
    low, high = (0, 170) if dark else (120, 250)
    style = rng.random()
    if style < 0.55:
        return parts.patterned(rng, height, width, low, high)
    if style < 0.85:
        return parts.coloured(rng, height, width, low, high)
    first, second = parts.colour(rng, low, high), parts.colour(rng, low, high)
    cells = int(rng.integers(8, 24))
    rows, columns = np.indices((cells, round(cells * width / height)))
    checks = np.where(((rows + columns) % 2)[..., None] > 0, first, second).astype(np.uint8)
    return np.asarray(cv2.resize(checks, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def _letter(rng: np.random.Generator, page: Sheet, width_mm: float, height_mm: float) -> None:
    """One letter as high as the card or nearly."""
    em = float(rng.uniform(0.4, 0.95)) * min(width_mm, height_mm)
    at = float(rng.uniform(0, width_mm - em * 0.6)), float(rng.uniform(0, height_mm - em))
    page.canvas.text(at, choose(rng, "eEGQXVaS&8"), page.latin, em, parts.colour(rng, 0, 256))


def _numbers(rng: np.random.Generator, page: Sheet, x: float, y: float, em: float) -> None:
    """The card's number, validity and holder; new cards have them on the back alone."""
    if rng.random() < 0.15:
        return
    number = " ".join(words.digits(rng, 4) for _ in range(4))
    number += words.digits(rng, 3) if rng.random() < 0.5 else ""
    page.canvas.text((x, y), number, page.latin, em, page.ink, stretch=0.6 if em > 4 else 0.1)
    month, year = words.digits(rng, 2), words.digits(rng, 2)
    label = choose(rng, ("VALID THRU", "VALID THRU", "MONTH/YEAR", "有效期", "GOOD THRU"))
    page.canvas.text((x + 20, y + 7.5), f"{label}  {month}/{year}", page.chinese, em / 2, page.ink)
    if rng.random() < 0.6:
        page.canvas.text((x, y + 14), words.latin_name(rng), page.latin, em * 0.66, page.ink)


def _scheme_mark(rng: np.random.Generator, page: Sheet, x: float, y: float) -> None:
    """A scheme's mark: slanted stripes side by side on a plate, or two discs."""
    scale, pen = page.canvas.scale, page.canvas.draw
    if rng.random() < 0.3:
        for shift in (0.0, 6.5):
            box = [part * scale for part in (x + shift, y, x + shift + 10, y + 10)]
            pen.ellipse(box, fill=parts.colour(rng, 40, 250))
        return
    if rng.random() < 0.5:
        plate = [part * scale for part in (x - 1, y - 1, x + 18, y + 12)]
        pen.rounded_rectangle(plate, radius=1.5 * scale, fill=(245, 245, 245))
    bands = ((215, 30, 40), (20, 70, 130), (10, 120, 120))
    for index, band in enumerate(bands):
        left = x + 5.2 * index
        points = ((left + 2, y), (left + 8, y), (left + 6, y + 11), (left, y + 11))
        pen.polygon([(px * scale, py * scale) for px, py in points], fill=band)
    page.canvas.text((x + 1.5, y + 2), "UnionPay", page.latin, 2.6, (250, 250, 250))
    page.canvas.text((x + 4, y + 6), "银联", page.chinese, 3.4, (250, 250, 250))


def bank_card_back(rng: np.random.Generator, width_px: int) -> Drawing:
    """A bank card's other side: magnetic stripe, signature field, small print."""
    paper = parts.patterned(rng, card_height(width_px), width_px, float(rng.uniform(20, 150)), 250)
    page = parts.sheet(rng, paper, CARD_WIDTH_MM, light_ink=bool(rng.random() < 0.4))
    stripe = float(rng.uniform(3, 7))
    parts.rectangle(page, (0, stripe, CARD_WIDTH_MM, float(rng.uniform(9, 13))), (28, 26, 28))
    parts.rectangle(page, (4, stripe + 16, 55, 8), (238, 236, 230))
    page.canvas.text((48, stripe + 18), words.digits(rng, 7), page.latin, 3.2, (40, 40, 60))
    page.canvas.text((6, stripe + 13), "授权签名 AUTHORIZED SIGNATURE", page.chinese, 1.7, page.ink)
    parts.lines(rng, page, (5, stripe + 27, 76, 14), 1.6, chinese=0.8)
    parts.logo(rng, page, 66, stripe + 15, 11)
    return finish(page)
