"""Prints text on a card whose coordinates are millimetres, with an ink that wets the paper unevenly."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from tandem.training.draw import fonts
from tandem.training.draw.fonts import FontFace

Field = NDArray[np.float32]
Colour = tuple[float, float, float]


class Press:
    """One card on its way through the printer.

    Attributes:
        picture: (h, w, 3) float32 RGB.
        px_per_mm: its resolution.
    """

    def __init__(self, picture: Field, px_per_mm: float, rng: np.random.Generator) -> None:
        self.picture, self.px_per_mm, self._rng = picture, px_per_mm, rng

    def text(
        self,
        at: tuple[float, float],
        text: str,
        face: FontFace,
        em: float,
        ink: Colour,
        *,
        pitch: float = 0.0,
    ) -> None:
        """Prints one line.

        Args:
            at: left edge and middle of the line, mm.
            text: the line.
            face: its font; characters that it lacks come from the fallback.
            em: size, mm.
            ink: RGB.
            pitch: from one character to the next, mm; 0: the font's own advance.
        """
        height, width = self.picture.shape[:2]
        plate = Pillow.new("L", (width, height), 0)
        pen, x = ImageDraw.Draw(plate), at[0] * self.px_per_mm
        for character in text:
            font = fonts.opened(
                face if fonts.covers(face, character) else fonts.fallback(), em * self.px_per_mm
            )
            pen.text((x, at[1] * self.px_per_mm), character, font=font, fill=255, anchor="lm")
            x += pitch * self.px_per_mm if pitch else font.getlength(character)
        self.stamp(np.asarray(plate, np.float32) / 255, ink)

    def length(self, text: str, face: FontFace, em: float) -> float:
        """How long a line would be at the font's own advance, mm."""
        return (
            sum(
                fonts.opened(
                    face if fonts.covers(face, c) else fonts.fallback(), em * self.px_per_mm
                ).getlength(c)
                for c in text
            )
            / self.px_per_mm
        )

    def stamp(self, plate: Field, ink: Colour, strength: float = 1.0) -> None:
        """Lays ink on where the plate says so: (h, w) float32, 0–1."""
        rows, columns = np.flatnonzero(plate.any(axis=1)), np.flatnonzero(plate.any(axis=0))
        if not len(rows):
            return
        spot = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        mask = cv2.GaussianBlur(plate[spot], (0, 0), 0.03 * self.px_per_mm)
        wet = cv2.GaussianBlur(
            self._rng.normal(0, 1, mask.shape).astype(np.float32), (0, 0), 0.08 * self.px_per_mm
        )
        mask *= np.clip(strength * (0.93 + 0.25 * wet), 0, 1)
        self.picture[spot] += mask[:, :, None] * (np.array(ink, np.float32) - self.picture[spot])

    def paste(self, picture: Field, alpha: Field, at: tuple[float, float]) -> None:
        """Lays a picture with its (h, w) mask on the card, its top left at `at` (mm)."""
        x, y = (round(part * self.px_per_mm) for part in at)
        spot = (slice(y, y + picture.shape[0]), slice(x, x + picture.shape[1]))
        self.picture[spot] += alpha[:, :, None] * (picture - self.picture[spot])
