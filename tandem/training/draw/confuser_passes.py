"""Cards of firms and schools: a student's or employee's pass, a business card."""

from __future__ import annotations

import numpy as np

from tandem.training.draw import confuser_parts as parts
from tandem.training.draw import confuser_text as words
from tandem.training.draw.confuser_cards import CARD_RATIO, CARD_WIDTH_MM, Drawing, card_height, finish
from tandem.training.draw.pools import choose


def work_card(rng: np.random.Generator, width_px: int) -> Drawing:
    """A student's or employee's card, upright or lying, photograph anywhere."""
    upright = rng.random() < 0.4
    height = round(width_px / CARD_RATIO) if upright else card_height(width_px)
    width_mm = 54.0 if upright else CARD_WIDTH_MM
    page = parts.sheet(rng, parts.patterned(rng, height, width_px, 150, 255), width_mm)
    bar = float(rng.uniform(8, 14))
    if rng.random() < 0.6:
        parts.rectangle(page, (0, 0, width_mm, bar), page.accent)
    page.canvas.text(
        (4, 3), words.company(rng), page.title, 3.6, (250, 250, 250) if rng.random() < 0.5 else page.ink
    )
    x = float(rng.uniform(14, 18)) if upright else float(choose(rng, ("5", "60")))
    parts.photograph(rng, page, x, bar + 3, 20, 26)
    at_x, y = (8.0, bar + 33) if upright else (30.0 if x < 30 else 6.0, bar + 4)
    page.canvas.text((at_x, y), choose(rng, words.WORK_TITLES), page.title, 4.5, page.accent)
    for index in range(int(rng.integers(2, 5))):
        label = choose(rng, words.WORK_LABELS)
        text = f"{label}：{words.value_for(rng, label)[:8]}"
        page.canvas.text((at_x, y + 7 + 5 * index), text, page.chinese, 2.9, page.ink)
    return finish(page, float(choose(rng, ("0", "3.18"))))


def business_card(rng: np.random.Generator, width_px: int) -> Drawing:
    """A business or member's card: logo, name, a few small lines."""
    light_ink = bool(rng.random() < 0.3)
    low, high = (0, 120) if light_ink else (215, 256)
    page = parts.sheet(
        rng, parts.patterned(rng, round(width_px * 0.6), width_px, low, high), 90.0, light_ink=light_ink
    )
    parts.logo(rng, page, float(rng.uniform(4, 70)), float(rng.uniform(3, 10)), float(rng.uniform(7, 16)))
    page.canvas.text(
        (8, float(rng.uniform(6, 16))), words.person(rng), page.title, float(rng.uniform(4, 7)), page.ink
    )
    page.canvas.text((8, 20), words.company(rng), page.chinese, 3.2, page.accent)
    parts.lines(rng, page, (8, 30, float(rng.uniform(30, 70)), 20), float(rng.uniform(1.8, 2.6)), chinese=0.5)
    if rng.random() < 0.3:
        parts.matrix_code(rng, page, 68, 32, 16)
    return finish(page, 0.0)
