"""What travels through the broker, pure: an item's message, its reply's.

An item's message has the encoded item as its body, its id as `correlation_id`, the client's queue as
`reply_to`, and the call's options, if there are any, as JSON in the header `tandem-options`. The reply has
the same `correlation_id`; its body is the contract's JSON, or `{"error": {"code": …, "message": …}}`. Both
are persistent.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from tandem_triton.core.errors import BadItemError, ProtocolError, TandemError, error_of_code
from tandem_triton.core.service import ANY_BYTES
from tandem_triton.queue.topology import QueueNames

REPLY_CONTENT_TYPE = "application/json"
ITEM_CONTENT_TYPE = ANY_BYTES
OPTIONS_HEADER = "tandem-options"
REASON_HEADER = "tandem-reason"
"""Header of a dead letter that says why it is one."""

DELIVERY_COUNT_HEADER = "x-delivery-count"
"""How often a quorum queue gave a message out before; the broker's own only in a message given out again."""


@dataclass(frozen=True, kw_only=True)
class QueueOptions:
    """How a client of the queue behaves.

    Attributes:
        names: of what is shared.
        timeout_s: time allowed for an item, from publishing to its answer; > 0. An item that still waits
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


def decode_reply(body: bytes, bad_item: type[BadItemError] = BadItemError) -> bytes:
    """The JSON text in a reply's body.

    Args:
        body: of the reply.
        bad_item: the class of the service's refused items.

    Raises:
        TandemError: the reply says why there is no answer.
        ProtocolError: the body is neither.
    """
    try:
        value = json.loads(body)
        failure = value.get("error")
        if failure is None:
            return body
        kind, message = error_of_code(failure["code"], bad_item), str(failure["message"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ProtocolError("the reply is neither an answer nor a failure") from None
    raise kind(message)
