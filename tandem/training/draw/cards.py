"""One flat resident identity card of a pool: text, style, side, and sometimes a fault or a stamp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np

from tandem.services.id_card.card import RECTIFIED_WIDTH
from tandem.training.draw.faces import Face, Side, draw_emblem_face, draw_portrait_face
from tandem.training.draw.people import EmblemFault, PortraitFault, draw_emblem_text, draw_portrait_text
from tandem.training.draw.pools import RARE_SHARE, Pool
from tandem.training.draw.stamps import stamp
from tandem.training.draw.styles import Style, draw_style
from tandem.training.errors import StyleError


@dataclass(frozen=True, kw_only=True)
class Card:
    """A drawn card.

    Attributes:
        face: its picture, fields, boxes and rows.
        covered: keys of the fields that a stamp covers in part.
        fault: how its text contradicts itself; None: it does not.
    """

    face: Face
    covered: frozenset[str]
    fault: PortraitFault | EmblemFault | None


def draw_card(
    rng: np.random.Generator,
    pool: Pool,
    *,
    side: Side | None = None,
    width_px: int = RECTIFIED_WIDTH,
    stamp_share: float = 0.15,
    fault_share: float = 0.0,
    style: Style | None = None,
    rare_share: float = RARE_SHARE,
) -> Card:
    """A card.

    Args:
        rng: the only source of randomness.
        pool: "test" takes names, places and fonts that "train" never takes.
        side: None: one of the two, evenly.
        width_px: pixels, ≥ 64; the height follows.
        stamp_share: how many cards carry a stamp or a note, 0–1; twice as many of the grey copies.
        fault_share: how many cards contradict themselves, 0–1.
        style: None: one of the pool.
        rare_share: see `draw_portrait_text`.

    Raises:
        StyleError: a share outside 0–1, or `width_px` too small.
        FontsMissingError: no fonts to draw with.
    """
    if not (0 <= stamp_share <= 1 and 0 <= fault_share <= 1):
        raise StyleError(f"shares lie between 0 and 1, got {stamp_share} and {fault_share}")
    style = style or draw_style(rng, pool)
    side = side or ("portrait" if rng.random() < 0.5 else "emblem")
    faulty = bool(rng.random() < fault_share)
    fault: PortraitFault | EmblemFault | None
    if side == "portrait":
        fault = get_args(PortraitFault)[int(rng.integers(len(get_args(PortraitFault))))] if faulty else None
        text = draw_portrait_text(rng, pool, corrupt=fault, rare_share=rare_share)
        face = draw_portrait_face(text, rng, style=style, width_px=width_px)
    else:
        fault = get_args(EmblemFault)[int(rng.integers(len(get_args(EmblemFault))))] if faulty else None
        face = draw_emblem_face(
            draw_emblem_text(rng, pool, corrupt=fault), rng, style=style, width_px=width_px
        )
    covered: frozenset[str] = frozenset()
    if rng.random() < stamp_share * (2 if style.grey else 1):
        face, covered = stamp(face, rng)
    return Card(face=face, covered=covered, fault=fault)
