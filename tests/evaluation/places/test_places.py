"""Photographs on real grounds: the truth lies where the card is seen, and one seed gives one picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.evaluation.card.draw import DrawnCard
from tandem.evaluation.grounds.pool import Grounds
from tandem.evaluation.photo_sets import draw_photos
from tandem.evaluation.places.camera import View, place_camera, placed, quad_of
from tandem.evaluation.places.handled import bent, lay_bent
from tandem.evaluation.places.subsets import REAL_SUBSETS
from tandem.evaluation.places.table import Table
from tandem.services.id_card.card import CARD_HEIGHT_MM, CARD_WIDTH_MM
from tandem.training.draw import fonts
from tandem.training.draw.fonts import FontFace
from tandem.training.draw.people import draw_emblem_text

VIEW = View(size=(600, 800))
# A card's quarters, clockwise from its own top left, BGR.
QUARTERS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 255, 255))


class DrawnGrounds(Grounds):
    """Grounds without packages: noise for photographs, stripes for pages, the fallback for every font."""

    def __init__(self) -> None:
        self.photographs, self.pages = [], []

    def photograph(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        return np.asarray(cv2.resize(rng.integers(0, 255, (20, 30, 3), np.uint8), (900, 600)), np.uint8)

    def page(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        page = np.full((1200, 850, 3), 250, np.uint8)
        page[:: int(rng.integers(20, 40))] = 30
        return page

    def font(self, name: str) -> FontFace:
        return fonts.fallback()


def quartered() -> DrawnCard:
    """A card without print: each quarter in a colour of its own."""
    image = np.zeros((540, 856, 3), np.uint8)
    image[:270, :428], image[:270, 428:], image[270:, 428:], image[270:, :428] = QUARTERS
    text = draw_emblem_text(np.random.default_rng(1), "test")
    alpha = np.full(image.shape[:2], 255, np.uint8)
    return DrawnCard(image=image, alpha=alpha, side="emblem", fields=text.fields(), text=text)


def quarters_seen(scene: NDArray[np.float32], quad: NDArray[np.float32]) -> list[tuple[int, ...]]:
    """The colour near each corner of a quad, a seventh of the way to its middle."""
    inside = quad + (quad.mean(axis=0) - quad) / 7
    return [tuple(int(value) for value in scene[round(y), round(x)]) for x, y in inside.tolist()]


@pytest.mark.parametrize("seed", range(8))
def test_a_card_is_seen_where_its_corners_are_projected(seed: int) -> None:
    rng = np.random.default_rng(seed)
    view = View(size=(600, 800), tilt_deg=(0, 30), spin_deg=(-180, 180))
    table = Table(place_camera(rng, view, CARD_WIDTH_MM, CARD_HEIGHT_MM), rng)
    place = placed(3.0, -2.0, 25.0)
    card = quartered()
    table.lay(card.image, CARD_WIDTH_MM, place, alpha=card.alpha)
    seen = quarters_seen(table.scene, quad_of(table.camera, CARD_WIDTH_MM, CARD_HEIGHT_MM, place))
    assert np.abs(np.array(seen) - QUARTERS).max() < 10


@pytest.mark.parametrize("radius", [-90.0, 120.0])
@pytest.mark.parametrize("turn", [0.0, 35.0])
def test_a_bent_card_is_seen_where_its_corners_are(radius: float, turn: float) -> None:
    rng = np.random.default_rng(2)
    table = Table(place_camera(rng, VIEW, CARD_WIDTH_MM, CARD_HEIGHT_MM), rng)
    truth = lay_bent(table, quartered(), radius, turn)
    seen = np.array(quarters_seen(table.scene, truth.quad))
    assert [int(colour.argmax()) for colour in seen[:3]] == [0, 1, 2]
    assert (seen.max(axis=1) > 120).all()  # the card, shaded, and not the table


def test_bending_keeps_lengths_and_a_wide_curve_is_a_plane() -> None:
    line = np.column_stack([np.linspace(-40, 40, 4001), np.full(4001, 7.0)])
    length = np.linalg.norm(np.diff(bent(line, 60.0, 20.0), axis=0), axis=1).sum()
    assert length == pytest.approx(80.0, rel=1e-4)
    flat = bent(line, 1e7, 20.0)
    assert np.allclose(flat[:, :2], line, atol=1e-3)
    assert np.allclose(flat[:, 2], 0, atol=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_the_camera_frames_what_it_is_asked_to(seed: int) -> None:
    view = View(size=(600, 800), card=(0.5, 0.5), tilt_deg=(0, 0), spin_deg=(0, 0), margin=0.1)
    camera = place_camera(np.random.default_rng(seed), view, CARD_WIDTH_MM, CARD_HEIGHT_MM)
    quad = quad_of(camera, CARD_WIDTH_MM, CARD_HEIGHT_MM)
    assert np.linalg.norm(quad[1] - quad[0]) == pytest.approx(300, rel=1e-3)
    assert (quad >= 30 - 0.1).all()
    assert (quad <= np.array([800, 600]) - 30 + 0.1).all()
    assert quad[0, 0] < quad[1, 0]
    assert quad[0, 1] < quad[3, 1]


@pytest.mark.parametrize("subset", ["paper", "watermark", "cropped"])
def test_one_seed_gives_one_photograph(subset: str) -> None:
    (second,) = draw_photos(subset, 1, 5, first=1, grounds=DrawnGrounds())
    (again,) = draw_photos(subset, 1, 5, first=1, grounds=DrawnGrounds())
    assert second.data == again.data
    assert second.cards[0].fields == again.cards[0].fields


@pytest.mark.slow
@pytest.mark.parametrize("subset", REAL_SUBSETS)
def test_every_subset_shows_its_cards(subset: str) -> None:
    for photo in draw_photos(subset, 3, 9, grounds=DrawnGrounds()):
        height, width = cv2.imdecode(np.frombuffer(photo.data, np.uint8), cv2.IMREAD_COLOR).shape[:2]
        assert photo.cards
        for card in photo.cards:
            frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
            inside, _ = cv2.intersectConvexConvex(card.quad, frame)
            assert inside / cv2.contourArea(card.quad) > 0.75
            assert set(card.fields) in (
                {"签发机关", "有效期限"},
                {*["姓名", "性别", "民族", "出生", "住址", "公民身份号码"]},
            )


def test_a_subset_on_real_grounds_needs_them() -> None:
    with pytest.raises(ValueError, match="grounds"):
        next(draw_photos("paper", 1, 1))
