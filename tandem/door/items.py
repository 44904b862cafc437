"""What a request to `/v1/<service>` holds: its items and options, from a raw, multipart or JSON body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import python_multipart
from python_multipart.exceptions import FormParserError
from tandem_triton import Service

from tandem.door.errors import BadRequestError, MediaTypeError, TooLargeError
from tandem.door.options import FRAME, MAX_ITEMS, item_limit

_CURLS_OWN = "application/x-www-form-urlencoded"  # what `curl --data-binary @FILE` calls anything
_LONGEST_OPTION = 10_000  # characters
_MAX_PARTS = 64


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What a request holds.

    Attributes:
        items: one or more, as sent.
        options: of the service, not checked yet.
    """

    items: tuple[bytes, ...] = field(repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)


class JsonBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body as JSON: exactly one of content, text and items.

    Attributes:
        content: one item, base64.
        text: one item that is a text.
        items: several, base64.
        options: of the service.
    """

    content: bytes | None = None
    text: str | None = None
    items: tuple[bytes, ...] | None = None
    options: dict[str, Any] = {}


def body_limit(service: Service[Any]) -> int:
    """Bytes of a whole request at most: two items of full size (both sides), and base64's third more."""
    return item_limit(service.input) * 8 // 3 + FRAME


def sent_items(service: Service[Any], content_type: str, body: bytes) -> Sent:
    """The items in a body.

    Args:
        service: that they are for.
        content_type: the header; "" if there is none.
        body: all of it.

    Raises:
        BadRequestError: it holds none, too many, or can't be parsed; a subclass says what.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        sent = _multipart(content_type, body)
    elif kind == "application/json" and not service.takes(kind):
        sent = _json(body)
    elif service.takes(kind) or kind == _CURLS_OWN:
        sent = Sent(items=(body,))
    else:
        raise MediaTypeError(
            f"{service.name} takes {', '.join(service.content_types)} (a type that ends in / with anything"
            " behind it), multipart/form-data and application/json"
        )
    return _checked(service, sent)


def converted_options(service: Service[Any], texts: Mapping[str, Any]) -> dict[str, Any]:
    """Options whose values may be text (from a query or a form), as the types that the service asks for.

    Raises:
        BadRequestError: one is unknown or can't be read as its type.
    """
    kinds = service.options
    known = () if kinds is None else kinds.__struct_fields__
    unknown = sorted(set(texts) - set(known))
    if kinds is None or unknown:
        if not unknown:
            return {}
        allowed = ", ".join(known) or "none"
        raise BadRequestError(f"{service.name} has no option {_shown(unknown)}; there are: {allowed}")
    try:
        value = msgspec.convert(dict(texts), kinds, strict=False)
    except (msgspec.ValidationError, RecursionError, OverflowError):
        raise BadRequestError(
            f"an option of {service.name} is of another type; there are: {_types(kinds)}"
        ) from None
    given: dict[str, Any] = msgspec.to_builtins(value)
    return {name: given[name] for name in texts}


def _types(kinds: type[msgspec.Struct]) -> str:
    return ", ".join(f"{info.name} ({_type_name(info.type)})" for info in msgspec.structs.fields(kinds))


def _type_name(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind).replace("typing.", "")


def _shown(names: Sequence[str]) -> str:
    """Names as sent, cut short; they are the caller's own."""
    return ", ".join(name[:40] for name in names[:5])


def _checked(service: Service[Any], sent: Sent) -> Sent:
    if not sent.items:
        raise BadRequestError("the request holds no item: send a file, or content as base64")
    if len(sent.items) > MAX_ITEMS:
        raise BadRequestError(f"the request holds {len(sent.items)} items; at most {MAX_ITEMS} are allowed")
    limit = item_limit(service.input)
    for item in sent.items:
        if not item:
            raise BadRequestError("the item is empty: 0 bytes were sent")
        if len(item) > limit:
            raise TooLargeError(f"the item has {len(item)} bytes; at most {limit} are allowed")
    return sent


def _json(body: bytes) -> Sent:
    try:
        parsed = msgspec.json.decode(body, type=JsonBody)
    except msgspec.ValidationError as error:
        raise BadRequestError(f"the JSON is not what is asked for: {_place(error)}") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise BadRequestError("the body is no JSON, or is nested too deeply") from None
    given = [each for each in (parsed.content, parsed.text, parsed.items) if each is not None]
    if len(given) != 1:
        raise BadRequestError('send one of "content" (base64), "text" and "items" (a list of base64)')
    if parsed.items is not None:
        return Sent(items=parsed.items, options=parsed.options)
    item = parsed.content if parsed.content is not None else _utf8(str(parsed.text))
    return Sent(items=(item,), options=parsed.options)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BadRequestError("the text holds half of a surrogate pair, which is no character") from None


def _place(error: msgspec.ValidationError) -> str:
    """Where, without what was read."""
    text, _, path = str(error).rpartition(" - at ")
    if "unknown field" in str(error):
        return "it has a field that is none of content, text, items, options"
    return f"at {path[:60]}" if text else "it must be an object"


class _Parts:
    """Gathers the parts of a multipart body: files become items, fields options."""

    def __init__(self) -> None:
        self.items: list[bytes] = []
        self.options: dict[str, str] = {}
        self.count = 0
        self._head: dict[str, bytes] = {}
        self._name = b""
        self._value = b""
        self._data = bytearray()

    def begin(self) -> None:
        self.count += 1
        if self.count > _MAX_PARTS:
            raise BadRequestError(f"the form has more than {_MAX_PARTS} parts")
        self._head, self._data = {}, bytearray()

    def data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._head[self._name.decode("latin-1").lower()] = self._value
        self._name = self._value = b""

    def end(self) -> None:
        _, parameters = python_multipart.multipart.parse_options_header(self._head.get("content-disposition"))
        if b"filename" in parameters or b"filename*" in parameters:
            self.items.append(bytes(self._data))
            return
        name = parameters.get(b"name", b"").decode("utf-8", "replace")
        if name in ("file", "content", "text"):
            self.items.append(bytes(self._data))
            return
        if len(self._data) > _LONGEST_OPTION:
            raise BadRequestError(f"an option is longer than {_LONGEST_OPTION} bytes")
        self.options[name] = self._data.decode("utf-8", "replace")


def _multipart(content_type: str, body: bytes) -> Sent:
    _, parameters = python_multipart.multipart.parse_options_header(content_type)
    boundary = parameters.get(b"boundary", b"")
    if not boundary:
        raise BadRequestError("the multipart body's content type names no boundary")
    parts = _Parts()
    callbacks: Any = {
        "on_part_begin": parts.begin,
        "on_part_data": parts.data,
        "on_part_end": parts.end,
        "on_header_field": parts.header_name,
        "on_header_value": parts.header_value,
        "on_header_end": parts.header_end,
    }
    try:
        parser = python_multipart.MultipartParser(boundary, callbacks)
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError):
        raise BadRequestError("the multipart body can't be parsed") from None
    if parser.state != python_multipart.multipart.MultipartState.END:
        raise BadRequestError("the multipart body ends in the middle")
    return Sent(items=tuple(parts.items), options=parts.options)


def is_wrapped(content_type: str) -> bool:
    """Whether such a body holds more than an item's own bytes."""
    return content_type.partition(";")[0].strip().lower() in ("multipart/form-data", "application/json")
