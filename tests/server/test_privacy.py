"""What a sent card leaves behind: nothing in logs, metrics and error messages, nothing on disk, no memory."""

from __future__ import annotations

import io
import json
import logging
import os
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image
from tandem_triton import Client, TandemError
from tritonclient import grpc

from export.services import set_up
from tandem.runtime.model_processes import model_processes
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY
from tests.server.asking import ask

pytestmark = pytest.mark.triton
IMAGES = Path(__file__).parents[2] / "docs" / "images"
SAMPLE = (IMAGES / "sample.jpg").read_bytes()
FIELDS: dict[str, str] = json.loads((IMAGES / "sample.json").read_text("utf-8"))[0]["cards"][0]["fields"]
PERSONAL = ("姓名", "住址", "公民身份号码", "出生")
SHORTEST_PIECE = 4  # characters of an address or a number that already tell something
ALL_DETAILS = 4  # log_verbose: more than anybody would run with
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux keeps it
DESCRIPTION, COMMENT = 0x010E, 0x9286  # EXIF tags that hold text


def traces() -> set[str]:
    """Everything that would give the card away: values, their pieces, and how programs may write them."""
    pieces = set()
    for name in PERSONAL:
        value = FIELDS[name]
        pieces.add(value)
        longest = range(len(value) - SHORTEST_PIECE + 1) if name != "姓名" else range(0)
        pieces |= {value[start : start + SHORTEST_PIECE] for start in longest}
    # 1993 alone also occurs in numbers that have nothing to do with a card.
    pieces = {piece for piece in pieces if not piece.isascii() or len(piece) > SHORTEST_PIECE}
    pieces.add(FIELDS["公民身份号码"][-6:])
    spellings = [
        str,
        lambda text: text.encode("unicode_escape").decode(),
        urllib.parse.quote,
        lambda text: text.encode().hex(),
        lambda text: "".join(f"\\{byte:03o}" for byte in text.encode()),  # protobuf's text form
        lambda text: repr(text.encode())[2:-1],
    ]
    return {spelling(piece) for piece in pieces for spelling in spellings}


def found(text: str) -> list[str]:
    """How many traces of the card are in the text, without showing them in a test's report."""
    return [f"a trace of {len(trace)} characters" for trace in traces() if trace in text]


def with_description() -> bytes:
    """The sample, with its name and number in its EXIF data too."""
    exif = Image.Exif()
    exif[DESCRIPTION] = FIELDS["姓名"]
    exif[COMMENT] = FIELDS["公民身份号码"]
    data = io.BytesIO()
    Image.open(io.BytesIO(SAMPLE)).save(data, "JPEG", quality=92, exif=exif)
    return data.getvalue()


DESCRIBED = with_description()  # made before anybody listens: Pillow's debug log tells what it writes


@dataclass
class Left:
    """What a server that has seen the card left behind."""

    log: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    metrics: str = ""
    written: list[str] = field(default_factory=list)
    temporary: list[str] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)
    prefix: str = ""
    told: str = ""
    read: list[dict[str, str]] = field(default_factory=list)


def open_for_writing(pid: int) -> Iterator[str]:
    """The files on disks that a process has open for writing."""
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(descriptor)
            flags = Path(f"/proc/{pid}/fdinfo/{descriptor.name}").read_text("ascii").split()[3]
        except FileNotFoundError:
            continue
        on_disk = target.startswith("/") and not target.startswith(("/dev/", "/proc/", "/memfd:"))
        if on_disk and int(flags, 8) & (os.O_WRONLY | os.O_RDWR):
            yield target


def send_everything(server: TritonServer, left: Left) -> None:
    """Good pictures, broken ones and foreign bytes that hold the card's text, over both protocols."""
    text = json.dumps(FIELDS, ensure_ascii=False).encode()
    bad = [text, b"BM" + text, b"\xff\xd8\xff" + text, SAMPLE[: len(SAMPLE) // 2] + text]
    for protocol, url in (("grpc", server.grpc_url), ("http", server.http_url)):
        with Client(url, protocol=protocol) as client:  # type: ignore[arg-type]
            for picture in (SAMPLE, DESCRIBED):
                left.read += [dict(card["fields"]) for card in client.recognize_json(picture)["cards"]]
            for picture in bad:
                try:
                    client.recognize(picture)
                except TandemError as error:
                    left.messages.append(f"{error} {error!r} {error.__cause__}")
    with grpc.InferenceServerClient(server.grpc_url) as plain:
        ask(plain, SAMPLE, DESCRIBED)
        left.metrics += str(plain.get_inference_statistics()) + str(plain.get_model_config("id_card"))


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """A server with the most talkative log, after it has seen the card in every way."""
    set_up(["id_card"], lambda line: None)
    temporary = tmp_path_factory.mktemp("temporary")
    options = ServerOptions(
        model_repository=REPOSITORY,
        services=("id_card",),
        grpc_port=0,
        http_port=0,
        metrics_port=0,
        log_verbose=ALL_DETAILS,
        environment={"TMPDIR": str(temporary)},
    )
    left = Left()
    handler = logging.Handler(logging.DEBUG)
    handler.emit = lambda record: left.log.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with TritonServer(options, log=left.log.append) as server:
            prefix = server.shared_memory_prefix
            with grpc.InferenceServerClient(server.grpc_url) as client:
                left.told = client.get_server_metadata().name
            send_everything(server, left)
            for pid in (server.pid, *model_processes(server.pid)):
                left.written += open_for_writing(pid)
            url = f"http://{server.metrics_url}/metrics"
            with urllib.request.urlopen(url, timeout=60) as answer:
                left.metrics += answer.read().decode()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    left.temporary = [str(path) for path in temporary.rglob("*")]
    left.prefix = prefix
    left.regions = [path.name for path in SHARED_MEMORY.glob(f"{prefix}*")]
    return left


def test_the_card_was_read_and_refused_so_there_was_something_to_leave(left: Left) -> None:
    assert len(left.read) == 4
    assert all(fields["公民身份号码"] == FIELDS["公民身份号码"] for fields in left.read)
    assert len(left.messages) == 8
    assert len(left.log) > 100
    assert 'tandem_failed_requests{code="INVALID_ARG"' in left.metrics
    for text in (json.dumps(FIELDS), str(FIELDS), repr(str(FIELDS).encode())):
        assert found(text), "the search itself must find a card"


def test_no_log_line_tells_who_was_on_a_card(left: Left) -> None:
    assert not found("\n".join(left.log))


def test_no_metric_tells_who_was_on_a_card(left: Left) -> None:
    assert not found(left.metrics)


def test_no_error_message_tells_who_was_on_a_card(left: Left) -> None:
    assert not found("\n".join(left.messages))


def test_nothing_of_a_picture_reaches_a_disk(left: Left) -> None:
    assert left.written == []
    assert left.temporary == []


def test_a_stopped_server_leaves_no_shared_memory(left: Left) -> None:
    assert left.regions == []


def test_no_caller_learns_the_name_of_the_memory(left: Left) -> None:
    assert left.prefix
    assert left.told.startswith("tandem-")
    assert not set(left.prefix.split("-")) & set(left.told.split("-")[1:])
    assert left.prefix not in "".join(left.messages) + left.metrics
