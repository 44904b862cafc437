import copy
import json
import pickle
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from tandem_triton import Answer, CardsAnswer, Correction, ProtocolError
from tandem_triton.services.id_card import SERVICE, Card

ENTRY: dict[str, Any] = {
    "side": "emblem",
    "score": 0.99,
    "quad": [[1, 2], [101, 2], [101, 65], [1, 65]],
    "fields": {"签发机关": "北京市公安局东城分局", "有效期限": ""},
    "confidence": {"签发机关": 0.98, "有效期限": 0},
    "boxes": {"签发机关": [[20, 10], [40, 10], [40, 16], [20, 16]], "有效期限": None},
    "checks": {"validity_span": None, "expired": None},
    "corrected": [{"field": "有效期限", "index": 3, "read": "8", "now": "3", "support": 0.4}],
    "incomplete_fields": ["有效期限"],
    "quality": {"blurred": 0.1, "glare": 0, "incomplete": 0, "grey_copy": 0, "mirrored": False},
}


OTHER: dict[str, Any] = {"kind": "bank_card", "score": 0.9, "quad": [[1, 2], [101, 2], [101, 65], [1, 65]]}


def _answer(*entries: dict[str, Any]) -> Answer[CardsAnswer]:
    return Answer(SERVICE, json.dumps({"cards": entries}).encode())


def _cards(*entries: dict[str, Any]) -> tuple[Card, ...]:
    return _answer(*entries).value.cards


def test_a_card_says_what_the_entry_says() -> None:
    [card] = _cards(ENTRY)
    assert card.side == "emblem"
    assert card.incomplete_fields == ("有效期限",)
    assert card.quad == ((1.0, 2.0), (101.0, 2.0), (101.0, 65.0), (1.0, 65.0))
    assert card.fields == ENTRY["fields"]
    assert card.confidence == ENTRY["confidence"]
    assert card.boxes == {
        "签发机关": ((20.0, 10.0), (40.0, 10.0), (40.0, 16.0), (20.0, 16.0)),
        "有效期限": None,
    }
    assert card.checks == {"validity_span": None, "expired": None}
    assert card.corrected == (Correction(field="有效期限", index=3, read="8", now="3", support=0.4),)
    assert card.quality["blurred"] == 0.1


def test_other_documents_stand_beside_the_cards() -> None:
    answer = Answer(SERVICE, json.dumps({"cards": [], "others": [OTHER]}).encode()).value
    [other] = answer.others
    assert (other.kind, other.score) == ("bank_card", 0.9)
    assert other.quad[2] == (101.0, 65.0)
    assert _answer().value.others == ()


def test_the_entry_used_here_is_the_contracts() -> None:
    text = (files("tandem.services.id_card") / "result.schema.json").read_text("utf-8")
    jsonschema.validate({"cards": [ENTRY], "others": [OTHER]}, json.loads(text))


def test_keys_of_a_later_contract_are_passed_over() -> None:
    assert _cards({**ENTRY, "new": 1}) == _cards(ENTRY)


def test_a_card_can_be_pickled_and_copied() -> None:
    [card] = _cards(ENTRY)
    assert pickle.loads(pickle.dumps(card)) == copy.deepcopy(card) == card  # noqa: S301 - our own bytes


@pytest.mark.parametrize("key", ["side", "score", "quad", "fields"])
def test_an_entry_that_lacks_something_is_refused_without_quoting_it(key: str) -> None:
    entry = {name: value for name, value in ENTRY.items() if name != key}
    with pytest.raises(ProtocolError) as caught:
        _answer(entry)
    assert "北京" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"side": "北京"},
        {"quad": [[0, 0]] * 3},
        {"quad": [[0]] * 4},
        {"score": "much"},
        {"fields": 3},
        {"boxes": [1]},
        {"corrected": [{}]},
    ],
)
def test_an_entry_of_another_kind_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as caught:
        _answer({**ENTRY, **change})
    assert "cards[0]" in str(caught.value)
    assert "北京" not in str(caught.value)


@pytest.mark.parametrize("text", [b"", b"[", b"[]", b'{"cards":{}}', b"\xff"])
def test_a_text_that_is_no_answer_is_refused(text: bytes) -> None:
    with pytest.raises(ProtocolError):
        Answer(SERVICE, text)


def test_outcomes() -> None:
    assert _answer(ENTRY).outcome == "answered"
    assert _answer().outcome == "empty"
