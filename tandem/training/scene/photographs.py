"""Photographs of flat things: cards on a background, seen by a tilted camera, lit, blurred, compressed.

A photograph is drawn at the size asked for, so the same code makes the detector's small training pictures
and the full-size pictures of an evaluation. Everything random comes from the generator passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.training.scene import optics
from tandem.training.scene.backdrops import Pool, draw_backdrop
from tandem.training.scene.conditions import TRAINING, Conditions

Image = NDArray[np.uint8]
Quad = NDArray[np.float32]

# Distance of the camera in card widths: 1.5-4 is what people do by hand; nearer gives stronger perspective.
_CAMERA_DISTANCE = (1.5, 4.0)
_SHADOWED = 0.6  # share of things that lie so that their edge casts a shadow
_PLACEMENTS = 20  # tries to lay the next card so that it covers no other


class Flat(Protocol):
    """Anything flat that can be photographed: a card's face or a confuser."""

    @property
    def image(self) -> Image:
        """(h, w, 3) uint8 BGR."""

    @property
    def alpha(self) -> Image:
        """(h, w) uint8, 255 where it is opaque."""


@dataclass(frozen=True, kw_only=True)
class StoredFlat:
    """A drawn face or confuser: image (h, w, 3) uint8 BGR, alpha (h, w) uint8, side or None."""

    image: Image
    alpha: Image
    side: str | None


@dataclass(frozen=True, kw_only=True)
class CardTruth:
    """A card in a photograph.

    Attributes:
        quad: (4, 2) float32, pixels, clockwise from the card's own top left.
        side: which side it shows.
        fields: the text as printed.
        boxes: for each field, (4, 2) float32, pixels.
        checks: what the checks of the result have to say; empty: not known.
        covered: keys of the fields that a stamp covers in part.
        fault: how the text contradicts itself, "" if it does not.
    """

    quad: Quad
    side: Literal["portrait", "emblem"]
    fields: dict[str, str]
    boxes: dict[str, Quad] = field(default_factory=dict)
    checks: dict[str, bool] = field(default_factory=dict)
    covered: frozenset[str] = frozenset()
    fault: str = ""


def homography(source: Quad, target: Quad) -> NDArray[np.float64]:
    """The (3, 3) map that takes the four source corners to the four target corners."""
    return np.asarray(cv2.getPerspectiveTransform(np.float32(source), np.float32(target)), np.float64)


def corners(height: float, width: float) -> Quad:
    """Corners (4, 2) of a height × width picture, clockwise from the top left."""
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def draw_pose(
    rng: np.random.Generator, aspect: float, conditions: Conditions, size: tuple[int, int]
) -> tuple[Quad, float]:
    """Where a card's corners fall when it is laid down at random and photographed.

    Args:
        rng: source of randomness.
        aspect: the card's height / width.
        conditions: how it is photographed.
        size: the frame's height and width in pixels.

    Returns:
        quad: (4, 2) float32 in frame pixels, clockwise from the card's own top left, at a random place.
        shrunk: the factor by which the card had to be made smaller than asked to fit in the frame, ≤ 1.
    """
    height, width = size
    tilt = np.radians(rng.uniform(*conditions.tilt_deg))
    spin = np.radians(rng.uniform(*conditions.rotation_deg))
    axis = rng.uniform(0, 2 * np.pi)
    plane = corners(aspect, 1.0) - np.array([0.5, aspect / 2], np.float32)
    turn = np.array([[np.cos(spin), -np.sin(spin)], [np.sin(spin), np.cos(spin)]])
    flat = plane @ turn.T
    # Rodrigues rotation about an axis in the image plane: depth is the part across the axis times sin(tilt).
    along = np.array([np.cos(axis), np.sin(axis)])
    across = np.array([-np.sin(axis), np.cos(axis)])
    a, b = flat @ along, flat @ across
    depth = rng.uniform(*_CAMERA_DISTANCE) + b * np.sin(tilt)
    seen = (a[:, None] * along + (b * np.cos(tilt))[:, None] * across) / depth[:, None]
    asked = np.exp(rng.uniform(*np.log(conditions.area))) * height * width
    scale = float(np.sqrt(asked / max(cv2.contourArea(seen.astype(np.float32)), 1e-9)))
    extent = np.ptp(seen, axis=0) * scale
    room = np.array([width, height]) * (1 + conditions.overhang)
    shrunk = float(min(1.0, np.min(room * 0.98 / extent)))
    seen, extent = seen * scale * shrunk, extent * shrunk
    slack = np.maximum(np.array([width, height]) - extent, 0)
    spill = extent * conditions.overhang * (rng.random() < 0.5)
    origin = rng.uniform(-spill, slack + spill)
    if (extent > np.array([width, height])).any():
        origin = np.where(extent > [width, height], (np.array([width, height]) - extent) / 2, origin)
    return (seen - seen.min(axis=0) + origin).astype(np.float32), shrunk


def paste(
    scene: NDArray[np.float32], flat: Flat, quad: Quad, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Lay a flat thing into a (H, W, 3) float32 scene, with its shadow; returns the (3, 3) map used."""
    image, alpha = flat.image, flat.alpha
    # warpPerspective does not average: shrink the face to near its size first, or fine text aliases.
    edge = float(max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3])))
    factor = edge / image.shape[1]
    if factor < 0.75:
        target = (max(8, int(image.shape[1] * factor * 1.1)), max(8, int(image.shape[0] * factor * 1.1)))
        image, alpha = (cv2.resize(layer, target, interpolation=cv2.INTER_AREA) for layer in (image, alpha))
    reach = edge * rng.uniform(0.002, 0.03) if rng.random() < _SHADOWED else 0.0
    # Only the card's surroundings are touched: a small card on a large picture costs little.
    low = np.maximum(np.floor(quad.min(axis=0) - 4 * reach - 2), 0).astype(int)
    high = np.minimum(np.ceil(quad.max(axis=0) + 4 * reach + 2), scene.shape[1::-1]).astype(int)
    size = (max(int(high[0] - low[0]), 1), max(int(high[1] - low[1]), 1))
    part = scene[low[1] : low[1] + size[1], low[0] : low[0] + size[0]]
    matrix = homography(corners(*image.shape[:2]), quad - low.astype(np.float32))
    warped = cv2.warpPerspective(image, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpPerspective(alpha, matrix, size).astype(np.float32) / 255
    if reach:
        move = np.array([[1, 0, rng.normal(0, reach)], [0, 1, rng.normal(0, reach)]], np.float32)
        fallen = cv2.GaussianBlur(cv2.warpAffine(mask, move, size), (0, 0), max(0.6, reach * 0.7))
        part *= 1 - (fallen * np.float32(rng.uniform(0.15, 0.6)))[:, :, None]
    part += mask[:, :, None] * (warped.astype(np.float32) - part)
    return homography(corners(*flat.image.shape[:2]), quad)


def _hold(scene: NDArray[np.float32], quad: Quad, rng: np.random.Generator) -> None:
    """A thumb or two over the card's edge; they cover little, as people take care not to hide text."""
    skin = np.array([rng.uniform(90, 170), rng.uniform(120, 190), rng.uniform(170, 245)], np.float32)
    width = float(np.linalg.norm(quad[1] - quad[0]))
    for _ in range(int(rng.integers(1, 3))):
        side = int(rng.integers(4))
        at = quad[side] + rng.random() * (quad[(side + 1) % 4] - quad[side])
        outwards = at - quad.mean(axis=0)
        reach = width * rng.uniform(0.12, 0.4)
        tip = at - outwards / max(float(np.linalg.norm(outwards)), 1e-6) * width * rng.uniform(0.01, 0.06)
        centre = tip + outwards / max(float(np.linalg.norm(outwards)), 1e-6) * reach
        mask = np.zeros(scene.shape[:2], np.float32)
        axes = (int(reach), max(2, int(width * rng.uniform(0.04, 0.08))))
        angle = float(np.degrees(np.arctan2(outwards[1], outwards[0])))
        cv2.ellipse(mask, (int(centre[0]), int(centre[1])), axes, angle, 0, 360, 1.0, -1, cv2.LINE_AA)
        scene += mask[:, :, None] * (skin * np.float32(rng.uniform(0.75, 1.1)) - scene)


def _overlap(first: Quad, second: Quad) -> float:
    """Intersection area over the smaller quad's area, 0-1."""
    shared, _ = cv2.intersectConvexConvex(first, second)
    return float(shared) / max(min(cv2.contourArea(first), cv2.contourArea(second)), 1e-6)


def arrange(
    rng: np.random.Generator, flats: Sequence[Flat], conditions: Conditions, size: tuple[int, int]
) -> list[Quad | None]:
    """A quad for each flat thing so that none covers another; None where no free place was found."""
    share = replace(
        conditions, area=(conditions.area[0] / max(len(flats), 1), conditions.area[1] / max(len(flats), 1))
    )
    quads: list[Quad | None] = []
    for flat in flats:
        aspect = flat.image.shape[0] / flat.image.shape[1]
        for _ in range(_PLACEMENTS):
            quad, _ = draw_pose(rng, aspect, share, size)
            if all(other is None or _overlap(quad, other) < 0.01 for other in quads):
                quads.append(quad)
                break
        else:
            quads.append(None)
    return quads


def photograph(
    rng: np.random.Generator,
    flats: Sequence[Flat],
    *,
    size: tuple[int, int],
    conditions: Conditions = TRAINING,
    pool: Pool = "train",
    backdrop: Image | None = None,
    quads: Sequence[Quad | None] | None = None,
) -> tuple[Image, list[Quad | None]]:
    """Photograph flat things together.

    Args:
        rng: source of randomness; the same state gives the same picture.
        flats: what lies on the table, in order.
        size: height and width of the photograph in pixels.
        conditions: how it is taken.
        pool: which backgrounds.
        backdrop: background (H, W, 3) uint8 to use instead of drawing one; resized to the frame.
        quads: where each flat lies, instead of drawing that.

    Returns:
        image: (height, width, 3) uint8 BGR.
        quads: one a flat, (4, 2) float32 in pixels, clockwise from the flat's own top left; None if it
            found no place.
    """
    height, width = size
    ground = (
        draw_backdrop(rng, height, width, pool) if backdrop is None else cv2.resize(backdrop, (width, height))
    )
    scene = ground.astype(np.float32)
    placed = arrange(rng, flats, conditions, size) if quads is None else list(quads)
    for flat, quad in zip(flats, placed, strict=True):
        if quad is not None:
            paste(scene, flat, quad, rng)
            if rng.random() < conditions.fingers:
                _hold(scene, quad, rng)
    optics.light(scene, rng, conditions)
    image = optics.sense(scene, rng, conditions)
    return image, placed
