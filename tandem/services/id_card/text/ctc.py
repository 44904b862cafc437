"""From the recogniser's time steps to characters: CTC's greedy reading of one text row on its lane.

Connectionist temporal classification (Graves et al., 2006): a time step says a class or nothing (the blank);
equal neighbours are one character, a blank parts two equal ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.records import RowKind, Segment
from tandem.services.id_card.text.characters import is_hanzi

BLANK = 0
STEP_PX = 8.0  # px of a lane that one time step of the recogniser covers
ROW_PX = 48.0  # px, height of a lane; no character is wider
_NEGLIGIBLE = 1e-3  # probability below which a runner-up decides nothing
# Two hanzi can't be closer: they are 30 px wide or more. Two classes that share one character's steps are
# two opinions on it.
_SAME_HANZI_PX = 12.0


@dataclass(frozen=True, kw_only=True)
class Glyph:
    """One character as it was read.

    Attributes:
        character: what was read, one code point.
        confidence: the recogniser's probability for it, 0-1, at its surest time step.
        centre: px on the lane.
        x0: left end, px on the lane: half-way to the neighbour or half a row's height away.
        x1: right end.
        runners_up: other characters and their probabilities on the same time steps, likeliest first.
    """

    character: str
    confidence: float
    centre: float
    x0: float = 0.0
    x1: float = 0.0
    runners_up: tuple[tuple[str, float], ...] = ()

    def support(self, character: str) -> float:
        """The recogniser's probability that this is `character`; 0 where it was not among the likeliest."""
        if character == self.character:
            return self.confidence
        return next((probability for other, probability in self.runners_up if other == character), 0.0)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One text row of a card, read.

    Attributes:
        segment: where it is.
        kind: what it shows; at first what the segment says, later what its label says.
        glyphs: its characters from left to right, spaces left out.
        steps: per time step the characters that may be there and their probabilities, likeliest first; "" is
            the blank.
        centres: (T,) px on the lane of each time step.
    """

    segment: Segment
    kind: RowKind
    glyphs: tuple[Glyph, ...]
    steps: tuple[dict[str, float], ...] = ()
    centres: tuple[float, ...] = ()

    @property
    def text(self) -> str:
        """What was read."""
        return "".join(glyph.character for glyph in self.glyphs)


def stripped(glyphs: Sequence[Glyph], character: str) -> tuple[Glyph, ...]:
    """The glyphs without those that say `character` at either end."""
    others = [i for i, glyph in enumerate(glyphs) if glyph.character != character]
    return tuple(glyphs[others[0] : others[-1] + 1]) if others else ()


def read_row(
    characters: NDArray[np.int32],
    probabilities: NDArray[np.float32],
    segment: Segment,
    dictionary: Sequence[str],
) -> Row:
    """Reads one row off its lane.

    Args:
        characters: (L, T, 5) the likeliest classes of each time step, best first.
        probabilities: (L, T, 5) theirs.
        segment: the row's lane and columns; time steps whose centres lie between them are its own.
        dictionary: the character of each class; class 0 is the blank, whatever it says.
    """
    centres = (np.arange(characters.shape[1]) + 0.5) * STEP_PX
    own = np.flatnonzero((centres >= segment.x0) & (centres < segment.x1))
    likely = np.maximum(1, (probabilities[segment.lane, own] >= _NEGLIGIBLE).sum(1))
    steps = [
        {
            "" if index == BLANK else dictionary[index]: probability
            for index, probability in zip(indices[:count], likelihoods[:count], strict=True)
        }
        for indices, likelihoods, count in zip(
            characters[segment.lane, own].tolist(),
            probabilities[segment.lane, own].tolist(),
            likely.tolist(),
            strict=True,
        )
    ]
    places = tuple(centres[own].tolist())
    glyphs = [glyph for glyph in _merged(list(_collapsed(steps, places))) if not glyph.character.isspace()]
    return Row(
        segment=segment,
        kind=segment.kind,
        glyphs=_with_spans(glyphs, segment),
        steps=tuple(steps),
        centres=places,
    )


def _collapsed(steps: Sequence[dict[str, float]], centres: Sequence[float]) -> Iterator[Glyph]:
    """One glyph for each run of equal best characters that are not the blank."""
    best = [next(iter(step)) for step in steps]
    for character, run in groupby(range(len(steps)), key=best.__getitem__):
        indices = list(run)
        if character:
            yield _glyph(character, [steps[i] for i in indices], [centres[i] for i in indices])


def _glyph(character: str, steps: Sequence[dict[str, float]], centres: Sequence[float]) -> Glyph:
    others: dict[str, float] = {}
    for step in steps:
        for other, probability in step.items():
            if other not in ("", character):
                others[other] = max(others.get(other, 0.0), probability)
    return Glyph(
        character=character,
        confidence=max(step[character] for step in steps),
        centre=sum(centres) / len(centres),
        runners_up=tuple(sorted(others.items(), key=lambda item: -item[1])),
    )


def _merged(glyphs: Sequence[Glyph]) -> Iterator[Glyph]:
    """The glyphs with two opinions on one hanzi made one: the surer one stays, the other is a runner-up."""
    waiting: Glyph | None = None
    for glyph in glyphs:
        if waiting is None or not _same_hanzi(waiting, glyph):
            if waiting is not None:
                yield waiting
            waiting = glyph
        else:
            waiting = _united(waiting, glyph)
    if waiting is not None:
        yield waiting


def _same_hanzi(left: Glyph, right: Glyph) -> bool:
    near = right.centre - left.centre < _SAME_HANZI_PX
    return near and is_hanzi(left.character) and is_hanzi(right.character)


def _united(left: Glyph, right: Glyph) -> Glyph:
    surer, other = (left, right) if left.confidence >= right.confidence else (right, left)
    names = {other.character, *dict(surer.runners_up), *dict(other.runners_up)} - {surer.character}
    runners_up = {name: max(left.support(name), right.support(name)) for name in names}
    return Glyph(
        character=surer.character,
        confidence=surer.confidence,
        centre=(left.centre + right.centre) / 2,
        runners_up=tuple(sorted(runners_up.items(), key=lambda item: -item[1])),
    )


def _with_spans(glyphs: Sequence[Glyph], segment: Segment) -> tuple[Glyph, ...]:
    """The glyphs, each reaching half-way to its neighbours but no further than half a row's height."""
    spanned = []
    for i, glyph in enumerate(glyphs):
        left = (glyphs[i - 1].centre + glyph.centre) / 2 if i else segment.x0
        right = (glyph.centre + glyphs[i + 1].centre) / 2 if i + 1 < len(glyphs) else segment.x1
        spanned.append(
            Glyph(
                character=glyph.character,
                confidence=glyph.confidence,
                centre=glyph.centre,
                x0=max(left, glyph.centre - ROW_PX / 2),
                x1=min(right, glyph.centre + ROW_PX / 2),
                runners_up=glyph.runners_up,
            )
        )
    return tuple(spanned)
