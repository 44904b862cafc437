"""Prints a card's labels and values in its style, and notes where each field and each row stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.records import RowKind
from tandem.training.draw.canvas import Canvas, bounding_box
from tandem.training.draw.styles import Style
from tandem.training.errors import StyleError

Box = NDArray[np.float32]

LABEL_PITCH_MM = 4.4
# Four lines would reach the number's row; cards that have them set them closer.
LINE_PITCH_MM, CLOSE_LINE_PITCH_MM = (4.3, 4.7), (3.9, 4.3)
MOST_ADDRESS_LINES, MOST_CHARACTERS_PER_LINE = 4, 13
ROW_SHIFT_MM = 0.4
LABEL_EM_MM = 2.55
EMBLEM_LABEL_EM_MM, EMBLEM_LABEL_PITCH_MM = 2.65, 2.85


@dataclass(frozen=True, kw_only=True)
class Row:
    """One printed text row: what the recogniser is to read.

    Attributes:
        kind: which row.
        text: labels and values as printed, without the spaces between them.
        box: (4, 2) float32, pixels of the face, clockwise from the row's top left.
    """

    kind: RowKind
    text: str
    box: Box


class Printer:
    """Prints labels and values of one card: knows its style, its shift, and collects boxes and rows."""

    def __init__(self, canvas: Canvas, style: Style, rng: np.random.Generator) -> None:
        self._canvas, self._style, self._rng = canvas, style, rng
        self.boxes: dict[str, Box] = {}
        self.rows: list[Row] = []

    def row_shift(self) -> float:
        """How far this row stands off its place, mm."""
        return float(self._rng.uniform(-ROW_SHIFT_MM, ROW_SHIFT_MM))

    def line_pitch(self, lines: int) -> float:
        """From one line of the address to the next, mm."""
        return float(
            self._rng.uniform(*(CLOSE_LINE_PITCH_MM if lines == MOST_ADDRESS_LINES else LINE_PITCH_MM))
        )

    def label(self, text: str, x: float, y: float, *, pitch: float | None = LABEL_PITCH_MM) -> Box:
        """Prints a label."""
        style = self._style
        at = (x + style.shift_x, y + style.shift_y)
        return self._canvas.text(
            at, text, style.label_face, LABEL_EM_MM * style.em_scale, style.label_colour, pitch=pitch
        )

    def emblem_label(self, text: str, x: float, y: float) -> Box:
        """Prints a label of the emblem side: black, closer together."""
        style = self._style
        at = (x + style.shift_x, y + style.shift_y)
        return self._canvas.text(
            at,
            text,
            style.label_face,
            EMBLEM_LABEL_EM_MM * style.em_scale,
            style.ink,
            pitch=EMBLEM_LABEL_PITCH_MM,
        )

    def value(self, text: str, x: float, y: float, em: float, *, stretch: float = 0.0) -> Box:
        """Prints a value."""
        style = self._style
        at = (x + style.shift_x, y + style.shift_y)
        em *= style.em_scale
        return self._canvas.text(at, text, style.value_face, em, style.ink, stretch=stretch)

    def number(self, text: str, x: float, y: float) -> Box:
        """Prints the number, one pitch a digit."""
        style = self._style
        at = (x + style.shift_x, y + style.shift_y)
        em = style.number_em * style.em_scale
        return self._canvas.text(at, text, style.number_face, em, style.ink, pitch=style.number_pitch)

    def wrap(self, text: str, em: float) -> list[str]:
        """Cuts an address into at most four lines, at the measure of the card where that is enough."""
        for measure in range(self._style.characters_per_line, MOST_CHARACTERS_PER_LINE + 1):
            lines = self._cut(text, em, measure)
            if len(lines) <= MOST_ADDRESS_LINES:
                return lines
        raise StyleError(f"an address of {len(text)} characters does not fit a card")

    def _cut(self, text: str, em: float, measure: int) -> list[str]:
        style = self._style
        lines, line = [], ""
        widest = measure * em * style.em_scale + 0.05
        for character in text:
            if line and self._canvas.length(line + character, style.value_face, em * style.em_scale) > widest:
                lines.append(line)
                line = ""
            line += character
        return [*lines, line] if line else lines

    def add_row(self, kind: RowKind, text: str, boxes: list[Box]) -> None:
        """Notes what a row says and where it stands."""
        self.rows.append(Row(kind=kind, text=text, box=bounding_box(boxes)))
