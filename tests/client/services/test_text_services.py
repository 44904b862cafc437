import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from tandem_triton import Answer, BadItemError, ProtocolError, Service, find_services
from tandem_triton.services import text_keywords, text_translation

from tandem.errors import InputError
from tandem.media.options import read_options
from tandem.services.text_keywords import keywords
from tandem.services.text_translation.languages import read_direction

KEYWORDS: dict[str, Any] = {"keywords": [{"text": "水电站", "score": 0.9, "spans": [[0, 3], [9, 12]]}]}
TRANSLATION: dict[str, Any] = {
    "translation": "Hello.",
    "source": "zh",
    "target": "en",
    "warnings": [{"kind": "number_changed", "start": 0, "end": 3}],
}
BOTH = [(text_keywords.SERVICE, KEYWORDS), (text_translation.SERVICE, TRANSLATION)]


@pytest.mark.parametrize(("service", "result"), BOTH)
def test_the_services_are_found_by_name_and_answer_as_the_contract_says(
    service: Service[Any], result: dict[str, Any]
) -> None:
    assert find_services()[service.name] is service
    schema = json.loads((files(f"tandem.services.{service.name}") / "result.schema.json").read_text("utf-8"))
    jsonschema.validate(result, schema)
    value = Answer(service, json.dumps(result).encode()).value
    assert json.loads(json.dumps(result)) == json.loads(json.dumps(_plain(value)))


def _plain(value: Any) -> Any:
    import msgspec  # noqa: PLC0415

    return msgspec.to_builtins(value)


def test_typed_fields() -> None:
    answer = Answer(text_keywords.SERVICE, json.dumps(KEYWORDS).encode()).value
    assert answer.keywords[0].spans == ((0, 3), (9, 12))
    translation = Answer(text_translation.SERVICE, json.dumps(TRANSLATION).encode()).value
    assert translation.warnings[0].kind == "number_changed"


def test_no_keywords_is_an_empty_answer() -> None:
    assert text_keywords.SERVICE.empty(text_keywords.KeywordsAnswer(keywords=()))


@pytest.mark.parametrize(("service", "result"), BOTH)
def test_an_answer_of_another_shape_is_a_protocol_error(
    service: Service[Any], result: dict[str, Any]
) -> None:
    with pytest.raises(ProtocolError):
        _ = Answer(service, json.dumps({**result, next(iter(result)): 5}).encode()).value


@pytest.mark.parametrize(
    ("service", "options"),
    [
        (text_keywords.SERVICE, {"count": "many"}),
        (text_keywords.SERVICE, {"cnt": 1}),
        (text_translation.SERVICE, {"target": "fr"}),
    ],
)
def test_wrong_options_are_refused_before_anything_is_sent(
    service: Service[Any], options: dict[str, Any]
) -> None:
    with pytest.raises(BadItemError):
        service.request("text", options)


def test_what_the_client_sends_the_server_understands() -> None:
    sent = text_keywords.SERVICE.request("text", {"count": 7}).options
    assert read_options(sent, keywords._CHECKS) == {"count": 7}
    sent = text_translation.SERVICE.request("text", {"target": "zh"}).options
    assert str(read_direction("text", sent)) == "en-zh"
    sent = text_translation.SERVICE.request("text", {"source": "en", "target": "en"}).options
    with pytest.raises(InputError):
        read_direction("text", sent)
