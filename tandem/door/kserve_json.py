"""KServe v2's inference over HTTP: a body of JSON, perhaps binary tensors behind it, and the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from tandem_triton import Service
from tandem_triton.transport.wire import HEADER_LENGTH, OUTPUT

from tandem.door.errors import BadRequestError
from tandem.door.kserve import (
    BYTES,
    VERSION,
    Tensor,
    check_id,
    check_outputs,
    packed,
    refuse_parameters,
    unpacked,
)
from tandem.door.options import FRAME, MAX_ITEMS, item_limit

_SIZE = "binary_data_size"
_BINARY = "binary_data"
_ALL_BINARY = "binary_data_output"


class InputJson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An input; its data here, or behind the JSON."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    parameters: dict[str, Any] = {}
    data: msgspec.Raw = msgspec.Raw()


class OutputJson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An output that is asked for."""

    name: str
    parameters: dict[str, Any] = {}


class InferJson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The JSON of a request."""

    inputs: tuple[InputJson, ...]
    id: str = ""
    outputs: tuple[OutputJson, ...] = ()
    parameters: dict[str, Any] = {}


@dataclass(frozen=True, kw_only=True)
class HttpInfer:
    """A request over HTTP.

    Attributes:
        id: the caller's own.
        tensors: its inputs.
        binary: whether the answer's tensor travels as binary.
    """

    id: str
    tensors: tuple[Tensor, ...]
    binary: bool


def infer_limit(service: Service[Any]) -> int:
    """Bytes of a whole request at most."""
    return 2 * item_limit(service.input) + FRAME


def parse_infer(service: Service[Any], body: bytes, header_length: str | None) -> HttpInfer:
    """The request in a body.

    Args:
        service: that is asked.
        body: all of it.
        header_length: the header that says where the JSON ends; None: all is JSON.

    Raises:
        BadRequestError: it is none; a subclass says what it holds that never passes.
    """
    split = _split(body, header_length)
    most = FRAME + (2 * item_limit(service.input) if service.input == "TEXT" else 0)
    if split > most:
        raise BadRequestError(
            f"the JSON has {split} bytes; at most {most} are allowed: send {service.input} as binary"
        )
    head = _head(body[:split])
    check_id(head.id)
    refuse_parameters("a request", list(head.parameters), (_ALL_BINARY,))
    for output in head.outputs:
        refuse_parameters("an output", list(output.parameters), (_BINARY,))
    check_outputs([output.name for output in head.outputs])
    wishes = [head.parameters.get(_ALL_BINARY), *(each.parameters.get(_BINARY) for each in head.outputs)]
    return HttpInfer(
        id=head.id, tensors=_tensors(head.inputs, memoryview(body)[split:]), binary=wishes[-1] is True
    )


def infer_answer(name: str, request: HttpInfer, texts: Sequence[bytes]) -> tuple[bytes, dict[str, str]]:
    """Body and headers of the answer."""
    output: dict[str, Any] = {"name": OUTPUT, "datatype": BYTES, "shape": [len(texts), 1]}
    answer = {"model_name": name, "model_version": VERSION, "outputs": [output]}
    if request.id:
        answer["id"] = request.id
    if not request.binary:
        output["data"] = [text.decode() for text in texts]
        return msgspec.json.encode(answer), {"Content-Type": "application/json"}
    tensor = packed(texts)
    output["parameters"] = {_SIZE: len(tensor)}
    head = msgspec.json.encode(answer)
    return head + tensor, {"Content-Type": "application/octet-stream", HEADER_LENGTH: str(len(head))}


def _split(body: bytes, header_length: str | None) -> int:
    if header_length is None:
        return len(body)
    if not (header_length.isascii() and header_length.isdigit()) or int(header_length[:12]) > len(body):
        raise BadRequestError(f"{HEADER_LENGTH} must be a number, not above the body's length")
    return int(header_length)


def _head(text: bytes) -> InferJson:
    try:
        return msgspec.json.decode(text, type=InferJson)
    except msgspec.ValidationError:
        raise BadRequestError("the JSON is no inference request of KServe's protocol, version 2") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise BadRequestError("the request is no JSON, or is nested too deeply") from None


def _tensors(inputs: Sequence[InputJson], binary: memoryview) -> tuple[Tensor, ...]:
    tensors = []
    at = 0
    for each in inputs[: MAX_ITEMS + 1]:  # one more than any service has is refused by name
        refuse_parameters("an input", list(each.parameters), (_SIZE,))
        size = each.parameters.get(_SIZE)
        if size is None:
            elements = _data(each.data)
        elif bytes(each.data):
            raise BadRequestError("an input's data comes as JSON or as binary, not both")
        elif not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= len(binary) - at:
            raise BadRequestError(f"{_SIZE} must be a number, not above what follows the JSON")
        else:
            elements = unpacked(binary[at : at + size], "an input")
            at += size
        tensors.append(Tensor(name=each.name, datatype=each.datatype, shape=each.shape, elements=elements))
    if at < len(binary):
        raise BadRequestError("more follows the JSON than its inputs say")
    return tuple(tensors)


def _data(data: msgspec.Raw) -> tuple[bytes, ...]:
    """BYTES elements as JSON: strings, in one list or one list each."""
    if not bytes(data):
        raise BadRequestError("an input has no data")
    try:
        try:
            texts = msgspec.json.decode(data, type=list[str])
        except msgspec.ValidationError:
            texts = [text for row in msgspec.json.decode(data, type=list[list[str]]) for text in row]
        return tuple(text.encode() for text in texts)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        raise BadRequestError("an input's data must be a list of strings") from None
