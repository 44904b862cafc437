"""A flat sheet to draw on in millimetres: text with a pitch and a fallback font, boxes of what was drawn."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tandem.training.draw import fonts
from tandem.training.draw.fonts import FontFace

Colour = tuple[int, int, int]

# Where a line of text stands in its em box: the baseline below the top, in ems, as CJK fonts have it.
BASELINE_EM = 0.86


class Canvas:
    """An RGB sheet whose coordinates are millimetres.

    Attributes:
        scale: pixels per millimetre.
    """

    def __init__(self, picture: NDArray[np.uint8], width_mm: float) -> None:
        """Starts from a picture.

        Args:
            picture: (h, w, 3) uint8 RGB.
            width_mm: what its width means.
        """
        self._image = Image.fromarray(picture)
        self._draw = ImageDraw.Draw(self._image)
        self.scale = picture.shape[1] / width_mm

    def pixels(self) -> NDArray[np.uint8]:
        """(h, w, 3) uint8 BGR: what was drawn."""
        return np.asarray(cv2.cvtColor(np.asarray(self._image), cv2.COLOR_RGB2BGR), np.uint8)

    def text(
        self,
        at: tuple[float, float],
        text: str,
        face: FontFace,
        em: float,
        colour: Colour,
        *,
        pitch: float | None = None,
        stretch: float = 0.0,
    ) -> NDArray[np.float32]:
        """Draws one line and returns its box.

        Args:
            at: left edge and top of the em box, mm.
            text: the line.
            face: its font; characters it lacks come from the fallback.
            em: size, mm.
            colour: RGB.
            pitch: distance from one character to the next, mm; None: the font's own advance.
            stretch: letter-spacing added to the font's own advance, mm.

        Returns:
            (4, 2) float32, pixels, clockwise from the line's top left.
        """
        x, y = at[0] * self.scale, (at[1] + BASELINE_EM * em) * self.scale
        left, top, right, bottom = x, y, x, y
        for run, run_face in _runs(text, face, alone=pitch is not None or stretch != 0):
            font = fonts.opened(run_face, em * self.scale)
            self._draw.text((x, y), run, font=font, fill=colour, anchor="ls")
            ink = font.getbbox(run, anchor="ls")
            left, top = min(left, x + ink[0]), min(top, y + ink[1])
            right, bottom = max(right, x + ink[2]), max(bottom, y + ink[3])
            x += pitch * self.scale if pitch is not None else font.getlength(run) + stretch * self.scale
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)

    def length(self, text: str, face: FontFace, em: float) -> float:
        """How long a line would be, mm."""
        runs = _runs(text, face, alone=False)
        return sum(fonts.opened(f, em * self.scale).getlength(run) for run, f in runs) / self.scale

    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self._image.height, self._image.width

    @property
    def draw(self) -> ImageDraw.ImageDraw:
        """Pillow's own pen, in pixels, for what is not text."""
        return self._draw

    def paste(self, picture: NDArray[np.uint8], alpha: NDArray[np.uint8], at: tuple[float, float]) -> None:
        """Lays an RGB picture with its alpha mask on the sheet, its top left at `at` (mm)."""
        corner = (round(at[0] * self.scale), round(at[1] * self.scale))
        self._image.paste(Image.fromarray(picture), corner, Image.fromarray(alpha))


def _runs(text: str, face: FontFace, *, alone: bool) -> list[tuple[str, FontFace]]:
    """The text cut into runs of one font, or into single characters."""
    if fonts.covers(face, text):
        return [(character, face) for character in text] if alone else [(text, face)]
    runs: list[tuple[str, FontFace]] = []
    for character in text:
        chosen = face if fonts.covers(face, character) else fonts.fallback()
        if runs and not alone and runs[-1][1] == chosen:
            runs[-1] = (runs[-1][0] + character, chosen)
        else:
            runs.append((character, chosen))
    return runs


def bounding_box(boxes: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """(4, 2) float32: the upright box around several boxes."""
    points = np.concatenate(boxes)
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
