"""Lanes of text rows as the recogniser meets them, drawn row by row without a card or a photograph.

A photograph of a whole card takes half a second to draw and holds six rows; a row alone takes two
milliseconds. What photographs do to rows (resolution, blur, tilt and shift left over, narrowing, grain, JPEG,
neighbours that reach in) is drawn here in the rows' own pixels.
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
from tandem.training.draw.people import EmblemText, PortraitText, draw_emblem_text, draw_portrait_text
from tandem.training.draw.pools import Pool, choose
from tandem.training.draw.styles import Style, draw_style

Pixels = NDArray[np.uint8]

# Strip height by character size, as `id_card.geometry.rows` cuts them, and what it leaves left and right, mm.
_HEIGHT_PER_EM = 1.32
_MARGIN_MM = 0.8
_DIGITS_KEEP = 0.82  # rows of digits are narrowed to this share of their width at most
_HANZI_KEEP = 0.55
_ADDRESS_KEEP = 0.7
_EMBLEM_SHARE = 0.2
_ROW_SHARES = (0.22, 0.12, 0.16, 0.16, 0.2, 0.14)
_LONGEST_RANDOM = 12
_SHEETS = 24
_SHEET_PX_PER_MM = 12.0
_SIGNS = "0123456789ABCDEFGXZ-#()·"
_NUMERALS = "〇一二三四五六七八九十"
_RARE_SHARE = 0.25


@dataclass(frozen=True, kw_only=True)
class Run:
    """A piece of a row: what it says and where it begins, mm from the row's first character.

    Attributes:
        text: characters.
        x: mm.
        em: size, mm.
        label: printed in the labels' ink and font.
        number: printed in the number's font.
        pitch: from character to character, mm; None: the font's own advance.
    """

    text: str
    x: float
    em: float
    label: bool = False
    number: bool = False
    pitch: float | None = None


@dataclass(frozen=True, kw_only=True)
class PrintedText:
    """A row before it is drawn: its pieces, the size its strip's height follows, the share it may keep."""

    runs: tuple[Run, ...]
    em: float
    keep: float = _HANZI_KEEP

    @property
    def text(self) -> str:
        """What the recogniser is to read."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, kw_only=True)
class Lane:
    """(48, W, 3) uint8 BGR, and what it says from left to right."""

    pixels: Pixels
    text: str


class LanePrinter:
    """Draws lanes; keeps a few printed sheets to draw them on.

    Args:
        pool: whose names, places and fonts.
        hanzi: characters for the rows that say nothing: every one that the recogniser should know.
        seed: of the sheets.
    """

    def __init__(self, pool: Pool, hanzi: Sequence[str], seed: int) -> None:
        self._pool: Pool = pool
        self._hanzi = hanzi
        rng = np.random.default_rng([seed, 77])
        size = (round(20 * _SHEET_PX_PER_MM), round(85 * _SHEET_PX_PER_MM))
        self._sheets = [guilloche.sheet(rng, *size) for _ in range(_SHEETS)]
        self._config = LaneConfig()

    def draw(self, rng: np.random.Generator) -> Lane:
        """A lane with one row or as many as it holds."""
        style = draw_style(rng, self._pool)
        damage = _draw_damage(rng)
        strips: list[Pixels] = []
        texts: list[str] = []
        used = 0
        for _ in range(3):
            printed = self._draw_text(rng, style)
            strip = self._strip(rng, style, printed, damage)
            room = self._config.width - used
            if strip.shape[1] > room:
                if strips or room < _least_width(strip, printed):
                    continue
                strip = np.asarray(
                    cv2.resize(strip, (room, LANE_HEIGHT), interpolation=cv2.INTER_AREA), np.uint8
                )
            strips.append(strip)
            texts.append(printed.text)
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

    def _draw_text(self, rng: np.random.Generator, style: Style) -> PrintedText:
        kinds: tuple[Callable[[np.random.Generator, Style], PrintedText], ...]
        kinds = (self._said, self._random_hanzi, self._signs)
        return kinds[int(rng.choice(3, p=[0.5, 0.4, 0.1]))](rng, style)

    def _said(self, rng: np.random.Generator, style: Style) -> PrintedText:
        """A row of a card."""
        if rng.random() < _EMBLEM_SHARE:
            return _emblem_row(draw_emblem_text(rng, self._pool), style, authority=rng.random() < 0.5)
        person = draw_portrait_text(rng, self._pool, rare_share=_RARE_SHARE)
        kinds = (_name_row, _sex_row, _birth_row, _first_line, _further_line, _number_row)
        return kinds[int(rng.choice(len(kinds), p=_ROW_SHARES))](person, style)

    def _random_hanzi(self, rng: np.random.Generator, style: Style) -> PrintedText:
        count = int(rng.integers(2, _LONGEST_RANDOM + 1))
        text = "".join(choose(rng, self._hanzi) for _ in range(count))
        return PrintedText(runs=(Run(text=text, x=0, em=style.value_em),), em=2.7)

    def _signs(self, rng: np.random.Generator, style: Style) -> PrintedText:
        """What hanzi stand beside: numerals with 〇, digits, letters, dashes."""
        parts = []
        for _ in range(int(rng.integers(2, 5))):
            if rng.random() < 0.4:
                parts.append("".join(choose(rng, _NUMERALS) for _ in range(int(rng.integers(1, 5)))))
            elif rng.random() < 0.6:
                parts.append("".join(choose(rng, _SIGNS) for _ in range(int(rng.integers(1, 5)))))
            parts.append("".join(choose(rng, self._hanzi) for _ in range(int(rng.integers(1, 3)))))
        text = "".join(parts)[:_LONGEST_RANDOM]
        return PrintedText(runs=(Run(text=text, x=0, em=style.value_em),), em=2.7, keep=_DIGITS_KEEP)

    def _strip(self, rng: np.random.Generator, style: Style, printed: PrintedText, damage: Damage) -> Pixels:
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
        return damage.strip(rng, canvas.pixels(), corners * _SHEET_PX_PER_MM, printed.keep)


def _label(text: str, x: float = 0.0) -> Run:
    return Run(text=text, x=x, em=2.55, label=True, pitch=4.4)


def _name_row(person: PortraitText, _style: Style) -> PrintedText:
    size = 3.3 if len(person.name) <= 9 else 2.5
    return PrintedText(runs=(_label("姓名"), Run(text=person.name, x=8.7, em=size)), em=3.3)


def _sex_row(person: PortraitText, style: Style) -> PrintedText:
    runs = (
        _label("性别"),
        Run(text=person.sex, x=8.7, em=style.value_em),
        _label("民族", 19.2),
        Run(text=person.nation, x=26.9, em=style.value_em),
    )
    return PrintedText(runs=runs, em=2.7)


def _birth_row(person: PortraitText, style: Style) -> PrintedText:
    em = style.value_em
    year, rest = person.birth.split("年")
    month, day = rest.rstrip("日").split("月")
    runs = [_label("出生"), Run(text=year, x=8.6, em=em), Run(text="年", x=18.9, em=2.55, label=True)]
    for text, unit, x, at in ((month, "月", 23.1, 27.8), (day, "日", 32.2, 36.7)):
        runs.append(Run(text=text, x=x + (0.8 if len(text) == 1 else 0.0), em=em))
        runs.append(Run(text=unit, x=at, em=2.55, label=True))
    return PrintedText(runs=tuple(runs), em=2.7, keep=_DIGITS_KEEP)


def _first_line(person: PortraitText, style: Style) -> PrintedText:
    text = person.address[: style.characters_per_line]
    return PrintedText(
        runs=(_label("住址"), Run(text=text, x=8.7, em=style.value_em)), em=2.7, keep=_ADDRESS_KEEP
    )


def _further_line(person: PortraitText, style: Style) -> PrintedText:
    measure = style.characters_per_line
    text = person.address[measure : 2 * measure] or person.address[:measure]
    return PrintedText(runs=(Run(text=text, x=0, em=style.value_em),), em=2.7, keep=_ADDRESS_KEEP)


def _number_row(person: PortraitText, style: Style) -> PrintedText:
    digits = Run(text=person.number, x=0, em=style.number_em, number=True, pitch=style.number_pitch)
    return PrintedText(runs=(digits,), em=3.3, keep=_DIGITS_KEEP)


def _emblem_row(emblem: EmblemText, style: Style, *, authority: bool) -> PrintedText:
    label, value = ("签发机关", emblem.authority) if authority else ("有效期限", emblem.validity)
    runs = (Run(text=label, x=0, em=2.65, label=True, pitch=2.85), Run(text=value, x=14.7, em=style.value_em))
    return PrintedText(runs=runs, em=2.7, keep=_HANZI_KEEP if authority else _DIGITS_KEEP)


def _face_and_ink(run: Run, style: Style) -> tuple[FontFace, Colour]:
    if run.label:
        return style.label_face, style.label_colour
    return (style.number_face if run.number else style.value_face), style.ink


def _print(canvas: Canvas, run: Run, style: Style, at: tuple[float, float]) -> None:
    face, ink = _face_and_ink(run, style)
    canvas.text(at, run.text, face, run.em * style.em_scale, ink, pitch=run.pitch)


def _length(printed: PrintedText, style: Style) -> float:
    """From the first character's left edge to about the last one's right, mm."""
    last = printed.runs[-1]
    wide = sum(1.0 if ord(character) > 0x2E7F else 0.58 for character in last.text)
    if last.pitch is not None:
        return last.x + (len(last.text) - 1) * last.pitch + last.em
    return last.x + wide * last.em * style.em_scale


def _least_width(strip: Pixels, printed: PrintedText) -> int:
    return round(strip.shape[1] * printed.keep)


@dataclass(frozen=True, kw_only=True)
class Damage:
    """What a photograph did to all rows of one lane.

    Attributes:
        scale: pixels of the photograph to one of the strip; below 1 the strip is enlarged.
        blur: standard deviation, px of the strip.
        motion: length of a motion's trace, px of the strip; 0: none.
        angle: of that, degrees.
        share: of the natural width that strips keep.
        noise: standard deviation of grain, levels.
        gain, lift: contrast and brightness.
        tint: (3,) BGR factors.
        grey: a grey copy.
        quality: JPEG.
    """

    scale: float
    blur: float
    motion: float
    angle: float
    share: float
    noise: float
    gain: float
    lift: float
    tint: tuple[float, float, float]
    grey: bool
    quality: int

    def strip(
        self, rng: np.random.Generator, page: Pixels, corners: NDArray[np.float32], keep: float
    ) -> Pixels:
        """(48, w, 3) uint8 BGR: the row inside `corners` (4, 2) px of `page`, cut a little wrong."""
        height = float(corners[3, 1] - corners[0, 1])
        slack = np.array([0.012 * height, 0.045 * height], np.float32)
        moved = corners + rng.normal(0, 1, (4, 2)).astype(np.float32) * slack
        moved[:, 1] += np.float32(rng.normal(0, 0.05) * height)
        length = float(np.linalg.norm(moved[1] - moved[0]))
        natural = length * LANE_HEIGHT / height
        width = max(16, round(natural * max(self.share, keep)))
        small = (max(8, round(natural * self.scale)), max(8, round(LANE_HEIGHT * self.scale)))
        target = np.array([[0, 0], [small[0], 0], [small[0], small[1]], [0, small[1]]], np.float32)
        mapping = cv2.getPerspectiveTransform(moved, target)
        # Without this, reducing by more than two leaves out pixels.
        smooth = height / small[1]
        source = cv2.GaussianBlur(page, (0, 0), 0.4 * smooth) if smooth > 1.3 else page
        image = cv2.warpPerspective(
            source, mapping, small, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        image = self._lens(image)
        image = self._sensor(rng, image)
        return np.asarray(cv2.resize(image, (width, LANE_HEIGHT), interpolation=cv2.INTER_LINEAR), np.uint8)

    def _lens(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self.blur * self.scale > 0.25:
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), self.blur * self.scale), np.uint8)
        length = round(self.motion * self.scale)
        if length >= 2:
            kernel = np.zeros((length | 1, length | 1), np.float32)
            centre = (length | 1) / 2 - 0.5
            reach = np.array([np.cos(self.angle), np.sin(self.angle)]) * centre
            start, end = (tuple(round(float(v)) for v in centre + sign * reach) for sign in (-1, 1))
            cv2.line(kernel, start, end, 1.0, 1, cv2.LINE_AA)
            image = np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)
        return image

    def _sensor(self, rng: np.random.Generator, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        levels = image.astype(np.float32)
        if self.grey:
            levels = np.repeat(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[:, :, None], 3, 2).astype(np.float32)
        levels = (levels - 128) * self.gain + 128 + self.lift
        levels *= np.array(self.tint, np.float32)
        across = np.linspace(0, 1, image.shape[1], dtype=np.float32)[None, :, None]
        levels *= 1 + np.float32(rng.uniform(-0.25, 0.25)) * across  # uneven light
        if self.noise:
            grain = rng.standard_normal(image.shape[:2], dtype=np.float32)[:, :, None] * self.noise
            levels += grain
        clipped = np.clip(levels, 0, 255).astype(np.uint8)
        _, packed = cv2.imencode(".jpg", clipped, [cv2.IMWRITE_JPEG_QUALITY, self.quality])
        return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def _draw_damage(rng: np.random.Generator) -> Damage:
    hard = rng.random() < 0.4
    tint = np.clip(rng.normal(1, 0.06 if hard else 0.03, 3), 0.75, 1.2)
    return Damage(
        scale=float(np.exp(rng.uniform(np.log(0.45), np.log(1.15)))),
        blur=float(abs(rng.normal(0, 1.3 if hard else 0.4))),
        motion=float(rng.uniform(2, 8)) if hard and rng.random() < 0.3 else 0.0,
        angle=float(rng.uniform(0, np.pi)),
        share=1.0 if rng.random() < 0.5 else float(rng.uniform(_HANZI_KEEP, 1)),
        noise=float(rng.uniform(1, 14)) if rng.random() < 0.6 else 0.0,
        gain=float(rng.uniform(0.35, 1.1) if hard else rng.uniform(0.7, 1.25)),
        lift=float(rng.uniform(-60, 40) if hard else rng.uniform(-25, 25)),
        tint=(float(tint[0]), float(tint[1]), float(tint[2])),
        grey=bool(rng.random() < 0.15),
        quality=int(rng.integers(45, 96)),
    )
