"""Python's own HTTP server around a function: as little of a server as there can be."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler

Answer = Callable[[bytes], bytes]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def server_of(answer: Answer, port: int) -> ThreadingHTTPServer:
    """A server on `port` of this machine (0: a free one): POST a picture, get the answer.

    Args:
        answer: called from as many threads as there are connections.
        port: TCP port of 127.0.0.1.
    """
    return _Server(("127.0.0.1", port), _handler(answer))


def _handler(answer: Answer) -> type[BaseRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # head and body leave together

        def do_POST(self) -> None:
            try:
                body, status = answer(self.rfile.read(int(self.headers["Content-Length"]))), HTTPStatus.OK
            except Exception:  # the next picture may be a better one
                body, status = b"", HTTPStatus.INTERNAL_SERVER_ERROR
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: a line a picture costs time."""

    return Handler
