"""What documents in a resident identity card's layout share: its paper, its print, its emblem side.

Residence permits, temporary cards and foreigners' cards are printed on the same sheet by the same machines.
A title, a label, a number tell them apart. So they are drawn here with the resident card's own parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.training.draw import fonts, guilloche
from tandem.training.draw.canvas import Canvas, Colour
from tandem.training.draw.devices import draw_state_device, wall_picture
from tandem.training.draw.fonts import FontFace
from tandem.training.draw.masks import rounded_mask
from tandem.training.draw.pools import Pool
from tandem.training.draw.portraits import draw_portrait
from tandem.training.draw.styles import Style, draw_style

Drawing = tuple[NDArray[np.uint8], NDArray[np.uint8]]

WIDTH_MM, HEIGHT_MM, RADIUS_MM = 85.6, 54.0, 3.18
#: Cards that others draw or print set their titles in any font.
_PLAIN_TITLE = 0.35
_PLACE_MM, _SIZE_SHARE = 0.5, 0.06  # how far a line stands off its place, and its size off its own


@dataclass(frozen=True, kw_only=True)
class Form:
    """A card being printed; lengths are millimetres."""

    canvas: Canvas
    style: Style
    rng: np.random.Generator

    def label(self, text: str, at: tuple[float, float], em: float = 2.55, pitch: float | None = None) -> None:
        """A label, in the labels' ink."""
        self._print(text, at, em, self.style.label_face, self.style.label_colour, pitch=pitch)

    def black_label(self, text: str, at: tuple[float, float], em: float = 2.65) -> None:
        """A label of an emblem side."""
        self._print(text, at, em, self.style.label_face, self.style.ink, pitch=em * 1.08)

    def value(self, text: str, at: tuple[float, float], em: float | None = None) -> None:
        """A value."""
        self._print(text, at, em or self.style.value_em, self.style.value_face, self.style.ink)

    def number(self, text: str, at: tuple[float, float], em: float | None = None) -> None:
        """Digits, one pitch each."""
        size = em or self.style.number_em
        pitch = self.style.number_pitch * size / self.style.number_em
        self._print(text, at, size, self.style.number_face, self.style.ink, pitch=pitch)

    def title(self, text: str, y: float, em: float, span: tuple[float, float]) -> None:
        """A title whose characters are spread from `span`'s left to its right."""
        left, right = span
        em = min(em, (right - left) / max(len(text), 1) * 1.02)
        pitch = (right - left - em) / max(len(text) - 1, 1)
        self._print(text, (left, y), em, self.style.title_face, self.style.ink, pitch=pitch)

    def portrait(self, x: float = 55.1, y: float = 9.1, width: float = 22.7, *, cut_out: float = 0.8) -> None:
        """A person's picture; `cut_out` of them without a background."""
        rng, scale = self.rng, self.canvas.scale
        width *= float(rng.uniform(0.92, 1.08))
        size = round(width * 1.35 * scale), round(width * scale)
        picture, alpha = draw_portrait(rng, *size, cut_out=bool(rng.random() < cut_out))
        if rng.random() < 0.1:
            picture = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
        self.canvas.paste(picture, alpha, (x + float(rng.normal(0, 0.8)), y + float(rng.normal(0, 0.8))))

    def device(self, x: float = 5.2, y: float = 5.6, size: float = 16.6) -> None:
        """The state device."""
        size *= float(self.rng.uniform(0.9, 1.08))
        picture, alpha = draw_state_device(self.rng, max(round(size * self.canvas.scale), 8))
        self.canvas.paste(picture, alpha, (x + self.style.shift_x, y + self.style.shift_y))

    def finish(self) -> Drawing:
        """The picture (BGR) and its alpha; copies are grey."""
        image = self.canvas.pixels()
        if self.style.grey:
            grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
            grey = (grey - 128) * self.rng.uniform(0.7, 1.6) + 128 + self.rng.uniform(-40, 40)
            image = np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
        radius = 0.0 if self.style.square_corners else RADIUS_MM * self.canvas.scale
        return image, rounded_mask(*self.canvas.shape(), radius)

    def _print(
        self,
        text: str,
        at: tuple[float, float],
        em: float,
        face: FontFace,
        colour: Colour,
        *,
        pitch: float | None = None,
    ) -> None:
        style, rng = self.style, self.rng
        place = (
            at[0] + style.shift_x + float(rng.uniform(-_PLACE_MM, _PLACE_MM)),
            at[1] + style.shift_y + float(rng.uniform(-_PLACE_MM, _PLACE_MM)),
        )
        size = em * style.em_scale * float(rng.uniform(1 - _SIZE_SHARE, 1 + _SIZE_SHARE))
        self.canvas.text(place, text, face, size, colour, pitch=pitch)


def varied_style(rng: np.random.Generator, pool: Pool) -> Style:
    """A card's style; its titles and labels also in fonts that resident cards are never printed in."""
    style = draw_style(rng, pool)
    if rng.random() < _PLAIN_TITLE:
        style = replace(style, title_face=fonts.pick(rng, fonts.VALUE_FONTS, pool))
    if rng.random() < _PLAIN_TITLE:
        style = replace(style, label_face=style.value_face)
    return style


def identity_form(rng: np.random.Generator, width_px: int, pool: Pool) -> Form:
    """An empty card on a resident identity card's paper, or on one of other pale colours."""
    height = round(width_px * HEIGHT_MM / WIDTH_MM)
    paper = guilloche.sheet(rng, height, width_px) if rng.random() < 0.7 else tinted(rng, height, width_px)
    return Form(canvas=Canvas(paper, WIDTH_MM), style=varied_style(rng, pool), rng=rng)


def tinted(
    rng: np.random.Generator, height: int, width: int, tint: tuple[float, ...] | None = None
) -> NDArray[np.uint8]:
    """(height, width, 3) uint8 RGB: pale patterned paper of a colour; None: any."""
    base = np.array(tint) if tint is not None else rng.uniform(190, 250, 3)
    stops = [tuple(np.clip(base + rng.normal(0, 8, 3), 0, 255)) for _ in range(3)]
    inks = [tuple(np.clip(base - rng.uniform(10, 70, 3), 0, 255)) for _ in range(2)]
    return guilloche.sheet(rng, height, width, stops=stops, inks=inks)


def emblem_form(rng: np.random.Generator, width_px: int, pool: Pool, *, device: float = 0.93) -> Form:
    """An emblem side without titles; three of four with the wall, `device` of them with the state device."""
    form = identity_form(rng, width_px, pool)
    if rng.random() < 0.75:
        form = replace(form, canvas=_with_wall(rng, form.canvas))
    if rng.random() < device:
        form.device()
    return form


def _with_wall(rng: np.random.Generator, canvas: Canvas) -> Canvas:
    paper = canvas.pixels()[:, :, ::-1].astype(np.float32)
    x, y, width, height = (round(part * canvas.scale) for part in (6.0, 23.0, 74.0, 26.0))
    dark = wall_picture(rng, height, width)[:, :, None] * rng.uniform(0.1, 0.5)
    ink = np.array((96, 122, 112), np.float32) + rng.normal(0, 25, 3).astype(np.float32)
    region = paper[y : y + height, x : x + width]
    paper[y : y + height, x : x + width] = region + (ink - region) * dark
    return Canvas(np.clip(paper, 0, 255).astype(np.uint8), WIDTH_MM)
