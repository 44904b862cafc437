"""What was read beside what is printed: one record a photograph, kept as JSON so that runs can be merged.

The records quote the cards. They are for drawn people: of photographs of real cards none may be kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tandem.evaluation.photo_sets import Photo
from tandem.training.scene.photographs import CardTruth
from tandem.training.score import corner_error, match_cards, quad_iou

# What a reader says of one photograph: the result as `result.schema.json` has it.
Answer = dict[str, Any]
# Corners (K, 4, 2) float32, px of the picture as sent: cards as the detector alone places them.
Quads = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class FieldReading:
    """One field: what is printed, what was read ("" where nothing was), and how sure the reader was."""

    printed: str
    read: str
    confidence: float

    @property
    def right(self) -> bool:
        """Whether it was read as printed, character by character."""
        return self.read == self.printed


@dataclass(frozen=True, kw_only=True)
class CardReading:
    """One true card and what was read for it.

    Attributes:
        side: the true one.
        found: whether a card was found in its place (IoU ≥ 0.8).
        read_side: the side that was read; "" where the card was not found.
        fields: by key.
        corner_error: mean distance of the corners as a share of the card's width; None if not known.
        corner_error_before: the same before anything corrects them: of the detector's own quad.
        checks: for each check that is known for this card, what it has to say and what it said.
        covered: keys of the fields under a stamp.
        fault: how the card contradicts itself, "" if it does not.
        quality: the quality scores that were read.
    """

    side: str
    found: bool
    read_side: str
    fields: dict[str, FieldReading]
    corner_error: float | None = None
    corner_error_before: float | None = None
    checks: dict[str, tuple[bool, bool | None]] = field(default_factory=dict)
    covered: tuple[str, ...] = ()
    fault: str = ""
    quality: dict[str, float] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether every field that no stamp covers was read as printed."""
        return all(reading.right for name, reading in self.fields.items() if name not in self.covered)


@dataclass(frozen=True, kw_only=True)
class PhotoReading:
    """One photograph: its name and subset, its cards, cards found where none is, and the answer's time."""

    name: str
    subset: str
    cards: tuple[CardReading, ...]
    spare: int
    seconds: float


def compare(photo: Photo, answer: Answer, seconds: float, predicted: Quads | None = None) -> PhotoReading:
    """One photograph's answer beside its truth.

    Args:
        photo: with the truth.
        answer: what was read.
        seconds: how long the answer took.
        predicted: the detector's own quads, if they were asked for.
    """
    pairs, spare = pair(photo, answer["cards"])
    cards = tuple(_card(truth, read, predicted) for truth, read in pairs)
    return PhotoReading(name=photo.name, subset=photo.subset, cards=cards, spare=len(spare), seconds=seconds)


def pair(photo: Photo, read: Sequence[Answer]) -> tuple[list[tuple[CardTruth, Answer | None]], list[Answer]]:
    """True cards with what was read for them, and the spare; by place, or by side if places are unknown."""
    if all(_is_located(card) for card in photo.cards):
        quads = [np.asarray(card["quad"], np.float32) for card in read]
        matches, spare = match_cards([card.quad for card in photo.cards], quads)
        return [
            (photo.cards[match.true], None if match.found is None else read[match.found]) for match in matches
        ], [read[index] for index in spare]
    left = list(read)
    paired: list[tuple[CardTruth, Answer | None]] = []
    for card in photo.cards:
        same = next((answer for answer in left if answer["side"] == card.side), left[0] if left else None)
        if same is not None:
            left.remove(same)
        paired.append((card, same))
    return paired, left


def _is_located(card: CardTruth) -> bool:
    """Whether the truth says where the card is: a folder's index may leave that out."""
    return float(np.abs(card.quad).sum()) > 0


def _card(truth: CardTruth, read: Answer | None, predicted: Quads | None) -> CardReading:
    got, sure, said = ({}, {}, {}) if read is None else (read["fields"], read["confidence"], read["checks"])
    located = read is not None and _is_located(truth)
    return CardReading(
        side=truth.side,
        found=read is not None,
        read_side="" if read is None else read["side"],
        fields={
            name: FieldReading(printed=text, read=got.get(name) or "", confidence=sure.get(name, 0.0))
            for name, text in truth.fields.items()
        },
        corner_error=corner_error(np.asarray(read["quad"], np.float32), truth.quad)
        if read is not None and located
        else None,
        corner_error_before=_error_of_best(predicted, truth) if located and predicted is not None else None,
        checks={name: (expected, said.get(name)) for name, expected in truth.checks.items()},
        covered=tuple(sorted(truth.covered)),
        fault=truth.fault,
        quality={} if read is None else dict(read.get("quality", {})),
    )


def _error_of_best(predicted: Quads, truth: CardTruth) -> float | None:
    """The corner error of the prediction that overlaps the true card most; None if none does."""
    best = max(predicted, key=lambda quad: quad_iou(quad, truth.quad), default=None)
    if best is None or quad_iou(best, truth.quad) <= 0:
        return None
    return corner_error(best, truth.quad)


def write_readings(readings: Mapping[str, Iterable[PhotoReading]], path: Path) -> None:
    """Write each reader's records, by the reader's name."""
    by_reader = {reader: [asdict(reading) for reading in own] for reader, own in readings.items()}
    path.write_text(json.dumps(by_reader, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def read_readings(paths: Iterable[Path]) -> dict[str, list[PhotoReading]]:
    """The records of several files, merged by reader.

    Raises:
        ValueError: two files hold the same photograph, which would count twice.
    """
    merged: dict[str, list[PhotoReading]] = {}
    for path in paths:
        for reader, entries in json.loads(path.read_text(encoding="utf-8")).items():
            merged.setdefault(reader, []).extend(map(_photo_reading, entries))
    for reader, own in merged.items():
        names = [reading.name for reading in own]
        if len(set(names)) < len(names):
            raise ValueError(f"{reader}: a photograph is in two of the files and would count twice")
    return merged


def _photo_reading(entry: Mapping[str, Any]) -> PhotoReading:
    cards = tuple(
        CardReading(
            **{
                **card,
                "fields": {name: FieldReading(**reading) for name, reading in card["fields"].items()},
                "checks": {name: (expected, said) for name, (expected, said) in card["checks"].items()},
                "covered": tuple(card["covered"]),
            }
        )
        for card in entry["cards"]
    )
    return PhotoReading(**{**entry, "cards": cards})
