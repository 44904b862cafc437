"""Things on a table, seen by a camera: each is warped into the picture with its shadow, the lowest first."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.evaluation.places.camera import Camera, placed

Image = NDArray[np.uint8]
Scene = NDArray[np.float32]
_SHRINK_FROM = 0.75  # a warp does not average: what gets smaller than this is shrunk first


class Table:
    """A picture that things are laid into.

    Attributes:
        camera: who looks.
        scene: (H, W, 3) float32 BGR, 0–255, what is seen so far.
    """

    def __init__(self, camera: Camera, rng: np.random.Generator) -> None:
        self.camera, self._rng = camera, rng
        self.scene: Scene = np.zeros((*camera.size, 3), np.float32)
        self._light = rng.uniform(0, 2 * np.pi)  # where shadows fall

    def cover(self, picture: Image, width_mm: float) -> None:
        """Covers the whole table with a picture, mirrored beyond its edges, at a random place and turn."""
        rng = self._rng
        place = placed(rng.normal(0, width_mm / 8), rng.normal(0, width_mm / 8), rng.uniform(0, 360))
        picture = self._as_fine_as_seen(picture, width_mm)
        matrix = self._onto_picture(picture, width_mm, place)
        frame = self.camera.size[::-1]
        self.scene[:] = cv2.warpPerspective(picture, matrix, frame, borderMode=cv2.BORDER_REFLECT_101)

    def lay(
        self,
        picture: Image,
        width_mm: float,
        place: NDArray[np.float64] | None = None,
        *,
        alpha: Image | None = None,
        thick_mm: float = 0.0,
    ) -> None:
        """Lays a flat thing down.

        Args:
            picture: (h, w, 3) uint8 BGR.
            width_mm: what its width means.
            place: (3, 3), where its middle lies and how it is turned; None: the origin.
            alpha: (h, w) uint8; None: opaque.
            thick_mm: how far its edge stands above the table: that throws a shadow.
        """
        place = np.eye(3) if place is None else place
        mask = np.full(picture.shape[:2], 255, np.uint8) if alpha is None else alpha
        picture, mask = (self._as_fine_as_seen(layer, width_mm) for layer in (picture, mask))
        if thick_mm:
            self._shade(mask, width_mm, place, thick_mm)
        matrix = self._onto_picture(picture, width_mm, place)
        height, width = picture.shape[:2]
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
        paste(self.scene, picture, mask, matrix, cv2.perspectiveTransform(corners[None], matrix)[0])

    def _shade(self, mask: Image, width_mm: float, place: NDArray[np.float64], thick_mm: float) -> None:
        """The shadow of a thing's edge and the dark line where it touches the table."""
        rng = self._rng
        reach = thick_mm * rng.uniform(0.6, 2.5)
        fall = placed(reach * np.cos(self._light), reach * np.sin(self._light))
        matrix = self._onto_picture(mask, width_mm, fall @ place)
        px_per_mm = self.px_per_mm
        height, width = mask.shape
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
        seen = cv2.perspectiveTransform(corners[None], matrix)[0]
        spot, shifted = surroundings(self.scene, matrix, seen, round(3 * reach * px_per_mm) + 4)
        part = self.scene[spot]
        if not part.size:
            return
        shadow = cv2.warpPerspective(mask, shifted, part.shape[1::-1]).astype(np.float32) / 255
        soft = cv2.GaussianBlur(shadow, (0, 0), max(0.5, reach * px_per_mm * rng.uniform(0.4, 0.9)))
        contact = cv2.GaussianBlur(shadow, (0, 0), max(0.5, 0.25 * px_per_mm))
        part *= (1 - rng.uniform(0.2, 0.5) * soft - rng.uniform(0.05, 0.2) * contact)[:, :, None]

    @property
    def px_per_mm(self) -> float:
        """How large a millimetre at the origin is in the picture."""
        seen = self.camera.project(np.array([[-5.0, 0.0], [5.0, 0.0]]))
        return float(np.linalg.norm(seen[1] - seen[0])) / 10

    def _as_fine_as_seen(self, picture: Image, width_mm: float) -> Image:
        """A picture of this width, shrunk if the camera sees it smaller: a warp alone does not average."""
        return shrunk(picture, self.px_per_mm * width_mm / picture.shape[1])

    def _onto_picture(
        self, picture: Image, width_mm: float, place: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The (3, 3) map from a thing's pixels to the photograph's."""
        height, width = picture.shape[:2]
        mm = width_mm / width
        own = np.array([[mm, 0, (0.5 - width / 2) * mm], [0, mm, (0.5 - height / 2) * mm], [0, 0, 1]])
        return np.asarray(self.camera.plane() @ place @ own, np.float64)


def shrunk(picture: Image, factor: float) -> Image:
    """A picture that is to be shown `factor` times its size, at a size near that; never larger than it is."""
    if factor >= _SHRINK_FROM:
        return picture
    size = max(2, round(picture.shape[1] * factor * 1.1)), max(2, round(picture.shape[0] * factor * 1.1))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def surroundings(
    scene: Scene, matrix: NDArray[np.float64], seen: NDArray[np.float64], reach: int
) -> tuple[tuple[slice, slice], NDArray[np.float64]]:
    """The part of a scene around seen points (N, 2), and the map into that part instead of all."""
    low = np.maximum(np.floor(seen.min(axis=0)) - reach, 0).astype(int)
    high = np.maximum(np.minimum(np.ceil(seen.max(axis=0)) + reach, scene.shape[1::-1]).astype(int), low)
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1.0]])
    return (slice(low[1], high[1]), slice(low[0], high[0])), shift @ matrix


def paste(
    scene: Scene, picture: Image, alpha: Image, matrix: NDArray[np.float64], seen: NDArray[np.float64]
) -> None:
    """Lays a picture with its mask into a scene by a (3, 3) map; `seen` are its corners there, (4, 2)."""
    spot, shifted = surroundings(scene, matrix, seen, 2)
    part = scene[spot]
    if not part.size:
        return
    size = part.shape[1::-1]
    warped = cv2.warpPerspective(picture, shifted, size, borderMode=cv2.BORDER_REPLICATE)
    covered = cv2.warpPerspective(alpha, shifted, size).astype(np.float32)[:, :, None] / 255
    part += covered * (warped.astype(np.float32) - part)
