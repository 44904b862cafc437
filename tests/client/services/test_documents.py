"""`find_cards` and `document_kind`: their answers are decoded to what the contracts say."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from tandem_triton import Answer, BadPictureError, ProtocolError, service_named
from tandem_triton.services.document_kind import SERVICE as DOCUMENT_KIND
from tandem_triton.services.find_cards import SERVICE as FIND_CARDS

from tandem.media.document_kinds import KINDS, NONE

OBJECT: dict[str, Any] = {
    "kind": "driving_licence",
    "score": 0.93,
    "quad": [[1, 2], [101, 2], [101, 65], [1, 65]],
}
EVERY_KIND = [{"kind": kind, "score": 1.0 if kind == "paper" else 0.0} for kind in KINDS]


def schema(service: str) -> Any:
    return json.loads((files(f"tandem.services.{service}") / "result.schema.json").read_text("utf-8"))


def found(*objects: dict[str, Any]) -> Answer[Any]:
    return Answer(FIND_CARDS, json.dumps({"objects": objects}).encode())


def ranked(*kinds: dict[str, Any]) -> Answer[Any]:
    return Answer(DOCUMENT_KIND, json.dumps({"kinds": kinds}).encode())


def test_an_object_says_what_the_entry_says() -> None:
    [document] = found(OBJECT).value.objects
    assert (document.kind, document.score) == ("driving_licence", 0.93)
    assert document.quad == ((1.0, 2.0), (101.0, 2.0), (101.0, 65.0), (1.0, 65.0))


def test_kinds_keep_their_order() -> None:
    kinds = ranked({"kind": "paper", "score": 0.7}, {"kind": NONE, "score": 0.3}).value.kinds
    assert [(entry.kind, entry.score) for entry in kinds] == [("paper", 0.7), (NONE, 0.3)]


def test_the_entries_used_here_are_the_contracts() -> None:
    jsonschema.validate({"objects": [OBJECT]}, schema("find_cards"))
    jsonschema.validate({"kinds": EVERY_KIND}, schema("document_kind"))


def test_nothing_found_is_an_empty_answer() -> None:
    assert FIND_CARDS.empty(found().value)
    assert not FIND_CARDS.empty(found(OBJECT).value)
    assert DOCUMENT_KIND.empty(ranked({"kind": NONE, "score": 1.0}).value)
    assert not DOCUMENT_KIND.empty(ranked({"kind": "paper", "score": 1.0}).value)


@pytest.mark.parametrize("name", ["find_cards", "document_kind"])
def test_the_services_are_known_by_name(name: str) -> None:
    service = service_named(name)
    assert service.input == "IMAGE"
    assert service.takes("image/jpeg")
    with pytest.raises(BadPictureError):
        service.encode("no such file.jpg")
    assert service.encode(service.probe)


@pytest.mark.parametrize("content", [b"{}", b"[]", b'{"objects": [{"kind": 1}], "kinds": [{"kind": 1}]}'])
@pytest.mark.parametrize("service", [FIND_CARDS, DOCUMENT_KIND])
def test_an_answer_of_another_form_is_the_servers_fault(service: Any, content: bytes) -> None:
    with pytest.raises(ProtocolError):
        _ = Answer(service, content).value
