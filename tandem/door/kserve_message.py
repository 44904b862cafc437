"""KServe v2's inference over gRPC: a message's bytes, looked at before they are parsed, and the answer.

Protobuf takes hundreds of bytes of memory for each of the smallest parts of a message. So all that is no item
must be short, which is known from the lengths alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError
from tandem_triton.transport.wire import OUTPUT
from tritonclient.grpc import service_pb2

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
from tandem.door.options import FRAME, MAX_ITEMS

# Fields of ModelInferRequest, InferInputTensor, InferTensorContents, whose content may be long.
_RAW, _INPUTS, _CONTENTS, _BYTES = 7, 5, 5, 8
_VARINT, _FIXED_64, _LENGTHS, _FIXED_32 = 0, 1, 2, 5  # wire types of protobuf's encoding
_LONGEST_VARINT = 10
# What perf_analyzer sends along, for models that answer several times: taken, not passed on.
_WITHOUT_EFFECT = ("triton_enable_empty_final_response",)


@dataclass(frozen=True, kw_only=True)
class GrpcInfer:
    """A request over gRPC.

    Attributes:
        model: that is asked for.
        version: of it, as sent.
        id: the caller's own.
        tensors: its inputs.
    """

    model: str
    version: str
    id: str
    tensors: tuple[Tensor, ...]


def parse_infer_message(message: bytes) -> GrpcInfer:
    """The request in a message.

    Raises:
        BadRequestError: it is none; a subclass says what it holds that never passes.
    """
    check_lengths(message)
    try:
        request = service_pb2.ModelInferRequest.FromString(message)
    except (DecodeError, UnicodeDecodeError, ValueError):
        raise BadRequestError("the message is no ModelInferRequest") from None
    check_id(request.id)
    refuse_parameters("a request", list(request.parameters), _WITHOUT_EFFECT)
    for output in request.outputs:
        refuse_parameters("an output", list(output.parameters))
    check_outputs([output.name for output in request.outputs])
    return GrpcInfer(
        model=request.model_name, version=request.model_version, id=request.id, tensors=_tensors(request)
    )


def infer_message(request: GrpcInfer, name: str, texts: Sequence[bytes]) -> bytes:
    """The `ModelInferResponse` with these answers, as bytes."""
    response = service_pb2.ModelInferResponse(model_name=name, model_version=VERSION, id=request.id)
    response.outputs.add(name=OUTPUT, datatype=BYTES, shape=(len(texts), 1))
    response.raw_output_contents.append(packed(texts))
    encoded: bytes = response.SerializeToString()
    return encoded


def check_lengths(message: bytes) -> None:
    """Accepts a message by the lengths of its parts.

    Raises:
        BadRequestError: it is no protobuf, or more than `FRAME` bytes of it are no item's.
    """
    view = memoryview(message)
    other = 0  # bytes that are no item's
    long_parts = 0
    for number, start, end, part in _fields(view):
        other += part - start + 2
        if number == _RAW:
            long_parts += 1
        elif number == _INPUTS:
            kept, more = _long_bytes(view[part:end])
            other += end - part - kept
            long_parts += more
        else:
            other += end - part
        if other > FRAME or long_parts > 4 * MAX_ITEMS:
            raise BadRequestError(f"at most {FRAME} bytes of a message may be anything but items")


def _long_bytes(tensor: memoryview) -> tuple[int, int]:
    """Bytes of a tensor that are an item's, and how many items."""
    kept = count = seen = 0
    for number, start, end, part in _fields(tensor):
        seen += part - start
        if number != _CONTENTS:
            continue
        for inner, _, inner_end, inner_part in _fields(tensor[part:end]):
            if inner == _BYTES:
                kept += inner_end - inner_part
                count += 1
        if seen > FRAME or count > MAX_ITEMS:
            raise BadRequestError(f"at most {FRAME} bytes of a message may be anything but items")
    return kept, count


def _fields(view: memoryview) -> Iterator[tuple[int, int, int, int]]:
    """Each field of a message: number, where it starts and ends, and where its content starts.

    Raises:
        BadRequestError: it is no protobuf.
    """
    at, count = 0, 0
    while at < len(view):
        start = at
        tag, at = _varint(view, at)
        kind = tag & 7
        content = at
        if kind == _VARINT:
            _, at = _varint(view, at)
        elif kind == _LENGTHS:
            length, at = _varint(view, at)
            content = at
            at += length
        elif kind in (_FIXED_32, _FIXED_64):
            at += 4 if kind == _FIXED_32 else 8
        else:  # groups, which this protocol has none of
            raise BadRequestError("the message is no ModelInferRequest")
        count += 1
        if at > len(view):
            raise BadRequestError("the message ends in the middle")
        if count > FRAME:
            raise BadRequestError(f"at most {FRAME} bytes of a message may be anything but items")
        yield tag >> 3, start, at, content


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    for place in range(at, min(at + _LONGEST_VARINT, len(view))):
        byte = view[place]
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, place + 1
    raise BadRequestError("the message ends in the middle")


def _tensors(request: Any) -> tuple[Tensor, ...]:
    raws = list(request.raw_input_contents)
    if raws and len(raws) != len(request.inputs):
        raise BadRequestError("raw_input_contents must hold one tensor an input")
    tensors = []
    for number, each in enumerate(request.inputs):
        refuse_parameters("an input", list(each.parameters))
        if raws and each.HasField("contents"):
            raise BadRequestError("an input's data comes in contents or raw, not both")
        elements = unpacked(raws[number], "an input") if raws else tuple(each.contents.bytes_contents)
        tensors.append(
            Tensor(name=each.name, datatype=each.datatype, shape=tuple(each.shape), elements=elements)
        )
    return tuple(tensors)
