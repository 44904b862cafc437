"""The tables of confidence: how far it is from accuracy, and from which value on a number may be accepted."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from tandem.evaluation.calibration import (
    LEVEL,
    Acceptance,
    accept,
    calibration_error,
    interval,
    lowest_threshold,
    read_fields,
)
from tandem.evaluation.figures import NUMBER, share
from tandem.evaluation.readings import FieldReading, PhotoReading

WRONG_ACCEPTED = 1e-3  # what a threshold has to keep: fewer than one wrong number in a thousand accepted
_CHOOSING = 5  # every so many photographs choose the threshold
_SHOWN = (0.0, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
# Which numbers an application would accept: all that were read, or those with a right check digit.
_RULES = {"any": False, "checksum right": True}


def calibration_table(readings: Sequence[PhotoReading]) -> Table:
    """For each field: how many were read, how many of them right, and how sure the reader was on average."""
    names = dict.fromkeys(name for reading in readings for card in reading.cards for name in card.fields)
    printed = Table(title="Confidence beside accuracy, of what was read", title_justify="left", box=None)
    columns = ("field", "printed", "read", "right", "95 % interval", "mean confidence", "calibration error")
    for column in columns:
        printed.add_column(column, justify="left" if column == "field" else "right")
    for name in names:
        fields = read_fields(readings, name)
        if not fields:
            continue
        right = sum(field.right for field in fields)
        low, high = interval(right, len(fields))
        printed.add_row(
            name,
            str(_offered(readings, name)),
            str(len(fields)),
            f"{share(right, len(fields)):.2%}",
            f"{low:.2%}–{high:.2%}",
            f"{share(1, len(fields)) * sum(field.confidence for field in fields):.2%}",
            f"{calibration_error(fields):.2%}",
        )
    return printed


def threshold_table(readings: Sequence[PhotoReading]) -> Table:
    """How many numbers are accepted from a confidence on, and how many of them wrongly.

    A threshold is named that leaves no wrong number among those of every fifth photograph; it is judged by
    the rest.
    """
    printed = Table(
        title="Numbers accepted from a confidence on", title_justify="left", box=None, caption_justify="left"
    )
    columns = ("rule", "confidence ≥", "accepted", "of all", "wrong ones", "share wrong", "at most (95 %)")
    for column in columns:
        printed.add_column(column, justify="left" if column == "rule" else "right")
    for rule, checked in _RULES.items():
        fields, offered = numbers(readings, checked=checked)
        for threshold in _SHOWN:
            printed.add_row(rule, f"{threshold:g}", *_cells(accept(fields, offered, threshold)))
    printed.caption = "\n".join(_recommended(readings, rule, checked) for rule, checked in _RULES.items())
    return printed


def _cells(own: Acceptance) -> tuple[str, ...]:
    return (
        str(own.accepted),
        f"{share(own.accepted, own.offered):.1%}",
        str(own.wrong),
        f"{share(own.wrong, own.accepted):.3%}",
        f"{own.wrong_bound:.3%}",
    )


def _recommended(readings: Sequence[PhotoReading], rule: str, checked: bool) -> str:
    """One line: the threshold, and what it does on photographs that did not choose it."""
    fields, offered = numbers(readings[::_CHOOSING], checked=checked)
    chosen = lowest_threshold(fields, offered)
    if chosen is None:
        return f"{rule}: there is a wrong number among the surest of the {offered} that choose a threshold."
    rest = [reading for i, reading in enumerate(readings) if i % _CHOOSING]
    judged = accept(*numbers(rest, checked=checked), chosen.threshold)
    verdict = "less" if judged.wrong_bound < WRONG_ACCEPTED else "not known to be less"
    return (
        f"{rule}: from {chosen.threshold:g} on, chosen by {offered} numbers; of the other {judged.offered}"
        f" it accepts {judged.accepted}, {judged.wrong} of them wrong: at most {judged.wrong_bound:.3%} "
        f"({LEVEL:.0%}), {verdict} than one in {1 / WRONG_ACCEPTED:,.0f}."
    )


def numbers(readings: Sequence[PhotoReading], *, checked: bool) -> tuple[list[FieldReading], int]:
    """The numbers that a user could accept, and how many are printed at all.

    Args:
        readings: of any photographs; numbers under a stamp are left out.
        checked: only those whose check digit is right, as the answer's own check says.
    """
    fields = [
        card.fields[NUMBER]
        for reading in readings
        for card in reading.cards
        if NUMBER in card.fields
        and NUMBER not in card.covered
        and (not checked or card.checks.get("number_checksum", (True, None))[1] is True)
    ]
    return [field for field in fields if field.read], _offered(readings, NUMBER)


def _offered(readings: Sequence[PhotoReading], name: str) -> int:
    return sum(
        name in card.fields and name not in card.covered for reading in readings for card in reading.cards
    )
