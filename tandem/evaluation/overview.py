"""The table to publish: a row a subset, with intervals, and a general reader's figures beside ours."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from rich.table import Table

from tandem.evaluation.figures import NUMBER, by_subset, share
from tandem.evaluation.readings import PhotoReading

SURE = 0.9  # wrong text that is given with this confidence or more is the worst kind
_LEVEL_Z = 1.96  # standard normal quantile of a two-sided 95 % interval
_COLUMNS = (
    "subset",
    "photos",
    "cards",
    "found",
    "side",
    "number exact (95 %)",
    "all fields (95 %)",
    f"wrong ≥ {SURE}",
    "corners p50",
    "false cards",
    "peer: number",
    "peer: all fields",
)


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share by Wilson's score method (1927); (0, 1) without trials.

    >>> low, high = wilson(30, 30)
    >>> round(low, 3), high
    (0.886, 1.0)
    """
    if trials == 0:
        return 0.0, 1.0
    p, z2 = hits / trials, _LEVEL_Z**2
    middle = p + z2 / (2 * trials)
    reach = _LEVEL_Z * math.sqrt(p * (1 - p) / trials + z2 / (4 * trials**2))
    scale = 1 + z2 / trials
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)


def overview_table(ours: Sequence[PhotoReading], peer: Sequence[PhotoReading]) -> Table:
    """Every subset and all of them together.

    Args:
        ours: readings of the server.
        peer: readings of a general reader, of the same photographs or of some of them.
    """
    printed = Table(title="Overview", title_justify="left", title_style="bold", box=None)
    for column in _COLUMNS:
        printed.add_column(column, justify="left" if column == "subset" else "right")
    theirs = by_subset(peer)
    for name, own in by_subset(ours).items():
        printed.add_row(name, *_cells(own, theirs.get(name, [])))
    printed.add_row("all", *_cells(ours, peer))
    return printed


def _cells(ours: Sequence[PhotoReading], peer: Sequence[PhotoReading]) -> list[str]:
    cards = [card for reading in ours for card in reading.cards]
    found = [card for card in cards if card.found]
    fields = [field for card in cards for name, field in card.fields.items() if name not in card.covered]
    surely_wrong = sum(bool(f.read) and not f.right and f.confidence >= SURE for f in fields)
    errors = [card.corner_error for card in cards if card.corner_error is not None]
    return [
        str(len(ours)),
        str(len(cards)),
        _share(len(found), len(cards)),
        _share(sum(card.read_side == card.side for card in found), len(found)),
        _with_interval(*_numbers(ours)),
        _with_interval(*_wholes(ours)),
        f"{surely_wrong}/{len(fields)}" if fields else "–",
        f"{np.median(errors):.2%}" if errors else "–",
        _share(sum(reading.spare > 0 for reading in ours), len(ours)),
        _share(*_numbers(peer)),
        _share(*_wholes(peer)),
    ]


def _numbers(readings: Sequence[PhotoReading]) -> tuple[int, int]:
    """How many numbers were read exactly, of how many; a card that was not found counts as not read."""
    numbers = [
        card.fields[NUMBER].right
        for reading in readings
        for card in reading.cards
        if NUMBER in card.fields and NUMBER not in card.covered
    ]
    return sum(numbers), len(numbers)


def _wholes(readings: Sequence[PhotoReading]) -> tuple[int, int]:
    """How many cards were read exactly in all fields, of how many."""
    cards = [card.whole for reading in readings for card in reading.cards]
    return sum(cards), len(cards)


def _share(hits: int, trials: int) -> str:
    return f"{share(hits, trials):.1%}" if trials else "–"


def _with_interval(hits: int, trials: int) -> str:
    if not trials:
        return "–"
    low, high = wilson(hits, trials)
    return f"{hits / trials:.1%} ({low:.1%}–{high:.1%})"
