"""Which of the found cards are resident identity cards: the classifier and the text decide together.

Residence permits, temporary cards and foreigners' cards are printed in the same layout, and a reader of rows
reads them just as well. The classifier has seen the whole card; the number of a portrait side and the title
of an emblem side, where they are read for sure, have something to say as well; and so have rows that no
resident card has beside its portrait side's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tandem.media.document_kinds import KINDS, NONE, RESIDENT, RESIDENT_EMBLEM
from tandem.media.documents import best_kind, rounded_quad, rounded_score
from tandem.services.id_card.records import unpack_cards, unpack_segments
from tandem.services.id_card.text import fields as of
from tandem.services.id_card.text.ctc import Row, read_row
from tandem.services.id_card.text.other_rows import has_other_rows
from tandem.services.id_card.text.parse import believed_card
from tandem.services.id_card.text.titles import Title, read_titles

#: From this probability on the classifier alone says that a card is a resident identity card.
SURE = 0.5
#: With text that only such a card has, this much is enough; or that the classifier sees nothing, or is at a
#: loss: no other kind has so much. (Strong moiré does that.)
SUPPORTED, AT_A_LOSS = 0.1, 0.3
#: A number whose check digit is wrong may be misread: it does not overrule a classifier this sure.
CERTAIN = 0.9
#: In a picture without a card, a view shows another document from this probability on.
SURE_OTHER = 0.6
#: Numbers of Hong Kong, Macao and Taiwan residents (GB/T 2260's 81, 82, 83) stand on residence permits only;
#: those from 9 on foreigners' cards.
_PERMIT_PREFIXES, _FOREIGN_PREFIX = ("81", "82", "83"), "9"
_PERMIT, _FOREIGN = "hmt_residence_permit.portrait", "foreign_permanent_resident.portrait"
_TEMPORARY, _SOME_CARD = "temporary_id.portrait", "other_card"
_WHOLE_NUMBER = 18
ReadAgain = Callable[[Sequence[Row]], Sequence[Row]]
_RESIDENT_INDICES = [KINDS.index(kind) for kind in RESIDENT]


def read_picture(
    characters: NDArray[np.int32],
    probabilities: NDArray[np.float32],
    cards: NDArray[np.float32],
    segments: NDArray[np.float32],
    titles: NDArray[np.float32],
    kinds: NDArray[np.float32],
    view_quads: NDArray[np.float32],
    *,
    dictionary: Sequence[str],
    today: date,
    again: ReadAgain | None = None,
) -> dict[str, Any]:
    """The picture's resident identity cards and its other documents, as `result.schema.json` describes them.

    Args:
        characters: (L, T, 5) the likeliest classes of each time step of each lane, best first; 0 is the
            blank.
        probabilities: (L, T, 5) theirs.
        cards: (C, CARD_COLUMNS) packed `CardRecord`s, padding behind them.
        segments: (G, SEGMENT_COLUMNS) packed `Segment`s, padding allowed.
        titles: (C, 3) where each card's title is on the lanes, see `place_titles`.
        kinds: (V, kinds) probabilities; of card i in row i, without cards of other documents or, without
            them, of the whole picture.
        view_quads: (V, 8) where those were seen, px of the picture as sent.
        dictionary: the character of each class.
        today: the day that decides whether a card has expired.
        again: reads the doubtful ones of all rows again.
    """
    answer: dict[str, Any] = {"cards": [], "others": []}
    records = unpack_cards(cards)
    first = [read_row(characters, probabilities, row, dictionary) for row in unpack_segments(segments)]
    rows = first if again is None else again(first)
    read = read_titles(characters, probabilities, titles[: len(records)], dictionary)
    if not records:
        seen = [_seen(*view) for view in zip(kinds, view_quads, strict=True)]
        answer["others"] = [entry for entry in seen if entry is not None]
    shown = kinds[: len(records), KINDS.index(RESIDENT_EMBLEM)]
    beside = bool((shown >= CERTAIN).any())
    for index, record in enumerate(records):
        own = [row for row in rows if row.segment.card == index]
        parsed = believed_card(record, own, today)
        fields, checks = (parsed["fields"], parsed["checks"]) if parsed else ({}, {})
        other = other_kind(
            kinds[index], fields, checks, read[index], other_rows=has_other_rows(own), beside=beside
        )
        if other is None:
            answer["cards"] += [parsed] if parsed else []
        elif other != NONE:
            score = rounded_score(record.score * _probability(kinds[index], other))
            answer["others"].append({"kind": other, "score": score, "quad": rounded_quad(record.quad)})
    return answer


def other_kind(
    kinds: NDArray[np.float32],
    text: Mapping[str, str],
    checks: Mapping[str, bool | None],
    title: Title,
    *,
    other_rows: bool = False,
    beside: bool = False,
) -> str | None:
    """The kind of a card that is no resident identity card; None for one that is.

    Args:
        kinds: (kinds,) the classifier's probabilities.
        text: the card's fields as read, empty where nothing was.
        checks: the card's checks.
        title: of an emblem side.
        other_rows: whether a row was read for sure that stands beside a portrait side's on other cards only.
        beside: whether the picture shows a resident card's emblem side, too.
    """
    resident = float(kinds[_RESIDENT_INDICES].sum())
    by_number = _kind_by_number(text.get(of.NUMBER, ""))
    if by_number is not None and (checks.get("number_checksum") or resident < CERTAIN):
        return by_number
    by_title = title.kind()
    if by_title not in {None, RESIDENT_EMBLEM}:
        return by_title
    if other_rows:
        others = kinds.copy()
        others[[*_RESIDENT_INDICES, KINDS.index(NONE)]] = 0
        return best_kind(others)[0] if others.any() else _TEMPORARY
    # A temporary card has the same name, birth and number: they don't speak against it.
    best, probability = best_kind(kinds)
    supported = by_title == RESIDENT_EMBLEM or (_supports(text, checks, beside) and best != _TEMPORARY)
    if resident >= SURE or (supported and (resident >= SUPPORTED or best == NONE or probability < AT_A_LOSS)):
        return None
    others = kinds.copy()
    others[_RESIDENT_INDICES] = 0
    kind = best_kind(others)[0]
    # Some other card, which kind it can not say: that is worth less than the card's own title and rows.
    return None if kind == _SOME_CARD and by_title == RESIDENT_EMBLEM and _has_emblem_text(text) else kind


def _kind_by_number(number: str) -> str | None:
    """The kind that a whole number's first digits name, if it is not a resident card's."""
    if len(number) != _WHOLE_NUMBER:
        return None
    if number.startswith(_PERMIT_PREFIXES):
        return _PERMIT
    return _FOREIGN if number.startswith(_FOREIGN_PREFIX) else None


def _has_emblem_text(text: Mapping[str, str]) -> bool:
    """Whether issuer and validity were read."""
    return bool(text.get(of.AUTHORITY) and text.get(of.VALIDITY))


def _supports(text: Mapping[str, str], checks: Mapping[str, bool | None], beside: bool) -> bool:
    """Whether what was read is what a resident card's portrait side says: a sound number and 民族.

    Beside its emblem side the number alone says so: bright copies lose the nation.
    """
    sound = bool(checks.get("number_checksum") and checks.get("region_known"))
    return sound and (beside or bool(text.get(of.NATION)))


def _probability(kinds: NDArray[np.float32], kind: str) -> float:
    return float(kinds[KINDS.index(kind)])


def _seen(kinds: NDArray[np.float32], quad: NDArray[np.float32]) -> dict[str, Any] | None:
    """What a view without a card shows, if that is clear; a resident card is never said so."""
    kind, probability = best_kind(kinds)
    if kind == NONE or kind in RESIDENT or probability < SURE_OTHER:
        return None
    return {"kind": kind, "score": rounded_score(probability), "quad": rounded_quad(quad.reshape(4, 2))}
