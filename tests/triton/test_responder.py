"""The plumbing of the Python models, at its seam to Triton; the real server's part is in tests/server."""

from __future__ import annotations

import json
import logging
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tandem.errors import InputError
from tandem.triton.notes import NOTE, error_note, pack_note, take_ticket, unpack_note, with_ticket
from tandem.triton.responder import Arrays, Responder, model_parameters, stack_padded

PRINTED_NAME = "张三"


class _Error(Exception):
    INVALID_ARG, INTERNAL, CANCELLED = "INVALID_ARG", "INTERNAL", "CANCELLED"

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class _Family:
    COUNTER = "counter"
    counts: dict[str, int]

    def __init__(self, **_: object) -> None:
        type(self).counts = {}

    def Metric(self, labels: dict[str, str]) -> SimpleNamespace:  # noqa: N802  # Triton's name
        def increment(by: int) -> None:
            self.counts[labels["code"]] = self.counts.get(labels["code"], 0) + by

        return SimpleNamespace(increment=increment)


PB_UTILS = SimpleNamespace(
    TritonError=_Error,
    TritonModelException=RuntimeError,
    MetricFamily=_Family,
    Tensor=lambda name, array: (name, array),
    InferenceResponse=lambda output_tensors, error=None: SimpleNamespace(
        tensors=dict(output_tensors), error=error
    ),
    get_input_tensor_by_name=lambda request, name: SimpleNamespace(as_numpy=lambda: request.arrays[name]),
)


def _request(
    values: Sequence[int], *, cancelled: bool = False, wanted: Sequence[str] = ("OUT", "RESULT", NOTE)
) -> SimpleNamespace:
    return SimpleNamespace(
        arrays={"IN": np.array(values)},
        is_cancelled=lambda: cancelled,
        requested_output_names=lambda: list(wanted),
    )


def _double(inputs: Arrays) -> Arrays:
    if (inputs["IN"] < 0).any():
        raise InputError("negative")
    if (inputs["IN"] > 99).any():
        raise ValueError(f"too large for {PRINTED_NAME}")
    return {"OUT": inputs["IN"] * 2}


@pytest.mark.parametrize("workers", [None, ThreadPoolExecutor(2)])
def test_every_request_has_its_own_answer_in_order(
    workers: ThreadPoolExecutor | None, caplog: pytest.LogCaptureFixture
) -> None:
    responder = Responder(PB_UTILS, model_name="double", inputs=["IN"])
    requests = [
        _request([1, 2]),
        _request([-1]),
        _request([100]),
        _request([3]),
        _request([4], cancelled=True),
    ]
    with caplog.at_level(logging.ERROR):
        answers: list[Any] = responder.respond(requests, _double, workers)
    assert [answer.error and answer.error.code for answer in answers] == [
        None,
        "INVALID_ARG",
        "INTERNAL",
        None,
        "CANCELLED",
    ]
    assert answers[0].tensors["OUT"].tolist() == [2, 4]
    assert answers[3].tensors["OUT"].tolist() == [6]
    assert str(answers[1].error) == "negative"
    assert str(answers[2].error) == "double failed (ValueError)"
    assert PRINTED_NAME not in caplog.text
    assert "_double" in caplog.text
    assert _Family.counts == {"INVALID_ARG": 1, "INTERNAL": 1, "CANCELLED": 1}


def test_a_server_without_metrics_counts_nothing() -> None:
    def refuse(**_: object) -> None:
        raise RuntimeError("metrics are off")

    without = SimpleNamespace(**{**vars(PB_UTILS), "MetricFamily": refuse})
    without.MetricFamily.COUNTER = "counter"
    (answer,) = Responder(without, model_name="double", inputs=["IN"]).respond([_request([-1])], _double)
    assert answer.error.code == "INVALID_ARG"


def _count_up(inputs: Arrays) -> Arrays:
    if inputs["IN"] < 0:
        raise InputError("negative")
    return {"OUT": np.arange(1, int(inputs["IN"]) + 1)}


def test_items_are_stacked_and_padded() -> None:
    responder = Responder(PB_UTILS, model_name="count", inputs=["IN"])
    (answer,) = responder.respond_to_items([_request([1, 3])], _count_up)
    assert answer.tensors["OUT"].tolist() == [[1, 0, 0], [1, 2, 3]]


def test_of_several_items_one_fails_alone(caplog: pytest.LogCaptureFixture) -> None:
    def told(item: Arrays) -> Arrays:
        _double(item)
        return {"RESULT": np.array([b"{}"], np.object_)}

    responder = Responder(PB_UTILS, model_name="double", inputs=["IN"])
    several, alone = responder.respond_to_items([_request([1, -1, 100]), _request([-1])], told)
    assert [json.loads(one) for one in several.tensors["RESULT"][:, 0]] == [
        {},
        {"error": {"code": "INVALID_ARG", "message": "negative"}},
        {"error": {"code": "INTERNAL", "message": "double failed (ValueError)"}},
    ]
    assert alone.error.code == "INVALID_ARG"
    assert PRINTED_NAME not in caplog.text
    assert _Family.counts == {"INVALID_ARG": 2, "INTERNAL": 1}


def test_an_item_that_failed_before_is_not_worked_on() -> None:
    asked: list[int] = []

    def count(item: Arrays) -> Arrays:
        asked.append(int(item["IN"]))
        return {"OUT": item["IN"][np.newaxis], NOTE: item[NOTE]}

    failed = error_note("INVALID_ARG", "empty")
    request = _request([1, 2])
    request.arrays[NOTE] = np.stack([failed, pack_note({})])
    responder = Responder(PB_UTILS, model_name="count", inputs=["IN", NOTE])
    (answer,) = responder.respond_to_items(
        [request], count, instead=lambda note: {"OUT": np.zeros(1, int), NOTE: note}
    )
    assert asked == [2]
    assert answer.tensors["OUT"].tolist() == [[0], [2]]
    assert answer.tensors[NOTE].tolist() == [failed.tolist(), [b""]]


@pytest.mark.parametrize(
    ("arrays", "shape"),
    [([np.ones((2, 3))], (1, 2, 3)), ([np.ones((2, 3)), np.ones((4, 1))], (2, 4, 3))],
)
def test_stack_padded(arrays: list[NDArray[np.float64]], shape: tuple[int, ...]) -> None:
    stacked = stack_padded(arrays)
    assert stacked.shape == shape
    assert stacked.sum() == sum(array.sum() for array in arrays)


def test_parameters_of_a_model() -> None:
    config = json.dumps({"parameters": {"workers": {"string_value": "3"}}})
    assert model_parameters(config, {"workers": "2", "other": "x"}) == {"workers": "3", "other": "x"}
    with pytest.raises(ValueError, match="unknown parameters"):
        model_parameters(config, {"other": "x"})


def test_a_request_whose_inputs_cannot_be_read_fails_alone(caplog: pytest.LogCaptureFixture) -> None:
    unreadable = _request([])
    unreadable.arrays = {PRINTED_NAME: 1}
    responder = Responder(PB_UTILS, model_name="double", inputs=["IN"])
    first, second = responder.respond([unreadable, _request([3])], _double)
    assert first.error.code == "INTERNAL"
    assert second.tensors["OUT"].tolist() == [6]
    assert PRINTED_NAME not in caplog.text + str(first.error)


def test_a_ticket_travels_in_the_note_and_is_no_part_of_the_result() -> None:
    said = unpack_note(pack_note(with_ticket({"unread_pages": 2}, 2**40)))
    assert take_ticket(said) == 2**40
    assert said == {"unread_pages": 2}
    assert take_ticket(said) is None


@pytest.mark.parametrize("written", [-1, 2**64, 1.5, "7", None, [1]])
def test_what_is_no_ticket_is_none_and_no_part_of_the_result_either(written: object) -> None:
    said = {"ticket": written}
    assert take_ticket(said) is None
    assert said == {}


def test_a_response_has_the_outputs_that_were_asked_for_and_no_other() -> None:
    responder = Responder(PB_UTILS, model_name="double", inputs=["IN"])

    def both(inputs: Arrays) -> Arrays:
        return {"OUT": inputs["IN"], "MORE": inputs["IN"]}

    asked = [_request([1], wanted=["MORE"]), _request([2], wanted=["OUT", "MORE"])]
    assert [sorted(answer.tensors) for answer in responder.respond(asked, both)] == [
        ["MORE"],
        ["MORE", "OUT"],
    ]


def test_what_the_server_lent_goes_back_before_it_ends() -> None:
    families = []

    class Remembered(_Family):
        def __init__(self, **_: object) -> None:
            super().__init__()
            families.append(weakref.ref(self))

    backend = SimpleNamespace(**{**vars(PB_UTILS), "MetricFamily": Remembered})
    responder = Responder(backend, model_name="double", inputs=["IN"])
    responder.respond([_request([-1])], _double)
    assert families[0]() is not None
    responder.close()
    assert families[0]() is None
    (answer,) = responder.respond([_request([-1])], _double)  # a straggler is answered, and counted nowhere
    assert answer.error is not None
