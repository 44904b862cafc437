"""What stands beside a portrait side's rows on other cards only: issuer, validity, 出生日期.

A resident card has issuer and validity on its emblem side. Temporary cards and foreigners' cards have them
beside name and birth.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from tandem.services.id_card.records import RowKind
from tandem.services.id_card.text.ctc import Glyph, Row
from tandem.services.id_card.text.labels import LABELS, is_labelled, kind_by_label

#: A character decides if it is read at least this surely.
SURE_CHARACTER = 0.8
#: So many rows with a portrait side's labels make a portrait side.
_LEAST_LABELS = 2
_PORTRAIT_KINDS = frozenset(
    (RowKind.NAME, RowKind.SEX_NATION, RowKind.BIRTH, RowKind.ADDRESS, RowKind.NUMBER)
)
#: A row may begin within its label: so many of the label's characters in a row are enough, ...
_ENOUGH = 3
#: ... where at most so much, dirt or the rest of a label, stands before them: a line of purpose that someone
#: wrote across the card may say until when it is valid.
_BEFORE = 1
_BIRTH_DATE = "出生日期"
_SPAN = re.compile(r"\d{4}\.\d{2}\.\d{2}-(\d{4}\.\d{2}\.\d{2}|长期)")


def has_other_rows(rows: Sequence[Row]) -> bool:
    """Whether a card has a portrait side's rows and, read for sure, one that stands on other cards only.

    Args:
        rows: of one card, in any order.
    """
    kinds = {kind for row in rows for kind in [kind_by_label(row)] if is_labelled(replace(row, kind=kind))}
    if len(kinds & _PORTRAIT_KINDS) < _LEAST_LABELS:
        return False
    return any(_is_other(row) for row in rows)


def _is_other(row: Row) -> bool:
    if _begins_with(row.glyphs, _BIRTH_DATE, len(_BIRTH_DATE)):
        return True
    if any(
        _begins_with(row.glyphs, label, _ENOUGH)
        for kind in (RowKind.AUTHORITY, RowKind.VALIDITY)
        for label in LABELS[kind]
    ):
        return True
    span = _SPAN.search(row.text)
    return span is not None and span.start() <= _BEFORE and _are_sure(row.glyphs[span.start() : span.end()])


def _begins_with(glyphs: Sequence[Glyph], label: str, enough: int) -> bool:
    """Whether so many of the label's characters follow each other near the row's begin, read for sure."""
    parts = [label[i : i + enough] for i in range(len(label) - enough + 1)]
    return any(
        "".join(glyph.character for glyph in run) in parts and _are_sure(run)
        for run in (glyphs[begin : begin + enough] for begin in range(_BEFORE + 1))
    )


def _are_sure(glyphs: Sequence[Glyph]) -> bool:
    return all(glyph.confidence >= SURE_CHARACTER for glyph in glyphs)
