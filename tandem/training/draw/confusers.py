"""Flat things that are no resident identity cards: what the detector must pass over.

Many look like one on purpose: pale blue and pink paper, a photograph, the same labels, an 18-digit number.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tandem.training.draw import confuser_bank as bank
from tandem.training.draw import confuser_cards as cards
from tandem.training.draw import confuser_pages as pages
from tandem.training.draw import confuser_papers as papers
from tandem.training.draw import confuser_passes as passes
from tandem.training.errors import StyleError

Drawing = tuple[NDArray[np.uint8], NDArray[np.uint8]]
Drawer = Callable[[np.random.Generator, int], Drawing]

SMALLEST_WIDTH_PX = 64

# Name → (how to draw it, its weight). Cards that look like identity cards weigh most: they get confused.
KINDS: dict[str, tuple[Drawer, float]] = {
    "foreigner_card": (cards.foreigner_card, 2.5),
    "travel_permit": (cards.travel_permit, 2.0),
    "identity_like": (cards.identity_like_card, 2.5),
    "identity_like_back": (cards.identity_like_back, 1.5),
    "driving_licence": (cards.driving_licence, 1.5),
    "vehicle_licence": (cards.vehicle_licence, 0.8),
    "social_card": (cards.social_card, 1.2),
    "bank_card": (bank.bank_card, 2.0),
    "work_card": (passes.work_card, 1.5),
    "business_card": (passes.business_card, 1.0),
    "passport": (pages.passport, 1.0),
    "train_ticket": (papers.train_ticket, 1.0),
    "licence": (papers.licence, 0.8),
    "register_page": (papers.register_page, 0.8),
    "photo_print": (papers.photo_print, 0.5),
    "blank_card": (papers.blank_card, 0.8),
    "text_page": (pages.text_page, 1.0),
    "receipt": (pages.receipt, 0.8),
    "screen": (pages.screen, 0.8),
    "keyboard": (pages.keyboard, 0.5),
    "picture": (pages.picture, 0.8),
}


def draw_confuser(rng: np.random.Generator, *, width_px: int, kind: str | None = None) -> Drawing:
    """A flat document that is no resident identity card.

    Args:
        rng: the only source of randomness.
        width_px: pixels, ≥ 64; the height follows from what it is.
        kind: one of `KINDS`; None: drawn by weight.

    Returns:
        (h, width_px, 3) uint8 BGR, and (h, width_px) uint8 alpha.

    Raises:
        StyleError: unknown `kind`, or `width_px` too small.
        FontsMissingError: no fonts to draw with.
    """
    if width_px < SMALLEST_WIDTH_PX:
        raise StyleError(f"a document is at least {SMALLEST_WIDTH_PX} px wide, got {width_px}")
    if kind is None:
        weights = np.array([weight for _, weight in KINDS.values()])
        kind = list(KINDS)[int(rng.choice(len(KINDS), p=weights / weights.sum()))]
    if kind not in KINDS:
        raise StyleError(f"unknown kind of document: {kind!r}; known: {', '.join(KINDS)}")
    return KINDS[kind][0](rng, width_px)
