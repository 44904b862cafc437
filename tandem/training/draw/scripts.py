"""The second script of bilingual cards: meaningless words in Tibetan, Mongolian, Yi or Uyghur letters."""

from __future__ import annotations

from enum import Enum

import numpy as np

from tandem.training.draw import fonts
from tandem.training.draw.canvas import BASELINE_EM, Canvas
from tandem.training.draw.styles import Script, Style

_LETTERS: dict[Script, tuple[int, int]] = {
    "tibetan": (0x0F40, 0x0F68),
    "mongolian": (0x1820, 0x1842),
    "yi": (0xA000, 0xA48C),
    "uyghur": (0x0627, 0x064A),
}
# Code points inside the ranges above that are no letters.
_GAPS = frozenset({0x0F48, *range(0x063B, 0x0641)})
_WORD_SPACE: dict[Script, str] = {"tibetan": "་", "mongolian": " ", "yi": "", "uyghur": " "}


# Sizes in millimetres, and how far letters reach below the baseline, in ems: Tibetan stacks hang from it.
_EMS: dict[Script, tuple[float, float]] = {
    "tibetan": (1.3, 1.6),
    "mongolian": (1.5, 1.9),
    "yi": (1.5, 1.8),
    "uyghur": (1.5, 1.9),
}
_HANGING: dict[Script, float] = {"tibetan": 0.6, "mongolian": 0.2, "yi": 0.1, "uyghur": 0.35}


class Bilingual(Enum):
    """Where a side has room for the second script: (x, lower edge, longest) in millimetres."""

    PORTRAIT_LINES = (
        (7.0, 9.2, 30.0),
        (7.0, 15.8, 36.0),
        (7.0, 22.1, 38.0),
        (7.0, 28.4, 40.0),
        (7.0, 44.9, 40.0),
    )
    EMBLEM_LINES = ((30.0, 5.8, 44.0), (27.0, 14.4, 50.0), (21.0, 38.6, 30.0), (21.0, 45.2, 30.0))


def _words(rng: np.random.Generator, script: Script, letters: int) -> str:
    low, high = _LETTERS[script]
    alphabet = [chr(point) for point in range(low, high) if point not in _GAPS]
    text = ""
    for index in range(letters):
        text += alphabet[int(rng.integers(len(alphabet)))]
        if index % 4 == 3:
            text += _WORD_SPACE[script]
    return text


def print_second_script(canvas: Canvas, rng: np.random.Generator, style: Style, lines: Bilingual) -> None:
    """Prints a small line of the style's second script, if it has one, above each Chinese row.

    Raises:
        FontsMissingError: the script's font is not installed.
    """
    if style.bilingual is None:
        return
    face = fonts.pick(rng, (fonts.SCRIPT_FONTS[style.bilingual],), "train")
    for x, baseline, longest in lines.value:
        text = _words(rng, style.bilingual, int(rng.integers(6, 22)))
        em = float(rng.uniform(*_EMS[style.bilingual]))
        while canvas.length(text, face, em) > longest:
            text = text[:-1]
        top = baseline + style.shift_y - (BASELINE_EM + _HANGING[style.bilingual]) * em
        canvas.text((x + style.shift_x, top), text, face, em, style.ink)
