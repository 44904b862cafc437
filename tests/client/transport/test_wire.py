import json
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tandem_triton.core import errors
from tandem_triton.services.id_card import SERVICE as ID_CARD
from tandem_triton.transport import wire
from tritonclient.grpc import service_pb2


def _grpc_answer(tensor: bytes, *, request_id: str = "7", name: str = "RESULT") -> object:
    answer = service_pb2.ModelInferResponse(id=request_id)
    answer.outputs.add(name=name, datatype="BYTES", shape=[1, 1])
    answer.raw_output_contents.append(tensor)
    return answer


def _http_answer(
    tensor: bytes, *, request_id: str = "7", name: str = "RESULT"
) -> tuple[dict[str, str], bytes]:
    head = json.dumps({"id": request_id, "outputs": [{"name": name}]}).encode()
    return {wire.HEADER_LENGTH: str(len(head))}, head + tensor


def _element(content: bytes) -> bytes:
    return len(content).to_bytes(4, "little") + content


@given(picture=st.binary(max_size=300))
def test_both_requests_carry_the_picture_as_one_bytes_element(picture: bytes) -> None:
    request = wire.encode_grpc("7", ID_CARD.request(picture))
    body, headers = wire.encode_http("7", ID_CARD.request(picture))

    split = int(headers[wire.HEADER_LENGTH])
    [told] = json.loads(body[:split])["inputs"]
    assert request.raw_input_contents[0] == body[split:] == _element(picture)
    assert told["parameters"]["binary_data_size"] == len(body) - split
    assert list(request.inputs[0].shape) == told["shape"] == [1, 1]
    assert request.inputs[0].name == told["name"] == "IMAGE"


@given(item=st.binary(max_size=300), count=st.integers(1, 9))
def test_options_travel_as_a_second_element(item: bytes, count: int) -> None:
    class Options(msgspec.Struct):
        count: int = 5

    sent = replace(ID_CARD, options=Options).request(item, {"count": count})
    request = wire.encode_grpc("7", sent)
    body, headers = wire.encode_http("7", sent)

    split = int(headers[wire.HEADER_LENGTH])
    told = json.loads(body[:split])["inputs"]
    element = _element(b'{"count":%d}' % count)
    assert list(request.raw_input_contents) == [_element(item), element]
    assert body[split:] == _element(item) + element
    assert [each.name for each in request.inputs] == [each["name"] for each in told] == ["IMAGE", "OPTIONS"]


@given(content=st.binary(max_size=300))
def test_an_answer_comes_out_as_it_went_in(content: bytes) -> None:
    headers, body = _http_answer(_element(content))
    assert wire.decode_grpc(_grpc_answer(_element(content)), request_id="7") == content
    assert wire.decode_http(200, headers, body, request_id="7") == content


@pytest.mark.parametrize("tensor", [b"", b"\0\0", b"\5\0\0\0abc", b"\1\0\0\0ab"])
def test_a_cut_tensor_is_no_answer(tensor: bytes) -> None:
    headers, body = _http_answer(tensor)
    with pytest.raises(errors.ProtocolError):
        wire.decode_grpc(_grpc_answer(tensor), request_id="7")
    with pytest.raises(errors.ProtocolError):
        wire.decode_http(200, headers, body, request_id="7")


def test_another_requests_answer_is_refused() -> None:
    headers, body = _http_answer(_element(b"{}"), request_id="8")
    with pytest.raises(errors.ProtocolError, match="another request"):
        wire.decode_grpc(_grpc_answer(_element(b"{}"), request_id="8"), request_id="7")
    with pytest.raises(errors.ProtocolError, match="another request"):
        wire.decode_http(200, headers, body, request_id="7")


def test_another_tensor_is_refused() -> None:
    headers, body = _http_answer(_element(b"{}"), name="OTHER")
    with pytest.raises(errors.ProtocolError, match="RESULT"):
        wire.decode_grpc(_grpc_answer(_element(b"{}"), name="OTHER"), request_id="7")
    with pytest.raises(errors.ProtocolError, match="RESULT"):
        wire.decode_http(200, headers, body, request_id="7")


@given(body=st.binary(max_size=60), length=st.text(max_size=4))
def test_any_http_body_is_an_answer_or_a_protocol_error(body: bytes, length: str) -> None:
    with pytest.raises(errors.ProtocolError):
        wire.decode_http(200, {wire.HEADER_LENGTH: length}, body, request_id="7")


@pytest.mark.parametrize(
    ("body", "message"), [(b'{"error":"too big"}', "too big"), (b"<html>", "HTTP status 400")]
)
def test_an_http_failure_says_what_the_server_said(body: bytes, message: str) -> None:
    with pytest.raises(errors.BadPictureError, match=message):
        wire.decode_http(400, {}, body, request_id="7", bad_item=errors.BadPictureError)
