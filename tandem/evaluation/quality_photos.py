"""Photographs with one fault of known size: what the quality flags are measured by.

A good photograph of a card is drawn, then blurred, lit or cropped by a dose that is known: the blur in mm on
the card, the glare as the share of the text rows that it burns out, the crop as the share of the card that
it cuts off. Grey copies are drawn as such.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.evaluation.photo_sets import Photo
from tandem.services.id_card.card import CARD_WIDTH_MM, share_outside
from tandem.training.draw.cards import draw_card
from tandem.training.draw.faces import Face
from tandem.training.draw.styles import draw_style
from tandem.training.scene.conditions import EASY
from tandem.training.scene.photographs import CardTruth, photograph
from tandem.training.score import card_width

Image = NDArray[np.uint8]
Flag = Literal["blurred", "glare", "incomplete", "grey_copy"]

# Sigma of the blur in mm (strokes are 0.25-0.35 mm wide); shares of the text rows; shares of the card.
DOSES: dict[Flag, tuple[float, ...]] = {
    "blurred": (0.05, 0.10, 0.15, 0.20, 0.30),
    "glare": (0.01, 0.02, 0.05, 0.10, 0.20),
    "incomplete": (0.01, 0.02, 0.05, 0.10),
    "grey_copy": (1.0,),
}
NOTHING = "nothing"
_SIZE = (1200, 1600)  # px: height, width
_STEPS = 30  # of a bisection
_COARSE = 4  # px: a reflection is soft, so it is drawn small and enlarged
_BURNT = 250  # every channel at least this bright


@dataclass(frozen=True, kw_only=True)
class _Shot:
    """A good photograph: its picture, the card in it, and its text rows' quads (N, 4, 2), px."""

    image: Image
    card: CardTruth
    rows: NDArray[np.float32]


def quality_photos(number: int, seed: int) -> Iterator[Photo]:
    """One card's photographs: as it should be, with every dose of every fault, and as a grey copy.

    Their subsets are named `fault dose`, the first one `nothing`.
    """
    rng = np.random.default_rng([seed, number])
    shot = _shoot(rng, grey=False)
    yield _photo(shot.image, shot.card, NOTHING, number)
    for dose in DOSES["blurred"]:
        sigma = dose * card_width(shot.card.quad) / CARD_WIDTH_MM
        blurred = np.asarray(cv2.GaussianBlur(shot.image, (0, 0), sigma), np.uint8)
        yield _photo(blurred, shot.card, f"blurred {dose:g} mm", number)
    place = rng.random(3)
    for dose in DOSES["glare"]:
        yield _photo(_burnt(shot, dose, place), shot.card, f"glare {dose:.0%}", number)
    side = int(rng.integers(4))
    for dose in DOSES["incomplete"]:
        yield _photo(*_cropped(shot, dose, side), f"incomplete {dose:.0%}", number)
    copy = _shoot(rng, grey=True)
    yield _photo(copy.image, copy.card, "grey_copy", number)


def _shoot(rng: np.random.Generator, *, grey: bool) -> _Shot:
    style = replace(draw_style(rng, "test"), grey=grey)
    side: Literal["portrait", "emblem"] = "portrait" if rng.random() < 0.7 else "emblem"
    face = draw_card(rng, "test", side=side, stamp_share=0, style=style).face
    image, (quad,) = photograph(rng, [face], size=_SIZE, conditions=EASY, pool="test")
    if quad is None:
        raise RuntimeError("a single card always finds a place")
    card = CardTruth(quad=quad, side=face.side, fields=face.fields)
    return _Shot(image=image, card=card, rows=_row_quads(face, quad))


def _row_quads(face: Face, quad: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = face.image.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    to_photo = cv2.getPerspectiveTransform(corners, quad)
    boxes = np.concatenate([row.box for row in face.rows]).astype(np.float32)
    return np.asarray(cv2.perspectiveTransform(boxes[None], to_photo)[0], np.float32).reshape(-1, 4, 2)


def _photo(image: Image, card: CardTruth, subset: str, number: int) -> Photo:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])
    return Photo(name=f"{subset}-{number:04d}.jpg", subset=subset, data=data.tobytes(), cards=(card,))


def burnt_share(image: Image, rows: NDArray[np.float32]) -> float:
    """The share of the rows' area (quads (N, 4, 2), px) in which every channel is burnt out."""
    mask = np.zeros(image.shape[:2], np.uint8)
    for quad in rows:
        cv2.fillConvexPoly(mask, quad.round().astype(np.int32), 1)
    return float((image[mask > 0].min(axis=1) >= _BURNT).mean())


def _burnt(shot: _Shot, dose: float, place: NDArray[np.float64]) -> Image:
    """The photograph with a lamp's reflection that burns out this share of the rows.

    `place` are three numbers 0-1: along the rows, which row, and the spot's angle.
    """
    row = shot.rows[int(place[1] * len(shot.rows))]
    centre = row[0] + (0.25 + 0.5 * place[0]) * (row[1] - row[0]) + (row[3] - row[0]) / 2
    width = card_width(shot.card.quad)
    low, high = 0.0, 1.0  # the spot's long half axis in card widths
    picture = shot.image
    for _ in range(_STEPS):
        reach = (low + high) / 2
        picture = _lit(shot.image, centre, reach * width, 180 * float(place[2]))
        share = burnt_share(picture, shot.rows)
        low, high = (reach, high) if share < dose else (low, reach)
        if abs(share - dose) < 0.05 * dose:
            break
    return picture


def _lit(image: Image, centre: NDArray[np.float32], reach: float, angle_deg: float) -> Image:
    height, width = image.shape[:2]
    spot = np.zeros((height // _COARSE, width // _COARSE), np.uint8)
    x, y = (centre / _COARSE).round().astype(int)
    axes = (max(round(reach / _COARSE), 1), max(round(reach * 0.5 / _COARSE), 1))
    cv2.ellipse(spot, (int(x), int(y)), axes, angle_deg, 0, 360, 255, -1)
    soft = cv2.resize(cv2.GaussianBlur(spot, (0, 0), max(reach * 0.15 / _COARSE, 0.5)), (width, height))
    # Twice the range, so that the spot's whole core is burnt out whatever the paper's brightness.
    return np.asarray(cv2.add(image, cv2.merge([cv2.add(soft, soft)] * 3)), np.uint8)


def _cropped(shot: _Shot, dose: float, side: int) -> tuple[Image, CardTruth]:
    """The photograph without this share of the card; `side` counts left, top, right, bottom."""
    turned = np.ascontiguousarray(np.rot90(shot.image, side))
    quad = _turned(shot.card.quad, side, shot.image.shape)
    low, high = 0.0, float(turned.shape[1])
    for _ in range(_STEPS):
        cut = (low + high) / 2
        moved = quad - np.array([cut, 0], np.float32)
        share = share_outside(moved, (turned.shape[0], max(round(turned.shape[1] - cut), 1)))
        low, high = (cut, high) if share < dose else (low, cut)
    cut_px = round((low + high) / 2)
    kept = np.rot90(turned[:, cut_px:], -side)
    moved = quad - np.array([cut_px, 0], np.float32)
    back = _turned(moved, -side % 4, turned[:, cut_px:].shape)
    return np.ascontiguousarray(kept), replace(shot.card, quad=back)


def _turned(quad: NDArray[np.float32], quarters: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Where points of a picture of this shape are after `np.rot90(picture, quarters)`."""
    height, width = shape[:2]
    for _ in range(quarters % 4):
        quad = np.stack([quad[:, 1], width - quad[:, 0]], axis=1)
        height, width = width, height
    return quad.astype(np.float32)
