"""The fonts that drawn cards use: where they lie, which pool may use them, and which characters they have.

Fonts are not in the repository; they come from Debian packages. The test pool has value fonts that no
training card ever shows, so that an evaluation does not measure how well fonts are remembered.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTCollection, TTFont
from PIL import ImageFont

from tandem.training.draw.pools import Pool
from tandem.training.errors import FontsMissingError

FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts")
APT_PACKAGES = (
    "fonts-noto-cjk fonts-noto-cjk-extra fonts-noto-core fonts-wqy-zenhei fonts-wqy-microhei "
    "fonts-arphic-ukai fonts-arphic-uming fonts-ocr-b fonts-dejavu-core fonts-dejavu-extra"
)
# Sizes are rounded to this many pixels so that the cache of opened fonts stays small.
SIZE_STEP_PX = 0.25


@dataclass(frozen=True, kw_only=True)
class FontFace:
    """One face of a font file.

    Attributes:
        path: the file.
        index: which face of a collection (0 for a plain file).
        family: its family name.
        digits_only: it has digits and Latin letters, no Chinese characters.
    """

    path: str
    index: int
    family: str
    digits_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A font file by name, with its weight in the draw (0: never) for each pool."""

    file: str
    family: str
    train: float
    test: float


_SANS, _SERIF = "Noto Sans CJK SC", "Noto Serif CJK SC"
VALUE_FONTS = (
    Wanted(file="NotoSansCJK-Regular.ttc", family=_SANS, train=5, test=1),
    Wanted(file="NotoSansCJK-Medium.ttc", family=_SANS, train=4, test=1),
    Wanted(file="NotoSansCJK-Bold.ttc", family=_SANS, train=2, test=0),
    Wanted(file="NotoSansCJK-Light.ttc", family=_SANS, train=1, test=0),
    Wanted(file="NotoSansCJK-DemiLight.ttc", family=_SANS, train=0, test=3),
    Wanted(file="wqy-zenhei.ttc", family="WenQuanYi Zen Hei", train=4, test=0),
    Wanted(file="wqy-microhei.ttc", family="WenQuanYi Micro Hei", train=0, test=4),
    Wanted(file="NotoSerifCJK-Medium.ttc", family=_SERIF, train=1, test=0),
    Wanted(file="NotoSerifCJK-SemiBold.ttc", family=_SERIF, train=1, test=0),
    Wanted(file="NotoSerifCJK-Regular.ttc", family=_SERIF, train=0, test=1),
    Wanted(file="uming.ttc", family="AR PL UMing CN", train=0.4, test=0),
    Wanted(file="ukai.ttc", family="AR PL UKai CN", train=0.4, test=0),
)
LABEL_FONTS = (
    Wanted(file="NotoSansCJK-Regular.ttc", family=_SANS, train=2, test=2),
    Wanted(file="NotoSansCJK-Medium.ttc", family=_SANS, train=3, test=3),
    Wanted(file="NotoSansCJK-Bold.ttc", family=_SANS, train=2, test=2),
    Wanted(file="wqy-zenhei.ttc", family="WenQuanYi Zen Hei", train=1, test=1),
    Wanted(file="NotoSerifCJK-Bold.ttc", family=_SERIF, train=0.5, test=0.5),
)
TITLE_FONTS = (
    Wanted(file="NotoSerifCJK-Bold.ttc", family=_SERIF, train=4, test=1),
    Wanted(file="NotoSerifCJK-SemiBold.ttc", family=_SERIF, train=2, test=0),
    Wanted(file="NotoSerifCJK-Black.ttc", family=_SERIF, train=2, test=2),
    Wanted(file="NotoSansCJK-Bold.ttc", family=_SANS, train=0.5, test=0),
)
NUMBER_FONTS = (
    Wanted(file="OCRB.otf", family="OCR B", train=5, test=3),
    Wanted(file="OCRBS.otf", family="OCR B", train=1, test=1),
    Wanted(file="NotoSansMono-Regular.ttf", family="Noto Sans Mono", train=0, test=1),
    Wanted(file="DejaVuSansMono.ttf", family="DejaVu Sans Mono", train=1, test=0),
    Wanted(file="DejaVuSansMono-Bold.ttf", family="DejaVu Sans Mono", train=1, test=0),
    Wanted(file="DejaVuSans.ttf", family="DejaVu Sans", train=1, test=0),
    Wanted(file="NotoSansCJK-Regular.ttc", family=_SANS, train=2, test=1),
    Wanted(file="NotoSansCJK-Bold.ttc", family=_SANS, train=1, test=0),
)
LATIN_FONTS = (
    Wanted(file="NotoSans-Regular.ttf", family="Noto Sans", train=3, test=3),
    Wanted(file="NotoSans-Bold.ttf", family="Noto Sans", train=2, test=2),
    Wanted(file="NotoSerif-Regular.ttf", family="Noto Serif", train=1, test=1),
    Wanted(file="NotoSerif-Italic.ttf", family="Noto Serif", train=1, test=1),
    Wanted(file="DejaVuSans.ttf", family="DejaVu Sans", train=1, test=1),
    Wanted(file="DejaVuSansMono.ttf", family="DejaVu Sans Mono", train=1, test=1),
)
SCRIPT_FONTS = {
    "tibetan": Wanted(file="NotoSerifTibetan-Regular.ttf", family="Noto Serif Tibetan", train=1, test=1),
    "mongolian": Wanted(file="NotoSansMongolian-Regular.ttf", family="Noto Sans Mongolian", train=1, test=1),
    "yi": Wanted(file="NotoSansYi-Regular.ttf", family="Noto Sans Yi", train=1, test=1),
    "uyghur": Wanted(file="NotoNaskhArabic-Regular.ttf", family="Noto Naskh Arabic", train=1, test=1),
}
# For a character that the drawn font lacks: this one has the whole basic CJK block and extension A.
FALLBACK = Wanted(file="NotoSansCJK-Regular.ttc", family=_SANS, train=1, test=1)


@lru_cache(maxsize=1)
def _files() -> dict[str, str]:
    """File name → path, for every font file in the usual folders."""
    found: dict[str, str] = {}
    for folder in FONT_FOLDERS:
        for parent, _, names in os.walk(folder):
            for name in sorted(names):
                found.setdefault(name, os.path.join(parent, name))
    return found


@lru_cache(maxsize=256)
def _resolve(file: str, family: str) -> FontFace | None:
    """The face of that family in that file; None where the file is not installed."""
    path = _files().get(file)
    if path is None:
        return None
    if not path.endswith(".ttc"):
        return FontFace(path=path, index=0, family=family, digits_only=True)
    with TTCollection(path, lazy=True) as collection:
        names = [font["name"].getDebugName(1) or "" for font in collection.fonts]
        faces = len(names)
    # Weights other than regular and bold append their name to the family.
    index = next((i for i in range(faces) if names[i].startswith(family)), 0)
    return FontFace(path=path, index=index, family=family)


def pick(rng: np.random.Generator, wanted: Sequence[Wanted], pool: Pool) -> FontFace:
    """One of the installed fonts of a list, by weight.

    Raises:
        FontsMissingError: none of the list's fonts for this pool is installed.
    """
    weights, faces = [], []
    for entry in wanted:
        weight = entry.train if pool == "train" else entry.test
        face = _resolve(entry.file, entry.family) if weight > 0 else None
        if face is not None:
            weights.append(weight)
            faces.append(face)
    if not faces:
        missing = ", ".join(sorted({entry.file for entry in wanted}))
        raise FontsMissingError(
            f"none of these fonts is installed: {missing}. Debian, Ubuntu: apt-get install {APT_PACKAGES}"
        )
    shares = np.asarray(weights) / sum(weights)
    return faces[int(rng.choice(len(faces), p=shares))]


def fallback() -> FontFace:
    """The font for characters that the drawn font lacks.

    Raises:
        FontsMissingError: it is not installed.
    """
    return pick(np.random.default_rng(0), (FALLBACK,), "train")


@lru_cache(maxsize=64)
def _characters(path: str, index: int) -> frozenset[int]:
    with TTFont(path, fontNumber=index, lazy=True) as font:
        return frozenset(font.getBestCmap())


def covers(face: FontFace, text: str) -> bool:
    """Whether the face has a glyph for every character of the text."""
    characters = _characters(face.path, face.index)
    return all(ord(character) in characters for character in text)


@lru_cache(maxsize=1024)
def _opened(path: str, index: int, steps: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, steps * SIZE_STEP_PX, index=index)


def opened(face: FontFace, em_px: float) -> ImageFont.FreeTypeFont:
    """The face at a size in pixels per em, rounded to `SIZE_STEP_PX`."""
    return _opened(face.path, face.index, max(round(em_px / SIZE_STEP_PX), 8))
