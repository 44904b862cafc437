import json
from typing import Any

import pytest
from tandem_triton.core import errors

from tandem.gateway.decisions import Ask, AskAgain, Bury, GiveBack, Reply, decide_on_error, decide_on_message

GOOD: dict[str, Any] = {
    "correlation_id": "1",
    "reply_to": "replies",
    "content_type": "image/jpeg",
    "headers": {},
    "redelivery_limit": 3,
}


@pytest.mark.parametrize("kind", [None, "", "image/png", "IMAGE/JPEG", "application/octet-stream"])
def test_a_picture_is_asked_about(kind: str | None) -> None:
    assert decide_on_message(**{**GOOD, "content_type": kind}) == Ask()


@pytest.mark.parametrize("missing", ["correlation_id", "reply_to"])
def test_a_message_that_cannot_be_answered_is_buried(missing: str) -> None:
    decision = decide_on_message(**{**GOOD, missing: None})
    assert isinstance(decision, Bury)
    assert missing in decision.reason


def test_a_wrong_content_type_is_answered_and_buried() -> None:
    decision = decide_on_message(**{**GOOD, "content_type": "text/html"})
    assert isinstance(decision, Reply)
    assert decision.dead_reason is not None
    assert json.loads(decision.body)["error"]["code"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize(("count", "asked"), [(0, True), (2, True), (3, False), (9, False), ("many", True)])
def test_the_redelivery_limit(count: object, asked: bool) -> None:
    decision = decide_on_message(**{**GOOD, "headers": {"x-delivery-count": count}})
    assert (decision == Ask()) is asked
    if not asked:
        assert isinstance(decision, Reply)
        assert decision.dead_reason == f"given out {count} times without an answer"


@pytest.mark.parametrize(
    ("error", "decision"),
    [
        (errors.BadPictureError("too big"), Reply),
        (errors.UnavailableError(), AskAgain),
        (errors.OverloadedError(), AskAgain),
        (errors.DeadlineError(), GiveBack),
        (errors.ServerError(), GiveBack),
        (errors.ProtocolError(), GiveBack),
        (errors.NotServedError(), GiveBack),
        (errors.AccessError(), GiveBack),
    ],
)
def test_what_becomes_of_a_picture_without_an_answer(error: errors.TandemError, decision: type) -> None:
    assert isinstance(decide_on_error(error), decision)
