"""`POST /v1/<service>`: every kind of body, options, answers, problems."""

from __future__ import annotations

import base64
import http.client
import json
import uuid
from collections.abc import Mapping
from typing import Any

import pytest

from tests.client.orders import order
from tests.door.process import DoorProcess

pytestmark = pytest.mark.triton
JSON = {"Content-Type": "application/json"}
ITEM = order(number="7")


def multipart(*parts: tuple[str, str | None, bytes]) -> tuple[bytes, dict[str, str]]:
    """A form of (name, file name, content)."""
    mark = uuid.uuid4().hex
    body = b""
    for name, file, content in parts:
        named = f'; filename="{file}"' if file else ""
        body += (
            f'--{mark}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode()
            + content
            + b"\r\n"
        )
    return body + f"--{mark}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={mark}"}


def post(
    door: DoorProcess, path: str, body: bytes, headers: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    status, _, answer = door.ask("POST", path, body, headers)
    return status, json.loads(answer)


def number(answer: Any) -> str:
    return str(answer["cards"][0]["fields"]["公民身份号码"])


def test_every_kind_of_body(door: DoorProcess) -> None:
    encoded = base64.b64encode(ITEM).decode()
    bodies = [
        (ITEM, {}),
        (ITEM, {"Content-Type": "image/jpeg"}),
        (ITEM, {"Content-Type": "application/x-www-form-urlencoded"}),  # curl --data-binary
        (json.dumps({"content": encoded}).encode(), JSON),
        (json.dumps({"items": [encoded]}).encode(), JSON),
        multipart(("file", "photo.jpg", ITEM)),
        multipart(("content", None, ITEM)),
    ]
    for body, headers in bodies:
        status, answer = post(door, "/v1/id_card", body, headers)
        assert (status, number(answer)) == (200, "7"), headers


def test_text_and_options(door: DoorProcess) -> None:
    path = "/v1/reverse_text"
    assert post(door, path, "身份证".encode(), {"Content-Type": "text/plain"}) == (200, {"text": "证份身"})
    assert post(door, f"{path}?upper=true&times=2", b"ab") == (200, {"text": "BABA"})
    body = json.dumps({"text": "ab", "options": {"upper": True}}).encode()
    assert post(door, path, body, JSON) == (200, {"text": "BA"})
    assert post(door, path, *multipart(("text", None, b"ab"), ("upper", None, b"true"))) == (
        200,
        {"text": "BA"},
    )


def test_two_items_give_two_answers_and_one_person(door: DoorProcess) -> None:
    body, headers = multipart(("file", "a.jpg", order(number="1")), ("file", "b.jpg", order(number="1")))
    status, answer = post(door, "/v1/id_card?normalized=true", body, headers)
    assert status == 200
    assert [number(each) for each in answer["answers"]] == ["1", "1"]
    assert answer["person"]["sides"] == {"portrait": 2, "emblem": 0}
    assert answer["person"]["normalized"]["id_number"] == "1"
    assert answer["answers"][0]["cards"][0]["normalized"]["id_number"] == "1"


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "code", "words"),
    [
        ("/v1/id_card", b"", {}, 400, "INVALID_ARGUMENT", "empty"),
        ("/v1/id_card", b"x", {}, 400, "INVALID_ARGUMENT", "can't be decoded"),
        ("/v1/id_card", ITEM, {"Content-Type": "text/plain"}, 415, "INVALID_ARGUMENT", "image/"),
        ("/v1/id_card?wrong=1", ITEM, {}, 400, "INVALID_ARGUMENT", "no option wrong"),
        ("/v1/id_card?normalized=maybe", ITEM, {}, 400, "INVALID_ARGUMENT", "true or false"),
        ("/v1/reverse_text?times=x", b"a", {}, 400, "INVALID_ARGUMENT", "times (int)"),
        ("/v1/reverse_text?upper=true&upper=true", b"a", {}, 400, "INVALID_ARGUMENT", "twice"),
        ("/v1/reverse_text", bytes(2**20 + 1), {}, 413, "INVALID_ARGUMENT", "1048576"),
        ("/v1/id_card", b"{", JSON, 400, "INVALID_ARGUMENT", "no JSON"),
        ("/v1/id_card", b'{"content":"?"}', JSON, 400, "INVALID_ARGUMENT", "$.content"),
        ("/v1/id_card", b'{"other":1}', JSON, 400, "INVALID_ARGUMENT", "content, text, items, options"),
        ("/v1/id_card", b"{}", JSON, 400, "INVALID_ARGUMENT", "one of"),
        ("/v1/id_card", b"--", {"Content-Type": "multipart/form-data"}, 400, "INVALID_ARGUMENT", "boundary"),
        (
            "/v1/id_card",
            b"--",
            {"Content-Type": "multipart/form-data; boundary=a"},
            400,
            "INVALID_ARGUMENT",
            "",
        ),
        ("/v1/id_card", order(error="INTERNAL"), {}, 500, "INTERNAL", "ordered to fail"),
        ("/v1/id_card", order(error="UNAVAILABLE"), {}, 503, "UNAVAILABLE", ""),
        ("/v1/id_card", order(junk="no json"), {}, 502, "DATA_LOSS", ""),
        ("/v1/nothing", b"x", {}, 404, "NOT_FOUND", ""),
        ("/v1/echo", b"x", {}, 404, "NOT_FOUND", ""),
    ],
)
def test_problems(
    door: DoorProcess, path: str, body: bytes, headers: dict[str, str], status: int, code: str, words: str
) -> None:
    answered, told, text = door.ask("POST", path, body, {**headers, "X-Request-Id": "mine-1"})
    problem = json.loads(text)
    assert (answered, problem["status"], problem["code"]) == (status, status, code)
    assert told["content-type"] == "application/problem+json"
    assert told["x-request-id"] == problem["request_id"] == "mine-1"
    assert words in problem["detail"]
    assert {"type", "title", "detail", "retryable"} <= set(problem)
    assert (told.get("retry-after") is not None) == (status in (429, 503))


def test_five_items_are_too_many(door: DoorProcess) -> None:
    status, answer = post(door, "/v1/id_card", *multipart(*[("file", "a", ITEM)] * 5))
    assert (status, answer["detail"]) == (400, "the request holds 5 items; at most 4 are allowed")


def test_one_bad_item_of_two_is_named(door: DoorProcess) -> None:
    status, answer = post(door, "/v1/id_card", *multipart(("file", "a", ITEM), ("file", "b", b"x")))
    assert (status, answer["detail"]) == (400, "item 2 of 2: the picture can't be decoded")


def test_other_methods(door: DoorProcess) -> None:
    status, _, text = door.ask("GET", "/v1/id_card")
    assert (status, json.loads(text)["code"]) == (405, "UNIMPLEMENTED")


def test_the_description_holds_every_service(door: DoorProcess) -> None:
    status, _, text = door.ask("GET", "/openapi.json")
    told = json.loads(text)
    assert status == 200
    assert {"/v1/id_card", "/v1/reverse_text"} <= set(told["paths"])
    assert "CardsAnswer" in text.decode()
    assert set(told["components"]["schemas"]["Reversed"]["properties"]) == {"text"}
    names = [each["name"] for each in told["paths"]["/v1/reverse_text"]["post"]["parameters"]]
    assert names == ["upper", "times"]

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if "$ref" in value else []
            return own + [each for part in value.values() for each in references(part)]
        return [each for part in value for each in references(part)] if isinstance(value, list) else []

    schemas = told["components"]["schemas"]
    assert all(name.rpartition("/")[2] in schemas for name in references(told))


def test_the_log_and_the_metrics_hold_no_content(door: DoorProcess) -> None:
    secret = "420000199001011234"  # noqa: S105 - a number as a card prints it
    door.ask("POST", f"/v1/id_card?{secret}=1", order(number=secret), {"X-Request-Id": "log-test"})
    door.ask("POST", "/v1/id_card", order(number=secret), {"X-Request-Id": secret * 9})
    door.ask("POST", f"/{secret}", secret.encode())
    record = next(each for each in door.records() if each["request_id"] == "log-test")
    assert record["path"] == "/v1/id_card"
    assert (record["service"], record["status"], record["code"]) == ("id_card", 400, "INVALID_ARGUMENT")
    assert secret not in "\n".join(door.lines)
    host, _, port = door.metrics.partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.request("GET", "/metrics")
    metrics = connection.getresponse().read().decode()
    connection.close()
    assert (
        'tandem_door_requests_total{caller="anybody",code="OK",protocol="http",service="id_card"}' in metrics
    )
    assert secret not in metrics
