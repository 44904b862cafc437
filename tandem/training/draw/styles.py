"""How one card differs from the next: fonts, inks, sizes, shifts, and whether it is a copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tandem.training.draw import fonts
from tandem.training.draw.canvas import Colour
from tandem.training.draw.fonts import FontFace
from tandem.training.draw.pools import Pool

Portrait = Literal["cut_out", "photograph", "none"]
Script = Literal["tibetan", "mongolian", "yi", "uyghur"]

LABEL_BLUE = (9, 151, 210)
SCRIPTS: tuple[Script, ...] = ("tibetan", "mongolian", "yi", "uyghur")
# Cards of some autonomous regions print a second script; only few cards do.
BILINGUAL_SHARE = 0.05
WRONG_TITLE_SHARE = 0.12
GREY_SHARE = 0.15
SQUARE_SHARE = 0.08


@dataclass(frozen=True, kw_only=True)
class Style:
    """How one card is drawn; lengths in millimetres, colours RGB.

    Attributes:
        value_face: font of the values.
        label_face: font of the labels.
        title_face: font of the emblem side's titles.
        number_face: font of the number.
        label_colour: ink of the labels.
        ink: ink of the values.
        shift_x: how far the whole print stands to the right.
        shift_y: how far the whole print stands below.
        em_scale: 1 ± 0.05, on every size.
        value_em: size of the values but name and number.
        number_em: size of the number.
        number_pitch: from one digit to the next.
        number_x: where the number begins.
        number_title: 公民身份号码, or 公民身份证号码 as forgeries and drawings have it.
        number_title_span: room of that title.
        characters_per_line: measure of the address, in ems.
        portrait: what stands in the portrait's place.
        grey: a photocopy.
        toner: with specks.
        square_corners: cut from paper.
        bilingual: the second script, if any.
    """

    value_face: FontFace
    label_face: FontFace
    title_face: FontFace
    number_face: FontFace
    label_colour: Colour
    ink: Colour
    shift_x: float
    shift_y: float
    em_scale: float
    value_em: float
    number_em: float
    number_pitch: float
    number_x: float
    number_title: str
    number_title_span: float
    characters_per_line: int
    portrait: Portrait
    grey: bool
    toner: bool
    square_corners: bool
    bilingual: Script | None


def _label_colour(rng: np.random.Generator) -> Colour:
    kind = rng.random()
    if kind < 0.65:
        base = np.array(LABEL_BLUE) + rng.normal(0, 14, 3)
    elif kind < 0.88:
        base = np.array((20, 95, 140)) + rng.normal(0, 22, 3)
    else:
        base = np.full(3, rng.uniform(20, 110)) + rng.normal(0, 5, 3)
    red, green, blue = np.clip(base, 0, 255).astype(int)
    return int(red), int(green), int(blue)


def _ink(rng: np.random.Generator) -> Colour:
    level = int(rng.uniform(5, 60))
    return level, level, min(level + int(rng.uniform(0, 12)), 255)


def draw_style(rng: np.random.Generator, pool: Pool = "train") -> Style:
    """A card's style.

    Raises:
        FontsMissingError: no fonts to draw with.
    """
    wrong_title = bool(rng.random() < WRONG_TITLE_SHARE)
    portraits: tuple[Portrait, ...] = ("cut_out", "photograph", "none")
    grey = bool(rng.random() < GREY_SHARE)
    # Collections of copies leave the portrait out more often than cards do.
    portrait = portraits[int(rng.choice(3, p=[0.5, 0.1, 0.4] if grey else [0.86, 0.1, 0.04]))]
    bilingual = SCRIPTS[int(rng.integers(len(SCRIPTS)))] if rng.random() < BILINGUAL_SHARE else None
    return Style(
        value_face=fonts.pick(rng, fonts.VALUE_FONTS, pool),
        label_face=fonts.pick(rng, fonts.LABEL_FONTS, pool),
        title_face=fonts.pick(rng, fonts.TITLE_FONTS, pool),
        number_face=fonts.pick(rng, fonts.NUMBER_FONTS, pool),
        label_colour=_label_colour(rng),
        ink=_ink(rng),
        shift_x=float(np.clip(rng.normal(0, 0.6), -1.5, 1.5)),
        shift_y=float(np.clip(rng.normal(0, 0.6), -1.5, 1.5)),
        em_scale=float(rng.uniform(0.95, 1.05)),
        value_em=float(rng.uniform(2.65, 3.0)),
        number_em=float(rng.uniform(3.1, 3.6)),
        number_pitch=float(rng.uniform(2.3, 2.5)),
        number_x=float(rng.uniform(26.5, 30.5)),
        number_title="公民身份证号码" if wrong_title else "公民身份号码",
        number_title_span=float(rng.uniform(16.5, 19.0)),
        characters_per_line=int(rng.integers(10, 13)),
        portrait=portrait,
        grey=grey,
        toner=bool(rng.random() < 0.5),
        square_corners=bool(rng.random() < SQUARE_SHARE),
        bilingual=bilingual,
    )
