"""What the recogniser would give for given texts: lanes of time steps to feed the parser with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.card import PX_PER_MM
from tandem.services.id_card.records import CardRecord, RowKind, Segment, pack_cards, pack_segments
from tandem.services.id_card.text.ctc import STEP_PX, Row, read_row

EM_PX = 32  # of hanzi on a lane: four time steps
DIGIT_PX = 24
LABEL_GAP_PX = 24
RUNNERS = 5

Likely = tuple[tuple[str, float], ...]  # characters and probabilities of a time step, best first


@dataclass
class Speller:
    """Spells texts in time steps and keeps the dictionary that they need."""

    dictionary: list[str] = field(default_factory=lambda: ["<blank>"])

    def index(self, character: str) -> int:
        if character not in self.dictionary:
            self.dictionary.append(character)
        return self.dictionary.index(character)

    def lane(self, text: str | Sequence[str | Likely]) -> list[list[tuple[int, float]]]:
        """Time steps of one lane.

        Args:
            text: characters, or for a place its likeliest characters with their probabilities. A space is
                the gap between a label and its value.
        """
        steps: list[list[tuple[int, float]]] = [[(0, 1.0)]]
        for entry in text:
            if entry == " ":
                steps += [[(0, 1.0)]] * int(LABEL_GAP_PX / STEP_PX)
                continue
            likely: Likely = ((entry, 0.999),) if isinstance(entry, str) else entry
            width = DIGIT_PX if likely[0][0].isascii() else EM_PX
            steps.append([(self.index(character), probability) for character, probability in likely])
            steps += [[(0, 1.0)]] * int(width / STEP_PX - 1)
        return steps

    def arrays(
        self, lanes: Sequence[list[list[tuple[int, float]]]]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """(L, T, 5) characters and probabilities."""
        steps = max(len(lane) for lane in lanes)
        characters = np.zeros((len(lanes), steps, RUNNERS), np.int32)
        probabilities = np.zeros((len(lanes), steps, RUNNERS), np.float32)
        probabilities[..., 0] = 1
        unused = [self.index(f"<{i}>") for i in range(RUNNERS)]
        for i, lane in enumerate(lanes):
            for t, likely in enumerate(lane):
                filled = [*likely, *((index, 0.0) for index in unused)][:RUNNERS]
                characters[i, t] = [index for index, _ in filled]
                probabilities[i, t] = [probability for _, probability in filled]
        return characters, probabilities


def card(emblem: float = 0.0, score: float = 0.99) -> CardRecord:
    """A card that fills a picture of 1011 x 638."""
    quad = np.array([[0, 0], [1011, 0], [1011, 638], [0, 638]], np.float32)
    return CardRecord(quad=quad, score=score, emblem=emblem)


def segment(kind: RowKind, lane: int, width: float, *, card_index: int = 0) -> Segment:
    """A row 48 px high, the lane's number times 60 px down, at the picture's left edge."""
    top = 60.0 * lane
    quad = np.array([[0, top], [width, top], [width, top + 48], [0, top + 48]], np.float32)
    middle = (top + 24) / PX_PER_MM
    return Segment(card=card_index, kind=kind, lane=lane, x0=0, x1=width, quad=quad, middle_mm=middle)


def row(kind: RowKind, text: str | Sequence[str | Likely]) -> Row:
    """One row as it is read."""
    speller = Speller()
    lane = speller.lane(text)
    characters, probabilities = speller.arrays([lane])
    place = segment(kind, 0, len(lane) * STEP_PX)
    return read_row(characters, probabilities, place, speller.dictionary)


def picture(
    rows: Sequence[tuple[RowKind, str | Sequence[str | Likely]]], emblem: float = 0.0, score: float = 0.99
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], list[str]]:
    """Everything `parse_cards` takes for one card with these rows, padding included."""
    speller = Speller()
    lanes = [speller.lane(text) for _, text in rows] or [[[(0, 1.0)]]]
    characters, probabilities = speller.arrays(lanes)
    segments = [segment(kind, i, len(lanes[i]) * STEP_PX) for i, (kind, _) in enumerate(rows)]
    return (
        characters,
        probabilities,
        pack_cards([card(emblem, score)], 2),
        pack_segments(segments, len(rows) + 2),
        speller.dictionary,
    )
