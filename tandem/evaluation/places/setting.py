"""What the photographs of every place share: sizes, sides, the table, the card on it, and its truth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
from numpy.typing import NDArray

from tandem.evaluation.card.draw import DrawnCard, Side
from tandem.evaluation.expected import expected_checks
from tandem.evaluation.grounds.pool import Grounds
from tandem.evaluation.places.camera import View, place_camera, placed, quad_of
from tandem.evaluation.places.exposure import Exposure, expose, stored
from tandem.evaluation.places.sheets import PAGE_MM
from tandem.evaluation.places.table import Table
from tandem.services.id_card.card import CARD_HEIGHT_MM, CARD_WIDTH_MM
from tandem.training.scene.photographs import CardTruth

Image = NDArray[np.uint8]
Drawn = tuple[bytes, tuple[CardTruth, ...]]
Draw = Callable[[np.random.Generator, Grounds], Drawn]

# Height and width of the pictures: what phones and chat apps deliver.
_SIZES = ((1200, 1600), (1600, 1200), (1080, 1920), (1440, 1080), (1512, 2016))
_CARD_THICK_MM = 0.8
_PORTRAITS = 0.7
_TURNED = 0.25  # share of photographs with the card sideways or upside down


def a_size(rng: np.random.Generator) -> tuple[int, int]:
    """Height and width of a picture, pixels."""
    return _SIZES[int(rng.integers(len(_SIZES)))]


def a_side(rng: np.random.Generator) -> Side:
    """Which side lies up."""
    return "portrait" if rng.random() < _PORTRAITS else "emblem"


def a_spin(rng: np.random.Generator) -> tuple[float, float]:
    """The range of the turn in the picture, degrees: mostly upright, sometimes by quarters."""
    quarter = 90.0 * int(rng.integers(1, 4)) if rng.random() < _TURNED else 0.0
    return quarter - 18, quarter + 18


def truth(card: DrawnCard, quad: NDArray[np.float32]) -> CardTruth:
    """The truth of a card whose corners are seen at (4, 2) float32 pixels."""
    checks = expected_checks(card.side, card.fields, None, date.today())
    return CardTruth(quad=quad, side=card.side, fields=card.fields, checks=checks)


def a_table(rng: np.random.Generator, grounds: Grounds, view: View) -> Table:
    """A table seen as asked, covered with a photograph."""
    table = Table(place_camera(rng, view, CARD_WIDTH_MM, CARD_HEIGHT_MM), rng)
    table.cover(grounds.photograph(rng), rng.uniform(250, 600))
    return table


def lay_card(table: Table, card: DrawnCard, place: NDArray[np.float64] | None = None) -> CardTruth:
    """The card, laid down; its truth."""
    table.lay(card.image, CARD_WIDTH_MM, place, alpha=card.alpha, thick_mm=_CARD_THICK_MM)
    return truth(card, quad_of(table.camera, CARD_WIDTH_MM, CARD_HEIGHT_MM, place))


def lay_pages(table: Table, rng: np.random.Generator, grounds: Grounds, count: int) -> None:
    """Pages of documents below the card, at any angle."""
    for _ in range(count):
        turn = rng.choice([0, 90, 180, 270]) + rng.normal(0, 12)
        place = placed(rng.normal(0, 45), rng.normal(0, 60), float(turn))
        table.lay(grounds.page(rng), PAGE_MM[0], place, thick_mm=float(rng.uniform(0.1, 0.6)))


def take(
    table: Table, rng: np.random.Generator, cards: list[CardTruth], exposure: Exposure | None = None
) -> Drawn:
    """The photograph."""
    exposure = exposure or Exposure()
    return stored(expose(table.scene, rng, exposure), rng, exposure), tuple(cards)
