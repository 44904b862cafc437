"""Grounds of one pool: photographs and pages of documents, chosen by a seeded generator."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pypdfium2
from numpy.typing import NDArray

from tandem.evaluation.errors import GroundsError
from tandem.evaluation.grounds.packages import PACKAGES, Package
from tandem.training.draw.fonts import FontFace
from tandem.training.draw.pools import Pool

Image = NDArray[np.uint8]
PAGE_DPI = 200  # as an office scanner; a camera that is near enough to read a card sees less
_LONGEST_SIDE = 2560  # px: larger photographs are halved, so that a set is drawn in minutes


class Grounds:
    """The photographs, pages and fonts of one pool, from the folder that `packages.fetch` has filled.

    Attributes:
        photographs: paths, in an order that no file system changes.
        pages: document and number of each page.
    """

    def __init__(self, pool: Pool, folder: Path) -> None:
        """Lists what there is; opens nothing but the documents.

        Raises:
            GroundsError: something of the pool is missing.
        """
        own = [package for package in PACKAGES if package.pool == pool]
        self.photographs = [path for package in own for path in _paths(folder, package, "photographs")]
        documents = [path for package in own for path in _paths(folder, package, "documents")]
        self.pages = [(path, number) for path in documents for number in range(_page_count(path))]
        self._fonts = [path for package in own for path in _paths(folder, package, "fonts")]

    def photograph(self, rng: np.random.Generator) -> Image:
        """A photograph, (h, w, 3) uint8 BGR, whole."""
        return _photograph(self.photographs[int(rng.integers(len(self.photographs)))])

    def page(self, rng: np.random.Generator) -> Image:
        """A page of a document, (h, w, 3) uint8 BGR, at `PAGE_DPI`."""
        return _page(*self.pages[int(rng.integers(len(self.pages)))])

    def font(self, name: str) -> FontFace:
        """A font file of the pool.

        Raises:
            GroundsError: no package of the pool has it.
        """
        for path in self._fonts:
            if path.name == name:
                return FontFace(path=str(path), index=0, family=path.stem)
        raise GroundsError(f"no package of this pool has the font {name}")


def _paths(folder: Path, package: Package, what: str) -> list[Path]:
    patterns: tuple[str, ...] = getattr(package, what)
    unpacked = folder / package.folder
    found = {path for pattern in patterns for path in unpacked.glob(Path(pattern).name)}
    if patterns and not found:
        raise GroundsError(f"{package.name} {package.version} is not in {folder}: fetch the grounds first")
    return sorted(found)


def _page_count(path: Path) -> int:
    with pypdfium2.PdfDocument(path) as document:
        return len(document)


@lru_cache(maxsize=8)
def _photograph(path: Path) -> Image:
    image = _png(path) if path.suffix == ".png" else cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise GroundsError(f"{path.name} can't be decoded")
    scale = _LONGEST_SIDE / max(image.shape[:2])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(image, np.uint8)


def _png(path: Path) -> Image:
    """By Pillow: OpenCV complains of these files' colour profiles on the terminal, once a reading."""
    with PIL.Image.open(path) as opened:
        return np.ascontiguousarray(np.asarray(opened.convert("RGB"))[..., ::-1])


@lru_cache(maxsize=8)
def _page(path: Path, number: int) -> Image:
    with pypdfium2.PdfDocument(path) as document:
        drawn = document[number].render(scale=PAGE_DPI / 72, rev_byteorder=False)
        return np.ascontiguousarray(drawn.to_numpy()[:, :, :3])
