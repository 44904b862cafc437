"""The quad that most evidence speaks for, sought among many near those that are known.

The cross-entropy method (Rubinstein, 1999): draw quads around the best, keep the best of them, draw again
around those, ever nearer. What is drawn are the eight ways a quad can move: shift, stretch, turn, shear and
the two of perspective. The draw is the same for the same picture: a search must be repeatable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.card import CARD_HEIGHT_MM, CARD_WIDTH_MM
from tandem.services.id_card.geometry.evidence import (
    COARSE,
    FINE,
    PX_PER_MM,
    Array,
    EvidenceMap,
    evidence,
)

FloatArray = NDArray[np.float32]

#: Rounds of drawing, the first half on the coarse map, and how many quads are drawn in each: of a search
#: among quads that may be wrong, and of a short one around a quad that is nearly right.
_ROUNDS, _DRAWN = 8, 300
_SHORT_ROUNDS, _SHORT_DRAWN = 6, 150
_BEST = 16
#: How far corners are moved at first, mm: shift x, y; stretch x, y; turn; shear; perspective x, y.
_REACH_MM = (5.0, 5.0, 5.0, 4.0, 4.0, 1.5, 2.5, 2.5)
#: ... and at least, in shares of that: the last rounds place to a tenth of a mm.
_LEAST_REACH = 0.04
_SEED = 85_60


@dataclass(frozen=True, kw_only=True)
class Sought:
    """A quad and how much speaks for it.

    Attributes:
        quad: (4, 2) float32, px of the picture.
        emblem: which side it was taken for.
        evidence: see `geometry.evidence.evidence`.
    """

    quad: FloatArray
    emblem: bool
    evidence: float


def seek(seen: EvidenceMap, starts: Sequence[FloatArray], *, emblem: bool, short: bool = False) -> Sought:
    """The quad with the most evidence near any of the starts.

    Args:
        seen: the map of the place.
        starts: (4, 2) float32 each, px of the picture, clockwise from the card's own top left.
        emblem: which side's layout to look for.
        short: whether the starts are nearly right: a third of the time is enough.
    """
    rounds, draw = (_SHORT_ROUNDS, _SHORT_DRAWN) if short else (_ROUNDS, _DRAWN)
    random = np.random.default_rng(_SEED)
    basis = _ways_to_move()
    reach = np.array(_REACH_MM, np.float64) * PX_PER_MM
    known = np.stack([seen.on_map(quad) for quad in starts])
    moves = [quad + _moved(random, reach, basis, draw // len(known)) for quad in known]
    drawn = np.concatenate([known, *moves])
    for turn in range(rounds):
        sharpness = COARSE if turn < rounds // 2 else FINE
        scores = evidence(seen, drawn, emblem=emblem, sharpness=sharpness)
        order = np.argsort(-scores)[:_BEST]
        best = drawn[order[0]]
        if turn == rounds - 1:
            break
        # The best ones' middle and spread, in the eight ways to move.
        ways = (drawn[order] - best).reshape(len(order), 8) @ np.linalg.inv(basis.reshape(8, 8))
        spread = np.asarray(np.maximum(ways.std(axis=0), reach * _LEAST_REACH), np.float64)
        middle = best + (ways.mean(axis=0) @ basis.reshape(8, 8)).reshape(4, 2)
        drawn = np.concatenate([best[None], middle[None], middle + _moved(random, spread, basis, draw)])
    quad = seen.on_picture(best[None])[0].astype(np.float32)
    return Sought(quad=quad, emblem=emblem, evidence=float(scores[order[0]]))


def _moved(random: np.random.Generator, reach: Array, basis: Array, count: int) -> Array:
    return np.asarray(np.einsum("nk,kij->nij", random.normal(0, 1, (count, 8)) * reach, basis))


def _ways_to_move() -> Array:
    """(8, 4, 2): what each way moves the four corners by, the farthest about 1."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float64)
    x, y = corners[:, 0], corners[:, 1]
    none, one = np.zeros(4), np.ones(4)
    turned = np.stack([-y * CARD_HEIGHT_MM / CARD_WIDTH_MM, x], axis=1)
    pairs = [(one, none), (none, one), (x, none), (none, y)]
    others = [(y, none), (x * y, none), (none, x * y)]
    return np.stack(
        [
            *(np.stack(pair, axis=1) for pair in pairs),
            turned,
            *(np.stack(pair, axis=1) for pair in others),
        ]
    )
