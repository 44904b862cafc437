"""What the server answers, typed: `Answer` (one picture) and `Card` (one card in it)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal, cast

from tandem_triton.core.errors import OutcomeKind, ProtocolError

Side = Literal["portrait", "emblem"]
Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]

_CORNERS = 4


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A character of a field that is not the recogniser's first choice but its runner-up.

    Attributes:
        field: name of the field.
        index: of the character in the field's text.
        read: the first choice.
        now: what the field says.
        support: the recogniser's probability for it, 0-1.
    """

    field: str
    index: int
    read: str
    now: str
    support: float


@dataclass(frozen=True, kw_only=True)
class Card:
    """One card found in a picture.

    Attributes:
        side: "portrait" or "emblem".
        score: detector's confidence, 0-1.
        quad: corners x, y in pixels of the picture as sent (after EXIF rotation), clockwise from the
            card's own top left.
        fields: text as printed by field name (姓名 …); empty where it was not read.
        confidence: 0-1 by field name.
        boxes: outline by field name, as `quad`; only of fields that were read.
        checks: what follows from the text; None where it can't be told.
        quality: what is wrong with the photograph, each 0 (nothing) to 1.
        corrected: characters that were decided by more than the recogniser's first choice.
        incomplete_fields: fields of which a part was plainly not read.
    """

    side: Side
    score: float
    quad: Quad
    fields: Mapping[str, str]
    confidence: Mapping[str, float] = field(default_factory=dict)
    boxes: Mapping[str, Quad] = field(default_factory=dict)
    checks: Mapping[str, bool | None] = field(default_factory=dict)
    quality: Mapping[str, float] = field(default_factory=dict)
    corrected: tuple[Correction, ...] = ()
    incomplete_fields: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Card:
        """The card that one entry of the answer's `cards` describes; keys unknown here are passed over.

        Raises:
            ProtocolError: the entry lacks something or has something of another kind.
        """
        try:
            return cls(
                side=_side(value["side"]),
                score=float(value["score"]),
                quad=_quad(value["quad"]),
                fields=_table(value["fields"]),
                confidence=_table(value.get("confidence")),
                boxes={name: _quad(box) for name, box in _table(value.get("boxes")).items() if box},
                checks=_table(value.get("checks")),
                quality=_table(value.get("quality")),
                corrected=tuple(_correction(entry) for entry in value.get("corrected") or ()),
                incomplete_fields=tuple(str(name) for name in value.get("incomplete_fields") or ()),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ProtocolError(f"a card's entry is not the contract's ({type(error).__name__})") from None


@dataclass(frozen=True)
class Answer:
    """One picture's answer.

    Attributes:
        text: UTF-8 JSON as the server sent it.
    """

    text: bytes

    @cached_property
    def json(self) -> dict[str, Any]:
        """The contract's JSON as parsed.

        Raises:
            ProtocolError: it isn't JSON, or has no list of cards.
        """
        try:
            value = json.loads(self.text)
        except (ValueError, RecursionError):
            raise ProtocolError("the answer is not JSON") from None
        if not isinstance(value, dict) or not isinstance(value.get("cards"), list):
            raise ProtocolError("the answer has no list of cards")
        return value

    @cached_property
    def cards(self) -> list[Card]:
        """The cards in the picture, maybe none.

        Raises:
            ProtocolError: the answer is not the contract's.
        """
        return [Card.from_json(entry) for entry in self.json["cards"]]

    @property
    def outcome(self) -> OutcomeKind:
        """The kind it is counted as."""
        return "read" if self.json["cards"] else "no_card"


def _side(value: object) -> Side:
    if value not in ("portrait", "emblem"):
        raise ValueError("side")
    return value


def _quad(value: Any) -> Quad:
    points = tuple((float(x), float(y)) for x, y in value)
    if len(points) != _CORNERS:
        raise ValueError("quad")
    return cast(Quad, points)


def _correction(value: Mapping[str, Any]) -> Correction:
    names = (each.name for each in fields(Correction))
    return Correction(**{name: value[name] for name in names})


def _table(value: Mapping[str, Any] | None) -> dict[str, Any]:
    return dict(value or {})
