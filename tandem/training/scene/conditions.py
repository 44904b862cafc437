"""How a photograph is taken: ranges and chances, and the named sets of them."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """How a photograph is taken; every range is drawn from uniformly unless said otherwise.

    Attributes:
        tilt_deg: angle between the card's normal and the camera's axis.
        rotation_deg: in-plane rotation.
        area: share of the frame that one card covers (drawn log-uniformly).
        overhang: largest share of the card's size that may lie outside the frame.
        shadow, glare, blur, dark, noise, cast, grey: probability of each effect.
        fingers: probability that a hand holds a card at its edge.
        strength: 0-1, scales the effects.
        jpeg_quality: range, inclusive.
    """

    tilt_deg: tuple[float, float] = (0.0, 35.0)
    rotation_deg: tuple[float, float] = (-180.0, 180.0)
    area: tuple[float, float] = (0.15, 0.9)
    overhang: float = 0.0
    shadow: float = 0.4
    glare: float = 0.2
    blur: float = 0.3
    dark: float = 0.2
    noise: float = 0.5
    cast: float = 0.5
    grey: float = 0.0
    fingers: float = 0.0
    strength: float = 0.6
    jpeg_quality: tuple[int, int] = (60, 95)


EASY = Conditions(
    tilt_deg=(0, 12),
    rotation_deg=(-8, 8),
    area=(0.25, 0.7),
    shadow=0.2,
    glare=0.0,
    blur=0.0,
    dark=0.0,
    noise=0.3,
    cast=0.3,
    strength=0.4,
    jpeg_quality=(80, 95),
)
UPRIGHT = replace(EASY, tilt_deg=(0, 25), rotation_deg=(-15, 15), shadow=0.4, glare=0.1, blur=0.2, cast=0.5)
TILTED = replace(EASY, tilt_deg=(15, 35), rotation_deg=(-20, 20))
ROTATED = replace(EASY, tilt_deg=(0, 20), rotation_deg=(-180, 180))
HARD = replace(
    EASY,
    tilt_deg=(0, 25),
    rotation_deg=(-30, 30),
    shadow=0.7,
    glare=0.35,
    blur=0.5,
    dark=0.5,
    noise=0.8,
    cast=0.7,
    strength=0.8,
    jpeg_quality=(50, 85),
)
TRAINING = Conditions(
    area=(0.035, 0.95),
    overhang=0.15,
    shadow=0.5,
    glare=0.3,
    blur=0.4,
    dark=0.3,
    noise=0.6,
    cast=0.6,
    grey=0.12,
    fingers=0.15,
    strength=1.0,
    jpeg_quality=(35, 95),
)
