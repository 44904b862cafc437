"""What a row of text went through between card and file: copiers, sharpening, messengers, text across.

Each works on the row's own pixels at the resolution it has there.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_CELLS = np.array(
    [[12, 5, 6, 13], [4, 0, 1, 7], [11, 3, 2, 8], [15, 10, 9, 14]], np.float32
)  # a clustered dot
_BILEVEL_SHARE = 0.25
_LEGIBLE = 0.2  # cover of what can be read
_BGR = ((70, 70, 190), (180, 110, 60), (130, 130, 130), (250, 250, 250), (90, 150, 60))


@dataclass(frozen=True, kw_only=True)
class Photocopy:
    """A copier: grey levels between its black and its white, and how it prints what lies between.

    Attributes:
        black, white: levels that become ink and paper.
        dots: share of the printed picture that is a screen of dots (0: continuous, 1: dots alone).
        toner: standard deviation of grain before printing, levels.
        spread: of the toner on the paper, standard deviation, px.
        ink, paper: levels of what is printed, as it is photographed.
    """

    black: float
    white: float
    dots: float
    toner: float
    spread: float
    ink: float
    paper: float

    def cover(self, levels: NDArray[np.float32]) -> NDArray[np.float32]:
        """How much of the paper is covered where the card has these grey levels: the same shape, 0-1."""
        return np.asarray(np.clip((self.white - levels) / (self.white - self.black), 0, 1), np.float32)

    def printed(self, rng: np.random.Generator, image: Pixels) -> Pixels:
        """(h, w, 3) uint8: the copy of `image`, grey."""
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
        grey += rng.standard_normal(grey.shape, dtype=np.float32) * self.toner
        cover = self.cover(grey)
        if self.dots:
            height, width = grey.shape
            tiled = np.tile((_CELLS + 0.5) / 16, (height // 4 + 1, width // 4 + 1))[:height, :width]
            cover += self.dots * ((cover > tiled).astype(np.float32) - cover)
        if self.spread:
            cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), self.spread), np.float32)
        levels = self.paper + (self.ink - self.paper) * cover
        return np.repeat(np.clip(levels, 0, 255).astype(np.uint8)[:, :, None], 3, 2)

    def shows(self, colour: tuple[int, int, int]) -> bool:
        """Whether ink of this colour (RGB) leaves something on the copy that can be read."""
        grey = np.float32(np.dot((0.299, 0.587, 0.114), colour))
        return bool(self.cover(np.asarray(grey)) >= _LEGIBLE)


def draw_photocopy(rng: np.random.Generator) -> Photocopy:
    """A copier as it may be set: often too bright, seldom so dark that the card's ground turns grey.

    One of four knows black and white only, as cheap ones and fax machines do.
    """
    white = float(rng.uniform(150, 235))
    bilevel = rng.random() < _BILEVEL_SHARE
    return Photocopy(
        black=float((rng.uniform(0.9, 0.98) if bilevel else rng.uniform(0.05, 0.75)) * white),
        white=white,
        dots=float(rng.choice([0.0, rng.uniform(0.3, 1.0)], p=[0.6, 0.4])),
        toner=float(rng.uniform(0, 14)),
        spread=float(rng.choice([0.0, rng.uniform(0.3, 0.9)])),
        ink=float(rng.uniform(10, 90)),
        paper=float(rng.uniform(205, 255)),
    )


def sharpened(image: Pixels, amount: float) -> Pixels:
    """As telephones do it: `amount` of what a blur by one pixel takes away is added."""
    soft = cv2.GaussianBlur(image, (0, 0), 1.0)
    return np.asarray(cv2.addWeighted(image, 1 + amount, soft, -amount, 0), np.uint8)


@dataclass(frozen=True, kw_only=True)
class SentOn:
    """A messenger: the picture made smaller and compressed.

    Attributes:
        scale: 1 at most.
        quality: JPEG.
    """

    scale: float
    quality: int

    def received(self, image: Pixels) -> Pixels:
        """(h · scale, w · scale, 3) uint8."""
        size = (max(8, round(image.shape[1] * self.scale)), max(8, round(image.shape[0] * self.scale)))
        return through_jpeg(
            np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), self.quality
        )


def through_jpeg(image: Pixels, quality: int) -> Pixels:
    """Compressed and read again."""
    _, packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def written_over(rng: np.random.Generator, page: Pixels, mark: NDArray[np.float32]) -> Pixels:
    """(h, w, 3) uint8: translucent text of a purpose laid over `page`, somewhere and at a slant.

    Args:
        rng: of place, slant and ink.
        page: BGR.
        mark: (h', w') float32, 0-1: where a line of such text has ink, upright.
    """
    height, width = page.shape[:2]
    turn = cv2.getRotationMatrix2D((mark.shape[1] / 2, mark.shape[0] / 2), float(rng.uniform(-45, 45)), 1.0)
    turn[:, 2] += rng.uniform((0, 0.2 * height), (width, 0.8 * height)) - np.array(mark.shape[1::-1]) / 2
    cover = cv2.warpAffine(mark, turn, (width, height))[:, :, None] * np.float32(rng.uniform(0.15, 0.5))
    ink = np.array(_BGR[int(rng.integers(len(_BGR)))], np.float32)
    return np.asarray(page + cover * (ink - page), np.uint8)
