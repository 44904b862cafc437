"""The rules for messages and failures, without a broker."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tandem_triton.core import errors
from tandem_triton.queue import QueueNames
from tandem_triton.services.id_card import SERVICE

from tandem.gateway.decisions import (
    Ask,
    Bury,
    Envelope,
    GiveBack,
    Reply,
    decide_on_failure,
    decide_on_message,
)

NAMES = QueueNames()
GOOD = Envelope(
    correlation_id="1",
    reply_to=NAMES.replies("guest", "1"),
    content_type="image/jpeg",
    headers={},
    redelivered=True,
)


class Options(msgspec.Struct):
    count: int = 5


COUNTING = replace(SERVICE, options=Options)


def _decide(**changes: object) -> Ask | Bury | Reply:
    envelope = replace(GOOD, **changes)  # type: ignore[arg-type]
    return decide_on_message(envelope, b"item", COUNTING, names=NAMES, give_up_after=12)


@pytest.mark.parametrize("kind", [None, "", "image/png", "IMAGE/JPEG; q=1", "application/octet-stream"])
def test_a_picture_is_asked_about(kind: str | None) -> None:
    decision = _decide(content_type=kind)
    assert isinstance(decision, Ask)
    assert (decision.request.content, decision.request.options) == (b"item", None)


@pytest.mark.parametrize("missing", ["correlation_id", "reply_to"])
def test_a_message_that_cannot_be_answered_is_buried(missing: str) -> None:
    decision = _decide(**{missing: None})
    assert isinstance(decision, Bury)
    assert missing in decision.reason


@pytest.mark.parametrize("queue", ["billing.orders", "tandem.id_card", "tandem.id_card.dead", "amq.direct"])
def test_only_a_clients_own_queue_of_replies_is_answered(queue: str) -> None:
    assert isinstance(_decide(reply_to=queue), Bury)


def test_a_wrong_content_type_is_answered_and_buried() -> None:
    decision = _decide(content_type="text/html")
    assert isinstance(decision, Reply)
    assert decision.dead_reason is not None
    assert json.loads(decision.body)["error"]["code"] == "INVALID_ARGUMENT"


def test_options_travel_in_their_header() -> None:
    decision = _decide(headers={"tandem-options": '{"count": 7}'})
    assert isinstance(decision, Ask)
    assert decision.request.options == b'{"count":7}'


@given(header=st.none() | st.text(max_size=20) | st.binary(max_size=20) | st.integers() | st.floats())
def test_any_header_of_options_has_its_decision(header: object) -> None:
    assert isinstance(_decide(headers={"tandem-options": header}), (Ask, Reply))


@pytest.mark.parametrize("count", [-1, "many", True, None, 2.5])
def test_a_count_that_is_none_counts_nothing(count: object) -> None:
    decision = _decide(headers={"x-delivery-count": count})
    assert isinstance(decision, Ask)
    assert decision.given_out == 0


def test_a_senders_own_count_means_nothing() -> None:
    decision = _decide(headers={"x-delivery-count": 100}, redelivered=False)
    assert isinstance(decision, Ask)
    assert decision.given_out == 0


def test_a_message_that_never_gets_an_outcome_is_given_up_at_last() -> None:
    assert isinstance(_decide(headers={"x-delivery-count": 11}), Ask)
    decision = _decide(headers={"x-delivery-count": 12})
    assert isinstance(decision, Reply)
    assert decision.dead_reason == "given out 12 times without an answer"


def test_an_item_that_fails_where_others_pass_comes_again_ever_later_and_then_dies() -> None:
    pauses = []
    for given_out in range(3):
        decision = decide_on_failure(errors.ServerError("broke"), given_out, redelivery_limit=4)
        assert isinstance(decision, GiveBack)
        pauses.append(decision.after_s)
    assert pauses == sorted(pauses)
    assert pauses[0] > 0
    decision = decide_on_failure(errors.ServerError("broke"), 3, redelivery_limit=4)
    assert isinstance(decision, Reply)
    assert decision.dead_reason == "given out 4 times without an answer (INTERNAL)"
    assert json.loads(decision.body)["error"]["code"] == "INTERNAL"


def test_the_pause_has_an_end() -> None:
    decision = decide_on_failure(errors.DeadlineError("late"), 1_000, redelivery_limit=10_000)
    assert isinstance(decision, GiveBack)
    assert decision.after_s <= 60
