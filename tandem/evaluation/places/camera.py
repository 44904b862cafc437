"""A pinhole camera above a table: the table's plane is measured in millimetres, a card lies at its origin.

The table's x runs to the right and y down as one reads the card; z points up to the camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

# A phone's main camera sees about 65° across; zoomed in, less.
_FOCAL_LENGTHS = (0.75, 1.3)  # in long sides of the picture


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Where the camera is and what it sees.

    Attributes:
        matrix: (3, 4), from (x, y, z, 1) in mm to pixels, in homogeneous coordinates.
        size: height and width of the picture, pixels.
    """

    matrix: NDArray[np.float64]
    size: tuple[int, int]

    def project(self, points: Points) -> Points:
        """Points (N, 2) on the table or (N, 3) above it, mm → (N, 2) pixels."""
        flat = points if points.shape[1] == 3 else np.column_stack([points, np.zeros(len(points))])
        seen = np.column_stack([flat, np.ones(len(flat))]) @ self.matrix.T
        return np.asarray(seen[:, :2] / seen[:, 2:], np.float64)

    def plane(self, height_mm: float = 0.0) -> NDArray[np.float64]:
        """The (3, 3) map of the plane at a height above the table: (x, y, 1) in mm → pixels."""
        lifted = self.matrix[:, [0, 1, 3]].copy()
        lifted[:, 2] += self.matrix[:, 2] * height_mm
        return lifted


@dataclass(frozen=True, kw_only=True)
class View:
    """How a photograph is framed; ranges are drawn from evenly.

    Attributes:
        size: height and width of the picture, pixels.
        card: the card's width, as a share of the picture's shorter side.
        tilt_deg: between the camera's axis and the table's normal.
        spin_deg: by which the card is turned in the picture; clockwise.
        margin: least distance of the card from the picture's edge, in card widths; negative: it may be cut.
    """

    size: tuple[int, int]
    card: tuple[float, float] = (0.5, 0.85)
    tilt_deg: tuple[float, float] = (0.0, 22.0)
    spin_deg: tuple[float, float] = (-20.0, 20.0)
    margin: float = 0.02


def place_camera(rng: np.random.Generator, view: View, width_mm: float, height_mm: float) -> Camera:
    """A camera that sees a thing of this size at the origin, somewhere in its picture."""
    height, width = view.size
    focal = rng.uniform(*_FOCAL_LENGTHS) * max(view.size)
    wanted = rng.uniform(*view.card) * min(view.size)
    distance = focal * width_mm / wanted
    tilt, way = np.radians(rng.uniform(*view.tilt_deg)), rng.uniform(0, 2 * np.pi)
    spin = np.radians(rng.uniform(*view.spin_deg))
    away = np.array([np.sin(tilt) * np.cos(way), np.sin(tilt) * np.sin(way), np.cos(tilt)])
    forward = -away
    right = np.array([np.cos(spin), -np.sin(spin), 0.0])
    right -= forward * (right @ forward)
    right /= np.linalg.norm(right)
    # The table's axes are left-handed (y down, z up), so the picture's y is right × forward.
    down = np.cross(right, forward)
    turned = np.stack([right, down, forward])
    inner = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    matrix = inner @ np.column_stack([turned, -turned @ (away * distance)])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (width_mm / 2, height_mm / 2)
    shift = _framed(rng, Camera(matrix=matrix, size=view.size).project(corners), view, wanted)
    return Camera(matrix=shift @ matrix, size=view.size)


def _framed(rng: np.random.Generator, seen: Points, view: View, wanted: float) -> NDArray[np.float64]:
    """The (3, 3) shift (and shrinking, where it is too large) that puts seen corners at a random place."""
    frame = np.array([view.size[1], view.size[0]], np.float64)
    low, high = seen.min(axis=0), seen.max(axis=0)
    margin = view.margin * wanted
    factor = min(1.0, float(((frame - 2 * margin) / (high - low)).min()))
    room = np.maximum(frame - 2 * margin - (high - low) * factor, 0)
    # Nearer to the middle than to the edges, as people aim.
    origin = margin + room * (0.5 + 0.5 * rng.triangular(-1, 0, 1, 2))
    move = origin - low * factor
    return np.array([[factor, 0, move[0]], [0, factor, move[1]], [0, 0, 1]])


def quad_of(
    camera: Camera, width_mm: float, height_mm: float, place: Points | None = None
) -> NDArray[np.float32]:
    """Where the corners of a flat thing are seen: (4, 2) float32 pixels, clockwise from its own top left.

    Args:
        camera: who looks.
        width_mm: its width.
        height_mm: its height.
        place: (3, 3), from the thing's own mm (its middle is the origin) to the table's; None: at the origin.
    """
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (width_mm / 2, height_mm / 2)
    return camera.project(moved(corners, place)).astype(np.float32)


def moved(points: Points, place: Points | None) -> Points:
    """Points (N, 2) of a thing at its place on the table, mm."""
    if place is None:
        return points
    return np.asarray(cv2.perspectiveTransform(points[None].astype(np.float64), place)[0], np.float64)


def placed(x: float, y: float, turn_deg: float = 0.0) -> NDArray[np.float64]:
    """The (3, 3) map of a thing laid at (x, y), turned clockwise."""
    turn = np.radians(turn_deg)
    return np.array([[np.cos(turn), -np.sin(turn), x], [np.sin(turn), np.cos(turn), y], [0, 0, 1]])
