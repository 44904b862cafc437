"""Stamps and notes that people put over cards and their copies, and which fields they cover."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tandem.services.id_card.card import CARD_WIDTH_MM
from tandem.training.draw import fonts
from tandem.training.draw.devices import star
from tandem.training.draw.faces import Face
from tandem.training.draw.fonts import FontFace
from tandem.training.draw.pools import choose
from tandem.training.errors import StyleError

Kind = Literal["block", "frame", "round", "caption", "watermark"]
Mask = NDArray[np.float32]

FORBIDDEN = ("禁止复印", "复印无效", "仅供参考", "他用无效", "再次复印", "样本无效", "注销作废")
FRAMED = (
    "复印无效",
    "仅供办理业务使用",
    "与原件核对无误",
    "仅限本次使用",
    "作废",
    "样张",
    "他用无效",
    "已核验",
)
CAPTIONS = ("仅限比赛使用", "仅供办理业务使用", "仅用于实名认证", "仅供内部测试使用", "他人盗用无效", "样本")
AUTHORITIES = ("人事专用章业务办理", "档案管理专用章", "合同专用章有限公司", "户籍业务专用章")
# A stamp that hides more than this share of a field's box may cost a character.
COVERING_SHARE = 0.02
# Room for the stamp's text in the local picture: pixels an em.
_EM_PX = 48
_KAI = (fonts.Wanted(file="ukai.ttc", family="AR PL UKai CN", train=1, test=1), *fonts.TITLE_FONTS)


@dataclass(frozen=True, kw_only=True)
class _Mark:
    """A stamp before it is put on a card.

    Attributes:
        ink: (h, w) float32, 0–1: where it prints.
        hull: (h, w) float32, 0–1: what it occupies.
        width_mm: how wide it is on the card.
        tilt_deg: how far it may be turned.
        strength: how opaque its ink is, lowest and highest.
    """

    ink: Mask
    hull: Mask
    width_mm: float
    tilt_deg: float
    strength: tuple[float, float]


def _lines(texts: list[str], face: FontFace, *, margin: float, pitch: float = 1.0) -> Mask:
    """(h, w) float32, 0–1: lines of text, one em of `_EM_PX` pixels, with a margin in ems."""
    font = fonts.opened(face, _EM_PX)
    edge = round(margin * _EM_PX)
    widest = max(len(text) for text in texts)
    size = (round(widest * pitch * _EM_PX) + 2 * edge, round(1.08 * len(texts) * _EM_PX) + 2 * edge)
    picture = Image.new("L", size)
    pen = ImageDraw.Draw(picture)
    for row, text in enumerate(texts):
        for column, character in enumerate(text):
            at = (edge + column * pitch * _EM_PX, edge + (0.88 + 1.08 * row) * _EM_PX)
            pen.text(at, character, font=font, fill=255, anchor="ls")
    return np.asarray(picture, np.float32) / 255


def _worn(rng: np.random.Generator, mask: Mask) -> Mask:
    """The mask with ragged edges and holes, as rubber prints."""
    noise = rng.normal(0, 1, (mask.shape[0] // 3 + 1, mask.shape[1] // 3 + 1)).astype(np.float32)
    rough = cv2.resize(cv2.GaussianBlur(noise, (0, 0), 1.0), (mask.shape[1], mask.shape[0]))
    worn: Mask = (
        np.clip(cv2.GaussianBlur(mask, (0, 0), 2.0) * 2.2 - 0.6 + rough * rng.uniform(0, 0.9), 0, 1) * mask
    )
    return worn


def _block(rng: np.random.Generator) -> _Mark:
    text = choose(rng, FORBIDDEN)
    face = fonts.pick(rng, _KAI, "train")
    columns = [text[2] + text[0], text[3] + text[1]] if rng.random() < 0.6 else [text[:2], text[2:]]
    letters = _lines(columns, face, margin=0.35)
    hull = np.ones_like(letters)
    ink = _worn(rng, hull) * (1 - letters)
    wide = float(rng.uniform(14, 22))
    return _Mark(ink=ink, hull=hull, width_mm=wide, tilt_deg=6, strength=(0.7, 0.95))


def _frame(rng: np.random.Generator) -> _Mark:
    text = choose(rng, FRAMED)
    mask = _lines([text], fonts.pick(rng, _KAI, "train"), margin=0.3, pitch=float(rng.uniform(1.0, 1.3)))
    pen = int(rng.integers(3, 7))
    height, width = mask.shape
    cv2.rectangle(mask, (pen, pen), (width - 1 - pen, height - 1 - pen), 1.0, pen)
    wide = min(8.5 * len(text), 46.0) * float(rng.uniform(0.75, 1.05))
    return _Mark(ink=mask, hull=np.ones_like(mask), width_mm=wide, tilt_deg=25, strength=(0.45, 0.85))


def _round(rng: np.random.Generator) -> _Mark:
    size = 8 * _EM_PX
    picture = Image.new("L", (size, size))
    font = fonts.opened(fonts.pick(rng, _KAI, "train"), _EM_PX)
    text = choose(rng, AUTHORITIES)
    for index, character in enumerate(text):
        angle = np.pi * (1.15 - 1.3 * index / (len(text) - 1))
        letter = Image.new("L", (2 * _EM_PX, 2 * _EM_PX))
        ImageDraw.Draw(letter).text((_EM_PX, _EM_PX), character, font=font, fill=255, anchor="mm")
        letter = letter.rotate(float(np.degrees(angle)) - 90, Image.Resampling.BILINEAR)
        reach = size * 0.37
        at = (size / 2 + reach * np.cos(angle) - _EM_PX, size / 2 - reach * np.sin(angle) - _EM_PX)
        picture.paste(255, (round(at[0]), round(at[1])), letter)
    mask = np.asarray(picture, np.float32) / 255
    mask = mask.copy()
    cv2.circle(mask, (size // 2, size // 2), round(size * 0.475), 1.0, 9, cv2.LINE_AA)
    cv2.fillPoly(mask, [star((size / 2, size / 2), size * 0.13)], 1.0, cv2.LINE_AA)
    hull = np.zeros_like(mask)
    cv2.circle(hull, (size // 2, size // 2), size // 2, 1.0, -1)
    return _Mark(
        ink=_worn(rng, mask),
        hull=hull,
        width_mm=float(rng.uniform(26, 40)),
        tilt_deg=180,
        strength=(0.4, 0.85),
    )


def _caption(rng: np.random.Generator) -> _Mark:
    text = choose(rng, CAPTIONS)
    mask = _lines([text], fonts.pick(rng, fonts.VALUE_FONTS, "train"), margin=0.1)
    return _Mark(ink=mask, hull=np.ones_like(mask), width_mm=2.9 * len(text), tilt_deg=0, strength=(0.7, 1.0))


def _watermark(rng: np.random.Generator) -> _Mark:
    text = choose(rng, CAPTIONS) + "　　"
    lines = [(text * 4)[shift : shift + 20] for shift in (0, 4, 8, 2, 6)]
    spaced = [line for pair in zip(lines, ["　"] * len(lines), strict=True) for line in pair]
    mask = _lines(spaced, fonts.pick(rng, fonts.VALUE_FONTS, "train"), margin=0)
    return _Mark(
        ink=mask,
        hull=np.zeros_like(mask),
        width_mm=float(rng.uniform(85, 130)),
        tilt_deg=35,
        strength=(0.12, 0.4),
    )


_MARKS: dict[Kind, Callable[[np.random.Generator], _Mark]] = {
    "block": _block, "frame": _frame, "round": _round, "caption": _caption, "watermark": _watermark,
}  # fmt: skip
_SHARES = (0.25, 0.2, 0.15, 0.25, 0.15)


def _shrunk(mark: _Mark, face: Face) -> _Mark:
    """The mark at the size it has on the face: turning it afterwards loses no thin stroke."""
    width = max(round(mark.width_mm * face.alpha.shape[1] / CARD_WIDTH_MM), 8)
    size = width, max(round(width * mark.ink.shape[0] / mark.ink.shape[1]), 2)
    ink, hull = (cv2.resize(mask, size, interpolation=cv2.INTER_AREA) for mask in (mark.ink, mark.hull))
    return replace(mark, ink=ink, hull=hull)


def _place(rng: np.random.Generator, mark: _Mark, kind: Kind, face: Face) -> NDArray[np.float64]:
    """(2, 3) float64: the affine map from the mark's pixels to the face's."""
    height, width = face.alpha.shape
    angle = float(np.clip(rng.normal(0, mark.tilt_deg / 2), -mark.tilt_deg, mark.tilt_deg))
    half = np.array([mark.ink.shape[1], mark.ink.shape[0]]) / 2
    if kind == "caption":
        # Notes stand in the free strip above the first or below the last row.
        top = bool(rng.random() < 0.7)
        centre = np.array([half[0] + 2, half[1] + 2 if top else height - half[1] - 2])
        centre[0] += float(rng.choice([0.0, 0.3])) * width
    elif kind == "watermark":
        centre = np.array([width / 2, height / 2])
    else:
        centre = rng.uniform(0.1, 0.9, 2) * (width, height)
    matrix = cv2.getRotationMatrix2D((float(half[0]), float(half[1])), angle, 1.0)
    matrix[:, 2] += centre - half
    return np.asarray(matrix, np.float64)


def _ink_colour(rng: np.random.Generator, kind: Kind, *, grey: bool) -> NDArray[np.float32]:
    """(3,) float32 BGR."""
    if grey or kind in {"caption", "watermark"}:
        return np.full(3, rng.uniform(20, 110), np.float32)
    bgr = (40, 40, 205) if rng.random() < 0.8 else (170, 70, 30)
    return np.asarray(np.clip(np.array(bgr) + rng.normal(0, 15, 3), 0, 255), np.float32)


def stamp(face: Face, rng: np.random.Generator, *, kind: Kind | None = None) -> tuple[Face, frozenset[str]]:
    """The face with a stamp or a note over it.

    Args:
        face: stays as it is.
        rng: the only source of randomness.
        kind: "block": filled, letters left out; "frame": letters in a box; "round": an office's; "caption": a
            line at an edge; "watermark": pale lines all over; None: drawn.

    Returns:
        A new face, and the keys of the fields that the stamp covers in part: a reader may leave them empty.

    Raises:
        StyleError: unknown `kind`.
        FontsMissingError: no fonts to draw with.
    """
    if kind is None:
        kind = get_args(Kind)[int(rng.choice(len(_SHARES), p=_SHARES))]
    if kind not in _MARKS:
        raise StyleError(f"unknown kind of stamp: {kind!r}; known: {', '.join(_MARKS)}")
    mark = _shrunk(_MARKS[kind](rng), face)
    size = face.alpha.shape[::-1]
    matrix = _place(rng, mark, kind, face)
    ink, hull = (cv2.warpAffine(mask, matrix, size, flags=cv2.INTER_LINEAR) for mask in (mark.ink, mark.hull))
    weight = ink * np.float32(rng.uniform(*mark.strength))
    colour = np.broadcast_to(_ink_colour(rng, kind, grey=face.style.grey), face.image.shape)
    image = face.image + (colour - face.image) * weight[:, :, None]
    covered = frozenset(key for key, box in face.boxes.items() if _share(hull, box) > COVERING_SHARE)
    return replace(face, image=np.rint(image).astype(np.uint8)), covered


def _share(hull: Mask, box: NDArray[np.float32]) -> float:
    """How much of an upright box the hull covers, 0–1."""
    (left, top), (right, bottom) = np.rint(box[[0, 2]]).astype(int)
    inside = hull[max(top, 0) : bottom + 1, max(left, 0) : right + 1]
    return float(inside.mean()) if inside.size else 0.0
