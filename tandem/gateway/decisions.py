"""What to do with a message, pure: by what it is, and by what became of asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from tandem_triton import BadItemError, Request, ServerError, Service, TandemError
from tandem_triton.queue import QueueNames
from tandem_triton.queue.message import DELIVERY_COUNT_HEADER, OPTIONS_HEADER, encode_failure

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Reply:
    """Answer the client, then acknowledge.

    Attributes:
        body: of the reply.
        dead_reason: also put the message among the dead letters, with this reason.
    """

    body: bytes
    dead_reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Bury:
    """Nobody can be answered: put the message among the dead letters, then acknowledge.

    Attributes:
        reason: why.
    """

    reason: str


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Ask the server.

    Attributes:
        request: what.
        given_out: how often the message was given out before.
    """

    request: Request[Any]
    given_out: int


@dataclass(frozen=True, kw_only=True)
class GiveBack:
    """Give the message back to the queue: another gateway may do better; the broker counts how often.

    Attributes:
        after_s: seconds to keep it before, so that it does not come round and round.
    """

    after_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A message without its body, as the broker gave it out.

    Attributes:
        correlation_id: the item's id, set by its sender.
        reply_to: the sender's queue of replies.
        content_type: what the sender says of the item.
        headers: the sender's and the broker's.
        redelivered: whether the broker gave it out before; only then is the count of deliveries its own.
    """

    correlation_id: str | None
    reply_to: str | None
    content_type: str | None
    headers: Mapping[str, Any]
    redelivered: bool

    @property
    def given_out(self) -> int:
        """How often it was given out before."""
        count = self.headers.get(DELIVERY_COUNT_HEADER, 0) if self.redelivered else 0
        return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else 0


def decide_on_message(
    envelope: Envelope, body: bytes, service: Service[Any], *, names: QueueNames, give_up_after: int
) -> Ask | Reply | Bury:
    """What to do with a message that just came.

    Args:
        envelope: all but its body.
        body: the encoded item.
        service: whose queue it was in.
        names: of the broker's queues.
        give_up_after: a message that was given out so often is not even asked about: it may be what
            ends gateways.
    """
    reason = _unanswerable(envelope, names)
    if reason is not None:
        return Bury(reason=reason)
    try:
        if not service.takes(envelope.content_type):
            allowed = ", ".join(f"{each}…" if each.endswith("/") else each for each in service.content_types)
            raise service.bad_item(
                f"the message's content type is not {service.name}'s: application/octet-stream or {allowed}"
            )
        options = _options(envelope.headers.get(OPTIONS_HEADER), service)
    except BadItemError as error:
        return Reply(body=encode_failure(error), dead_reason=str(error))
    if envelope.given_out >= give_up_after:
        reason = f"given out {envelope.given_out} times without an answer"
        return Reply(body=encode_failure(ServerError(reason)), dead_reason=reason)
    request = Request(service=service, content=body, options=options)
    return Ask(request=request, given_out=envelope.given_out)


def decide_on_failure(error: TandemError, given_out: int, redelivery_limit: int) -> Reply | GiveBack:
    """What to do with a message whose item failed where others pass.

    Args:
        error: what asking ended with.
        given_out: how often the message was given out before.
        redelivery_limit: how often it may be, ≥ 1.
    """
    times = given_out + 1
    if times >= redelivery_limit:
        reason = f"given out {times} times without an answer ({error.code})"
        return Reply(body=encode_failure(ServerError(reason)), dead_reason=reason)
    return GiveBack(after_s=min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0**given_out))


def _unanswerable(envelope: Envelope, names: QueueNames) -> str | None:
    if not envelope.correlation_id:
        return "the message has no correlation_id"
    if not envelope.reply_to:
        return "the message has no reply_to"
    if not names.is_replies(envelope.reply_to):
        return "the message's reply_to is no client's queue of replies"
    return None


def _options(header: object, service: Service[Any]) -> bytes | None:
    """The call's options, checked.

    Raises:
        BadItemError: they are no JSON object, or not the service's.
    """
    if header is None:
        return None
    text = header if isinstance(header, (str, bytes)) else b""
    try:
        options = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise service.bad_item(f"the header {OPTIONS_HEADER} must be a JSON object") from None
    return service.encode_options(options)
