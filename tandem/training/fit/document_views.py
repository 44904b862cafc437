"""Training pictures for the document classifier: seeded views of drawn documents, each with its kind.

Documents and backgrounds are drawn once into pools; every sample photographs one anew and looks at it as the
served step does: straightened along its outline, which is never quite found, or as part of a whole picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from tandem.media.document_kinds import KINDS, NONE, RESIDENT
from tandem.media.document_views import document_view, picture_view
from tandem.media.quads import is_plausible
from tandem.training.draw.confuser_kinds import draw_document
from tandem.training.draw.pools import Pool
from tandem.training.scene.backdrops import draw_backdrop
from tandem.training.scene.conditions import TRAINING, Conditions
from tandem.training.scene.photographs import StoredFlat, photograph

Image = NDArray[np.uint8]

_FLAT_WIDTH = 352  # px: wider than a view
_BACKDROP_SIZE = 320  # px
_SHARPEST = 1.35  # a photographed document is at most this many times as wide as its view
_REPRINTED = 0.35  # share of documents whose colours are not our printer's
_WHOLE = 0.13  # share of samples that are whole pictures
_BARE = 0.5  # share of the samples of `none` that show a background alone
_FLIPPED = 0.12  # share of documents seen the wrong way round: the detector errs in that, too
_LOOSE = 0.15  # share of outlines that are found badly
#: How far corners are off, in widths of the document.
_CORNER_ERROR, _LOOSE_ERROR = 0.008, 0.04
#: Resident cards, their nearest likenesses and the kinds that are mistaken most are seen most often.
_WEIGHTS = {
    **dict.fromkeys(RESIDENT, 2.4),
    "hmt_residence_permit.portrait": 1.6,
    "other_card": 3.6,
    "bank_card": 2.4,
    "social_security": 1.8,
    "driving_licence": 1.8,
}

_FOUND = replace(
    TRAINING, rotation_deg=(-25, 25), area=(0.3, 0.7), overhang=0.04, fingers=0.12, strength=0.7, noise=0.45
)
_LYING = replace(
    TRAINING, area=(0.12, 0.9), overhang=0.05, blur=0.2, strength=0.6, noise=0.4, jpeg_quality=(60, 95)
)


@dataclass(frozen=True, kw_only=True)
class DocumentPools:
    """Drawn documents by kind, and backgrounds."""

    documents: dict[str, list[StoredFlat]]
    backdrops: list[Image]


def draw_pools(seed: int, *, documents: int, backdrops: int, pool: Pool = "train") -> DocumentPools:
    """Draw the pools; the same seed and counts give the same pools.

    Args:
        seed: of everything.
        documents: of each kind; of kinds that are seen more often, as many more.
        backdrops: backgrounds.
        pool: names, places and fonts.
    """
    rng = np.random.default_rng(seed)
    drawn = {
        kind: [_drawn(rng, kind, pool) for _ in range(round(documents * _WEIGHTS.get(kind, 1.0)))]
        for kind in KINDS
    }
    grounds = [draw_backdrop(rng, _BACKDROP_SIZE, _BACKDROP_SIZE, pool) for _ in range(backdrops)]
    return DocumentPools(documents=drawn, backdrops=grounds)


def _drawn(rng: np.random.Generator, kind: str, pool: Pool) -> StoredFlat:
    image, alpha = draw_document(rng, kind, width_px=_FLAT_WIDTH, pool=pool)
    if rng.random() < _REPRINTED:
        image = _reprinted(image, rng)
    return StoredFlat(image=image, alpha=alpha, side=None)


def _reprinted(image: Image, rng: np.random.Generator) -> Image:
    """(h, w, 3) uint8 as others print and scan it: paler, darker, with more or less colour, speckled."""
    colours = image.astype(np.float32) / 255
    grey = colours.mean(axis=2, keepdims=True)
    colours = np.clip(grey + (colours - grey) * rng.uniform(0, 1.8), 0, 1) ** rng.uniform(0.6, 1.6)
    colours = colours * rng.uniform(0.85, 1.1) + rng.normal(0, 0.05, 3)
    if rng.random() < 0.4:
        colours += rng.normal(0, rng.uniform(0.02, 0.09), (*image.shape[:2], 1))
    return np.asarray(np.clip(colours * 255, 0, 255), np.uint8)


def draw_view(rng: np.random.Generator, pools: DocumentPools) -> tuple[Image, int]:
    """A view (160, 256, 3) uint8 BGR and the index of its kind."""
    weights = np.array([_WEIGHTS.get(kind, 1.0) for kind in KINDS])
    index = int(rng.choice(len(KINDS), p=weights / weights.sum()))
    kind = KINDS[index]
    if kind == NONE and rng.random() < _BARE:
        return _bare(rng, pools), index
    flats = pools.documents[kind]
    flat = flats[int(rng.integers(len(flats)))]
    return (_whole if rng.random() < _WHOLE else _found)(rng, pools, flat), index


def _found(rng: np.random.Generator, pools: DocumentPools, flat: StoredFlat) -> Image:
    """A document straightened along an outline that is a little off."""
    width = 256 * float(np.exp(rng.uniform(np.log(0.32), np.log(_SHARPEST))))  # of the document, px
    side = round(width * float(rng.uniform(1.05, 1.3)))
    aspect = flat.image.shape[0] / flat.image.shape[1]
    size = (max(round(side * max(aspect, 0.75)), 32), max(side, 32))
    image, (quad,) = photograph(rng, [flat], size=size, conditions=_FOUND, backdrop=_ground(rng, pools))
    if quad is None:
        return picture_view(image)
    error = _LOOSE_ERROR if rng.random() < _LOOSE else _CORNER_ERROR
    span = float(np.linalg.norm(quad[1] - quad[0]))
    outline = quad + rng.normal(0, error * span, (4, 2)).astype(np.float32)
    if rng.random() < _FLIPPED:
        outline = np.roll(outline, 2, axis=0)
    return document_view(image, outline if is_plausible(outline) else quad)


def _whole(rng: np.random.Generator, pools: DocumentPools, flat: StoredFlat) -> Image:
    """A whole photograph of a document, upright or turned."""
    size = (240, 320) if rng.random() < 0.5 else (320, 240)
    conditions: Conditions = _LYING
    if rng.random() < 0.7:
        turn = 90.0 * int(rng.integers(4))
        conditions = replace(_LYING, rotation_deg=(turn - 12, turn + 12))
    image, _ = photograph(rng, [flat], size=size, conditions=conditions, backdrop=_ground(rng, pools))
    return picture_view(image)


def _bare(rng: np.random.Generator, pools: DocumentPools) -> Image:
    """A background without a document: whole, or a part of it that was taken for one."""
    size = (240, 320) if rng.random() < 0.5 else (320, 240)
    image, _ = photograph(rng, [], size=size, conditions=_LYING, backdrop=_ground(rng, pools))
    if rng.random() < 0.6:
        return picture_view(image)
    middle, reach = rng.uniform(80, 160, 2), float(rng.uniform(40, 110))
    quad = middle + np.array([[-1, -0.63], [1, -0.63], [1, 0.63], [-1, 0.63]]) * reach
    return document_view(image, (quad + rng.normal(0, reach * 0.08, (4, 2))).astype(np.float32))


def _ground(rng: np.random.Generator, pools: DocumentPools) -> Image:
    backdrop = pools.backdrops[int(rng.integers(len(pools.backdrops)))]
    backdrop = np.rot90(backdrop, int(rng.integers(4)))
    size = int(_BACKDROP_SIZE * rng.uniform(0.4, 1.0))
    top, left = (int(rng.integers(0, _BACKDROP_SIZE - size + 1)) for _ in range(2))
    return np.ascontiguousarray(backdrop[top : top + size, left : left + size])


class ViewDataset(Dataset[tuple[Image, int]]):
    """As many samples as asked for; sample i is the same whoever draws it, so a run can be resumed."""

    def __init__(self, pools: DocumentPools, seed: int, count: int) -> None:
        self._pools, self._seed, self._count = pools, seed, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[Image, int]:
        return draw_view(np.random.default_rng([self._seed, index]), self._pools)
