"""A card lying on something: pages, forms, a desk, in a sleeve; small, large, cut off, or as a photocopy."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from tandem.evaluation.card.draw import Side, draw_card
from tandem.evaluation.grounds.pool import Grounds
from tandem.evaluation.places.camera import View, place_camera, placed, quad_of
from tandem.evaluation.places.exposure import Exposure, expose, stored
from tandem.evaluation.places.setting import (
    Drawn,
    a_side,
    a_size,
    a_spin,
    a_table,
    lay_card,
    lay_pages,
    take,
    truth,
)
from tandem.evaluation.places.sheets import PAGE_MM, draw_copy, draw_form, draw_sleeve
from tandem.evaluation.places.table import Table
from tandem.services.id_card.card import CARD_HEIGHT_MM, CARD_WIDTH_MM

#: A page so wide is a poster or the print of a children's book.
_LARGE_PRINT_MM = (350, 900)


def desk(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """On a real photograph: a desk, cloth, grass; three in ten with the other side beside it."""
    return on_photograph(rng, grounds, ["portrait", "emblem"] if rng.random() < 0.3 else [a_side(rng)])


def on_photograph(rng: np.random.Generator, grounds: Grounds, sides: list[Side]) -> Drawn:
    """Cards on a real photograph, one below the other."""
    tall = CARD_HEIGHT_MM * len(sides) * 1.15
    view = View(size=a_size(rng), spin_deg=a_spin(rng), card=(0.5, 0.8) if len(sides) == 1 else (0.45, 0.6))
    table = Table(place_camera(rng, view, CARD_WIDTH_MM, tall), rng)
    table.cover(grounds.photograph(rng), rng.uniform(250, 600))
    truths = []
    for index, side in enumerate(sides):
        apart = (index - (len(sides) - 1) / 2) * CARD_HEIGHT_MM * rng.uniform(1.12, 1.2)
        turn = float(rng.normal(0, 3)) if len(sides) > 1 else 0.0
        place = placed(float(rng.normal(0, 2)) * (len(sides) - 1), float(apart), turn)
        truths.append(lay_card(table, draw_card(rng, grounds, side), place))
    return take(table, rng, truths)


def paper(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """On printed pages."""
    table = a_table(rng, grounds, View(size=a_size(rng), spin_deg=a_spin(rng)))
    lay_pages(table, rng, grounds, int(rng.integers(1, 4)))
    return take(table, rng, [lay_card(table, draw_card(rng, grounds, a_side(rng)))])


def form(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """On a form with ruled cells, nearly parallel to them."""
    table = a_table(rng, grounds, View(size=a_size(rng), spin_deg=a_spin(rng)))
    turn = float(rng.choice([0, 0, 0, 90, 180])) + float(rng.normal(0, 3))
    table.lay(draw_form(rng), PAGE_MM[0], placed(rng.normal(0, 30), rng.normal(0, 60), turn), thick_mm=0.2)
    return take(table, rng, [lay_card(table, draw_card(rng, grounds, a_side(rng)))])


def sleeve(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """In a clear plastic sleeve, on a photograph or on pages."""
    table = a_table(rng, grounds, View(size=a_size(rng), spin_deg=a_spin(rng), card=(0.5, 0.8)))
    lay_pages(table, rng, grounds, int(rng.integers(0, 3)))
    card = lay_card(table, draw_card(rng, grounds, a_side(rng)))
    picture, alpha, width_mm = draw_sleeve(rng)
    place = placed(rng.uniform(-1.5, 1.5), rng.uniform(-1.5, 1.5), float(rng.normal(0, 0.8)))
    table.lay(picture, width_mm, place, alpha=alpha)
    return take(table, rng, [card])


def small(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """300 to 450 px wide in a large photograph; on some, the ground's print is as large as the card's."""
    size = ((1500, 2000), (1440, 2560), (1920, 1440), (1512, 2016))[int(rng.integers(4))]
    card = (300 / min(size), 450 / min(size))
    table = a_table(rng, grounds, View(size=size, card=card, spin_deg=a_spin(rng), margin=0.3))
    ground = rng.random()
    if ground < 0.3:
        table.cover(grounds.page(rng), rng.uniform(*_LARGE_PRINT_MM))
    elif ground < 0.75:
        lay_pages(table, rng, grounds, int(rng.integers(1, 4)))
    exposure = Exposure(blur_px=(0.3, 0.5), noise=(0.5, 3.0), jpeg=(88, 95))
    return take(table, rng, [lay_card(table, draw_card(rng, grounds, a_side(rng)))], exposure)


def large(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """A photograph of 12 megapixels, the card anywhere on a page or a photograph."""
    size = (3024, 4032) if rng.random() < 0.5 else (4032, 3024)
    table = a_table(rng, grounds, View(size=size, card=(0.25, 0.7), spin_deg=a_spin(rng), margin=0.1))
    if rng.random() < 0.5:
        lay_pages(table, rng, grounds, 1)
    card = lay_card(table, draw_card(rng, grounds, a_side(rng)))
    return take(table, rng, [card], Exposure(blur_px=(0.35, 0.6), jpeg=(85, 93)))


def copy(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """A photocopy of one or both sides, scanned flat or photographed where it lies."""
    sides: list[Side] = ["portrait", "emblem"] if rng.random() < 0.5 else [a_side(rng)]
    cards = [draw_card(rng, grounds, side) for side in sides]
    sheet, places = draw_copy(rng, cards)
    if rng.random() < 0.5:
        scale = rng.uniform(0.7, 1.2)
        sheet = np.asarray(
            cv2.resize(sheet, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
        px = sheet.shape[1] / PAGE_MM[0]
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (CARD_WIDTH_MM / 2, CARD_HEIGHT_MM / 2)
        quads = []
        for x, y, turn in places:
            at = placed(x + PAGE_MM[0] / 2, y + PAGE_MM[1] / 2, turn)
            quads.append((corners @ at[:2, :2].T + at[:2, 2]) * px)
        truths = [truth(card, quad.astype(np.float32)) for card, quad in zip(cards, quads, strict=True)]
        return stored(sheet, rng, Exposure(jpeg=(75, 95))), tuple(truths)
    view = View(size=a_size(rng), card=(0.85, 1.0), tilt_deg=(0, 15), spin_deg=a_spin(rng), margin=0.0)
    table = Table(place_camera(rng, view, 200, 260), rng)
    table.cover(grounds.photograph(rng), rng.uniform(300, 600))
    table.lay(sheet, PAGE_MM[0], thick_mm=0.2)
    quads = [quad_of(table.camera, CARD_WIDTH_MM, CARD_HEIGHT_MM, placed(*place)) for place in places]
    return take(table, rng, [truth(card, quad) for card, quad in zip(cards, quads, strict=True)])


def cropped(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """Cut off by the picture's edge, beside the text."""
    table = a_table(rng, grounds, View(size=a_size(rng), spin_deg=(-3, 3), tilt_deg=(0, 8), card=(0.7, 0.95)))
    if rng.random() < 0.5:
        lay_pages(table, rng, grounds, 1)
    card = lay_card(table, draw_card(rng, grounds, a_side(rng)))
    exposure = Exposure()
    image = expose(table.scene, rng, exposure)
    # Text begins 6.9 mm from the left, 8 from the top, 5 from the bottom and ends 8 from the right.
    px = table.px_per_mm
    low, high = card.quad.max(axis=0), card.quad.min(axis=0)
    cut = rng.uniform(0.5, (4.5, 5.0, 4.5, 3.0)) * px  # left, top, right, bottom
    chosen = rng.random(4) < 0.4
    chosen[int(rng.integers(4))] = True
    left = max(0, round(float(high[0] + cut[0]))) if chosen[0] else 0
    top = max(0, round(float(high[1] + cut[1]))) if chosen[1] else 0
    right = round(float(low[0] - cut[2])) if chosen[2] else image.shape[1]
    bottom = round(float(low[1] - cut[3])) if chosen[3] else image.shape[0]
    image = np.ascontiguousarray(image[top:bottom, left:right])
    shifted = replace(card, quad=card.quad - np.array([left, top], np.float32))
    return stored(image, rng, exposure), (shifted,)
