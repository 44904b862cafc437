"""The bytes on the wire, pure: one item's request and its answer, for gRPC and for HTTP.

Both carry the tensors of the contract, BYTES [1, 1] each: the service's input, OPTIONS if there are any, and
the output RESULT. A BYTES element travels as a 4-byte little-endian length and its content. The request's id
comes back in the answer, so an answer that belongs to another request is noticed.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

from tritonclient.grpc import service_pb2

from tandem_triton.core.errors import BadItemError, ProtocolError
from tandem_triton.core.service import Request
from tandem_triton.transport.status import error_of_http

OPTIONS = "OPTIONS"
OUTPUT = "RESULT"
HEADER_LENGTH = "Inference-Header-Content-Length"
"""HTTP header that says where the JSON ends and the tensors begin."""

_LENGTH = struct.Struct("<I")
_ONE_ITEM = (1, 1)  # the batch dimension, then the contract's [1]
_OK = 200


def pack_element(content: bytes) -> bytes:
    """A BYTES element as it travels."""
    return _LENGTH.pack(len(content)) + content


def encode_grpc(request_id: str, request: Request[Any]) -> Any:
    """The `ModelInferRequest` about one encoded item."""
    message = service_pb2.ModelInferRequest(model_name=request.service.name, id=request_id)
    message.outputs.add(name=OUTPUT)
    for name, content in _inputs(request):
        message.inputs.add(name=name, datatype="BYTES", shape=_ONE_ITEM)
        message.raw_input_contents.append(pack_element(content))
    return message


def decode_grpc(response: Any, *, request_id: str) -> bytes:
    """The JSON text in a `ModelInferResponse`.

    Raises:
        ProtocolError: another request's answer, or not one BYTES element called RESULT.
    """
    _check_id(response.id, request_id)
    if (
        len(response.outputs) != 1
        or response.outputs[0].name != OUTPUT
        or len(response.raw_output_contents) != 1
    ):
        raise ProtocolError(f"the answer is not the one tensor {OUTPUT}")
    return _only_element(response.raw_output_contents[0])


def encode_http(request_id: str, request: Request[Any]) -> tuple[bytes, dict[str, str]]:
    """Body and headers of the HTTP request about one encoded item."""
    tensors = {name: pack_element(content) for name, content in _inputs(request)}
    head = json.dumps(
        {
            "id": request_id,
            "inputs": [
                {
                    "name": name,
                    "datatype": "BYTES",
                    "shape": _ONE_ITEM,
                    "parameters": {"binary_data_size": len(tensor)},
                }
                for name, tensor in tensors.items()
            ],
            "outputs": [{"name": OUTPUT, "parameters": {"binary_data": True}}],
        }
    ).encode()
    body = b"".join((head, *tensors.values()))
    return body, {HEADER_LENGTH: str(len(head)), "Content-Type": "application/octet-stream"}


def decode_http(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    request_id: str,
    bad_item: type[BadItemError] = BadItemError,
) -> bytes:
    """The JSON text in an HTTP answer.

    Args:
        status: HTTP status.
        headers: looked up without regard to case.
        body: of the answer.
        request_id: of the request.
        bad_item: the class of the service's refused items.

    Raises:
        TandemError: the status is a failure's.
        ProtocolError: another request's answer, or not one BYTES element called RESULT.
    """
    if status != _OK:
        raise error_of_http(status, _http_message(body), bad_item)
    try:
        split = int(headers[HEADER_LENGTH])
        head = json.loads(body[:split])
        answered, name = str(head["id"]), head["outputs"][0]["name"]
    except (KeyError, ValueError, TypeError, IndexError):
        raise ProtocolError("the answer's HTTP head is not Triton's") from None
    _check_id(answered, request_id)
    if name != OUTPUT:
        raise ProtocolError(f"the answer is not the one tensor {OUTPUT}")
    return _only_element(body[split:])


def _inputs(request: Request[Any]) -> list[tuple[str, bytes]]:
    """The request's input tensors, each one BYTES element."""
    item = (request.service.input, request.content)
    return [item] if request.options is None else [item, (OPTIONS, request.options)]


def _check_id(answered: str, asked: str) -> None:
    if answered != asked:
        raise ProtocolError("the answer is another request's")


def _only_element(tensor: bytes) -> bytes:
    if len(tensor) < _LENGTH.size or _LENGTH.unpack_from(tensor)[0] != len(tensor) - _LENGTH.size:
        raise ProtocolError(f"{OUTPUT} is not one BYTES element")
    return tensor[_LENGTH.size :]


def _http_message(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return ""
