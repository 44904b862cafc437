"""Sets of synthetic photographs with their truth, for evaluation: drawn by seed, kept as a folder if wanted.

A folder holds the pictures and an `index.json`: a list of `{"file", "subset", "cards": [{"side", "quad",
"fields"}]}`. The evaluation's fonts, names and backgrounds are the "test" pools, which training never draws
from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.training.cards import draw_card
from tandem.training.conditions import EASY, HARD, ROTATED, TILTED, UPRIGHT, Conditions
from tandem.training.confusers import draw_confuser
from tandem.training.faces import Face, Side
from tandem.training.photographs import CardTruth, StoredFlat, photograph
from tandem.training.pools import RARE_SHARE

_FACE_WIDTH = 1011  # px: ID-1 at 300 dpi
_PORTRAITS = 0.7  # share of portrait sides: they say more and fail more
# Height and width of the pictures: what phones and chat apps deliver.
_SIZES = ((1200, 1600), (1600, 1200), (1500, 2000), (1080, 1440), (1920, 1080))


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A picture as a client sends it, and what is on it: `data` is an encoded JPEG."""

    name: str
    subset: str
    data: bytes
    cards: tuple[CardTruth, ...]


def _faces(rng: np.random.Generator, count: int, rare_share: float = RARE_SHARE) -> list[Face]:
    sides: list[Side] = ["portrait" if rng.random() < _PORTRAITS else "emblem" for _ in range(count)]
    drawn = (
        draw_card(rng, "test", side=side, width_px=_FACE_WIDTH, stamp_share=0, rare_share=rare_share)
        for side in sides
    )
    return [card.face for card in drawn]


def _shoot(
    rng: np.random.Generator, flats: Sequence[Face | StoredFlat], conditions: Conditions
) -> tuple[bytes, tuple[CardTruth, ...]]:
    size = _SIZES[int(rng.integers(len(_SIZES)))]
    image, quads = photograph(rng, flats, size=size, conditions=conditions, pool="test")
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(85, 96))]
    _, data = cv2.imencode(".jpg", image, quality)
    cards = tuple(
        CardTruth(quad=quad, side=flat.side, fields=flat.fields)
        for flat, quad in zip(flats, quads, strict=True)
        if quad is not None and isinstance(flat, Face)
    )
    return data.tobytes(), cards


def _one(conditions: Conditions) -> Callable[[np.random.Generator], tuple[bytes, tuple[CardTruth, ...]]]:
    return lambda rng: _shoot(rng, _faces(rng, 1), conditions)


def _two(rng: np.random.Generator) -> tuple[bytes, tuple[CardTruth, ...]]:
    # Each card at its own angle; large enough together that both stay legible.
    return _shoot(rng, _faces(rng, 2), replace(ROTATED, area=(0.35, 0.6)))


def _negative(rng: np.random.Generator) -> tuple[bytes, tuple[CardTruth, ...]]:
    shown = [
        draw_confuser(rng, width_px=_FACE_WIDTH) for _ in range(int(rng.choice([0, 1, 2], p=[0.2, 0.6, 0.2])))
    ]
    flats = [StoredFlat(image=image, alpha=alpha, side=None) for image, alpha in shown]
    return _shoot(rng, flats, replace(ROTATED, area=(0.1, 0.7)))


SUBSETS: dict[str, Callable[[np.random.Generator], tuple[bytes, tuple[CardTruth, ...]]]] = {
    "upright": _one(UPRIGHT),
    "easy": _one(EASY),
    "tilted": _one(TILTED),
    "rotated": _one(ROTATED),
    "hard": _one(HARD),
    "grey": _one(replace(EASY, grey=1.0)),
    "two": _two,
    "negative": _negative,
    "rare": lambda rng: _shoot(rng, _faces(rng, 1, rare_share=0.3), EASY),
}


def draw_photos(subset: str, count: int, seed: int) -> Iterator[Photo]:
    """`count` photographs of a subset; each depends on the seed, the subset and its own number alone.

    Raises:
        ValueError: There is no such subset.
    """
    if subset not in SUBSETS:
        raise ValueError(f"no subset {subset!r}; there are {', '.join(SUBSETS)}")
    for number in range(count):
        rng = np.random.default_rng([seed, list(SUBSETS).index(subset), number])
        data, cards = SUBSETS[subset](rng)
        yield Photo(name=f"{subset}-{number:04d}.jpg", subset=subset, data=data, cards=cards)


def write_photos(photos: Sequence[Photo] | Iterator[Photo], folder: Path) -> None:
    """Write pictures and their `index.json` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    index = []
    for photo in photos:
        (folder / photo.name).write_bytes(photo.data)
        cards = [
            {"side": card.side, "quad": card.quad.tolist(), "fields": card.fields} for card in photo.cards
        ]
        index.append({"file": photo.name, "subset": photo.subset, "cards": cards})
    (folder / "index.json").write_text(json.dumps(index, ensure_ascii=False, indent=1), encoding="utf-8")


def _quad(card: dict[str, Any]) -> NDArray[np.float32]:
    return np.asarray(card.get("quad", card.get("approx_quad", np.zeros((4, 2)))), np.float32)


def read_photos(folder: Path) -> Iterator[Photo]:
    """The photographs of a folder with an `index.json`; a card without `quad` gets zeros (not known)."""
    for entry in json.loads((folder / "index.json").read_text(encoding="utf-8")):
        cards = tuple(
            CardTruth(quad=_quad(card), side=card["side"], fields=card["fields"]) for card in entry["cards"]
        )
        yield Photo(
            name=entry["file"],
            subset=entry.get("subset", "all"),
            data=(folder / entry["file"]).read_bytes(),
            cards=cards,
        )
