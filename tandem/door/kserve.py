"""KServe v2 inference requests: what of them the door takes, pure; HTTP and gRPC read them into `Tensor`s.

A request names a service, and holds one BYTES tensor [n, 1] of its input, perhaps OPTIONS [n, 1]. Nothing
else of it is passed on: each of the n items becomes a request that the client builds.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from tandem_triton import Service, TandemError
from tandem_triton.core.service import Request
from tandem_triton.transport.wire import OPTIONS, OUTPUT, pack_element

from tandem.door.errors import BadRequestError, DoorError, ForbiddenPartError, NotHereError, TooLargeError
from tandem.door.options import MAX_ITEMS, item_limit

VERSION = "1"
BYTES = "BYTES"
LONGEST_ID = 256  # characters
_LONGEST_OPTIONS = 64 * 1024  # bytes
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """An input as sent.

    Attributes:
        name: of the input.
        datatype: KServe's name.
        shape: as sent.
        elements: of a BYTES tensor.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    elements: tuple[bytes, ...] = field(repr=False)


def check_version(version: str) -> None:
    """Accepts a model's version.

    Raises:
        NotHereError: it is none that is served.
    """
    if version not in ("", VERSION):
        raise NotHereError(f"version {VERSION} is served")


def check_id(request_id: str) -> None:
    """Accepts the caller's own id of a request.

    Raises:
        BadRequestError: it is too long.
    """
    if len(request_id) > LONGEST_ID:
        raise BadRequestError(f"a request's id may have {LONGEST_ID} characters")


def refuse_parameters(where: str, names: Sequence[str], allowed: Sequence[str] = ()) -> None:
    """Accepts no parameters but those that say how a tensor travels.

    Raises:
        ForbiddenPartError: there is another.
    """
    others = [name[:40] for name in names if name not in allowed]
    if others:
        raise ForbiddenPartError(f"parameters of {where} never pass: {', '.join(others[:5])}")


def check_outputs(names: Sequence[str]) -> None:
    """Accepts the outputs that are asked for: none by name, or the one that there is.

    Raises:
        BadRequestError: another.
    """
    if list(names) not in ([], [OUTPUT]):
        raise BadRequestError(f"the only output is {OUTPUT}")


def unpacked(raw: bytes | memoryview, where: str) -> tuple[bytes, ...]:
    """The elements of a BYTES tensor: each 4 bytes of length, little-endian, and its content.

    Raises:
        BadRequestError: the lengths don't add up, or there are too many elements.
    """
    elements: list[bytes] = []
    at = 0
    while at < len(raw):
        if len(elements) == MAX_ITEMS:
            raise BadRequestError(f"{where} holds more than {MAX_ITEMS} elements")
        if at + _LENGTH.size > len(raw):
            raise BadRequestError(f"{where} ends in the middle of an element's length")
        (length,) = _LENGTH.unpack_from(raw, at)
        at += _LENGTH.size
        if at + length > len(raw):
            raise BadRequestError(f"{where} ends in the middle of an element")
        elements.append(bytes(raw[at : at + length]))
        at += length
    return tuple(elements)


def packed(texts: Sequence[bytes]) -> bytes:
    """The BYTES tensor with these elements, as it travels."""
    return b"".join(map(pack_element, texts))


def requests_of(service: Service[Any], tensors: Sequence[Tensor]) -> list[Request[Any]]:
    """A request an item.

    Raises:
        BadRequestError: a tensor is missing, unknown, given twice, of another type or shape, too long.
        BadItemError: an option can't be used.
    """
    by_name = {tensor.name: tensor for tensor in tensors}
    known = (service.input,) if service.options is None else (service.input, OPTIONS)
    if len(by_name) < len(tensors):
        raise BadRequestError("an input is given twice")
    if service.input not in by_name or not set(by_name) <= set(known):
        raise BadRequestError(
            f"{service.name} has the inputs {', '.join(known)}; {service.input} must be given"
        )
    items = by_name[service.input]
    count = len(items.elements)
    for tensor in tensors:
        _check_tensor(tensor, count)
    limit = item_limit(service.input)
    for item in items.elements:
        if len(item) > limit:
            raise TooLargeError(f"an item has {len(item)} bytes; at most {limit} are allowed")
    options = by_name[OPTIONS].elements if OPTIONS in by_name else (b"",) * count
    return [
        Request(service=service, content=item, options=service.encode_options(_options(text)))
        for item, text in zip(items.elements, options, strict=True)
    ]


def _check_tensor(tensor: Tensor, count: int) -> None:
    name = tensor.name
    if tensor.datatype != BYTES:
        raise BadRequestError(f"{name} is of type {BYTES}")
    if not 1 <= count <= MAX_ITEMS or tensor.shape != (count, 1) or len(tensor.elements) != count:
        raise BadRequestError(
            f"{name} has the shape [n, 1] and n elements, n from 1 to {MAX_ITEMS}, the same for all inputs"
        )


def _options(text: bytes) -> Mapping[str, Any]:
    if len(text) > _LONGEST_OPTIONS:
        raise BadRequestError(f"options may have {_LONGEST_OPTIONS} bytes")
    if not text:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError, UnicodeDecodeError):
        raise BadRequestError(f"{OPTIONS} is no JSON object") from None


def result_texts(outcomes: Sequence[bytes | TandemError]) -> list[bytes]:
    """What RESULT holds: of several items a failed one has its error in its place.

    Raises:
        TandemError: the only item's.
    """
    if len(outcomes) == 1 and isinstance(outcomes[0], TandemError):
        raise outcomes[0]
    return [_error_text(each) if isinstance(each, TandemError) else each for each in outcomes]


def _error_text(error: DoorError | TandemError) -> bytes:
    return msgspec.json.encode({"error": {"code": error.code, "message": str(error)}})
