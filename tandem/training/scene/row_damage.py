"""What a photograph does to rows of text, drawn in the rows' own pixels.

Resolution, blur, tilt and shift that rectification leaves, narrowing, grain, JPEG; what a copier, a
telephone's sharpening and a messenger add (`row_passages`).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.geometry.lanes import LANE_HEIGHT
from tandem.training.scene.row_passages import Photocopy, SentOn, draw_photocopy, sharpened, through_jpeg
from tandem.training.scene.row_texts import HANZI_KEEP

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Damage:
    """What a photograph did to all rows of one lane.

    Attributes:
        scale: pixels of the photograph to one of the strip; below 1 the strip is enlarged.
        blur: standard deviation, px of the strip.
        motion: length of a motion's trace, px of the strip; 0: none.
        angle: of that, degrees.
        share: of the natural width that strips keep.
        noise: standard deviation of grain, levels.
        gain, lift: contrast and brightness.
        tint: (3,) BGR factors.
        grey: a grey copy.
        quality: JPEG.
        copied: by which copier, before the photograph; None: by none.
        sharpening: of the camera's own program, 0: none.
        sent: through which messengers, one after the other.
    """

    scale: float
    blur: float
    motion: float
    angle: float
    share: float
    noise: float
    gain: float
    lift: float
    tint: tuple[float, float, float]
    grey: bool
    quality: int
    copied: Photocopy | None = None
    sharpening: float = 0.0
    sent: tuple[SentOn, ...] = ()

    def strip(
        self, rng: np.random.Generator, page: Pixels, corners: NDArray[np.float32], keep: float
    ) -> Pixels:
        """(48, w, 3) uint8 BGR: the row inside `corners` (4, 2) px of `page`, cut a little wrong."""
        height = float(corners[3, 1] - corners[0, 1])
        slack = np.array([0.012 * height, 0.045 * height], np.float32)
        moved = corners + rng.normal(0, 1, (4, 2)).astype(np.float32) * slack
        moved[:, 1] += np.float32(rng.normal(0, 0.05) * height)
        length = float(np.linalg.norm(moved[1] - moved[0]))
        natural = length * LANE_HEIGHT / height
        width = max(16, round(natural * max(self.share, keep)))
        small = (max(8, round(natural * self.scale)), max(8, round(LANE_HEIGHT * self.scale)))
        target = np.array([[0, 0], [small[0], 0], [small[0], small[1]], [0, small[1]]], np.float32)
        mapping = cv2.getPerspectiveTransform(moved, target)
        # Without this, reducing by more than two leaves out pixels.
        smooth = height / small[1]
        source = cv2.GaussianBlur(page, (0, 0), 0.4 * smooth) if smooth > 1.3 else page
        image = cv2.warpPerspective(
            source, mapping, small, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        if self.copied:
            image = self.copied.printed(rng, image)
        image = self._lens(image)
        image = self._sensor(rng, image)
        for messenger in self.sent:
            image = messenger.received(image)
        return np.asarray(cv2.resize(image, (width, LANE_HEIGHT), interpolation=cv2.INTER_LINEAR), np.uint8)

    def _lens(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self.blur * self.scale > 0.25:
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), self.blur * self.scale), np.uint8)
        length = round(self.motion * self.scale)
        if length >= 2:
            kernel = np.zeros((length | 1, length | 1), np.float32)
            centre = (length | 1) / 2 - 0.5
            reach = np.array([np.cos(self.angle), np.sin(self.angle)]) * centre
            start, end = (tuple(round(float(v)) for v in centre + sign * reach) for sign in (-1, 1))
            cv2.line(kernel, start, end, 1.0, 1, cv2.LINE_AA)
            image = np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)
        return image

    def _sensor(self, rng: np.random.Generator, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        levels = image.astype(np.float32)
        if self.grey:
            levels = np.repeat(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[:, :, None], 3, 2).astype(np.float32)
        levels = (levels - 128) * self.gain + 128 + self.lift
        levels *= np.array(self.tint, np.float32)
        across = np.linspace(0, 1, image.shape[1], dtype=np.float32)[None, :, None]
        levels *= 1 + np.float32(rng.uniform(-0.25, 0.25)) * across  # uneven light
        if self.noise:
            grain = rng.standard_normal(image.shape[:2], dtype=np.float32)[:, :, None] * self.noise
            levels += grain
        clipped = np.clip(levels, 0, 255).astype(np.uint8)
        if self.sharpening:
            clipped = sharpened(clipped, self.sharpening)
        return through_jpeg(clipped, self.quality)


def draw_damage(rng: np.random.Generator, *, poor: bool) -> Damage:
    """What one photograph does: four in ten are taken badly.

    Args:
        rng: of everything that is drawn.
        poor: a copy, a card far away, or a picture that was sent on, instead.
    """
    return _poor(rng) if poor else _photograph(rng)


def _photograph(rng: np.random.Generator) -> Damage:
    hard = rng.random() < 0.4
    tint = np.clip(rng.normal(1, 0.06 if hard else 0.03, 3), 0.75, 1.2)
    return Damage(
        scale=float(np.exp(rng.uniform(np.log(0.45), np.log(1.15)))),
        blur=float(abs(rng.normal(0, 1.3 if hard else 0.4))),
        motion=float(rng.uniform(2, 8)) if hard and rng.random() < 0.3 else 0.0,
        angle=float(rng.uniform(0, np.pi)),
        share=_narrowing(rng),
        noise=float(rng.uniform(1, 14)) if rng.random() < 0.6 else 0.0,
        gain=float(rng.uniform(0.35, 1.1) if hard else rng.uniform(0.7, 1.25)),
        lift=float(rng.uniform(-60, 40) if hard else rng.uniform(-25, 25)),
        tint=(float(tint[0]), float(tint[1]), float(tint[2])),
        grey=bool(rng.random() < 0.15),
        quality=int(rng.integers(45, 96)),
    )


def _narrowing(rng: np.random.Generator) -> float:
    return 1.0 if rng.random() < 0.5 else float(rng.uniform(HANZI_KEEP, 1))


def _poor(rng: np.random.Generator) -> Damage:
    copied = draw_photocopy(rng) if rng.random() < 0.45 else None
    far = copied is None and rng.random() < 0.5
    scale = float(np.exp(rng.uniform(np.log(0.22), np.log(0.5)) if far else rng.uniform(np.log(0.35), 0.1)))
    tint = np.clip(rng.normal(1, 0.03, 3), 0.75, 1.2)
    times = int(rng.integers(0, 2)) if copied or far else int(rng.integers(1, 3))
    # Below a quarter of the lane's height nobody reads a character.
    least = max(0.26 / scale, 0.45)
    sent = tuple(
        SentOn(
            scale=1.0 if least >= 1 else float(rng.uniform(least ** (1 / times), 1)),
            quality=int(rng.integers(30, 75)),
        )
        for _ in range(times)
    )
    return Damage(
        scale=scale,
        # In pixels of the strip: half a pixel of the photograph or so.
        blur=float(abs(rng.normal(0, 0.35)) / scale),
        motion=0.0,
        angle=0.0,
        share=_narrowing(rng),
        noise=float(rng.uniform(0, 7)),
        gain=float(rng.uniform(0.6, 1.15)),
        lift=float(rng.uniform(-30, 25)),
        tint=(float(tint[0]), float(tint[1]), float(tint[2])),
        grey=bool(rng.random() < 0.1),
        quality=int(rng.integers(50, 96)),
        copied=copied,
        sharpening=float(rng.uniform(0.3, 1.8)) if rng.random() < 0.4 else 0.0,
        sent=sent,
    )
