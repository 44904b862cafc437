"""Sets of photographs with their truth, for evaluation: drawn by seed, kept as a folder if wanted.

Two kinds: those that training's own generator draws with other fonts, names and textures (`SUBSETS`), and
those that the evaluation draws itself on photographs and documents (`REAL_SUBSETS`).

A folder holds the pictures and an `index.json`: a list of `{"file", "subset", "cards": [{"side", "quad",
"fields", …}]}`. The evaluation's fonts, names and backgrounds are the "test" pools, which training never
draws from.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.evaluation.expected import expected_checks
from tandem.evaluation.grounds.pool import Grounds
from tandem.evaluation.places.subsets import REAL_SUBSETS
from tandem.services.id_card.card import RECTIFIED_WIDTH
from tandem.training.draw.cards import Card, draw_card
from tandem.training.draw.confusers import draw_confuser
from tandem.training.draw.faces import Side
from tandem.training.draw.pools import RARE_SHARE
from tandem.training.scene.conditions import EASY, HARD, ROTATED, TILTED, UPRIGHT, Conditions
from tandem.training.scene.photographs import CardTruth, StoredFlat, arrange, photograph

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


Drawn = tuple[bytes, tuple[CardTruth, ...]]


def _cards(
    rng: np.random.Generator,
    count: int,
    *,
    portraits: float = _PORTRAITS,
    rare_share: float = RARE_SHARE,
    fault_share: float = 0,
    stamp_share: float = 0,
) -> list[Card]:
    sides: list[Side] = ["portrait" if rng.random() < portraits else "emblem" for _ in range(count)]
    return [
        draw_card(
            rng,
            "test",
            side=side,
            width_px=RECTIFIED_WIDTH,
            stamp_share=stamp_share,
            fault_share=fault_share,
            rare_share=rare_share,
        )
        for side in sides
    ]


def _shoot(
    rng: np.random.Generator,
    things: Sequence[Card | StoredFlat],
    conditions: Conditions,
    *,
    complete: bool = False,
) -> Drawn:
    """A photograph of the things; if `complete` of all of them, else of those that found a place."""
    size = _SIZES[int(rng.integers(len(_SIZES)))]
    flats = [thing.face if isinstance(thing, Card) else thing for thing in things]
    laid: list[NDArray[np.float32] | None] | None = [None] if complete else None
    while laid and any(quad is None for quad in laid):  # two random places collide more often than not
        laid = arrange(rng, flats, conditions, size)
    image, quads = photograph(rng, flats, size=size, conditions=conditions, pool="test", quads=laid)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(85, 96))]
    _, data = cv2.imencode(".jpg", image, quality)
    cards = tuple(
        _truth(thing, quad)
        for thing, quad in zip(things, quads, strict=True)
        if quad is not None and isinstance(thing, Card)
    )
    return data.tobytes(), cards


def _truth(card: Card, quad: NDArray[np.float32]) -> CardTruth:
    return CardTruth(
        quad=quad,
        side=card.face.side,
        fields=card.face.fields,
        checks=expected_checks(card.face.side, card.face.fields, card.fault, date.today()),
        covered=card.covered,
        fault=card.fault or "",
    )


def _one(conditions: Conditions, **shares: float) -> Callable[[np.random.Generator], Drawn]:
    return lambda rng: _shoot(rng, _cards(rng, 1, **shares), conditions)


def _two(rng: np.random.Generator) -> Drawn:
    # Each card at its own angle; large enough together that both stay legible.
    return _shoot(rng, _cards(rng, 2), replace(ROTATED, area=(0.35, 0.6)), complete=True)


def _negative(rng: np.random.Generator) -> Drawn:
    shown = [
        draw_confuser(rng, width_px=RECTIFIED_WIDTH)
        for _ in range(int(rng.choice([0, 1, 2], p=[0.2, 0.6, 0.2])))
    ]
    flats = [StoredFlat(image=image, alpha=alpha, side=None) for image, alpha in shown]
    return _shoot(rng, flats, replace(ROTATED, area=(0.1, 0.7)))


def _numbers(rng: np.random.Generator) -> Drawn:
    """A portrait side under the conditions of one of the four subsets that differ in them, evenly."""
    conditions = (EASY, TILTED, ROTATED, HARD)[int(rng.integers(4))]
    return _shoot(rng, _cards(rng, 1, portraits=1), conditions)


# A photograph is drawn from its subset's place in this list: new ones are added at the end.
SUBSETS: dict[str, Callable[[np.random.Generator], Drawn]] = {
    "upright": _one(UPRIGHT),
    "easy": _one(EASY),
    "tilted": _one(TILTED),
    "rotated": _one(ROTATED),
    "hard": _one(HARD),
    "grey": _one(replace(EASY, grey=1.0)),
    "two": _two,
    "negative": _negative,
    "rare": _one(EASY, rare_share=0.3),
    "inconsistent": _one(EASY, fault_share=1),
    "stamped": _one(EASY, stamp_share=1),
    "numbers": _numbers,
}
# Those of the table in docs/accuracy.md; "upright" is the README's, "numbers" is for thresholds.
PUBLISHED = tuple(name for name in SUBSETS if name not in ("upright", "numbers"))


def draw_photos(
    subset: str, count: int, seed: int, *, first: int = 0, grounds: Grounds | None = None
) -> Iterator[Photo]:
    """`count` photographs of a subset; each depends on the seed, the subset and its own number alone.

    Args:
        subset: its name, one of `SUBSETS` or `REAL_SUBSETS`.
        count: how many.
        seed: training uses 1 to 3.
        first: number of the first, so that a long run can be done in parts.
        grounds: what the subsets on real grounds lie on; the others need none.

    Raises:
        ValueError: There is no such subset, or it needs grounds and there are none.
    """
    for number in range(first, first + count):
        data, cards = _draw(subset, seed, number, grounds)
        ending = "png" if data.startswith(b"\x89PNG") else "jpg"
        yield Photo(name=f"{subset}-{seed}-{number:04d}.{ending}", subset=subset, data=data, cards=cards)


def _draw(subset: str, seed: int, number: int, grounds: Grounds | None) -> Drawn:
    if subset in SUBSETS:
        return SUBSETS[subset](np.random.default_rng([seed, list(SUBSETS).index(subset), number]))
    if subset not in REAL_SUBSETS:
        raise ValueError(f"no subset {subset!r}; there are {', '.join([*SUBSETS, *REAL_SUBSETS])}")
    if grounds is None:
        raise ValueError(f"the subset {subset!r} is drawn on real grounds, and none were given")
    return REAL_SUBSETS[subset](np.random.default_rng([seed, zlib.crc32(subset.encode()), number]), grounds)


def write_photos(photos: Sequence[Photo] | Iterator[Photo], folder: Path) -> None:
    """Write pictures and their `index.json` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    index = []
    for photo in photos:
        (folder / photo.name).write_bytes(photo.data)
        index.append({"file": photo.name, "subset": photo.subset, "cards": list(map(_entry, photo.cards))})
    (folder / "index.json").write_text(json.dumps(index, ensure_ascii=False, indent=1), encoding="utf-8")


def _entry(card: CardTruth) -> dict[str, Any]:
    entry: dict[str, Any] = {"side": card.side, "quad": card.quad.tolist(), "fields": card.fields}
    known = {"checks": card.checks, "covered": sorted(card.covered), "fault": card.fault}
    return entry | {name: value for name, value in known.items() if value}


def _quad(card: dict[str, Any]) -> NDArray[np.float32]:
    return np.asarray(card.get("quad", card.get("approx_quad", np.zeros((4, 2)))), np.float32)


def read_photos(folder: Path) -> Iterator[Photo]:
    """The photographs of a folder with an `index.json`; a card without `quad` gets zeros (not known)."""
    for entry in json.loads((folder / "index.json").read_text(encoding="utf-8")):
        cards = tuple(
            CardTruth(
                quad=_quad(card),
                side=card["side"],
                fields=card["fields"],
                checks=card.get("checks", {}),
                covered=frozenset(card.get("covered", ())),
                fault=card.get("fault", ""),
            )
            for card in entry["cards"]
        )
        yield Photo(
            name=entry["file"],
            subset=entry.get("subset", "all"),
            data=(folder / entry["file"]).read_bytes(),
            cards=cards,
        )
