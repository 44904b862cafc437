"""The second script of bilingual cards: meaningless words in Tibetan, Mongolian, Yi or Uyghur letters."""

from __future__ import annotations

from enum import Enum

import numpy as np

from tandem.training import fonts
from tandem.training.canvas import Canvas, Colour
from tandem.training.styles import Script

_LETTERS: dict[Script, tuple[int, int]] = {
    "tibetan": (0x0F40, 0x0F68),
    "mongolian": (0x1820, 0x1842),
    "yi": (0xA000, 0xA48C),
    "uyghur": (0x0627, 0x064A),
}
# Code points inside the ranges above that are no letters.
_GAPS = frozenset({0x0F48, *range(0x063B, 0x0641)})
_WORD_SPACE: dict[Script, str] = {"tibetan": "་", "mongolian": " ", "yi": "", "uyghur": " "}


class Bilingual(Enum):
    """Where a side has room for the second script: (x, y, longest) in millimetres."""

    PORTRAIT_LINES = (
        (7.0, 7.4, 30.0),
        (7.0, 13.8, 36.0),
        (7.0, 20.1, 38.0),
        (7.0, 26.4, 40.0),
        (7.0, 42.9, 24.0),
    )
    EMBLEM_LINES = ((30.0, 3.0, 44.0), (27.0, 12.2, 50.0), (21.0, 36.3, 30.0), (21.0, 43.2, 30.0))


def _words(rng: np.random.Generator, script: Script, letters: int) -> str:
    low, high = _LETTERS[script]
    alphabet = [chr(point) for point in range(low, high) if point not in _GAPS]
    text = ""
    for index in range(letters):
        text += alphabet[int(rng.integers(len(alphabet)))]
        if index % 4 == 3:
            text += _WORD_SPACE[script]
    return text


def draw_bilingual_lines(
    canvas: Canvas, rng: np.random.Generator, script: Script, lines: Bilingual, ink: Colour
) -> None:
    """Prints a small line of the script above each Chinese row.

    Raises:
        FontsMissingError: the script's font is not installed.
    """
    face = fonts.pick(rng, (fonts.SCRIPT_FONTS[script],), "train")
    for x, y, longest in lines.value:
        text = _words(rng, script, int(rng.integers(6, 22)))
        em = float(rng.uniform(1.6, 2.1))
        while text and canvas.length(text, face, em) > longest:
            text = text[:-1]
        if text:
            canvas.text((x, y), text, face, em, ink)
