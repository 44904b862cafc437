"""One resident identity card as the evaluation draws it: own layout, fonts, inks, portrait and ground.

Only the invented texts come from training's generator, from the pool that training never uses. Positions are
those of the standard card (DESIGN, "Card facts"), moved as printers move them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.evaluation.card import paper
from tandem.evaluation.card.bust import draw_bust
from tandem.evaluation.card.device import draw_device, draw_wall
from tandem.evaluation.card.press import Colour, Press
from tandem.evaluation.grounds.pool import Grounds
from tandem.services.id_card.card import CARD_HEIGHT_MM, CARD_WIDTH_MM, CORNER_RADIUS_MM
from tandem.training.draw import fonts
from tandem.training.draw.fonts import FontFace, Wanted
from tandem.training.draw.people import EmblemText, PortraitText, draw_emblem_text, draw_portrait_text

Side = Literal["portrait", "emblem"]

PX_PER_MM = 16.0
_MOST_LINES = 4

_SYSTEM_FACES = (
    Wanted(file="NotoSansCJK-DemiLight.ttc", family="Noto Sans CJK SC", train=0, test=1),
    Wanted(file="wqy-microhei.ttc", family="WenQuanYi Micro Hei", train=0, test=1),
)
_TITLE_FACES = (
    Wanted(file="NotoSerifCJK-Black.ttc", family="Noto Serif CJK SC", train=0, test=1),
    Wanted(file="NotoSansCJK-Black.ttc", family="Noto Sans CJK SC", train=0, test=1),
)
_NUMBER_FACES = (Wanted(file="OCRBS.otf", family="OCR B", train=0, test=1),)


@dataclass(frozen=True, kw_only=True)
class DrawnCard:
    """A flat card.

    Attributes:
        image: (h, w, 3) uint8 BGR, `PX_PER_MM`.
        alpha: (h, w) uint8, 0 outside the rounded corners.
        side: which side.
        fields: the text as printed, by the keys of the result's contract.
        text: the same as the generator gave it.
    """

    image: NDArray[np.uint8]
    alpha: NDArray[np.uint8]
    side: Side
    fields: dict[str, str]
    text: PortraitText | EmblemText = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class _Look:
    """How one card is printed: fonts, inks (RGB), and how far the print stands off, mm."""

    values: FontFace
    labels: FontFace
    title: FontFace
    number: FontFace
    label_ink: Colour
    ink: Colour
    shift: tuple[float, float]
    em: float
    measure: int


def _look(rng: np.random.Generator, grounds: Grounds) -> _Look:
    faces = [
        *(fonts.pick(rng, (face,), "test") for face in _SYSTEM_FACES),
        grounds.font("DroidSansFallbackFull.ttf"),
    ]
    numbers = [fonts.pick(rng, _NUMBER_FACES, "test")] * 3
    numbers += [grounds.font("LiberationMono-Bold.ttf"), grounds.font("LiberationSans-Bold.ttf")]
    blue = np.array([0, 140, 205]) * rng.uniform(0.75, 1.0) + rng.normal(0, 10, 3)
    grey = float(rng.uniform(8, 48))
    return _Look(
        values=faces[int(rng.integers(3))],
        labels=faces[int(rng.integers(3))],
        title=fonts.pick(rng, _TITLE_FACES, "test"),
        number=numbers[int(rng.integers(len(numbers)))],
        label_ink=(float(blue[0]), float(blue[1]), float(blue[2])),
        ink=(grey, grey, grey + 4),
        shift=(float(rng.normal(0, 0.45)), float(rng.normal(0, 0.45))),
        em=float(rng.uniform(2.6, 2.95)),
        measure=int(rng.choice([10, 11, 11, 11, 12])),
    )


def draw_card(rng: np.random.Generator, grounds: Grounds, side: Side) -> DrawnCard:
    """A card of an invented holder.

    Args:
        rng: the only source of randomness.
        grounds: has the fonts that come from packages.
        side: which side.

    Raises:
        FontsMissingError: a font of the system is missing.
        GroundsError: a font of a package is missing.
    """
    look = _look(rng, grounds)
    size = round(CARD_HEIGHT_MM * PX_PER_MM), round(CARD_WIDTH_MM * PX_PER_MM)
    press = Press(paper.sheet(rng, *size, PX_PER_MM), PX_PER_MM, rng)
    text: PortraitText | EmblemText
    if side == "portrait":
        text = draw_portrait_text(rng, "test")
        _print_portrait(press, rng, look, text)
    else:
        text = draw_emblem_text(rng, "test")
        _print_emblem(press, rng, look, text)
    image = cv2.cvtColor(np.clip(press.picture, 0, 255).astype(np.uint8), cv2.COLOR_RGB2BGR)
    return DrawnCard(
        image=np.asarray(image, np.uint8), alpha=_outline(*size), side=side, fields=text.fields(), text=text
    )


def _outline(height: int, width: int) -> NDArray[np.uint8]:
    """The rounded card, (h, w) uint8."""
    mask = np.zeros((height, width), np.uint8)
    radius = round(CORNER_RADIUS_MM * PX_PER_MM)
    cv2.rectangle(mask, (radius, 0), (width - 1 - radius, height - 1), 255, -1)
    cv2.rectangle(mask, (0, radius), (width - 1, height - 1 - radius), 255, -1)
    for x in (radius, width - 1 - radius):
        for y in (radius, height - 1 - radius):
            cv2.circle(mask, (x, y), radius, 255, -1, cv2.LINE_AA)
    return mask


def _print_portrait(press: Press, rng: np.random.Generator, look: _Look, text: PortraitText) -> None:
    x, y = look.shift
    height, width = round(31.5 * PX_PER_MM), round(24.0 * PX_PER_MM)
    bust, alpha = draw_bust(rng, height, width)
    press.paste(bust, alpha, (54.6 + x + rng.uniform(-0.7, 0.7), 8.6 + y))

    def label(at: float, row: float, words: str) -> None:
        press.text((at + x, row + y), words, look.labels, 2.55, look.label_ink, pitch=4.4)

    def value(at: float, row: float, words: str, em: float) -> None:
        press.text((at + x, row + y), words, look.values, em, look.ink)

    rows = np.array([11.1, 17.5, 23.8]) + rng.normal(0, 0.15, 3)
    label(6.9, rows[0], "姓名")
    value(15.6, rows[0], text.name, 3.3 if len(text.name) <= 9 else 2.45)
    label(6.9, rows[1], "性别")
    value(15.6, rows[1], text.sex, look.em)
    label(26.1, rows[1], "民族")
    value(33.8, rows[1], text.nation, look.em)
    label(6.9, rows[2], "出生")
    year, rest = text.birth.split("年")
    month, day = rest.rstrip("日").split("月")
    for at, words in ((15.6, year), (30.3, month), (39.4, day)):
        value(at + (0.7 if len(words) == 1 else 0), rows[2], words, look.em)
    for at, words in ((25.9, "年"), (34.8, "月"), (43.7, "日")):
        label(at, rows[2], words)
    label(6.9, 30.1, "住址")
    lines = wrap(press, look.values, look.em, text.address, look.measure)
    pitch = rng.uniform(4.0, 4.25) if len(lines) == _MOST_LINES else rng.uniform(4.35, 4.7)
    for index, line in enumerate(lines):
        value(15.6, 30.1 + index * pitch, line, look.em)
    label_pitch = rng.uniform(2.75, 3.0)
    press.text((6.9 + x, 46.6 + y), "公民身份号码", look.labels, 2.55, look.label_ink, pitch=label_pitch)
    em, pitch = (3.9, 2.45) if look.number.family.startswith("OCR") else (3.6, 2.4)
    press.text((rng.uniform(27, 30) + x, 46.5 + y), text.number, look.number, em, look.ink, pitch=pitch)


def wrap(press: Press, face: FontFace, em: float, text: str, measure: int) -> list[str]:
    """An address in at most four lines of about `measure` characters; longer ones where it needs them."""
    while True:
        lines = [""]
        for character in text:
            if press.length(lines[-1] + character, face, em) > measure * em + 0.05:
                lines.append("")
            lines[-1] += character
        if len(lines) <= _MOST_LINES:
            return lines
        measure += 1


def _print_emblem(press: Press, rng: np.random.Generator, look: _Look, text: EmblemText) -> None:
    x, y = look.shift
    wall = np.zeros(press.picture.shape[:2], np.float32)
    box = [round(part * PX_PER_MM) for part in (7, 22, 72, 27)]
    wall[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = draw_wall(rng, box[3], box[2])
    press.stamp(wall, (110, 135, 130), float(rng.uniform(0.25, 0.6)))
    device, mask = draw_device(rng, round(16.6 * PX_PER_MM))
    press.paste(device, mask, (5.4 + x, 5.8 + y))
    press.text((30.0 + x, 8.9 + y), "中华人民共和国", look.title, 5.2, look.ink, pitch=6.6)
    press.text((26.6 + x, 18.7 + y), "居民身份证", look.title, 7.6, look.ink, pitch=10.9)
    rows = np.array([40.1, 46.7]) + rng.normal(0, 0.15, 2)
    lines = [text.authority]
    if len(text.authority) > 15:
        lines = [text.authority[:13], text.authority[13:]]
    for row, words in zip(rows, ("签发机关", "有效期限"), strict=True):
        press.text((20.8 + x, row + y), words, look.labels, 2.65, look.ink, pitch=2.85)
    for index, line in enumerate(lines):
        press.text(
            (35.4 + x, rows[0] + y + (index - (len(lines) - 1) / 2) * 3.7),
            line,
            look.values,
            look.em,
            look.ink,
        )
    press.text((35.4 + x, rows[1] + y), text.validity, look.values, look.em, look.ink)
