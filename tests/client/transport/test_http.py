"""The HTTP client against a server that is slow, strange, encrypted or rude."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tandem_triton import (
    BadPictureError,
    Client,
    ClientOptions,
    DeadlineError,
    ProtocolError,
    RetryPolicy,
    ServerError,
    TandemError,
    TlsOptions,
    UnavailableError,
)
from tandem_triton.services.id_card import SERVICE as ID_CARD
from tandem_triton.transport.wire import HEADER_LENGTH

PATIENCE_S = 60
ONCE = ClientOptions(retry=RetryPolicy(attempts=1))

Respond = Callable[["Handler", bytes, str], None]


class Handler(BaseHTTPRequestHandler):
    """Reads a request and lets the test respond to its tensor and id."""

    protocol_version = "HTTP/1.1"
    respond: Respond
    seen: list[dict[str, str]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        split = int(self.headers[HEADER_LENGTH])
        type(self).seen.append(
            {**{name.lower(): value for name, value in self.headers.items()}, "": self.path}
        )
        type(self).respond(self, body[split:], json.loads(body[:split])["id"])

    def answer(self, status: int, body: bytes, head: int | None = None, length: int | None = None) -> None:
        self.send_response(status)
        if head is not None:
            self.send_header(HEADER_LENGTH, str(head))
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def proper(handler: Handler, _: bytes, request_id: str) -> None:
    """The answer "no card"."""
    text = b'{"cards": []}'
    head = json.dumps({"id": request_id, "outputs": [{"name": "RESULT"}]}).encode()
    handler.answer(200, head + len(text).to_bytes(4, "little") + text, head=len(head))


class Served:
    def __init__(self, url: str, handler: type[Handler]) -> None:
        self.url = url
        self.handler = handler


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    servers: list[ThreadingHTTPServer] = []

    def start(respond: Respond, tls: ssl.SSLContext | None = None) -> Served:
        handler = type("OneTestsHandler", (Handler,), {"respond": staticmethod(respond), "seen": []})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return Served(f"localhost:{server.server_address[1]}", handler)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _ask(url: str, options: ClientOptions = ONCE, model: str = "id_card") -> dict[str, Any]:
    with Client(url, protocol="http", options=options) as client:
        return client.call_json(ID_CARD.served_as(model), b"picture")


def test_the_request_is_tritons(serve: Callable[..., Served]) -> None:
    served = serve(proper)
    options = ClientOptions(token="0123456789abcdef", metadata=(("authorization", "Bearer token"),))  # noqa: S106
    assert _ask(served.url, options, model="another") == {"cards": []}
    [seen] = served.handler.seen
    assert seen[""] == "/v2/models/another/infer"
    assert seen["authorization"] == "Bearer token"
    assert seen["tandem-token"] == "0123456789abcdef"


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, BadPictureError), (500, ServerError), (503, UnavailableError), (302, ServerError)],
)
def test_a_failures_message_comes_along(
    serve: Callable[..., Served], status: int, error: type[TandemError]
) -> None:
    served = serve(lambda handler, _, __: handler.answer(status, b'{"error": "said so"}'))
    with pytest.raises(error, match="said so"):
        _ask(served.url)


@pytest.mark.parametrize(
    ("body", "head"), [(b"", None), (b"<html>", 3), (b'{"id": "1-1", "outputs": []}', 28), (b"[]", 2)]
)
def test_a_body_that_is_not_tritons(serve: Callable[..., Served], body: bytes, head: int | None) -> None:
    served = serve(lambda handler, _, __: handler.answer(200, body, head=head))
    with pytest.raises(ProtocolError):
        _ask(served.url)


def test_another_requests_answer_is_never_handed_out(serve: Callable[..., Served]) -> None:
    served = serve(lambda handler, tensor, _: proper(handler, tensor, "another"))
    with pytest.raises(ProtocolError, match="another request"):
        _ask(served.url)


def test_an_answer_that_breaks_off_is_asked_for_again(serve: Callable[..., Served]) -> None:
    turns = iter([True, False])

    def respond(handler: Handler, tensor: bytes, request_id: str) -> None:
        if next(turns):
            handler.answer(200, b"half an ans", head=5, length=1_000)
            handler.close_connection = True
        else:
            proper(handler, tensor, request_id)

    served = serve(respond)
    assert _ask(served.url, ClientOptions()) == {"cards": []}
    assert len(served.handler.seen) == 2


def test_a_silent_server_is_given_up(serve: Callable[..., Served]) -> None:
    release = threading.Event()

    def wait(handler: Handler, tensor: bytes, request_id: str) -> None:
        release.wait(PATIENCE_S)
        proper(handler, tensor, request_id)

    served = serve(wait)
    try:
        with pytest.raises(DeadlineError):
            _ask(served.url, ClientOptions(timeout_s=0.2))
    finally:
        release.set()


def test_an_encrypted_connection_trusts_only_the_roots_it_was_given(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    trustme = pytest.importorskip("trustme", reason="trustme is not installed")
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    roots = tmp_path / "roots.pem"
    authority.cert_pem.write_to_path(str(roots))
    served = serve(proper, context)
    assert _ask(served.url, ClientOptions(tls=TlsOptions(root_certificates=roots))) == {"cards": []}
    with pytest.raises(UnavailableError):
        _ask(served.url, ClientOptions(tls=TlsOptions(), retry=RetryPolicy(attempts=1)))
