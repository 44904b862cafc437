"""What the door adds to a service's answers on request; only `id_card` has such additions so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tandem.services.id_card.normalized import normalized
from tandem.services.id_card.person import person_of

Answer = dict[str, Any]
NORMALIZED = "normalized"


@dataclass(frozen=True, kw_only=True)
class Extras:
    """Additions to one service's answers.

    Attributes:
        flags: name → what it does, for the API's description; true or false in a request.
        extend: an answer with what the flags ask for.
        join: what several answers say together.
    """

    flags: Mapping[str, str]
    extend: Callable[[Answer, frozenset[str]], Answer]
    join: Callable[[Sequence[Answer], frozenset[str]], Answer]


def extras_of(service: str) -> Extras:
    """The additions of a service."""
    return _ID_CARD if service == "id_card" else _NONE


def _normalize_cards(answer: Answer, flags: frozenset[str]) -> Answer:
    if NORMALIZED not in flags:
        return answer
    cards = [{**card, "normalized": normalized(card["fields"])} for card in answer["cards"]]
    return {**answer, "cards": cards}


def _join_cards(answers: Sequence[Answer], flags: frozenset[str]) -> Answer:
    cards = [card for answer in answers for card in answer["cards"]]
    person = person_of(cards)
    if NORMALIZED in flags:
        person = {**person, "normalized": normalized(person["fields"])}
    return {"person": person}


_NONE = Extras(flags={}, extend=lambda answer, flags: answer, join=lambda answers, flags: {})
_ID_CARD = Extras(
    flags={NORMALIZED: "adds `normalized` to each card: ISO dates, M or F, the group's code, split address"},
    extend=_normalize_cards,
    join=_join_cards,
)
