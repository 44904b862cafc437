"""Whatever comes, every parser of the door answers or refuses; nothing else may be raised."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tandem_triton import Service, TandemError
from tandem_triton.services.id_card import SERVICE as ID_CARD
from tandem_triton.transport.wire import HEADER_LENGTH, pack_element
from tritonclient.grpc import service_pb2

from tandem.door.callers import Callers, ReadingBudget, secret_of
from tandem.door.errors import DoorError, SlowBodyError, TooLargeError, TooManyError
from tandem.door.items import converted_options, sent_items
from tandem.door.kserve import packed, requests_of, unpacked
from tandem.door.kserve_json import infer_answer, parse_infer
from tandem.door.kserve_message import check_lengths, parse_infer_message
from tandem.door.reading import Body, declared_length
from tandem.door.records import request_id


class Options(msgspec.Struct):
    count: int = 5
    upper: bool = False
    name: str = ""
    share: float = 0.5


TEXT: Service[Any] = Service(
    name="text_test",
    summary="For tests.",
    input="TEXT",
    content_types=("text/plain",),
    answer=dict,
    encode=bytes,
    probe=b"",
    options=Options,
)
UNHURRIED = settings(deadline=None)  # a busy machine is no failure
REFUSED = (DoorError, TandemError)
SERVICES = st.sampled_from([ID_CARD, TEXT])
HEADER = st.text(st.characters(max_codepoint=255), max_size=60)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


def likely(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects whose names are mostly the right ones."""
    return st.dictionaries(st.sampled_from(names) | st.text(max_size=8), ANY_JSON, max_size=6)


TENSORS = likely(["name", "datatype", "shape", "data", "parameters"])
INFER = st.fixed_dictionaries(
    {},
    optional={
        "inputs": st.lists(TENSORS, max_size=3) | ANY_JSON,
        "outputs": st.lists(likely(["name", "parameters"]), max_size=2),
        "id": ANY_JSON,
        "parameters": likely(["binary_data_output", "priority"]),
    },
)
FORM = st.lists(
    st.sampled_from(
        [b"--a", b"--", b"\r\n", b"a", b'Content-Disposition: form-data; name="file"', b": ", b";"]
    )
)


@UNHURRIED
@given(
    SERVICES,
    HEADER | st.sampled_from(["application/json", "multipart/form-data; boundary=a", ""]),
    st.binary(max_size=300),
)
def test_any_body(service: Service[Any], kind: str, body: bytes) -> None:
    refuse_or(lambda: sent_items(service, kind, body))


@UNHURRIED
@given(SERVICES, FORM)
def test_any_form(service: Service[Any], parts: list[bytes]) -> None:
    refuse_or(lambda: sent_items(service, "multipart/form-data; boundary=a", b"".join(parts)))


@UNHURRIED
@given(SERVICES, likely(["content", "text", "items", "options"]))
def test_any_json(service: Service[Any], value: dict[str, Any]) -> None:
    body = json.dumps(value).encode()
    sent = refuse_or(lambda: sent_items(service, "application/json", body))
    if sent is not None:
        refuse_or(lambda: converted_options(service, sent.options))


@UNHURRIED
@given(
    SERVICES,
    st.dictionaries(st.sampled_from(["count", "upper", "name", "share"]) | st.text(max_size=5), ANY_JSON),
)
def test_any_options(service: Service[Any], options: dict[str, Any]) -> None:
    refuse_or(lambda: converted_options(service, options))


@UNHURRIED
@given(st.dictionaries(st.sampled_from(["count", "upper", "name", "share"]), st.text(max_size=12)))
def test_options_as_text_fit_the_service(texts: dict[str, str]) -> None:
    converted = refuse_or(lambda: converted_options(TEXT, texts))
    if converted is not None:
        TEXT.encode_options(converted)  # the service's own check takes what passed


@UNHURRIED
@given(SERVICES, INFER, st.binary(max_size=40), st.none() | st.integers(-2, 400).map(str) | HEADER)
def test_any_inference_over_http(service: Service[Any], head: Any, tail: bytes, length: str | None) -> None:
    body = json.dumps(head).encode() + tail
    parsed = refuse_or(lambda: parse_infer(service, body, length))
    if parsed is not None:
        refuse_or(lambda: requests_of(service, parsed.tensors))


@UNHURRIED
@given(st.binary(max_size=400))
def test_any_message(message: bytes) -> None:
    refuse_or(lambda: parse_infer_message(message))


@UNHURRIED
@given(
    st.lists(
        st.tuples(
            st.text(max_size=8), st.text(max_size=8), st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3)
        )
    ),
    st.lists(st.binary(max_size=20), max_size=3),
    st.text(max_size=300),
)
def test_any_proper_message(inputs: list[tuple[str, str, list[int]]], raws: list[bytes], name: str) -> None:
    request = service_pb2.ModelInferRequest(model_name=name, id=name)
    for each, kind, shape in inputs:
        request.inputs.add(name=each, datatype=kind, shape=shape)
    request.raw_input_contents.extend(raws)
    parsed = refuse_or(lambda: parse_infer_message(request.SerializeToString()))
    if parsed is not None:
        refuse_or(lambda: requests_of(ID_CARD, parsed.tensors))


@UNHURRIED
@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=4), st.booleans())
def test_items_pass_as_they_are(items: list[bytes], in_contents: bool) -> None:
    """Over gRPC both ways, over HTTP as binary: the same requests come out."""
    request = service_pb2.ModelInferRequest(model_name="id_card")
    tensor = request.inputs.add(name="IMAGE", datatype="BYTES", shape=[len(items), 1])
    if in_contents:
        tensor.contents.bytes_contents.extend(items)
    else:
        request.raw_input_contents.append(packed(items))
    made = requests_of(ID_CARD, parse_infer_message(request.SerializeToString()).tensors)
    assert [each.content for each in made] == items
    raw = packed(items)
    one = {
        "name": "IMAGE",
        "datatype": "BYTES",
        "shape": [len(items), 1],
        "parameters": {"binary_data_size": len(raw)},
    }
    head = json.dumps({"inputs": [one]}).encode()
    parsed = parse_infer(ID_CARD, head + raw, str(len(head)))
    assert [each.content for each in requests_of(ID_CARD, parsed.tensors)] == items
    answer, headers = infer_answer("id_card", parsed, [b"{}"] * len(items))
    assert HEADER_LENGTH not in headers
    assert json.loads(answer)["outputs"][0]["data"] == ["{}"] * len(items)


@UNHURRIED
@given(st.lists(st.text(max_size=20), min_size=1, max_size=4), st.booleans())
def test_texts_pass_as_json(texts: list[str], nested: bool) -> None:
    data = [[text] for text in texts] if nested else texts
    one = {"name": "TEXT", "datatype": "BYTES", "shape": [len(texts), 1], "data": data}
    parsed = parse_infer(TEXT, json.dumps({"inputs": [one]}).encode(), None)
    assert [each.content for each in requests_of(TEXT, parsed.tensors)] == [text.encode() for text in texts]


@UNHURRIED
@given(st.lists(st.binary(max_size=30), max_size=4))
def test_packed_and_unpacked(items: list[bytes]) -> None:
    assert unpacked(packed(items), "a tensor") == tuple(items)


@UNHURRIED
@given(st.binary(max_size=60))
def test_any_tensor(raw: bytes) -> None:
    elements = refuse_or(lambda: unpacked(raw, "a tensor"))
    assert elements is None or b"".join(map(pack_element, elements)) == raw


@UNHURRIED
@given(st.dictionaries(st.sampled_from(["authorization", "x-api-key", "x-request-id"]), HEADER), HEADER)
def test_any_headers(headers: dict[str, str], length: str) -> None:
    secret_of(headers)
    assert request_id(headers)
    refuse_or(lambda: declared_length(length))
    Callers(None).key_of(headers)


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(1, 100))
@settings(max_examples=60, deadline=None)
def test_a_body_is_read_whole_or_refused(sizes: list[int], limit: int) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for size in sizes:
            yield bytes(size)

    budget = ReadingBudget(80)
    body = Body(budget, limit=limit, timeout_s=5)
    total = sum(sizes)
    try:
        content = asyncio.run(body.read(chunks(), None))
    except TooLargeError:
        assert total > limit
    except TooManyError:
        assert total > 80
    else:
        assert (len(content), budget.held) == (total, total)
    body.close()
    assert budget.held == 0


def test_a_body_that_never_ends_is_given_up() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.sleep(60)

    body = Body(ReadingBudget(100), limit=10, timeout_s=0.05)
    with pytest.raises(SlowBodyError):
        asyncio.run(body.read(chunks(), None))


def test_a_declared_length_over_the_limit_is_refused_unread() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        raise AssertionError("it was read")
        yield b""

    with pytest.raises(TooLargeError):
        asyncio.run(Body(ReadingBudget(100), limit=10, timeout_s=1).read(chunks(), 11))


def test_lengths_alone_refuse_a_wide_message() -> None:
    item = service_pb2.ModelInferRequest(model_name="id_card")
    item.raw_input_contents.append(bytes(1_000_000))
    check_lengths(item.SerializeToString())
    item.id = "x" * 70_000
    with pytest.raises(DoorError):
        check_lengths(item.SerializeToString())


def refuse_or(parse: Any) -> Any:
    """What it gives, None where it refuses."""
    try:
        return parse()
    except REFUSED:
        return None
