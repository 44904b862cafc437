"""What travels through the broker, pure: the queues, a picture's message, its reply's.

A picture's message has the encoded picture as its body, the item's id as `correlation_id`, and the client's
queue as `reply_to`. The reply has the same `correlation_id`; its body is the contract's JSON, or
`{"error": {"code": …, "message": …}}`. Both are persistent.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tandem_triton.core import errors
from tandem_triton.core.errors import TandemError

REPLY_CONTENT_TYPE = "application/json"
PICTURE_CONTENT_TYPE = "application/octet-stream"
REASON_HEADER = "tandem-reason"
"""Header of a dead letter that says why it is one."""

DELIVERY_COUNT_HEADER = "x-delivery-count"
"""How often a quorum queue gave a message out before; absent the first time."""

_QUORUM: dict[str, Any] = {"x-queue-type": "quorum"}
_ERRORS = {
    cls.code: cls
    for cls in (
        errors.BadPictureError,
        errors.OverloadedError,
        errors.UnavailableError,
        errors.DeadlineError,
        errors.CancelledError,
        errors.AccessError,
        errors.NotServedError,
        errors.ServerError,
        errors.ProtocolError,
    )
}


@dataclass(frozen=True, kw_only=True)
class QueueNames:
    """The queues that clients and gateways share; both declare them, so they must agree.

    Attributes:
        pictures: where pictures wait.
        dead: where messages end that no gateway could answer, with their reason.
        longest: pictures that may wait, roughly; then more are refused at once.
    """

    pictures: str = "tandem.pictures"
    dead: str = "tandem.dead"
    longest: int = 10_000

    def __post_init__(self) -> None:
        if not self.pictures or not self.dead or self.pictures == self.dead:
            raise ValueError("pictures and dead must be two names")
        if self.longest < 1:
            raise ValueError("longest must be at least 1")

    def pictures_arguments(self) -> dict[str, Any]:
        """The broker's arguments of the queue of pictures: replicated, bounded, expired ones to `dead`."""
        return {
            **_QUORUM,
            "x-max-length": self.longest,
            "x-overflow": "reject-publish",
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": self.dead,
        }

    def dead_arguments(self) -> dict[str, Any]:
        """The broker's arguments of the queue of dead letters."""
        return dict(_QUORUM)


@dataclass(frozen=True, kw_only=True)
class QueueOptions:
    """How a client of the queue behaves.

    Attributes:
        names: of the shared queues.
        timeout_s: time allowed for an item, from publishing to its answer; > 0. A picture that still waits
            then is dropped by the broker.
        max_in_flight: items without an answer at most, ≥ 1; others wait.
        reply_expiry_s: how long answers wait for a client that lost its connection; > 0.
    """

    names: QueueNames = field(default_factory=QueueNames)
    timeout_s: float = 300.0
    max_in_flight: int = 256
    reply_expiry_s: float = 600.0

    def __post_init__(self) -> None:
        if self.timeout_s <= 0 or self.reply_expiry_s <= 0:
            raise ValueError("timeout_s and reply_expiry_s must be positive")
        if self.max_in_flight < 1:
            raise ValueError("max_in_flight must be at least 1")


def encode_failure(error: TandemError) -> bytes:
    """The body of a reply that says why there is no answer."""
    return json.dumps({"error": {"code": error.code, "message": str(error)}}, ensure_ascii=False).encode()


def decode_reply(body: bytes) -> bytes:
    """The JSON text in a reply's body.

    Raises:
        TandemError: the reply says why there is no answer.
        ProtocolError: the body is neither.
    """
    try:
        value = json.loads(body)
        failure = value.get("error")
        if failure is None:
            return body
        kind, message = _ERRORS.get(failure["code"], errors.ServerError), str(failure["message"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise errors.ProtocolError("the reply is neither an answer nor a failure") from None
    raise kind(message)
