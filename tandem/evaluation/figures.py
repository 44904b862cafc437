"""The evaluation's figures, counted from readings: a row a subset, and the tables that show them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from rapidfuzz.distance import Levenshtein
from rich.table import Table

from tandem.evaluation.readings import CardReading, PhotoReading

NUMBER = "公民身份号码"
Row = dict[str, float]
NAN = float("nan")


def by_subset(readings: Iterable[PhotoReading]) -> dict[str, list[PhotoReading]]:
    """The readings of each subset, in the order in which the subsets first come."""
    subsets: dict[str, list[PhotoReading]] = {}
    for reading in readings:
        subsets.setdefault(reading.subset, []).append(reading)
    return subsets


def share(part: int, whole: int) -> float:
    """`part / whole`, not a number where there is nothing to share."""
    return part / whole if whole else NAN


def reading_figures(readings: Sequence[PhotoReading]) -> Row:
    """How well cards were found and read: shares 0-1.

    "checks" counts those that say what they have to say, unread ones as wrong. The fields under a stamp count
    nowhere here (see `covered_figures`).
    """
    cards = [card for reading in readings for card in reading.cards]
    open_fields = [(n, f) for card in cards for n, f in card.fields.items() if n not in card.covered]
    numbers = [field.right for name, field in open_fields if name == NUMBER]
    edits = sum(Levenshtein.distance(field.read, field.printed) for _, field in open_fields)
    checks = [said is expected for card in cards for expected, said in card.checks.values()]
    return {
        "photos": len(readings),
        "cards": len(cards),
        "found": share(sum(card.found for card in cards), len(cards)),
        "side": share(sum(card.read_side == card.side for card in cards), sum(card.found for card in cards)),
        "all fields": share(sum(card.whole for card in cards), len(cards)),
        "number": share(sum(numbers), len(numbers)),
        "CER": edits / max(sum(len(field.printed) for _, field in open_fields), 1) if cards else NAN,
        "checks": share(sum(checks), len(checks)),
        "false cards": share(sum(reading.spare > 0 for reading in readings), len(readings)),
        "p50 ms": float(np.median([reading.seconds for reading in readings])) * 1e3,
        "p95 ms": float(np.quantile([reading.seconds for reading in readings], 0.95)) * 1e3,
    }


def corner_figures(readings: Sequence[PhotoReading]) -> Row:
    """Corner errors before and after the refinement, in shares of the card's width, of cards that have both.

    "better" is the share of cards whose corners the refinement moved nearer to the true ones.
    """
    pairs = np.array(
        [
            (card.corner_error_before, card.corner_error)
            for reading in readings
            for card in reading.cards
            if card.corner_error_before is not None and card.corner_error is not None
        ],
        np.float64,
    ).reshape(-1, 2)
    if not len(pairs):
        return {"cards": 0}
    before, after = pairs.T
    return {
        "cards": len(pairs),
        "median before": float(np.median(before)),
        "median after": float(np.median(after)),
        "p95 before": float(np.quantile(before, 0.95)),
        "p95 after": float(np.quantile(after, 0.95)),
        "better": float((after < before).mean()),
    }


def field_figures(readings: Sequence[PhotoReading]) -> Row:
    """For each field the share that was read exactly; those under a stamp are left out."""
    hits: dict[str, list[bool]] = {}
    for reading in readings:
        for card in reading.cards:
            for name, field in card.fields.items():
                if name not in card.covered:
                    hits.setdefault(name, []).append(field.right)
    return {name: share(sum(own), len(own)) for name, own in sorted(hits.items())}


def fault_figures(readings: Sequence[PhotoReading]) -> dict[str, Row]:
    """For each way in which cards contradict themselves: read as printed? said by the check?"""
    what = {
        "checksum": (NUMBER, "number_checksum"),
        "birth": ("出生", "birth_matches_number"),
        "sex": ("性别", "sex_matches_number"),
        "expired": ("有效期限", "expired"),
        "span": ("有效期限", "validity_span"),
    }
    rows: dict[str, Row] = {}
    for fault, (name, check) in what.items():
        cards = [card for reading in readings for card in reading.cards if card.fault == fault]
        if cards:
            said = [_says(card, check) for card in cards]
            rows[fault] = {
                "cards": len(cards),
                "as printed": share(sum(card.fields[name].right for card in cards), len(cards)),
                "check says it": share(said.count(True), len(cards)),
                "check says the opposite": share(said.count(False), len(cards)),
            }
    return rows


def _says(card: CardReading, check: str) -> bool | None:
    expected, said = card.checks[check]
    return None if said is None else said is expected


def covered_figures(readings: Sequence[PhotoReading]) -> dict[str, Row]:
    """For each field, of the cards on which a stamp covers some of it: right, left empty, or wrong."""
    rows: dict[str, Row] = {}
    cards = [card for reading in readings for card in reading.cards]
    for name in sorted({name for card in cards for name in card.covered}):
        fields = [card.fields[name] for card in cards if name in card.covered]
        wrong = sum(not field.right and field.read != "" for field in fields)
        rows[name] = {
            "covered": len(fields),
            "right": share(sum(field.right for field in fields), len(fields)),
            "empty": share(sum(field.read == "" for field in fields), len(fields)),
            "wrong": share(wrong, len(fields)),
        }
    return rows


def table(title: str, rows: Mapping[str, Row], first: str = "subset") -> Table:
    """Named rows of figures as a table; columns in the order in which they first come."""
    printed = Table(title=title, title_justify="left", title_style="bold", box=None)
    printed.add_column(first)
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    for name in columns:
        printed.add_column(name, justify="right")
    for subset, row in rows.items():
        printed.add_row(subset, *(_cell(name, row.get(name, NAN)) for name in columns))
    return printed


_COUNTS = frozenset(("photos", "cards", "covered", "accepted", "wrong ones"))
_FINE = ("median", "p95 before", "p95 after", "CER")  # hundredths of a per cent matter


def _cell(name: str, value: float) -> str:
    if math.isnan(value):
        return "–"
    if name in _COUNTS:
        return f"{value:.0f}"
    if name.endswith("ms"):
        return f"{value:.0f}"
    return f"{value:.2%}" if name.startswith(_FINE) else f"{value:.1%}"
