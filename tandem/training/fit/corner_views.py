"""Training pictures for the corner refiner: seeded views of drawn cards along quads that are off.

A scene is photographed as for the detector, larger, and often on a printed page or beside a line that is no
edge of the card; each card of it is then looked at along several quads that are off as the detector's are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import IterableDataset, get_worker_info

from tandem.services.id_card.card import (
    CARD_HEIGHT_MM,
    CARD_WIDTH_MM,
    homography,
    is_plausible,
    outline,
    quad_width,
    transform,
)
from tandem.services.id_card.geometry.corner_look import MARGIN_MM, WAYS, corner_view
from tandem.training.draw.confusers import draw_confuser
from tandem.training.draw.pools import Pool
from tandem.training.fit.dataset import BACKDROP_SIZE, Pools, build_pools, draw_sample
from tandem.training.scene.row_passages import draw_photocopy

Image = NDArray[np.uint8]
FloatArray = NDArray[np.float32]

_SIDES = (224, 288, 352, 448, 544)  # px of a scene
_NARROWEST, _WIDEST = 80.0, 480.0  # px of a card that is looked at
VIEWS_PER_CARD = 4
#: Documents that cards lie on.
_PAGES = ("text_page", "register_page", "licence", "receipt", "screen", "passport")
_PAGES_PER_BACKDROP = 0.7
#: Shares: of copies among the scenes; of grey ones that went through a copier that knows no half-tones, whose
#: channels differ by less than so many levels.
_COPIES, _COPIED, _GREY = 0.3, 0.6, 3.0
#: Share of the scenes with lines beside their cards: sleeves, rules, sheets, windows; of these, of sleeves.
_RULED, _SLEEVED = 0.5, 0.5
#: How far quads are off, mm: those of a first look (one corner from another, all together), and those that
#: are nearly right. Shares of each kind; and of those that take the card's foot for its head.
_ROUGH, _FINE = (3.0, 5.5), (0.7, 0.8)
_ROUGH_SHARE, _TURNED_SHARE = 0.6, 0.35
_TURN_DEG, _STRETCH = 6.0, 0.11
#: A corner may be so much further away than the view reaches.
_BEYOND = 1.4


@dataclass(frozen=True, kw_only=True)
class CornerSample:
    """One look.

    Attributes:
        view: (128, 176, 3) uint8 BGR.
        offsets: (4, 2) float32, mm: from the quad's corners to the card's.
        way: which of the `WAYS` the card lies in it.
    """

    view: Image
    offsets: FloatArray
    way: int


def draw_corner_pools(
    seed: int, *, faces: int, confusers: int, backdrops: int, pool: Pool = "train"
) -> Pools:
    """The detector's pools, and printed pages among the backgrounds."""
    pools = build_pools(seed, faces=faces, confusers=confusers, backdrops=backdrops, pool=pool)
    rng = np.random.default_rng([seed, 5])
    pages = [_page(rng) for _ in range(round(backdrops * _PAGES_PER_BACKDROP))]
    return replace(pools, backdrops=[*pools.backdrops, *pages])


def _page(rng: np.random.Generator) -> Image:
    """(448, 448, 3) uint8 BGR: a part of a document."""
    kind = _PAGES[int(rng.integers(len(_PAGES)))]
    width = int(rng.integers(500, 1400))
    image, _ = draw_confuser(rng, width_px=width, kind=kind)
    scale = max(1.0, BACKDROP_SIZE / min(image.shape[:2]))
    if scale > 1:
        size = (int(np.ceil(image.shape[1] * scale)), int(np.ceil(image.shape[0] * scale)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    top, left = (int(rng.integers(0, length - BACKDROP_SIZE + 1)) for length in image.shape[:2])
    return np.ascontiguousarray(image[top : top + BACKDROP_SIZE, left : left + BACKDROP_SIZE])


def draw_corner_samples(rng: np.random.Generator, pools: Pools) -> list[CornerSample]:
    """The looks at one scene's cards; scenes without one large enough are passed over."""
    while True:
        scene = draw_sample(rng, pools, int(rng.choice(_SIDES)), _COPIES)
        cards = [
            (scene.quads[i], bool(scene.emblem[i]))
            for i in range(scene.count)
            if _NARROWEST <= quad_width(scene.quads[i]) <= _WIDEST
        ]
        if cards:
            break
    picture = scene.thumbnail
    if np.ptp(picture, axis=2).mean() < _GREY and rng.random() < _COPIED:
        picture = draw_photocopy(rng).printed(rng, picture)
    if rng.random() < _RULED:
        picture = _ruled(rng, picture, [quad for quad, _ in cards])
    quad, emblem = cards[int(rng.integers(len(cards)))]
    return [sample for _ in range(VIEWS_PER_CARD) for sample in _look(rng, picture, quad, emblem=emblem)]


def _ruled(rng: np.random.Generator, picture: Image, quads: list[FloatArray]) -> Image:
    """The picture with lines along the cards' edges, outside of them: a sleeve's, or a form's rules."""
    for quad in quads:
        over = picture.copy()
        to_picture = homography(outline(CARD_WIDTH_MM, CARD_HEIGHT_MM), quad)
        colour = np.clip(rng.normal(rng.uniform(0, 255), 15, 3), 0, 255).tolist()
        width = int(rng.integers(1, 4))
        frame = _frame(rng)
        if rng.random() < _SLEEVED:
            corners = np.rint(transform(frame, to_picture)).astype(np.int32)
            cv2.polylines(over, [corners], True, colour, width, cv2.LINE_AA)
        else:
            for side in rng.choice(4, int(rng.integers(1, 4)), replace=False):
                ends = frame[[side, (side + 1) % 4]]
                longer = ends.mean(axis=0) + (ends - ends.mean(axis=0)) * rng.uniform(1, 2.5)
                one, other = np.rint(transform(longer.astype(np.float32), to_picture)).astype(int).tolist()
                cv2.line(over, one, other, colour, width, cv2.LINE_AA)
        share = float(rng.uniform(0.25, 0.95))
        picture = np.asarray(cv2.addWeighted(over, share, picture, 1 - share, 0), np.uint8)
    return picture


def _frame(rng: np.random.Generator) -> FloatArray:
    """(4, 2) mm: corners of a frame around the card, a little askew."""
    left, top, right, bottom = rng.uniform(1.2, 12, 4)
    wide, high = CARD_WIDTH_MM + right, CARD_HEIGHT_MM + bottom
    corners = np.array([[-left, -top], [wide, -top], [wide, high], [-left, high]])
    return np.asarray(corners + rng.normal(0, 0.8, (4, 2)), np.float32)


def _look(
    rng: np.random.Generator, picture: Image, quad: FloatArray, *, emblem: bool
) -> Iterator[CornerSample]:
    """One look at a card along a quad that is off; none if that came out impossible."""
    card = outline(CARD_WIDTH_MM, CARD_HEIGHT_MM)
    turned = bool(rng.random() < _TURNED_SHARE)
    own = np.roll(quad, 2, axis=0) if turned else quad
    off = _off(rng, card)
    looked = transform(off, homography(card, own))
    back = transform(card, homography(off, card)) - card  # the card's corners in mm of the quad that is off
    if not is_plausible(looked) or np.abs(back).max() > _BEYOND * min(MARGIN_MM):
        return
    way = WAYS.index((emblem, turned))
    yield CornerSample(view=corner_view(picture, looked), offsets=back.astype(np.float32), way=way)


def _off(rng: np.random.Generator, card: FloatArray) -> FloatArray:
    """(4, 2) mm: where a quad's corners are on the card."""
    own, common = _ROUGH if rng.random() < _ROUGH_SHARE else _FINE
    share = own / _ROUGH[0]
    turn = np.radians(rng.normal(0, _TURN_DEG * share))
    stretch = np.exp(rng.normal(0, _STRETCH * share, 2))
    middle = card.mean(axis=0)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = (card - middle) * stretch @ rotation.T + middle
    return np.asarray(moved + rng.normal(0, common, 2) + rng.normal(0, own, (4, 2)), np.float32)


Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def collate_looks(scenes: list[list[CornerSample]]) -> Batch:
    """Views (B, 128, 176, 3) uint8, offsets (B, 4, 2) float32, ways (B,) int64 of several scenes' looks."""
    looks = [look for scene in scenes for look in scene]
    return (
        torch.from_numpy(np.stack([look.view for look in looks])),
        torch.from_numpy(np.stack([look.offsets for look in looks])),
        torch.tensor([look.way for look in looks]),
    )


class LookStream(IterableDataset[list[CornerSample]]):
    """Endless scenes; each loader process draws from a seed of its own."""

    def __init__(self, pools: Pools, seed: int) -> None:
        super().__init__()
        self._pools = pools
        self._seed = seed

    def __iter__(self) -> Iterator[list[CornerSample]]:
        worker = get_worker_info()
        rng = np.random.default_rng([self._seed, worker.id if worker else 0])
        while True:
            yield draw_corner_samples(rng, self._pools)
