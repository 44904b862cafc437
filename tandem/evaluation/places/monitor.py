"""A photograph of a monitor, whose pixels of three colours beat with the sensor's (moiré)."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.evaluation.grounds.pool import Grounds
from tandem.evaluation.places import on_table
from tandem.evaluation.places.camera import View, place_camera
from tandem.evaluation.places.digital import Cards, decoded, scaled, scan
from tandem.evaluation.places.exposure import Exposure, encode_jpeg, expose
from tandem.evaluation.places.setting import Drawn, Image, a_side
from tandem.services.id_card.card import CARD_HEIGHT_MM, CARD_WIDTH_MM

_PITCH_MM = 0.27  # of the pixels of a common monitor
_SHOWN_PX = (650, 1000)  # the card's width on the monitor
_MOST_PX = np.array([1700, 1250])  # of a monitor, around the card: the camera sees no more
_SIZES = ((1200, 1600), (1600, 1200), (1512, 2016))
_EXPOSURE = Exposure(brightness=(0.95, 1.15), falloff=(0.02, 0.15), shadow=0.0, blur_px=(0.35, 0.6))
_BEZEL = (18, 18, 18)
#: Of the photographs so many have beats that are plain to see: how wide, px, and how strong their waves are.
_BEATING, _BEAT_PX, _BEAT = 0.6, (7.0, 30.0), (0.04, 0.14)


def screen(rng: np.random.Generator, grounds: Grounds) -> Drawn:
    """A card in a window of a monitor, photographed."""
    if rng.random() < 0.6:
        data, cards = on_table.on_photograph(rng, grounds, [a_side(rng)])
        image = decoded(data)
    else:
        image, cards = scan(rng, grounds)
    desktop, cards = _desktop(rng, grounds, image, cards)
    quad = cards[0].quad
    card_mm = float(np.linalg.norm(quad[1] - quad[0])) * _PITCH_MM
    view = View(size=_SIZES[int(rng.integers(3))], card=(0.55, 0.85), tilt_deg=(0, 18), spin_deg=(-8, 8))
    camera = place_camera(rng, view, card_mm, card_mm * CARD_HEIGHT_MM / CARD_WIDTH_MM)
    # The camera aims at the plane's origin: that is where the card's middle has to be.
    matrix = camera.plane() @ _to_mm(quad.mean(axis=0), _PITCH_MM)
    lit = _subpixels(rng, desktop)
    thirds = np.diag([1 / 3, 1 / 3, 1.0])
    seen = cv2.warpPerspective(lit, matrix @ thirds, view.size[::-1], borderValue=_BEZEL)
    light = seen.astype(np.float32)
    if rng.random() < _BEATING:
        light *= _beats(rng, view.size)
    picture = expose(light * 1.1 + rng.uniform(2, 14), rng, _EXPOSURE)
    truths = tuple(replace(card, quad=cv2.perspectiveTransform(card.quad[None], matrix)[0]) for card in cards)
    return encode_jpeg(picture, int(rng.integers(80, 95))), truths


def _beats(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.float32]:
    """(h, w, 3) around 1: the beats of columns and rows with the sensor, each colour's waves shifted.

    The blur of a camera whose pixels are as wide as the monitor's takes them away; where the camera's are
    finer they stay, up to what sharpening makes of them.
    """
    height, width = size
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    beats = np.ones((*size, 3), np.float32)
    angle = rng.uniform(0, np.pi)
    strengths = rng.uniform(*_BEAT) * np.array([1.0, rng.uniform(0.2, 1.0)])
    for strength, turn in zip(strengths, (0.0, rng.uniform(0.6, 2.2)), strict=True):
        wave = 2 * np.pi / rng.uniform(*_BEAT_PX)
        # A tilted camera's waves widen from one side to the other.
        drift = 1 + rng.normal(0, 0.12) * (x / width - 0.5) + rng.normal(0, 0.12) * (y / height - 0.5)
        along = (np.cos(angle + turn) * x + np.sin(angle + turn) * y) * wave * drift
        shift = rng.uniform(0.3, 2 * np.pi / 3)
        for channel in range(3):
            beats[..., channel] += np.float32(strength) * np.sin(along + channel * shift)
    return beats


def _to_mm(origin: NDArray[np.float32], pitch_mm: float) -> NDArray[np.float64]:
    """The (3, 3) map from pixels to millimetres from a pixel."""
    x, y = (float(part) for part in origin)
    return np.array([[pitch_mm, 0, -x * pitch_mm], [0, pitch_mm, -y * pitch_mm], [0, 0, 1]])


def _desktop(rng: np.random.Generator, grounds: Grounds, image: Image, cards: Cards) -> tuple[Image, Cards]:
    """A window with the picture before a wallpaper, in the monitor's pixels."""
    quad = cards[0].quad
    scale = rng.uniform(*_SHOWN_PX) / float(np.linalg.norm(quad[1] - quad[0]))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    shown = cv2.resize(image, None, fx=scale, fy=scale, interpolation=how)
    title, rim = 36, 3
    window = cv2.copyMakeBorder(shown, title, rim, rim, rim, cv2.BORDER_CONSTANT, value=(222, 219, 216))
    left, top, right, bottom = (int(part) for part in rng.uniform(20, 500, 4))
    height, width = window.shape[0] + top + bottom, window.shape[1] + left + right
    desktop = cv2.resize(grounds.photograph(rng), (width, height), interpolation=cv2.INTER_AREA)
    desktop[top : top + window.shape[0], left : left + window.shape[1]] = window
    on_screen = scaled(cards, scale, (left + rim, top + title))
    middle = on_screen[0].quad.mean(axis=0)
    low = np.maximum(middle - _MOST_PX / 2, 0).astype(int)
    high = (middle + _MOST_PX / 2).astype(int)
    seen = desktop[low[1] : high[1], low[0] : high[0]]
    return np.asarray(seen, np.uint8), scaled(on_screen, 1.0, (-low[0], -low[1]))


def _subpixels(rng: np.random.Generator, desktop: Image) -> Image:
    """A monitor's pixels three times as fine: (3h, 3w, 3) uint8, each third of a pixel lit in one colour."""
    height, width = desktop.shape[:2]
    fine = np.empty((3 * height, 3 * width, 3), np.uint8)
    dim = rng.uniform(0.35, 0.7)  # how bright the other two colours are in a colour's third
    gap = rng.uniform(0.6, 0.9)  # how bright the line between two rows is
    for third, channel in enumerate((2, 1, 0)):
        gain = np.full(3, dim, np.float32)
        gain[channel] = 1.0
        lit = desktop * (gain * np.float32(3 / (1 + 2 * dim)))
        fine[0::3, third::3] = fine[1::3, third::3] = lit.clip(0, 255).astype(np.uint8)
        fine[2::3, third::3] = (lit * np.float32(gap)).clip(0, 255).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(fine, (0, 0), 1.1), np.uint8)
