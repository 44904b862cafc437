import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tandem_triton.core import errors

pytest.importorskip("aio_pika", reason="aio-pika is not installed")

from tandem_triton.queue.connection import check_broker_url
from tandem_triton.queue.message import QueueOptions, decode_reply, encode_failure
from tandem_triton.queue.topology import QueueNames


def test_an_answer_passes_as_it_is() -> None:
    assert decode_reply(b'{"cards": []}') == b'{"cards": []}'


@pytest.mark.parametrize(
    "error", [errors.BadPictureError, errors.ServerError, errors.DeadlineError, errors.NotServedError]
)
def test_a_failure_comes_out_as_it_went_in(error: type[errors.TandemError]) -> None:
    with pytest.raises(error, match="太大") as caught:
        decode_reply(encode_failure(error("太大")), errors.BadPictureError)
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
    for prefix in ("", "two words", ".dot", "dot.", "a..b", "#", "*"):
        with pytest.raises(ValueError, match="prefix"):
            QueueNames(prefix=prefix)
    with pytest.raises(ValueError, match="dead_expiry_s"):
        QueueNames(dead_expiry_s=0)
    with pytest.raises(ValueError, match="longest"):
        QueueNames(longest=0)
    with pytest.raises(ValueError, match="positive"):
        QueueOptions(timeout_s=0)
    with pytest.raises(ValueError, match="max_in_flight"):
        QueueOptions(max_in_flight=0)


def test_no_two_names_are_the_same() -> None:
    names = QueueNames()
    exchanges = {names.items_exchange, names.replies_exchange, names.dead_exchange}
    queues = {names.items("id_card"), names.dead("id_card"), names.replies("guest", "1")}
    assert len(exchanges) == len(queues) == 3
    assert names.is_replies(names.replies("guest", "1"))
    for queue in ("billing.orders", names.items("id_card"), names.dead("id_card"), "tandem.replies", ""):
        assert not names.is_replies(queue)


@pytest.mark.parametrize(
    "url", ["tandem:SECRET@host/", "http://tandem:SECRET@host/", "amqp://", "amqp://u:SECRET@h:port/", ""]
)
def test_a_broker_url_that_is_none_is_refused_without_telling_its_secret(url: str) -> None:
    with pytest.raises(ValueError, match="amqp://") as caught:
        check_broker_url(url)
    assert "SECRET" not in str(caught.value)


def test_a_broker_urls_user() -> None:
    assert check_broker_url("amqp://cards:secret@host/") == "cards"
    assert check_broker_url("amqps://host:5671/") == "guest"
    with pytest.raises(TypeError):
        check_broker_url(None)  # type: ignore[arg-type]
