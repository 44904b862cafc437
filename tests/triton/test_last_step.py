"""The last step of a picture's ensemble: who leaves is told, and the note joins the result."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tandem.errors import InputError
from tandem.triton.company import Company
from tandem.triton.last_step import LastStep
from tandem.triton.notes import pack_note, with_ticket
from tests.triton.fakes import Request, fake_backend


def request(number: int, note: dict[str, Any]) -> Request:
    return Request(NUMBER=np.array([[number]]), NOTE=pack_note(note)[np.newaxis])


def twice(number: Any) -> dict[str, int]:
    if number[0] < 0:
        raise InputError("below 0")
    return {"twice": int(number[0]) * 2}


@pytest.fixture
def company():
    company = Company()  # where the last step tells, for both are children of one process
    yield company
    company.close()


@pytest.fixture
def step():
    step = LastStep(fake_backend(), model_name="last", inputs=["NUMBER"], answer=twice)
    yield step
    step.close()


def test_an_item_leaves_and_its_note_but_not_its_ticket_joins_the_result(company, step):
    tickets = [company.enter(), company.enter()]
    (response,) = step.respond([request(4, with_ticket({"unread_pages": 2}, tickets[0]))])
    assert json.loads(response.tensors["RESULT"][0, 0]) == {"twice": 8, "unread_pages": 2}
    assert company.count() == 1


def test_an_item_that_fails_in_the_last_step_has_left_too(company, step):
    tickets = [company.enter(), company.enter()]
    (response,) = step.respond([request(-1, with_ticket({}, tickets[1]))])
    assert response.has_error()
    assert company.count() == 1
