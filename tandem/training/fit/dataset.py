"""Training pictures for the detector: an endless, seeded stream of thumbnails with their cards.

Faces, confusers and backgrounds are drawn once into pools; every sample photographs a few of them anew, at
the detector's own size. That takes about 10 ms a sample, so two cores can feed a training that runs on them
as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import IterableDataset, get_worker_info

from tandem.media.letterbox import BORDER_GREY, THUMBNAIL_SIDE
from tandem.services.id_card.records import MAX_CARDS
from tandem.training.draw.cards import Card, draw_card
from tandem.training.draw.confusers import draw_confuser
from tandem.training.draw.faces import Side
from tandem.training.draw.styles import draw_style
from tandem.training.scene.backdrops import Pool, draw_backdrop
from tandem.training.scene.conditions import TRAINING, Conditions
from tandem.training.scene.photographs import StoredFlat, photograph

Image = NDArray[np.uint8]
_FACE_WIDTH = 400  # px: wider than any card on a thumbnail
BACKDROP_SIZE = 448  # px
_FACES_PER_COPY = 4
_BARE = 0.6  # share of the copies' portrait sides without a portrait: collections of copies blank it
_GREY_FACES = 0.7  # share of copied sheets whose cards are drawn as copies
_REPRINTED = 0.4  # share of faces whose colours are not our printer's
COPIES = 0.12  # share of pictures that are copies of cards on a sheet
_REAL = 0.8  # share of pictures of one thing alone that show a card
_EDGE_TO_EDGE = 0.06  # share of pictures that are exactly one card
_MIN_SEEN = 0.7  # share of a card inside the frame below which nobody expects it to be found
# Width : height of pictures: phones upright and across, old cameras, square crops.
_ASPECTS = (4 / 3, 3 / 4, 3 / 4, 16 / 9, 9 / 16, 1.0, 3 / 2, 2 / 3)

# The picture is the card, edge to edge, as scanners and cropping apps send it.
_CUT_OUT = replace(
    TRAINING,
    tilt_deg=(0, 6),
    rotation_deg=(-4, 4),
    area=(0.8, 1.15),
    overhang=0.04,
    shadow=0.1,
    glare=0.1,
    dark=0.1,
    fingers=0.03,
    strength=0.5,
)
# A grey copy of one or both sides on a sheet.
_COPY = replace(
    TRAINING,
    tilt_deg=(0, 3),
    area=(0.06, 0.6),
    overhang=0.0,
    shadow=0.05,
    glare=0.0,
    dark=0.4,
    cast=0.0,
    grey=0.85,
    fingers=0.0,
    strength=0.5,
)


@dataclass(frozen=True, kw_only=True)
class Pools:
    """What photographs are composed of; copies are grey faces, portraits often blanked."""

    faces: list[StoredFlat]
    copies: list[StoredFlat]
    confusers: list[StoredFlat]
    backdrops: list[Image]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One training picture.

    Attributes:
        thumbnail: (side, side, 3) uint8 BGR, letterboxed; `THUMBNAIL_SIDE` unless asked otherwise.
        quads: (8, 4, 2) float32 in thumbnail pixels, zero rows behind the `count` cards.
        emblem: (8,) float32, 1 for the emblem side.
        count: number of cards.
    """

    thumbnail: Image
    quads: NDArray[np.float32]
    emblem: NDArray[np.float32]
    count: int


def _stored(card: Card, rng: np.random.Generator) -> StoredFlat:
    image = _reprinted(card.face.image, rng) if rng.random() < _REPRINTED else card.face.image
    return StoredFlat(image=image, alpha=card.face.alpha, side=card.face.side)


def _reprinted(face: Image, rng: np.random.Generator) -> Image:
    """A face (H, W, 3) uint8 as others print and scan it: paler, whiter, bluer, with more or less colour."""
    colours = face.astype(np.float32) / 255
    grey = colours.mean(axis=2, keepdims=True)
    colours = grey + (colours - grey) * rng.uniform(0, 1.8)
    colours = np.clip(colours, 0, 1) ** rng.uniform(0.6, 1.6)
    white = rng.uniform(0, 0.5) * (colours.mean(axis=2, keepdims=True) > 0.6)  # the paper, not the ink
    colours += white * (1 - colours)
    colours = colours * rng.uniform(0.85, 1.1) + rng.normal(0, 0.05, 3)
    return np.asarray(np.clip(colours * 255, 0, 255), np.uint8)


def build_pools(seed: int, *, faces: int, confusers: int, backdrops: int, pool: Pool = "train") -> Pools:
    """Draw the pools; the same seed and counts give the same pools."""
    rng = np.random.default_rng(seed)
    sides: tuple[Side, Side] = ("portrait", "emblem")
    drawn = [
        _stored(draw_card(rng, pool, side=sides[index % 2], width_px=_FACE_WIDTH), rng)
        for index in range(faces)
    ]
    copies = []
    for index in range(faces // _FACES_PER_COPY):
        grey = replace(
            draw_style(rng, pool), grey=True, portrait="none" if rng.random() < _BARE else "cut_out"
        )
        card = draw_card(rng, pool, side=sides[index % 2], width_px=_FACE_WIDTH, stamp_share=0.3, style=grey)
        copies.append(_stored(card, rng))
    others = [draw_confuser(rng, width_px=_FACE_WIDTH) for _ in range(confusers)]
    return Pools(
        faces=drawn,
        copies=copies,
        confusers=[StoredFlat(image=image, alpha=alpha, side=None) for image, alpha in others],
        backdrops=[draw_backdrop(rng, BACKDROP_SIZE, BACKDROP_SIZE, pool) for _ in range(backdrops)],
    )


def _pick(
    rng: np.random.Generator, pools: Pools, cards: int, confusers: int, *, copies: bool = False
) -> list[StoredFlat]:
    faces = pools.copies if copies else pools.faces
    chosen = [faces[int(rng.integers(len(faces)))] for _ in range(cards)]
    chosen += [pools.confusers[int(rng.integers(len(pools.confusers)))] for _ in range(confusers)]
    return [chosen[int(index)] for index in rng.permutation(len(chosen))]


def _scene(
    rng: np.random.Generator, pools: Pools, copies: float
) -> tuple[list[StoredFlat], Conditions, float]:
    """What lies on the table, how it is taken, and the frame's width / height."""
    kind = rng.random()
    if kind < 0.16:
        flats = _pick(rng, pools, 1, 0) if rng.random() < 0.75 else _pick(rng, pools, 0, 1)
        aspect = flats[0].image.shape[1] / flats[0].image.shape[0] * rng.uniform(0.97, 1.03)
        quarter = float(rng.choice([0.0, 0.0, 90.0, 180.0, 270.0]))
        turned = replace(_CUT_OUT, rotation_deg=(quarter - 4, quarter + 4))
        return flats, turned, 1 / aspect if quarter in (90.0, 270.0) else aspect
    aspect = float(rng.choice(_ASPECTS))
    if kind < 0.16 + copies:
        half_turn = 180.0 * float(rng.integers(2)) + rng.normal(0, 4)
        copy = replace(_COPY, rotation_deg=(half_turn - 5, half_turn + 5)) if rng.random() < 0.5 else _COPY
        cards, confusers = int(rng.choice([0, 1, 2], p=[0.1, 0.35, 0.55])), int(rng.random() < 0.15)
        return _pick(rng, pools, cards, confusers, copies=bool(rng.random() < _GREY_FACES)), copy, aspect
    cards = int(rng.choice([0, 1, 2, 3], p=[0.16, 0.6, 0.19, 0.05]))
    confusers = (
        int(rng.choice([0, 1, 2], p=[0.65, 0.27, 0.08]))
        if cards
        else int(rng.choice([0, 1, 2], p=[0.2, 0.6, 0.2]))
    )
    return _pick(rng, pools, cards, confusers), TRAINING, aspect


def _seen(quad: NDArray[np.float32], height: int, width: int) -> float:
    """Share of a quad that lies inside the frame, 0-1."""
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    inside, _ = cv2.intersectConvexConvex(quad, frame)
    return float(inside) / max(cv2.contourArea(quad), 1e-6)


def _ground(rng: np.random.Generator, pools: Pools, conditions: Conditions) -> Image | None:
    """A stored background, flipped and cropped; None (draw anew) for sheets of paper."""
    if conditions.grey > 0.5:
        return np.full((8, 8, 3), rng.uniform(120, 255), np.uint8)
    backdrop = pools.backdrops[int(rng.integers(len(pools.backdrops)))]
    backdrop = np.rot90(backdrop, int(rng.integers(4)))
    if rng.random() < 0.5:
        backdrop = backdrop[:, ::-1]
    size = int(BACKDROP_SIZE * rng.uniform(0.4, 1.0))
    top, left = (int(rng.integers(0, BACKDROP_SIZE - size + 1)) for _ in range(2))
    return np.ascontiguousarray(backdrop[top : top + size, left : left + size])


def draw_sample(
    rng: np.random.Generator, pools: Pools, side: int = THUMBNAIL_SIDE, copies: float = COPIES
) -> Sample:
    """Photograph a random scene as a thumbnail of `side` pixels a side; `copies` is the share of copies."""
    if rng.random() < _EDGE_TO_EDGE:
        return _edge_to_edge(rng, pools, side)
    flats, conditions, aspect = _scene(rng, pools, copies)
    width = side if aspect >= 1 else round(side * aspect)
    height = side if aspect <= 1 else round(side / aspect)
    image, placed = photograph(
        rng, flats, size=(height, width), conditions=conditions, backdrop=_ground(rng, pools, conditions)
    )
    return _letterboxed(image, flats, placed, side)


def _edge_to_edge(rng: np.random.Generator, pools: Pools, side: int) -> Sample:
    """A picture that is exactly one card, a little more or a little less, as cropping apps leave it."""
    (flat,) = _pick(rng, pools, 1, 0) if rng.random() < _REAL else _pick(rng, pools, 0, 1)
    turns = int(rng.choice([0, 0, 1, 2, 3]))
    long, short = side, round(side * flat.image.shape[0] / flat.image.shape[1])
    if short > side:
        long, short = round(side * side / short), side
    height, width = (short, long) if turns % 2 == 0 else (long, short)
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    quad = np.roll(frame, -turns, axis=0) + rng.normal(0, 0.012 * long, (4, 2)).astype(np.float32)
    image, placed = photograph(
        rng,
        [flat],
        size=(height, width),
        conditions=_CUT_OUT,
        backdrop=_ground(rng, pools, _CUT_OUT),
        quads=[quad],
    )
    return _letterboxed(image, [flat], placed, side)


def _letterboxed(
    image: Image, flats: Sequence[StoredFlat], placed: Sequence[NDArray[np.float32] | None], side: int
) -> Sample:
    """The photograph in the middle of a grey square, with the cards that are seen well enough."""
    height, width = image.shape[:2]
    thumbnail = np.full((side, side, 3), BORDER_GREY, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    thumbnail[top : top + height, left : left + width] = image
    quads = np.zeros((MAX_CARDS, 4, 2), np.float32)
    emblem = np.zeros(MAX_CARDS, np.float32)
    count = 0
    for flat, quad in zip(flats, placed, strict=True):
        if flat.side is None or quad is None or _seen(quad, height, width) < _MIN_SEEN:
            continue
        quads[count] = quad + np.array([left, top], np.float32)
        emblem[count] = flat.side == "emblem"
        count += 1
    return Sample(thumbnail=thumbnail, quads=quads, emblem=emblem, count=count)


Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def collate(samples: list[Sample]) -> Batch:
    """Stack samples: thumbnails (B, side, side, 3), quads (B, 8, 4, 2), emblem (B, 8), count (B,)."""
    return (
        torch.from_numpy(np.stack([sample.thumbnail for sample in samples])),
        torch.from_numpy(np.stack([sample.quads for sample in samples])),
        torch.from_numpy(np.stack([sample.emblem for sample in samples])),
        torch.tensor([sample.count for sample in samples]),
    )


class SampleStream(IterableDataset[Sample]):
    """Endless samples; each loader process draws from a seed of its own."""

    def __init__(self, pools: Pools, seed: int, side: int = THUMBNAIL_SIDE) -> None:
        super().__init__()
        self._pools = pools
        self._seed = seed
        self._side = side

    def __iter__(self) -> Iterator[Sample]:
        worker = get_worker_info()
        rng = np.random.default_rng([self._seed, worker.id if worker else 0])
        while True:
            yield draw_sample(rng, self._pools, self._side)
