"""Both gRPC clients against servers that are late, slow, strange, encrypted, or gone; one test for both."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from tandem_triton import (
    AsyncClient,
    BadItemError,
    BadPictureError,
    Client,
    ClientOptions,
    ClosedError,
    DeadlineError,
    ProtocolError,
    RetryPolicy,
    TandemError,
    TlsOptions,
    UnavailableError,
)
from tandem_triton.transport.status import GRPC_ERRORS

from tests.client.scripted_server import answer, scripted_server

PATIENCE_S = 60
ONCE = RetryPolicy(attempts=1)

Ask = Callable[..., dict[str, Any]]


def _ask_by_thread(url: str, options: ClientOptions) -> dict[str, Any]:
    with Client(url, options=options) as client:
        return client.recognize_json(b"picture")


def _ask_by_coroutine(url: str, options: ClientOptions) -> dict[str, Any]:
    async def main() -> dict[str, Any]:
        async with AsyncClient(url, options=options) as client:
            return await client.recognize_json(b"picture")

    return asyncio.run(main())


@pytest.fixture(params=[_ask_by_thread, _ask_by_coroutine], ids=["thread", "coroutine"])
def ask(request: pytest.FixtureRequest) -> Ask:
    found: Ask = request.param
    return found


@pytest.mark.parametrize("code", list(GRPC_ERRORS), ids=lambda code: code.name)
def test_every_status_of_a_real_server_becomes_its_error(ask: Ask, code: grpc.StatusCode) -> None:
    def fail(_: Any, context: Any) -> None:
        context.abort(code, "said so")

    with scripted_server(fail) as server, pytest.raises(TandemError, match="said so") as caught:
        ask(server.url, ClientOptions(retry=ONCE))
    expected = GRPC_ERRORS[code]
    assert type(caught.value) is (BadPictureError if expected is BadItemError else expected)


@pytest.mark.parametrize("changes", [{"id": "another"}, {"name": "OTHER"}, {"raw": b"\1\0"}, {"text": b"{}"}])
def test_an_answer_that_is_not_to_this_question_is_never_handed_out(
    ask: Ask, changes: dict[str, object]
) -> None:
    with (
        scripted_server(lambda request, _: answer(request, **changes)) as server,
        pytest.raises(ProtocolError),
    ):
        ask(server.url, ClientOptions())


def test_metadata_goes_with_every_request(ask: Ask) -> None:
    with scripted_server(lambda request, _: answer(request)) as server:
        ask(server.url, ClientOptions(metadata=(("authorization", "Bearer token"),)))
        assert server.metadata[0]["authorization"] == "Bearer token"


def test_a_server_that_comes_late_is_waited_for(ask: Ask) -> None:
    with scripted_server(lambda request, _: answer(request)) as first:
        port = int(first.url.rsplit(":", 1)[1])
    options = ClientOptions(timeout_s=PATIENCE_S, retry=RetryPolicy(attempts=1_000, longest_pause_s=0.1))
    refused = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        early: Future[dict[str, Any]] = pool.submit(ask, first.url, options)
        refused.wait(0.3)  # long enough for a few refusals; were it too short, the test would only be easier
        with scripted_server(lambda request, _: answer(request), port=port):
            assert early.result(PATIENCE_S) == {"cards": []}


def test_no_server_is_unavailable_after_the_last_attempt(ask: Ask) -> None:
    with scripted_server(lambda request, _: answer(request)) as gone:
        url = gone.url
    with pytest.raises(UnavailableError):
        ask(url, ClientOptions(retry=RetryPolicy(attempts=3, first_pause_s=0.01)))


def test_retries_end_with_the_deadline(ask: Ask) -> None:
    with scripted_server(lambda request, _: answer(request)) as gone:
        url = gone.url
    began_s = time.monotonic()
    with pytest.raises((UnavailableError, DeadlineError)):
        ask(url, ClientOptions(timeout_s=0.5, retry=RetryPolicy(attempts=1_000)))
    assert time.monotonic() - began_s < PATIENCE_S / 2


def test_a_silent_server_is_given_up_and_told_so(ask: Ask) -> None:
    release = threading.Event()

    def wait(request: Any, _: Any) -> Any:
        release.wait(PATIENCE_S)
        return answer(request)

    with scripted_server(wait) as server:
        try:
            with pytest.raises(DeadlineError):
                ask(server.url, ClientOptions(timeout_s=0.2))
            assert server.cancelled.wait(PATIENCE_S)
        finally:
            release.set()


class TestClosing:
    """What is in flight when a client is closed."""

    @pytest.fixture
    def asked(self) -> threading.Event:
        return threading.Event()

    @pytest.fixture
    def respond(self, asked: threading.Event) -> Callable[[Any, Any], Any]:
        def wait(request: Any, context: Any) -> Any:
            asked.set()
            ended = threading.Event()
            context.add_callback(ended.set)
            ended.wait(PATIENCE_S)
            return answer(request)

        return wait

    def test_threads_get_closed_error(
        self, asked: threading.Event, respond: Callable[[Any, Any], Any]
    ) -> None:
        with scripted_server(respond) as server:
            with Client(server.url) as client:
                future = client.submit(b"picture")
                assert asked.wait(PATIENCE_S)
            with pytest.raises(ClosedError):
                future.result(PATIENCE_S)

    def test_coroutines_get_closed_error(
        self, asked: threading.Event, respond: Callable[[Any, Any], Any]
    ) -> None:
        async def main(url: str) -> None:
            async with AsyncClient(url) as client:
                task = client.submit(b"picture")
                assert await asyncio.to_thread(asked.wait, PATIENCE_S)
            with pytest.raises(ClosedError):
                await task
            with pytest.raises(ClosedError):
                await client.recognize(b"picture")

        with scripted_server(respond) as server:
            asyncio.run(main(server.url))


class TestTls:
    """Encrypted connections; certificates made on the spot."""

    @pytest.fixture
    def authority(self) -> Any:
        return pytest.importorskip("trustme", reason="trustme is not installed").CA()

    @pytest.fixture
    def roots(self, authority: Any, tmp_path: Path) -> Path:
        path = tmp_path / "roots.pem"
        authority.cert_pem.write_to_path(str(path))
        return path

    @pytest.fixture
    def credentials(self, authority: Any) -> grpc.ServerCredentials:
        own = authority.issue_cert("localhost")
        chain = b"".join(part.bytes() for part in own.cert_chain_pems)
        return grpc.ssl_server_credentials(
            [(own.private_key_pem.bytes(), chain)], authority.cert_pem.bytes(), require_client_auth=True
        )

    def test_both_ends_show_their_certificate(
        self, ask: Ask, authority: Any, roots: Path, credentials: grpc.ServerCredentials, tmp_path: Path
    ) -> None:
        own = authority.issue_cert("client")
        key, chain = tmp_path / "key.pem", tmp_path / "chain.pem"
        own.private_key_pem.write_to_path(str(key))
        chain.write_bytes(b"".join(part.bytes() for part in own.cert_chain_pems))
        tls = TlsOptions(root_certificates=roots, private_key=key, certificate_chain=chain)
        with scripted_server(lambda request, _: answer(request), credentials=credentials) as server:
            assert ask(server.url, ClientOptions(tls=tls)) == {"cards": []}

    def test_without_a_certificate_there_is_no_answer(
        self, ask: Ask, roots: Path, credentials: grpc.ServerCredentials
    ) -> None:
        options = ClientOptions(tls=TlsOptions(root_certificates=roots), retry=ONCE)
        with (
            scripted_server(lambda request, _: answer(request), credentials=credentials) as server,
            pytest.raises(UnavailableError),
        ):
            ask(server.url, options)
