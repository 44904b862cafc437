from http import HTTPStatus

import grpc
import pytest
from tandem_triton.core import errors
from tandem_triton.transport.status import GRPC_ERRORS, error_of_grpc, error_of_http


def _all_errors(base: type[errors.TandemError] = errors.TandemError) -> list[type[errors.TandemError]]:
    return [base, *(found for cls in base.__subclasses__() for found in _all_errors(cls))]


def test_every_grpc_status_has_its_error() -> None:
    failures = set(grpc.StatusCode) - {grpc.StatusCode.OK}
    assert set(GRPC_ERRORS) == failures, "gRPC has a status that nobody decided about"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("CANCELLED", errors.CancelledError),
        ("UNKNOWN", errors.ServerError),
        ("INVALID_ARGUMENT", errors.BadItemError),
        ("DEADLINE_EXCEEDED", errors.DeadlineError),
        ("NOT_FOUND", errors.NotServedError),
        ("ALREADY_EXISTS", errors.ServerError),
        ("PERMISSION_DENIED", errors.AccessError),
        ("RESOURCE_EXHAUSTED", errors.OverloadedError),
        ("FAILED_PRECONDITION", errors.ServerError),
        ("ABORTED", errors.ServerError),
        ("OUT_OF_RANGE", errors.BadItemError),
        ("UNIMPLEMENTED", errors.NotServedError),
        ("INTERNAL", errors.ServerError),
        ("UNAVAILABLE", errors.UnavailableError),
        ("DATA_LOSS", errors.ServerError),
        ("UNAUTHENTICATED", errors.AccessError),
    ],
)
def test_grpc_status(code: str, error: type[errors.TandemError]) -> None:
    found = error_of_grpc(grpc.StatusCode[code], "why")
    assert type(found) is error
    assert str(found) == "why"


def test_grpc_status_without_details_says_its_name() -> None:
    assert str(error_of_grpc(grpc.StatusCode.ABORTED, None)) == "ABORTED"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, errors.BadItemError),
        (401, errors.AccessError),
        (403, errors.AccessError),
        (404, errors.NotServedError),
        (405, errors.NotServedError),
        (408, errors.DeadlineError),
        (409, errors.ServerError),
        (413, errors.BadItemError),
        (429, errors.OverloadedError),
        (499, errors.CancelledError),
        (500, errors.ServerError),
        (501, errors.NotServedError),
        (502, errors.UnavailableError),
        (503, errors.UnavailableError),
        (504, errors.DeadlineError),
        (HTTPStatus.IM_A_TEAPOT, errors.ServerError),
    ],
)
def test_http_status(status: int, error: type[errors.TandemError]) -> None:
    assert type(error_of_http(status, "why")) is error


def test_codes_are_grpc_names() -> None:
    names = {code.name for code in grpc.StatusCode}
    assert {error.code for error in _all_errors()} <= names


def test_only_what_sending_again_can_help_is_retryable() -> None:
    retryable = {error for error in _all_errors() if error.retryable}
    assert retryable == {errors.UnavailableError, errors.OverloadedError, errors.DeadlineError}


def test_a_step_that_fell_over_is_no_fault_of_the_picture() -> None:
    told = (
        "in ensemble 'id_card', expected 4 inputs but got 2 inputs for model 'parse_fields'. "
        "Got input(s) ['PROBABILITIES','CHARACTERS'], but missing required input(s) ['CARDS','SEGMENTS']"
    )
    assert type(error_of_grpc(grpc.StatusCode.INVALID_ARGUMENT, told)) is errors.ServerError
    assert type(error_of_http(HTTPStatus.BAD_REQUEST, told)) is errors.ServerError
    assert type(error_of_grpc(grpc.StatusCode.UNAVAILABLE, told)) is errors.UnavailableError


def test_a_refused_item_is_of_its_services_kind() -> None:
    found = error_of_grpc(grpc.StatusCode.INVALID_ARGUMENT, "why", errors.BadPictureError)
    assert type(found) is errors.BadPictureError
    assert (
        type(error_of_http(HTTPStatus.BAD_REQUEST, "why", errors.BadPictureError)) is errors.BadPictureError
    )


def test_a_refused_token_is_told_from_a_server_that_is_away() -> None:
    """Triton says UNAVAILABLE to both."""
    told = "This protocol is restricted, expecting header 'triton-grpc-protocol-tandem-token'"
    assert type(error_of_grpc(grpc.StatusCode.UNAVAILABLE, told)) is errors.AccessError
    assert type(error_of_grpc(grpc.StatusCode.UNAVAILABLE, "Server is not ready")) is errors.UnavailableError


def test_codes_come_back_as_their_errors() -> None:
    for error in (errors.BadItemError, errors.ServerError, errors.AccessError, errors.DeadlineError):
        assert errors.error_of_code(error.code) is error
    assert errors.error_of_code("INVALID_ARGUMENT", errors.BadPictureError) is errors.BadPictureError
    assert errors.error_of_code("NEW") is errors.ServerError
