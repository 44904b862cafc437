"""An invented person's picture: head, hair, neck and shoulders as soft shapes with light on them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

_FINE = 2  # painted at twice the size, then shrunk
_SKIN = ((232, 196, 172), (222, 184, 156), (205, 162, 132), (240, 208, 190))
_CLOTH = ((40, 44, 58), (70, 40, 44), (225, 225, 230), (52, 74, 108), (120, 118, 112), (30, 30, 32))


class _Canvas:
    """Shapes on a picture whose coordinates are 0–1 across its width (and down by the same unit)."""

    def __init__(self, height: int, width: int) -> None:
        self.size = (width * _FINE, height * _FINE)
        self.colour = np.full((self.size[1], self.size[0], 3), 250, np.float32)
        self.alpha = np.zeros((self.size[1], self.size[0]), np.float32)

    def blend(self, mask: Field, colour: NDArray[np.float32]) -> None:
        self.colour += mask[:, :, None] * (colour - self.colour)

    def polygon(self, points: NDArray[np.float64], soft: float) -> Field:
        mask = np.zeros((self.size[1], self.size[0]), np.float32)
        cv2.fillPoly(mask, [np.round(points * self.size[0]).astype(np.int32)], 1.0, cv2.LINE_AA)
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(soft * self.size[0], 0.5)), np.float32)

    def ellipse(self, x: float, y: float, rx: float, ry: float, soft: float) -> Field:
        turn = np.linspace(0, 2 * np.pi, 90)
        return self.polygon(np.stack([x + rx * np.cos(turn), y + ry * np.sin(turn)], 1), soft)


def draw_bust(rng: np.random.Generator, height: int, width: int) -> tuple[Field, Field]:
    """A person before a white wall.

    Returns:
        picture: (h, w, 3) float32 RGB.
        alpha: (h, w) float32, 0–1: the person without the wall.
    """
    canvas = _Canvas(height, width)
    skin = np.array(_SKIN[int(rng.integers(len(_SKIN)))], np.float32) + rng.normal(0, 6, 3).astype(np.float32)
    tall = height / width
    middle, face = (
        0.5 + float(rng.normal(0, 0.015)),
        np.array([rng.uniform(0.2, 0.235), rng.uniform(0.27, 0.31)]),
    )
    chin = 0.52 + face[1]
    long_hair = bool(rng.random() < 0.5)
    hair = np.float32(rng.uniform(12, 48)) * np.array([1, 0.95, 0.92], np.float32)
    if long_hair:
        _paint(canvas, canvas.ellipse(middle, 0.56, face[0] * 1.4, face[1] * 1.55, 0.01), hair)
    _paint_body(canvas, rng, middle, chin, tall, skin)
    head = canvas.ellipse(middle, 0.52, face[0], face[1], 0.006)
    _paint(canvas, head, skin)
    light = canvas.ellipse(middle - face[0] * 0.3, 0.5, face[0] * 0.7, face[1] * 0.7, 0.08)
    canvas.blend(light * head * 0.18, np.full(3, 255, np.float32))
    _paint_features(canvas, rng, middle, face, skin)
    fringe = rng.uniform(0.22, 0.5)
    turn = np.linspace(np.pi, 2 * np.pi, 60)
    outer = np.stack([middle + face[0] * 1.12 * np.cos(turn), 0.5 + face[1] * 1.2 * np.sin(turn)], 1)
    inner = np.stack(
        [middle + face[0] * np.cos(turn[::-1]), 0.5 + face[1] * fringe * 2 * np.sin(turn[::-1])], 1
    )
    _paint(canvas, canvas.polygon(np.concatenate([outer, inner]), 0.008), hair)
    grain = cv2.GaussianBlur(rng.normal(0, 9, canvas.alpha.shape).astype(np.float32), (0, 0), 1.2)
    picture = canvas.colour + grain[:, :, None]
    small = [
        cv2.resize(layer, (width, height), interpolation=cv2.INTER_AREA) for layer in (picture, canvas.alpha)
    ]
    return np.clip(small[0], 0, 255).astype(np.float32), np.asarray(small[1], np.float32)


def _paint(canvas: _Canvas, mask: Field, colour: NDArray[np.float32]) -> None:
    canvas.blend(mask, colour)
    canvas.alpha = np.maximum(canvas.alpha, mask)


def _paint_body(
    canvas: _Canvas,
    rng: np.random.Generator,
    middle: float,
    chin: float,
    tall: float,
    skin: NDArray[np.float32],
) -> None:
    neck = np.array([(-0.1, chin - 0.12), (0.1, chin - 0.12), (0.12, tall), (-0.12, tall)]) + (middle, 0)
    _paint(canvas, canvas.polygon(neck, 0.008), skin * np.float32(0.88))
    cloth = np.array(_CLOTH[int(rng.integers(len(_CLOTH)))], np.float32)
    wide, slope = rng.uniform(0.4, 0.48), rng.uniform(0.06, 0.12)
    dip = rng.uniform(0.06, 0.14)
    body = [(-wide, tall), (-wide, chin + 0.1 + slope), (-0.13, chin + 0.03), (0, chin + 0.03 + dip)]
    body += [(0.13, chin + 0.03), (wide, chin + 0.1 + slope), (wide, tall)]
    _paint(canvas, canvas.polygon(np.array(body) + (middle, 0), 0.008), cloth)
    if rng.random() < 0.5:  # a collar
        for side in (-1, 1):
            flap = np.array(
                [(side * 0.13, chin + 0.02), (side * 0.02, chin + 0.05 + dip), (side * 0.16, chin + 0.14)]
            )
            _paint(canvas, canvas.polygon(flap + (middle, 0), 0.004), cloth * np.float32(0.8) + 30)


def _paint_features(
    canvas: _Canvas,
    rng: np.random.Generator,
    middle: float,
    face: NDArray[np.float64],
    skin: NDArray[np.float32],
) -> None:
    dark = np.array([38, 28, 26], np.float32)
    eyes = 0.5 + rng.uniform(-0.015, 0.015)
    for side in (-1, 1):
        x = middle + side * face[0] * 0.42
        canvas.blend(canvas.ellipse(x, eyes, 0.038, 0.014, 0.004), np.full(3, 240, np.float32))
        canvas.blend(canvas.ellipse(x, eyes, 0.015, 0.014, 0.003), dark)
        canvas.blend(canvas.ellipse(x, eyes - 0.045, 0.05, 0.008, 0.005) * 0.8, dark)
    nose = canvas.polygon(
        np.array([(0, eyes), (0.035, eyes + 0.12), (-0.03, eyes + 0.12)]) + (middle, 0), 0.012
    )
    canvas.blend(nose * 0.25, skin * np.float32(0.7))
    canvas.blend(
        canvas.ellipse(middle, eyes + 0.19, 0.055, 0.014, 0.006), np.array([176, 98, 96], np.float32)
    )
