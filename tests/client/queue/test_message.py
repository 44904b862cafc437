import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tandem_triton.core import errors

pytest.importorskip("aio_pika", reason="aio-pika is not installed")

from tandem_triton.queue.message import (
    QueueNames,
    QueueOptions,
    decode_reply,
    encode_failure,
)


def test_an_answer_passes_as_it_is() -> None:
    assert decode_reply(b'{"cards": []}') == b'{"cards": []}'


@pytest.mark.parametrize(
    "error", [errors.BadPictureError, errors.ServerError, errors.DeadlineError, errors.NotServedError]
)
def test_a_failure_comes_out_as_it_went_in(error: type[errors.TandemError]) -> None:
    with pytest.raises(error, match="太大") as caught:
        decode_reply(encode_failure(error("太大")))
    assert type(caught.value) is error


def test_a_failure_of_a_later_version_is_a_server_error() -> None:
    with pytest.raises(errors.ServerError):
        decode_reply(json.dumps({"error": {"code": "NEW", "message": "?"}}).encode())


@given(
    body=st.binary(max_size=60) | st.sampled_from([b'{"error": 1}', b'{"error": {}}', b"[]", b"[" * 9_999])
)
def test_any_body_is_an_answer_a_failure_or_a_protocol_error(body: bytes) -> None:
    try:
        assert decode_reply(body) == body
        assert isinstance(json.loads(body), dict)
    except errors.ProtocolError:
        pass


def test_names_and_options_out_of_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="two names"):
        QueueNames(pictures="same", dead="same")
    with pytest.raises(ValueError, match="longest"):
        QueueNames(longest=0)
    with pytest.raises(ValueError, match="positive"):
        QueueOptions(timeout_s=0)
    with pytest.raises(ValueError, match="max_in_flight"):
        QueueOptions(max_in_flight=0)
