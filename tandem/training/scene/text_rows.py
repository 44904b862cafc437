"""Lanes of text rows as the recogniser meets them, drawn row by row without a card or a photograph.

A photograph of a whole card takes half a second to draw and holds six rows; a row alone takes two
milliseconds. What photographs do to rows, `row_damage` draws.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.geometry.lanes import LANE_HEIGHT, LaneConfig, Place, draw_lanes
from tandem.training.draw import guilloche
from tandem.training.draw.canvas import Canvas, Colour
from tandem.training.draw.fonts import FontFace
from tandem.training.draw.people import draw_emblem_text, draw_portrait_text
from tandem.training.draw.pools import Pool, choose
from tandem.training.draw.styles import Style, draw_style
from tandem.training.scene.row_damage import Damage, draw_damage
from tandem.training.scene.row_passages import written_over
from tandem.training.scene.row_texts import (
    DIGITS_KEEP,
    PrintedText,
    Run,
    birth_row,
    emblem_row,
    first_line,
    further_line,
    name_row,
    number_row,
    sex_row,
)

Pixels = NDArray[np.uint8]

# Strip height by character size, as `id_card.geometry.rows` cuts them, and what it leaves left and right, mm.
_HEIGHT_PER_EM = 1.32
_MARGIN_MM = 0.8
_EMBLEM_SHARE = 0.2
_ROW_SHARES = (0.22, 0.12, 0.16, 0.16, 0.2, 0.14)
_LONGEST_RANDOM = 12
_SHEETS = 24
_SHEET_PX_PER_MM = 12.0
_SIGNS = "0123456789ABCDEFGXZ-#()·"
_NUMERALS = "〇一二三四五六七八九十"
_RARE_SHARE = 0.25
_POOR_SHARE, _MARKED_SHARE = 0.5, 0.1
_KINDS, _POOR_KINDS = (0.5, 0.4, 0.1), (0.75, 0.2, 0.05)  # rows of cards, hanzi of chance, signs
_MARKS = 40


@dataclass(frozen=True, kw_only=True)
class Lane:
    """(48, W, 3) uint8 BGR, and what it says from left to right."""

    pixels: Pixels
    text: str


class LanePrinter:
    """Draws lanes; keeps a few printed sheets to draw them on.

    Args:
        pool: whose names, places and fonts.
        hanzi: characters for the rows that mean nothing: all that the recogniser should know.
        seed: of the sheets.
    """

    def __init__(self, pool: Pool, hanzi: Sequence[str], seed: int) -> None:
        self._pool: Pool = pool
        self._hanzi = hanzi
        rng = np.random.default_rng([seed, 77])
        size = (round(20 * _SHEET_PX_PER_MM), round(85 * _SHEET_PX_PER_MM))
        self._sheets = [guilloche.sheet(rng, *size) for _ in range(_SHEETS)]
        self._marks = [self._mark(rng) for _ in range(_MARKS)]
        self._config = LaneConfig()

    def draw(self, rng: np.random.Generator) -> Lane:
        """A lane with one row or as many as it holds."""
        style = draw_style(rng, self._pool)
        poor = bool(rng.random() < _POOR_SHARE)
        damage, marked = draw_damage(rng, poor=poor), rng.random() < _MARKED_SHARE
        strips: list[Pixels] = []
        texts: list[str] = []
        used = 0
        for _ in range(3):
            printed = self._draw_text(rng, style, _POOR_KINDS if poor else _KINDS)
            strip = self._strip(rng, style, printed, damage, marked=marked)
            room = self._config.width - used
            if strip.shape[1] > room:
                if strips or room < _least_width(strip, printed):
                    continue
                strip = np.asarray(
                    cv2.resize(strip, (room, LANE_HEIGHT), interpolation=cv2.INTER_AREA), np.uint8
                )
            strips.append(strip)
            texts.append(_legible(printed, style, damage))
            used += strip.shape[1] + self._config.gap
            if rng.random() < 0.2:
                break
        if not strips:
            return self.draw(rng)
        places, x0 = [], 0
        for strip in strips:
            places.append(Place(lane=0, x0=x0, x1=x0 + strip.shape[1]))
            x0 += strip.shape[1] + self._config.gap
        config = LaneConfig(lanes_per_card=1, width=self._config.width, gap=self._config.gap)
        return Lane(pixels=draw_lanes(strips, places, 1, config)[0], text="".join(texts))

    def _draw_text(
        self, rng: np.random.Generator, style: Style, shares: tuple[float, float, float]
    ) -> PrintedText:
        kinds: tuple[Callable[[np.random.Generator, Style], PrintedText], ...]
        kinds = (self._said, self._random_hanzi, self._signs)
        return kinds[int(rng.choice(3, p=shares))](rng, style)

    def _said(self, rng: np.random.Generator, style: Style) -> PrintedText:
        """A row of a card."""
        if rng.random() < _EMBLEM_SHARE:
            return emblem_row(draw_emblem_text(rng, self._pool), style, authority=rng.random() < 0.5)
        person = draw_portrait_text(rng, self._pool, rare_share=_RARE_SHARE)
        kinds = (name_row, sex_row, birth_row, first_line, further_line, number_row)
        return kinds[int(rng.choice(len(kinds), p=_ROW_SHARES))](person, style)

    def _random_hanzi(self, rng: np.random.Generator, style: Style) -> PrintedText:
        count = int(rng.integers(2, _LONGEST_RANDOM + 1))
        text = "".join(choose(rng, self._hanzi) for _ in range(count))
        return PrintedText(runs=(Run(text=text, x=0, em=style.value_em),), em=2.7)

    def _signs(self, rng: np.random.Generator, style: Style) -> PrintedText:
        """Chinese characters among numerals with 〇, digits, letters and dashes."""
        parts = []
        for _ in range(int(rng.integers(2, 5))):
            if rng.random() < 0.4:
                parts.append("".join(choose(rng, _NUMERALS) for _ in range(int(rng.integers(1, 5)))))
            elif rng.random() < 0.6:
                parts.append("".join(choose(rng, _SIGNS) for _ in range(int(rng.integers(1, 5)))))
            parts.append("".join(choose(rng, self._hanzi) for _ in range(int(rng.integers(1, 3)))))
        text = "".join(parts)[:_LONGEST_RANDOM]
        return PrintedText(runs=(Run(text=text, x=0, em=style.value_em),), em=2.7, keep=DIGITS_KEEP)

    def _mark(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """(h, w) float32, 0-1: a line of text such as programs write across a picture."""
        text = "".join(choose(rng, self._hanzi) for _ in range(int(rng.integers(6, 18))))
        em, style = float(rng.uniform(2.5, 6.0)), draw_style(rng, self._pool)
        width = len(text) * em + 2
        size = (round((em + 2) * _SHEET_PX_PER_MM), round(width * _SHEET_PX_PER_MM))
        canvas = Canvas(np.full((*size, 3), 255, np.uint8), width)
        canvas.text((1, 1), text, style.label_face, em, (0, 0, 0))
        return np.asarray(1 - canvas.pixels()[:, :, 0] / np.float32(255), np.float32)

    def _strip(
        self, rng: np.random.Generator, style: Style, printed: PrintedText, damage: Damage, *, marked: bool
    ) -> Pixels:
        """(48, w, 3) uint8 BGR: the row, printed and photographed."""
        height = printed.em * _HEIGHT_PER_EM
        length = _length(printed, style)
        left, top = 3.0, 6.0
        room = round((length + 2 * left) * _SHEET_PX_PER_MM)
        sheet = self._sheets[int(rng.integers(len(self._sheets)))]
        begin = int(rng.integers(max(sheet.shape[1] - room, 1)))
        canvas = Canvas(sheet[:, begin : begin + room].copy(), min(room, sheet.shape[1]) / _SHEET_PX_PER_MM)
        for run in printed.runs:
            _print(canvas, run, style, (left + run.x, top + (printed.em - run.em) / 2))
        if rng.random() < 0.25:  # a neighbour reaches in
            away = float(rng.uniform(3.9, 4.8)) * (1 if rng.random() < 0.5 else -1)
            text = "".join(choose(rng, self._hanzi) for _ in range(int(rng.integers(2, 10))))
            _print(canvas, Run(text=text, x=0, em=style.value_em), style, (left, top + away))
        x0, x1 = left - _MARGIN_MM, left + length + _MARGIN_MM
        y0 = top + printed.em / 2 - height / 2
        corners = np.array([[x0, y0], [x1, y0], [x1, y0 + height], [x0, y0 + height]], np.float32)
        page = canvas.pixels()
        if marked:
            page = written_over(rng, page, self._marks[int(rng.integers(_MARKS))])
        return damage.strip(rng, page, corners * _SHEET_PX_PER_MM, printed.keep)


def _face_and_ink(run: Run, style: Style) -> tuple[FontFace, Colour]:
    if run.label:
        return style.label_face, style.label_colour
    return (style.number_face if run.number else style.value_face), style.ink


def _print(canvas: Canvas, run: Run, style: Style, at: tuple[float, float]) -> None:
    face, ink = _face_and_ink(run, style)
    canvas.text(at, run.text, face, run.em * style.em_scale, ink, pitch=run.pitch)


def _legible(printed: PrintedText, style: Style, damage: Damage) -> str:
    """What can be read of a row: copiers lose the labels' pale ink, and nobody is to guess what is gone."""
    kept = [
        run.text
        for run in printed.runs
        if damage.copied is None or damage.copied.shows(_face_and_ink(run, style)[1])
    ]
    return "".join(kept)


def _length(printed: PrintedText, style: Style) -> float:
    """From the first character's left edge to about the last one's right, mm."""
    last = printed.runs[-1]
    wide = sum(1.0 if ord(character) > 0x2E7F else 0.58 for character in last.text)
    if last.pitch is not None:
        return last.x + (len(last.text) - 1) * last.pitch + last.em
    return last.x + wide * last.em * style.em_scale


def _least_width(strip: Pixels, printed: PrintedText) -> int:
    return round(strip.shape[1] * printed.keep)
