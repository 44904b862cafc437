"""What the server answers, typed: `Answer` (one picture) and `Card` (one card in it)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, cast

from tandem_client.errors import OutcomeKind, ProtocolError

Side = Literal["portrait", "emblem"]
Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]

_CORNERS = 4


@dataclass(frozen=True, kw_only=True)
class Card:
    """One card found in a picture.

    Attributes:
        side: "portrait" or "emblem".
        score: detector's confidence, 0-1.
        quad: corners x, y in pixels of the picture as sent (after EXIF rotation), clockwise from the
            card's own top left.
        fields: text as printed by field name (姓名 …); what can't be read is missing or empty.
        confidence: 0-1 by field name.
        boxes: outline by field name, as `quad`.
        checks: what follows from the text; None where it can't be told.
        quality: measures of the photograph, 0-1.
        corrected: fields mended from others, where the server offers them; `fields` stay as printed.
    """

    side: Side
    score: float
    quad: Quad
    fields: Mapping[str, str]
    confidence: Mapping[str, float] = field(default_factory=dict)
    boxes: Mapping[str, Quad] = field(default_factory=dict)
    checks: Mapping[str, bool | None] = field(default_factory=dict)
    quality: Mapping[str, Any] = field(default_factory=dict)
    corrected: Mapping[str, Any] = field(default_factory=dict)

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
                boxes=_table({name: _quad(box) for name, box in (value.get("boxes") or {}).items()}),
                checks=_table(value.get("checks")),
                quality=_table(value.get("quality")),
                corrected=_table(value.get("corrected")),
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


def _table(value: Mapping[str, Any] | None) -> dict[str, Any]:
    return dict(value or {})
