"""What light, lens, sensor and file format do to a scene; each effect has a probability and a strength."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.training.scene.backdrops import fractal_noise
from tandem.training.scene.conditions import Conditions

Scene = NDArray[np.float32]


_SMALL = 96  # px: light varies slowly, so it is drawn small and enlarged


def _enlarge(field: NDArray[np.float32], scene: Scene) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(field, (scene.shape[1], scene.shape[0]), interpolation=cv2.INTER_LINEAR))[
        :, :, None
    ]


def _shadow(scene: Scene, rng: np.random.Generator, strength: float) -> None:
    """A hand's or phone's shadow: a soft polygon or a half-plane."""
    mask = np.zeros((_SMALL, _SMALL), np.float32)
    points = rng.normal(_SMALL / 2, _SMALL * 0.45, (int(rng.integers(3, 7)), 2)) + rng.normal(
        0, _SMALL * 0.2, 2
    )
    cv2.fillPoly(mask, [cv2.convexHull(points.astype(np.int32))], 1.0)
    mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.6, 9))
    scene *= 1 - rng.uniform(0.2, 0.7) * strength * _enlarge(mask, scene)


def _glare(scene: Scene, rng: np.random.Generator, strength: float) -> None:
    """One or two bright spots or bands, as lamps and windows leave on plastic."""
    for _ in range(int(rng.integers(1, 3))):
        mask = np.zeros((_SMALL, _SMALL), np.float32)
        centre = tuple(int(v) for v in rng.uniform(0.1, 0.9, 2) * _SMALL)
        axes = (int(rng.uniform(2, 14)), int(rng.uniform(1, 7)))
        cv2.ellipse(mask, centre, axes, rng.uniform(0, 180), 0, 360, 1.0, -1)
        mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(1.5, 6))
        scene += np.float32(255 * rng.uniform(0.3, 1.0) * strength) * _enlarge(mask, scene)


def light(scene: Scene, rng: np.random.Generator, conditions: Conditions) -> None:
    """Uneven light, shadows, glare, darkness and colour cast, in place on a (H, W, 3) float32 scene."""
    strength = conditions.strength
    uneven = fractal_noise(rng, _SMALL, _SMALL, 2)
    scene *= _enlarge(1 - np.float32(0.35 * strength) * uneven, scene)
    if rng.random() < conditions.shadow:
        _shadow(scene, rng, strength)
    if rng.random() < conditions.glare:
        _glare(scene, rng, strength)
    if rng.random() < conditions.cast:
        scene *= np.clip(1 + rng.normal(0, 0.13 * strength, 3), 0.6, 1.4).astype(np.float32)
    if rng.random() < conditions.dark:
        scene *= 1 - rng.uniform(0.25, 0.7) * strength
    elif rng.random() < 0.5:
        scene *= np.float32(rng.uniform(0.85, 1.15))


def _defocus(image: Scene, rng: np.random.Generator, strength: float) -> Scene:
    """Defocus or motion blur; the radius grows with the picture, 1 px at 1000 px a side."""
    radius = max(image.shape[:2]) / 1000 * rng.uniform(0.5, 2.2) * strength
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), max(0.3, radius)), np.float32)
    length = max(3, int(radius * 4) | 1)
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * (length // 2)
    centre = np.array([length // 2, length // 2])
    start, end = (tuple(int(v) for v in np.round(centre + sign * reach)) for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0, 1, cv2.LINE_AA)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.float32)


def sense(scene: Scene, rng: np.random.Generator, conditions: Conditions) -> NDArray[np.uint8]:
    """Lens, sensor and JPEG: a (H, W, 3) float32 scene of 0-255 becomes a (H, W, 3) uint8 picture."""
    strength = conditions.strength
    if rng.random() < conditions.blur:
        scene = _defocus(scene, rng, strength)
    if rng.random() < conditions.grey:
        luma = cv2.cvtColor(np.clip(scene, 0, 255), cv2.COLOR_BGR2GRAY)
        contrast = rng.uniform(0.8, 1.6)
        scene = cv2.cvtColor((luma - 128) * contrast + 128 + rng.normal(0, 15), cv2.COLOR_GRAY2BGR)
    if rng.random() < conditions.noise:
        sigma = rng.uniform(1, 12) * strength
        # One channel of noise a pixel plus a coarser one: cheap, and demosaiced noise is correlated anyway.
        grain = rng.standard_normal(scene.shape[:2], dtype=np.float32) * sigma
        scene = scene + grain[:, :, None] * rng.uniform(0.6, 1.4, 3).astype(np.float32)
    image = np.clip(scene, 0, 255).astype(np.uint8)
    quality = int(rng.integers(conditions.jpeg_quality[0], conditions.jpeg_quality[1] + 1))
    _, packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
