"""The subsets of photographs on real grounds, by name: each function draws one photograph and its truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.evaluation.card.draw import HEIGHT_MM, WIDTH_MM, DrawnCard, Side, draw_card
from tandem.evaluation.grounds.pool import Grounds
from tandem.evaluation.places.camera import View, place_camera, placed, quad_of
from tandem.evaluation.places.exposure import Exposure, expose, stored
from tandem.evaluation.places.sheets import PAGE_MM, draw_copy, draw_form, draw_sleeve
from tandem.evaluation.places.table import Table
from tandem.training.scene.photographs import CardTruth

Drawn = tuple[bytes, tuple[CardTruth, ...]]
Draw = Callable[[np.random.Generator, Grounds], Drawn]

# Height and width of the pictures: what phones and chat apps deliver.
_SIZES = ((1200, 1600), (1600, 1200), (1080, 1920), (1440, 1080), (1512, 2016))
_CARD_THICK_MM = 0.8
_PORTRAITS = 0.7
_TURNED = 0.25  # share of photographs with the card sideways or upside down


def _size(rng: np.random.Generator) -> tuple[int, int]:
    return _SIZES[int(rng.integers(len(_SIZES)))]


def _side(rng: np.random.Generator) -> Side:
    return "portrait" if rng.random() < _PORTRAITS else "emblem"


def _spin(rng: np.random.Generator) -> tuple[float, float]:
    quarter = 90.0 * int(rng.integers(1, 4)) if rng.random() < _TURNED else 0.0
    return quarter - 18, quarter + 18


def truth(card: DrawnCard, quad: NDArray[np.float32]) -> CardTruth:
    """The truth of a card whose corners are seen at (4, 2) float32 pixels."""
    if card.side == "portrait":
        checks = {"number_checksum": True, "birth_matches_number": True, "sex_matches_number": True}
        return CardTruth(quad=quad, side=card.side, fields=card.fields, checks=checks)
    end = card.fields["有效期限"].partition("-")[2]
    over = end[0].isdigit() and date(*(int(part) for part in end.split("."))) < date.today()
    return CardTruth(
        quad=quad, side=card.side, fields=card.fields, checks={"validity_span": True, "expired": over}
    )


def _table(rng: np.random.Generator, grounds: Grounds, view: View) -> Table:
    """A table seen as asked, covered with a photograph."""
    table = Table(place_camera(rng, view, WIDTH_MM, HEIGHT_MM), rng)
    table.cover(grounds.photograph(rng), rng.uniform(250, 600))
    return table


def _lay_card(table: Table, card: DrawnCard, place: NDArray[np.float64] | None = None) -> CardTruth:
    table.lay(card.image, WIDTH_MM, place, alpha=card.alpha, thick_mm=_CARD_THICK_MM)
    return truth(card, quad_of(table.camera, WIDTH_MM, HEIGHT_MM, place))


def _lay_pages(table: Table, rng: np.random.Generator, grounds: Grounds, count: int) -> None:
    """Pages of documents below the card, at any angle."""
    for _ in range(count):
        turn = rng.choice([0, 90, 180, 270]) + rng.normal(0, 12)
        place = placed(rng.normal(0, 45), rng.normal(0, 60), float(turn))
        table.lay(grounds.page(rng), PAGE_MM[0], place, thick_mm=float(rng.uniform(0.1, 0.6)))


def _take(
    table: Table, rng: np.random.Generator, cards: list[CardTruth], exposure: Exposure | None = None
) -> Drawn:
    exposure = exposure or Exposure()
    return stored(expose(table.scene, rng, exposure), rng, exposure), tuple(cards)


def paper(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """On printed pages."""
    table = _table(rng, grounds, View(size=_size(rng), spin_deg=_spin(rng)))
    _lay_pages(table, rng, grounds, int(rng.integers(1, 4)))
    return _take(table, rng, [_lay_card(table, draw_card(rng, grounds, _side(rng)))])


def form(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """On a form with ruled cells, nearly parallel to them."""
    table = _table(rng, grounds, View(size=_size(rng), spin_deg=_spin(rng)))
    turn = float(rng.choice([0, 0, 0, 90, 180])) + float(rng.normal(0, 3))
    table.lay(draw_form(rng), PAGE_MM[0], placed(rng.normal(0, 30), rng.normal(0, 60), turn), thick_mm=0.2)
    return _take(table, rng, [_lay_card(table, draw_card(rng, grounds, _side(rng)))])


def sleeve(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """In a clear plastic sleeve, on a photograph or on pages."""
    table = _table(rng, grounds, View(size=_size(rng), spin_deg=_spin(rng), card=(0.5, 0.8)))
    _lay_pages(table, rng, grounds, int(rng.integers(0, 3)))
    card = _lay_card(table, draw_card(rng, grounds, _side(rng)))
    picture, alpha, width_mm = draw_sleeve(rng)
    place = placed(rng.uniform(-1.5, 1.5), rng.uniform(-1.5, 1.5), float(rng.normal(0, 0.8)))
    table.lay(picture, width_mm, place, alpha=alpha)
    return _take(table, rng, [card])


def small(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """300 to 450 px wide in a large photograph."""
    size = ((1500, 2000), (1440, 2560), (1920, 1440), (1512, 2016))[int(rng.integers(4))]
    card = (300 / min(size), 450 / min(size))
    table = _table(rng, grounds, View(size=size, card=card, spin_deg=_spin(rng), margin=0.3))
    if rng.random() < 0.6:
        _lay_pages(table, rng, grounds, int(rng.integers(1, 4)))
    exposure = Exposure(blur_px=(0.3, 0.5), noise=(0.5, 3.0), jpeg=(88, 95))
    return _take(table, rng, [_lay_card(table, draw_card(rng, grounds, _side(rng)))], exposure)


def copy(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """A photocopy of one or both sides, scanned flat or photographed where it lies."""
    sides: list[Side] = ["portrait", "emblem"] if rng.random() < 0.5 else [_side(rng)]
    cards = [draw_card(rng, grounds, side) for side in sides]
    sheet, places = draw_copy(rng, cards)
    if rng.random() < 0.5:
        scale = rng.uniform(0.7, 1.2)
        sheet = np.asarray(
            cv2.resize(sheet, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
        px = sheet.shape[1] / PAGE_MM[0]
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (WIDTH_MM / 2, HEIGHT_MM / 2)
        quads = []
        for x, y, turn in places:
            at = placed(x + PAGE_MM[0] / 2, y + PAGE_MM[1] / 2, turn)
            quads.append((corners @ at[:2, :2].T + at[:2, 2]) * px)
        truths = [truth(card, quad.astype(np.float32)) for card, quad in zip(cards, quads, strict=True)]
        return stored(sheet, rng, Exposure(jpeg=(75, 95))), tuple(truths)
    view = View(size=_size(rng), card=(0.85, 1.0), tilt_deg=(0, 15), spin_deg=_spin(rng), margin=0.0)
    table = Table(place_camera(rng, view, 200, 260), rng)
    table.cover(grounds.photograph(rng), rng.uniform(300, 600))
    table.lay(sheet, PAGE_MM[0], thick_mm=0.2)
    quads = [quad_of(table.camera, WIDTH_MM, HEIGHT_MM, placed(*place)) for place in places]
    return _take(table, rng, [truth(card, quad) for card, quad in zip(cards, quads, strict=True)])


def cropped(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """Cut off by the picture's edge, beside the text."""
    table = _table(rng, grounds, View(size=_size(rng), spin_deg=(-3, 3), tilt_deg=(0, 8), card=(0.7, 0.95)))
    if rng.random() < 0.5:
        _lay_pages(table, rng, grounds, 1)
    card = _lay_card(table, draw_card(rng, grounds, _side(rng)))
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


# A photograph is drawn from its subset's name, so new ones change no others.
REAL_SUBSETS: dict[str, Draw] = {
    "paper": paper,
    "form": form,
    "sleeve": sleeve,
    "small": small,
    "copy": copy,
    "cropped": cropped,
}
