from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import pytest

from tandem.errors import InputError
from tandem.triton.joint import IsCancelled, JointResponder
from tandem.triton.responder import Arrays
from tests.triton.fakes import Request, fake_backend


def double(items: Sequence[Arrays], is_cancelled: IsCancelled) -> list[Arrays]:
    """Notes how many came together; a negative number is refused, over 99 is a fault of ours."""
    batches.append([int(item["IN"][0]) for item in items])
    if any(item["IN"] < 0 for item in items):
        raise InputError("negative")
    if any(item["IN"] > 99 for item in items):
        raise ValueError(f"too large: {items[0]['IN']}")
    return [{"OUT": item["IN"] * 2} for item in items]


batches: list[list[int]] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    batches.clear()


def test_all_items_of_all_requests_go_together() -> None:
    responder = JointResponder(fake_backend(), model_name="double", inputs=["IN"])
    answers = responder.respond([Request(IN=np.array([[1], [2]])), Request(IN=np.array([[3]]))], double)
    assert [answer.tensors["OUT"].tolist() for answer in answers] == [[[2], [4]], [[6]]]
    assert batches == [[1, 2, 3]]


def test_a_bad_request_fails_alone(caplog: pytest.LogCaptureFixture) -> None:
    backend = fake_backend()
    responder = JointResponder(backend, model_name="double", inputs=["IN"])
    requests = [Request(IN=np.array([[value]])) for value in (1, -1, 100)]
    with caplog.at_level(logging.ERROR):
        good, refused, broken = responder.respond(requests, double)
    assert good.tensors["OUT"].tolist() == [[2]]
    assert (refused.error_.code(), str(refused.error_)) == ("INVALID_ARG", "negative")
    assert (broken.error_.code(), str(broken.error_)) == ("INTERNAL", "double failed (ValueError)")
    assert backend.counts == {"INVALID_ARG": 1, "INTERNAL": 1}
    assert "[100]" not in caplog.text


def test_who_has_gone_is_not_worked_for() -> None:
    responder = JointResponder(fake_backend(), model_name="double", inputs=["IN"])
    gone, waits = responder.respond(
        [Request(IN=np.array([[1]]), cancelled=True), Request(IN=np.array([[2]]))], double
    )
    assert gone.error_.code() == "CANCELLED"
    assert waits.tensors["OUT"].tolist() == [[4]]
    assert batches == [[2]]
