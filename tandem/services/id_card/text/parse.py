"""The last step of card reading: what the recogniser read becomes fields, checks and the card's JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.records import CardRecord, RowKind, unpack_cards, unpack_segments
from tandem.services.id_card.text import fields as of
from tandem.services.id_card.text.address import read_address
from tandem.services.id_card.text.boxes import field_box
from tandem.services.id_card.text.checks import Check, emblem_checks, portrait_checks
from tandem.services.id_card.text.completeness import places_mm
from tandem.services.id_card.text.ctc import Row, read_row
from tandem.services.id_card.text.dates import read_birth, read_validity
from tandem.services.id_card.text.fields import Field
from tandem.services.id_card.text.labels import LABELS, has_label, is_labelled, kind_by_label, value_of
from tandem.services.id_card.text.numbers import believed_birth, believed_number, read_number

PORTRAIT, EMBLEM = "portrait", "emblem"

_READERS: dict[str, tuple[RowKind, Callable[[Sequence[Row]], Field]]] = {
    of.NAME: (RowKind.NAME, of.read_name),
    of.SEX: (RowKind.SEX_NATION, of.read_sex),
    of.NATION: (RowKind.SEX_NATION, of.read_nation),
    of.BIRTH: (RowKind.BIRTH, read_birth),
    of.ADDRESS: (RowKind.ADDRESS, read_address),
    of.NUMBER: (RowKind.NUMBER, read_number),
    of.AUTHORITY: (RowKind.AUTHORITY, of.read_authority),
    of.VALIDITY: (RowKind.VALIDITY, read_validity),
}
_EMBLEM_KINDS = (RowKind.AUTHORITY, RowKind.VALIDITY)
_EVEN = 0.5  # probability of the emblem side above which it is that side
#: From this score on a detection is a card even if nothing on it can be read. Of 320 drawn photographs
#: without one, with passports, permits and staff cards on them, the strongest detections have 0.87, 0.66 and
#: 0.62; of 220 cards in hard photographs, under stamps and in pairs, 7 have less than 0.9, none below 0.87.
SURE_SCORE = 0.9
#: Between 性别, 出生 and the first line of 住址 are 6.4 mm each, from line to line 3.9-4.7: what is further
#: apart than this has lost a line between.
_ROW_PITCH_MM, _BIRTH_GAP_MM, _LINE_GAP_MM = 6.4, 8.7, 7.0
#: A name begins 1.1 mm before its address to 1.5 mm behind it (300 cards); each of its characters takes 3.2.
_LATE_NAME_MM = 3.2
_LABELLED = 4  # characters of labels: two short ones, or one of the emblem side
_PLACES = 4  # decimals of scores; a box has one, a tenth of a pixel


def parse_cards(
    characters: NDArray[np.int32],
    probabilities: NDArray[np.float32],
    cards: NDArray[np.float32],
    segments: NDArray[np.float32],
    *,
    dictionary: Sequence[str],
    today: date,
) -> list[dict[str, Any]]:
    """The cards of one picture as `result.schema.json` describes them, in the order of `cards`.

    What the detector is not sure of, and what says nothing that such a card says, is none.

    Args:
        characters: (L, T, 5) the likeliest classes of each time step of each lane, best first; 0 is the
            blank.
        probabilities: (L, T, 5) theirs.
        cards: (C, 15) packed `CardRecord`s, padding allowed.
        segments: (G, 16) packed `Segment`s in any order, padding allowed.
        dictionary: the character of each class.
        today: the day that decides whether a card has expired.
    """
    read = [(s.card, read_row(characters, probabilities, s, dictionary)) for s in unpack_segments(segments)]
    found = [
        believed_card(record, [row for card, row in read if card == index], today)
        for index, record in enumerate(unpack_cards(cards))
    ]
    return [card for card in found if card is not None]


def believed_card(record: CardRecord, rows: Sequence[Row], today: date) -> dict[str, Any] | None:
    """One card's JSON; None where the detector is not sure and its rows say nothing that such a card says."""
    parsed = parse_card(record, rows, today)
    return parsed if record.score >= SURE_SCORE or _speaks(parsed["fields"], rows) else None


def _speaks(text: Mapping[str, str], rows: Sequence[Row]) -> bool:
    """Whether what was read can only stand on such a card: a number, a date in its form, or its labels."""
    if any(text.get(name) for name in (of.NUMBER, of.BIRTH, of.VALIDITY)):
        return True
    labels = [LABELS[row.kind][0] for row in rows if is_labelled(row)]
    return sum(map(len, labels)) >= _LABELLED


def read_dictionary(path: Path) -> list[str]:
    """The character of each class, from the file that `export.recognizer` writes: a line a class."""
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def parse_card(record: CardRecord, rows: Sequence[Row], today: date) -> dict[str, Any]:
    """One card's JSON from its rows, which may come in any order and under wrong labels."""
    labelled = [replace(row, kind=kind_by_label(row)) for row in _top_to_bottom(record, rows)]
    side = _side(record, labelled)
    names = of.EMBLEM_FIELDS if side == EMBLEM else of.PORTRAIT_FIELDS
    found = {name: _read(name, labelled) for name in names}
    if side == PORTRAIT:
        found[of.NUMBER] = believed_number(found[of.NUMBER], found[of.BIRTH])
        found[of.BIRTH] = believed_birth(found[of.BIRTH], found[of.NUMBER])
        if _begins_late(labelled):
            found[of.NAME] = of.doubted(found[of.NAME])
        if _lacks_a_line(labelled):
            found[of.ADDRESS] = of.untaken(found[of.ADDRESS])
    text = {name: field.text for name, field in found.items()}
    checks: dict[str, Check] = emblem_checks(text, today) if side == EMBLEM else portrait_checks(text)
    return {
        "side": side,
        "score": round(record.score, _PLACES),
        "quad": _points(record.quad),
        "fields": text,
        "confidence": {name: round(field.confidence, _PLACES) for name, field in found.items()},
        "boxes": {name: _box(field) for name, field in found.items()},
        "checks": checks,
        "corrected": [
            {
                "field": name,
                "index": c.index,
                "read": c.read,
                "now": c.now,
                "support": round(c.support, _PLACES),
            }
            for name, field in found.items()
            for c in field.corrections
        ],
        "incomplete_fields": [name for name, field in found.items() if field.incomplete],
        "quality": {
            "blurred": round(record.blur, _PLACES),
            "glare": round(record.glare, _PLACES),
            "incomplete": round(record.incomplete, _PLACES),
            "grey_copy": round(record.grey, _PLACES),
            "mirrored": record.mirrored,
        },
    }


def _read(name: str, rows: Sequence[Row]) -> Field:
    kind, read = _READERS[name]
    return read([row for row in rows if row.kind == kind])


def _side(record: CardRecord, rows: Sequence[Row]) -> str:
    """The detector's opinion, overruled where only the other side's labels were read."""
    seen = [row.kind in _EMBLEM_KINDS for row in rows if has_label(row)]
    emblem = record.emblem > _EVEN
    if seen and all(seen) != any(seen):
        return EMBLEM if emblem else PORTRAIT
    return EMBLEM if (any(seen) if seen else emblem) else PORTRAIT


def _top_to_bottom(record: CardRecord, rows: Sequence[Row]) -> list[Row]:
    """The rows by their place along the card's left edge, from its own top to its bottom."""
    corners = np.asarray(record.quad, np.float64)
    down = (corners[3] - corners[0]) + (corners[2] - corners[1])
    return sorted(rows, key=lambda row: float(np.mean(row.segment.quad, axis=0) @ down))


def _begins_late(rows: Sequence[Row]) -> bool:
    """Whether the name begins where its second character would be: not below it, where the address does."""
    name, address = (_begin_mm(rows, kind) for kind in (RowKind.NAME, RowKind.ADDRESS))
    return name - address > _LATE_NAME_MM


def _begin_mm(rows: Sequence[Row], kind: RowKind) -> float:
    """Where the value of a kind's first row begins, mm from the card's left edge; NaN where it doesn't."""
    first = next((row for row in rows if row.kind == kind), None)
    return nan if first is None else next(iter(places_mm(first, value_of(first)[:1])), nan)


def _lacks_a_line(rows: Sequence[Row]) -> bool:
    """Whether a line of 住址 was not found above or between those that were: the rest would look whole."""
    places: dict[RowKind, list[float]] = {}
    for row in rows:  # from top to bottom
        places.setdefault(row.kind, []).append(row.segment.middle_mm)
    above, births = places.get(RowKind.SEX_NATION), places.get(RowKind.BIRTH)
    lines = places.get(RowKind.ADDRESS)
    if not (above and births and lines):
        return False
    # By the card's own rows as well: a quad that is not quite the card's stretches millimetres.
    stretch = max(1.0, (births[0] - above[0]) / _ROW_PITCH_MM)
    between = max((low - high for high, low in pairwise(lines)), default=0.0)
    return between > _LINE_GAP_MM * stretch or lines[0] - births[-1] > _BIRTH_GAP_MM * stretch


def _box(field: Field) -> list[list[float]] | None:
    box = field_box(field.parts)
    return None if box is None else _points(box)


def _points(quad: NDArray[Any]) -> list[list[float]]:
    return [[round(float(x), 1), round(float(y), 1)] for x, y in quad]
