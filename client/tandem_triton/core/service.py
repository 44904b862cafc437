"""`Service`: what a server does with one kind of item, as one value that everything else is made from.

Its name is the Triton model's, the queue's suffix, the metrics' label, the command's and the REST path's.
Client, queue, gateway, door and load test know services; none of them knows pictures or cards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import msgspec

from tandem_triton.core.errors import BadItemError, OutcomeKind, ProtocolError

A = TypeVar("A")
"""What a service's answers are decoded to."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_INPUT = re.compile(r"[A-Z][A-Z0-9_]{0,62}")
ANY_BYTES = "application/octet-stream"
"""The content type of an item that says nothing of itself; every service takes it."""


def _never_empty(_: Any) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Service(Generic[A]):
    """One kind of work on one kind of item.

    Attributes:
        name: lower case, digits and `_`; the Triton model's name, and every other name of the service.
        summary: one line, for help and API pages.
        input: name of the model's BYTES input: "IMAGE", "AUDIO", "TEXT".
        content_types: what an item's content type may be, or begin with where it ends in "/".
        answer: the type that the JSON in the model's output RESULT is decoded to (see `msgspec`).
        encode: the bytes to send for whatever a caller calls such an item; raises `BadItemError`.
        empty: whether an answer says that there was nothing to find.
        options: a `msgspec.Struct` of the options that a call may carry (the model's input OPTIONS), each
            with a default; None: there are none.
        bad_item: the class of the errors that refuse an item.
        probe: a small, well-formed item, that shows whether the whole service works.
    """

    name: str
    summary: str
    input: str
    content_types: tuple[str, ...]
    answer: type[A]
    encode: Callable[[Any], bytes]
    probe: bytes
    empty: Callable[[A], bool] = _never_empty
    options: type[msgspec.Struct] | None = None
    bad_item: type[BadItemError] = BadItemError

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError("a service's name is lower-case letters, digits and _, a letter first")
        if not _INPUT.fullmatch(self.input):
            raise ValueError("a service's input is upper-case letters, digits and _, a letter first")

    def served_as(self, model: str) -> Service[A]:
        """The same service under another model's name."""
        return replace(self, name=model)

    def request(self, item: Any, options: Mapping[str, Any] | None = None) -> Request[A]:
        """The request about an item.

        Raises:
            BadItemError: the item can't be sent, or an option is unknown or of another type.
        """
        return Request(service=self, content=self.encode(item), options=self.encode_options(options or {}))

    def encode_options(self, options: Mapping[str, Any]) -> bytes | None:
        """The JSON of a call's options, None if there are none.

        Raises:
            BadItemError: an option is unknown or of another type; the message says what is allowed.
        """
        if not options:
            return None
        known = () if self.options is None else self.options.__struct_fields__
        unknown = sorted(set(options) - set(known))
        if self.options is None or unknown:
            allowed = ", ".join(known) or "none"
            raise self.bad_item(f"{self.name} has no option {', '.join(unknown)}; there are: {allowed}")
        try:
            msgspec.convert(dict(options), self.options)
        except msgspec.ValidationError as error:
            raise self.bad_item(f"an option of {self.name} is wrong: {error}") from None
        return msgspec.json.encode(dict(options))

    def takes(self, content_type: str | None) -> bool:
        """Whether an item may call itself so; one without a content type is taken."""
        if not content_type:
            return True
        kind = content_type.partition(";")[0].strip().lower()
        return kind == ANY_BYTES or any(
            kind.startswith(each) if each.endswith("/") else kind == each for each in self.content_types
        )


@dataclass(frozen=True, kw_only=True)
class Request(Generic[A]):
    """One item on its way to a service.

    Attributes:
        service: which.
        content: the encoded item.
        options: UTF-8 JSON object, or None.
    """

    service: Service[A]
    content: bytes
    options: bytes | None = None


class Answer(Generic[A]):
    """One item's answer.

    Attributes:
        service: whose.
        text: UTF-8 JSON as the server sent it.
        value: decoded.

    Args:
        service: whose.
        text: UTF-8 JSON.

    Raises:
        ProtocolError: the text is not what the service's contract says.
    """

    __slots__ = ("service", "text", "value")

    def __init__(self, service: Service[A], text: bytes) -> None:
        self.service = service
        self.text = text
        try:
            self.value = msgspec.json.decode(text, type=service.answer)
        except msgspec.ValidationError as error:
            raise ProtocolError(f"the answer is not {service.name}'s{_place(error)}") from None
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise ProtocolError("the answer is not JSON") from None

    @property
    def json(self) -> dict[str, Any]:
        """The contract's JSON as parsed, keys unknown to this client included."""
        return msgspec.json.decode(self.text, type=dict[str, Any])

    @property
    def outcome(self) -> OutcomeKind:
        """The kind it is counted as."""
        return "empty" if self.service.empty(self.value) else "answered"


def _place(error: msgspec.ValidationError) -> str:
    """Where a value is of another kind; the rest of the message may quote what was read."""
    _, at, path = str(error).rpartition(" - at ")
    return f", at {path}" if at else ""
