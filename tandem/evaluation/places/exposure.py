"""Light, lens, sensor and the phone's own processing: a scene becomes an encoded picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Scene = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """How a photograph is exposed and stored; ranges are drawn from evenly.

    Attributes:
        brightness: factor on the whole scene.
        falloff: how much darker the darkest corner of the light is, 0–1.
        shadow: probability that somebody's shadow lies over a part.
        blur_px: sigma of the lens and focus at 1,600 px on the long side; grows with the picture.
        noise: sigma at mid grey.
        jpeg: quality.
    """

    brightness: tuple[float, float] = (0.78, 1.08)
    falloff: tuple[float, float] = (0.05, 0.3)
    shadow: float = 0.35
    blur_px: tuple[float, float] = (0.4, 0.85)
    noise: tuple[float, float] = (1.0, 5.0)
    jpeg: tuple[int, int] = (80, 95)


def expose(scene: Scene, rng: np.random.Generator, exposure: Exposure) -> Image:
    """The picture that the phone stores, before it is encoded: (H, W, 3) uint8 BGR."""
    height, width = scene.shape[:2]
    lit = scene * _lamp(rng, height, width, rng.uniform(*exposure.falloff))[:, :, None]
    if rng.random() < exposure.shadow:
        lit *= 1 - np.float32(rng.uniform(0.15, 0.4)) * _somebody(rng, height, width)[:, :, None]
    warmth = rng.normal(0, 0.05)
    lit *= np.array([1 - warmth, 1.0, 1 + warmth], np.float32) * np.float32(rng.uniform(*exposure.brightness))
    # A soft shoulder instead of a hard white, as phones develop.
    bright = lit > 215
    lit[bright] = 215 + 40 * np.tanh((lit[bright] - 215) / 40)
    sigma = rng.uniform(*exposure.blur_px) * max(height, width) / 1600
    lit = np.asarray(cv2.GaussianBlur(lit, (0, 0), sigma), np.float32)
    sensitive = np.sqrt(np.maximum(lit, 8) / 128) * np.float32(rng.uniform(*exposure.noise))
    lit += cv2.GaussianBlur(_grain(rng, height, width), (0, 0), 0.6) * sensitive
    sharper = lit + np.float32(rng.uniform(0.2, 0.7)) * (lit - cv2.GaussianBlur(lit, (0, 0), 1.4))
    return np.asarray(np.clip(sharper, 0, 255), np.uint8)


def _grain(rng: np.random.Generator, height: int, width: int) -> Scene:
    """The sensor's noise, (H, W, 3) float32: mostly the same in all colours, as demosaicing leaves it.

    A quarter is drawn and laid four times: nobody sees that, and large pictures take less time.
    """
    size = (height + 1) // 2, (width + 1) // 2
    grain = rng.standard_normal((*size, 1), np.float32) + 0.5 * rng.standard_normal((*size, 3), np.float32)
    return np.asarray(np.tile(grain, (2, 2, 1))[:height, :width], np.float32)


def _lamp(rng: np.random.Generator, height: int, width: int, falloff: float) -> Scene:
    """Brighter towards a lamp, darker in the lens's corners: (H, W) float32, at most 1."""
    x, y = np.meshgrid(
        np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)
    )
    way = rng.uniform(0, 2 * np.pi)
    along = (np.cos(way) * x + np.sin(way) * y + 1.42) / 2.84
    corner = (x * x + y * y) / 2
    return np.asarray(1 - falloff * along - 0.12 * corner, np.float32)


def _somebody(rng: np.random.Generator, height: int, width: int) -> Scene:
    """The soft shadow of a phone and an arm: (H, W) float32, 0–1."""
    small = np.zeros((120, 160), np.float32)
    centre = rng.uniform((20, 10), (140, 110))
    box = (tuple(centre), (rng.uniform(25, 70), rng.uniform(60, 200)), rng.uniform(0, 180))
    cv2.fillPoly(small, [cv2.boxPoints(box).astype(np.int32)], 1.0)
    small = cv2.GaussianBlur(small, (0, 0), rng.uniform(3, 14))
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32).clip(
        0, 1
    )


def encode_jpeg(image: Image, quality: int) -> bytes:
    """A JPEG file."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()


def stored(image: Image, rng: np.random.Generator, exposure: Exposure) -> bytes:
    """The picture as the phone writes it."""
    return encode_jpeg(image, int(rng.integers(exposure.jpeg[0], exposure.jpeg[1] + 1)))
