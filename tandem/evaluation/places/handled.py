"""A card that somebody holds or that is bent: fingers over its edge, a curve instead of a plane."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.evaluation.card.draw import DrawnCard, draw_card
from tandem.evaluation.grounds.pool import Grounds
from tandem.evaluation.places.camera import View, place_camera, placed
from tandem.evaluation.places.setting import (
    Drawn,
    Image,
    a_side,
    a_size,
    a_spin,
    a_table,
    lay_card,
    lay_pages,
    take,
    truth,
)
from tandem.evaluation.places.table import Table, paste, shrunk
from tandem.services.id_card.card import CARD_HEIGHT_MM, CARD_WIDTH_MM
from tandem.training.scene.photographs import CardTruth

_STRIPS = 40  # flat pieces that a bent card is made of: each bends by less than a degree
_FINGER_PX_PER_MM = 10.0
_FINGER_MM = (150.0, 19.0)  # length and width of a thumb's picture
# How far a thumb may reach in over each edge without hiding text, mm: left, right, bottom.
_FREE_MM = (5.5, 6.0, 3.0)


def bent(points: NDArray[np.float64], radius_mm: float, turn_deg: float) -> NDArray[np.float64]:
    """Where points (N, 2) of a flat card come to lie, (N, 3) mm, when it is rolled onto a cylinder.

    Args:
        points: mm from the card's middle.
        radius_mm: of the cylinder; negative: the middle stands up instead of the ends.
        turn_deg: of the cylinder's axis against the card's short side.
    """
    turn = np.radians(turn_deg)
    along = np.array([np.cos(turn), np.sin(turn)])
    across = np.array([-np.sin(turn), np.cos(turn)])
    arc = points @ along / radius_mm
    flat = (radius_mm * np.sin(arc))[:, None] * along + (points @ across)[:, None] * across
    rise = radius_mm * (1 - np.cos(arc))
    return np.column_stack([flat, rise - min(0.0, float(rise.min()))])


def lay_bent(table: Table, card: DrawnCard, radius_mm: float, turn_deg: float) -> CardTruth:
    """Lays a bent card at the origin, as flat strips that share their edges; its truth."""
    outline = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (CARD_WIDTH_MM / 2, CARD_HEIGHT_MM / 2)
    highest = float(bent(outline, radius_mm, turn_deg)[:, 2].max())
    dark, faint = np.zeros_like(card.image), np.asarray(card.alpha * 0.35, np.uint8)
    table.lay(dark, CARD_WIDTH_MM, alpha=faint, thick_mm=highest / 2)
    factor = table.px_per_mm * CARD_WIDTH_MM / card.image.shape[1]
    image, alpha = shrunk(card.image, factor), shrunk(card.alpha, factor)
    height, width = image.shape[:2]
    mm = CARD_WIDTH_MM / width
    edges = np.linspace(0, width, _STRIPS + 1).round().astype(int).tolist()
    for begin, end in itertools.pairwise(edges):
        # Strips overlap: at its own edge each is half transparent, and no gap may be left.
        first, last = max(begin - 3, 0), min(end + 3, width)
        corners = np.array([[first, 0], [last, 0], [last, height], [first, height]], np.float64)
        solid = bent((corners - (width / 2, height / 2)) * mm, radius_mm, turn_deg)
        shade = 1 + 0.35 * np.sin(((begin + end) / 2 - width / 2) * mm / radius_mm)
        strip = np.asarray(np.clip(image[:, first:last] * shade, 0, 255), np.uint8)
        _paste(table, strip, alpha[:, first:last], table.camera.project(solid).astype(np.float32))
    seen = table.camera.project(bent(outline, radius_mm, turn_deg)).astype(np.float32)
    return truth(card, seen)


def _paste(table: Table, picture: Image, alpha: Image, quad: NDArray[np.float32]) -> None:
    """Warps a picture onto a quad of the scene."""
    height, width = picture.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - np.float32(0.5)
    matrix = np.asarray(cv2.getPerspectiveTransform(corners, quad), np.float64)
    paste(table.scene, picture, alpha, matrix, quad.astype(np.float64))


def draw_finger(rng: np.random.Generator) -> tuple[Image, Image]:
    """A thumb that points to the left, with its nail: (h, w, 3) uint8 BGR and (h, w) uint8."""
    long, wide = (round(side * _FINGER_PX_PER_MM) for side in _FINGER_MM)
    x = np.linspace(0, long / (80 * _FINGER_PX_PER_MM), long, dtype=np.float32)[None, :]  # in 80 mm
    y = np.linspace(-1, 1, wide, dtype=np.float32)[:, None]
    # Half the width along the finger: a round tip, a waist at the joint, wider to the hand.
    tip = np.sqrt(np.clip(1 - np.clip(1 - x / 0.11, 0, 1) ** 2, 0, 1))
    half = tip * np.minimum(0.72 + 0.08 * np.cos(x * 9) + 0.2 * x**2, 0.98)
    inside = np.clip((half - np.abs(y)) * wide / 4, 0, 1)
    skin = np.array([150, 178, 222], np.float32) * rng.uniform(0.72, 1.05) + rng.normal(0, 8, 3).astype(
        np.float32
    )
    round_off = 1 - 0.45 * np.clip(np.abs(y) / np.maximum(half, 0.05), 0, 1) ** 2.5
    lines = 1 - 0.08 * np.exp(-(((x - 0.36) / 0.012) ** 2)) - 0.06 * np.exp(-(((x - 0.4) / 0.01) ** 2))
    picture = skin * (round_off * lines)[:, :, None]
    mottle = cv2.GaussianBlur(rng.normal(0, 1, (wide, long)).astype(np.float32), (0, 0), 12)
    picture += 60 * mottle[:, :, None]
    nail = np.clip((1 - ((x - 0.115) / 0.09) ** 2 - (y / 0.46) ** 2) * 8, 0, 1)
    glint = np.exp(-(((x - 0.11) / 0.03) ** 2) - (((y + 0.15) / 0.12) ** 2))
    colour = skin * np.array([1.04, 0.96, 1.03], np.float32) + 14
    picture += nail[:, :, None] * (colour + 40 * glint[:, :, None] - picture)
    rim = np.clip(nail * (1 - nail) * 4, 0, 1)
    picture *= (1 - 0.18 * rim)[:, :, None]
    return picture.clip(0, 255).astype(np.uint8), (inside * 255).astype(np.uint8)


def _lay_thumb(table: Table, rng: np.random.Generator, edge: int) -> None:
    """A thumb over an edge: 0 left, 1 right, 2 bottom; its tip stays beside the text."""
    reach = rng.uniform(0.35, 1.0) * _FREE_MM[edge]
    angle = (180.0, 0.0, 90.0)[edge] + float(rng.normal(0, 14))  # from the tip to the hand
    outward = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    if edge == 2:
        tip = np.array([rng.uniform(-0.42, 0.42) * CARD_WIDTH_MM, CARD_HEIGHT_MM / 2 - reach])
    else:
        tip = np.array(
            [(1 if edge else -1) * (CARD_WIDTH_MM / 2 - reach), rng.uniform(-0.3, 0.35) * CARD_HEIGHT_MM]
        )
    middle = tip + outward * _FINGER_MM[0] / 2
    picture, alpha = draw_finger(rng)
    table.lay(picture, _FINGER_MM[0], placed(middle[0], middle[1], angle), alpha=alpha, thick_mm=2.0)


def hands(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """Held before something far away, thumbs over the edges beside the text."""
    view = View(size=a_size(rng), spin_deg=(-15, 15), tilt_deg=(0, 25), card=(0.45, 0.75), margin=0.08)
    table = a_table(rng, grounds, view)
    blur = rng.uniform(3, 9) * max(view.size) / 1600
    table.scene[:] = cv2.GaussianBlur(table.scene, (0, 0), blur)
    card = lay_card(table, draw_card(rng, grounds, a_side(rng)))
    for edge in rng.permutation(3)[: int(rng.integers(1, 3))]:
        _lay_thumb(table, rng, int(edge))
    return take(table, rng, [card])


def curved(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """Bent, lying on pages or a photograph."""
    view = View(size=a_size(rng), spin_deg=a_spin(rng), tilt_deg=(0, 35), card=(0.5, 0.8), margin=0.06)
    table = Table(place_camera(rng, view, CARD_WIDTH_MM, CARD_HEIGHT_MM), rng)
    table.cover(grounds.photograph(rng), rng.uniform(250, 600))
    lay_pages(table, rng, grounds, int(rng.integers(0, 2)))
    radius = rng.uniform(80, 320) * rng.choice([-1, 1])
    # Cards bend over their long side, as pockets bend them; few are rolled the other way.
    turn = rng.normal(0, 8) if rng.random() < 0.8 else 90 + rng.normal(0, 8)
    return take(
        table, rng, [lay_bent(table, draw_card(rng, grounds, a_side(rng)), float(radius), float(turn))]
    )
