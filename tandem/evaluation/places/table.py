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
        warped, _ = self._warp(picture, None, width_mm, place)
        self.scene[:] = warped

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
        if thick_mm:
            self._shade(mask, width_mm, place, thick_mm)
        warped, covered = self._warp(picture, mask, width_mm, place)
        self.scene += covered[:, :, None] * (warped - self.scene)

    def _shade(self, mask: Image, width_mm: float, place: NDArray[np.float64], thick_mm: float) -> None:
        rng = self._rng
        reach = thick_mm * rng.uniform(0.6, 2.5)
        fall = placed(reach * np.cos(self._light), reach * np.sin(self._light))
        _, shadow = self._warp(np.zeros((*mask.shape, 3), np.uint8), mask, width_mm, fall @ place)
        px_per_mm = self.px_per_mm
        soft = cv2.GaussianBlur(shadow, (0, 0), max(0.5, reach * px_per_mm * rng.uniform(0.4, 0.9)))
        contact = cv2.GaussianBlur(shadow, (0, 0), max(0.5, 0.25 * px_per_mm))
        self.scene *= (1 - rng.uniform(0.2, 0.5) * soft - rng.uniform(0.05, 0.2) * contact)[:, :, None]

    @property
    def px_per_mm(self) -> float:
        """How large a millimetre at the origin is in the picture."""
        seen = self.camera.project(np.array([[-5.0, 0.0], [5.0, 0.0]]))
        return float(np.linalg.norm(seen[1] - seen[0])) / 10

    def _warp(
        self,
        picture: Image,
        mask: Image | None,
        width_mm: float,
        place: NDArray[np.float64],
    ) -> tuple[Scene, Scene]:
        """A thing as it is seen, (H, W, 3) float32, and how much of a pixel it covers, (H, W), 0–1."""
        factor = self.px_per_mm * width_mm / picture.shape[1]
        if factor < _SHRINK_FROM:
            size = (
                max(2, round(picture.shape[1] * factor * 1.1)),
                max(2, round(picture.shape[0] * factor * 1.1)),
            )
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
            mask = (
                None
                if mask is None
                else np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.uint8)
            )
        height, width = picture.shape[:2]
        mm = width_mm / width
        own = np.array([[mm, 0, (0.5 - width / 2) * mm], [0, mm, (0.5 - height / 2) * mm], [0, 0, 1]])
        matrix = self.camera.plane() @ place @ own
        frame = self.camera.size[::-1]
        border = cv2.BORDER_REFLECT_101 if mask is None else cv2.BORDER_REPLICATE
        warped = cv2.warpPerspective(picture, matrix, frame, flags=cv2.INTER_LINEAR, borderMode=border)
        if mask is None:
            return warped.astype(np.float32), np.ones(self.camera.size, np.float32)
        covered = cv2.warpPerspective(mask, matrix, frame, flags=cv2.INTER_LINEAR)
        return warped.astype(np.float32), np.asarray(covered.astype(np.float32) / 255, np.float32)
