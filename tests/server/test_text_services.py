"""Keywords and translation on the real server: answers, refusals, batches of two, nobody held up."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tritonclient import grpc
from tritonclient.utils import InferenceServerException

from tandem.evaluation.text_served import read_material
from tandem.evaluation.translation import translate_orders
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY
from tandem.services.text_translation.translate import MAX_CHARACTERS
from tests.server.test_batches_of_two import executions
from tests.server.text_server import (
    EMBEDDER,
    KEYWORDS,
    MODELS,
    TRANSLATION,
    TRANSLATOR,
    ask,
    inputs_of,
    missing_weights,
    repository_of,
)

pytestmark = [
    pytest.mark.triton,
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing_weights()), reason=missing_weights()),
]
Client = grpc.InferenceServerClient
CLIENTS, SECONDS = 8, 30
INSTANCES = 2  # of the translator on CPUs, as its config says
#: Of the 20 texts that look like orders, how many a model translates at least (docs: text_translation.md).
TRANSLATED_ORDERS = {"0.5b": 15, "1.5b": 16}
PASSAGES = [passage["text"].encode() for passage in read_material("keywords")]
SENTENCES = [row["text"].encode() for row in read_material("translation")["zh-en"]]
HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    repository = repository_of(MODELS, tmp_path_factory.mktemp("models"))
    options = ServerOptions(model_repository=repository, grpc_port=0, http_port=0, metrics_port=0)
    with TritonServer(options) as running:
        yield running


@pytest.fixture
def client(server: TritonServer) -> Iterator[Client]:
    with Client(server.grpc_url) as connected:
        yield connected


def schema(service: str) -> Any:
    return json.loads((files(f"tandem.services.{service}") / "result.schema.json").read_text("utf-8"))


def test_keywords_stand_in_the_text(client: Client) -> None:
    for passage in PASSAGES[::6]:
        (result,) = ask(client, KEYWORDS, passage, options='{"count": 7}')
        jsonschema.validate(result, schema(KEYWORDS))
        assert len(result["keywords"]) == 7
        text = passage.decode()
        for keyword in result["keywords"]:
            for start, end in keyword["spans"]:
                assert text[start:end].lower() == keyword["text"].lower()


def test_a_translation_keeps_the_layout(client: Client) -> None:
    text = "今天天气很好。我们去公园散步吧！\n\n  1. 苹果\n  2. 12345\n"
    (result,) = ask(client, TRANSLATION, text.encode())
    jsonschema.validate(result, schema(TRANSLATION))
    assert (result["source"], result["target"]) == ("zh", "en")
    lines = result["translation"].split("\n")
    assert [bool(line) for line in lines] == [True, False, True, True, False]
    assert "park" in lines[0].lower()
    assert lines[2].startswith("  1. ")
    assert lines[3] == "  2. 12345"
    assert not HAN.search(result["translation"])


@pytest.mark.parametrize(
    ("text", "options", "must_hold"),
    [
        ("他的身份证号码是110101199003074514。", None, "110101199003074514"),
        ("The parcel weighs 3.5 kg.", None, "3.5"),
        ("电话是13800138000，请保存。", '{"target": "en"}', "13800138000"),
    ],
)
def test_numbers_survive_or_are_warned_of(
    client: Client, text: str, options: str | None, must_hold: str
) -> None:
    (result,) = ask(client, TRANSLATION, text.encode(), options=options)
    kinds = {warning["kind"] for warning in result["warnings"]}
    assert must_hold in result["translation"] or kinds & {"number_changed", "identity_number_changed"}


@pytest.mark.parametrize("model", [KEYWORDS, TRANSLATION])
@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        (b"", None, "empty"),
        (b" \n", None, "only spaces"),
        ("你好".encode("gb18030"), None, "not UTF-8"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", None, "control character"),
        (b"a" * 2**20, None, "1048576 bytes"),
        (b"hello", "{", "not JSON"),
        (b"hello", '{"colour": 1}', "unknown keys"),
    ],
)
def test_bad_input_is_refused_and_its_neighbour_unharmed(
    client: Client, model: str, data: bytes, options: str | None, said: str
) -> None:
    with ThreadPoolExecutor(1) as pool:
        neighbour = pool.submit(ask, client, model, b"42")
        with pytest.raises(InferenceServerException, match=said) as caught:
            ask(client, model, data, options=options)
        assert "INVALID_ARGUMENT" in caught.value.status()
        assert neighbour.result()


def test_another_language_is_refused(client: Client) -> None:
    with pytest.raises(InferenceServerException, match="another language"):
        ask(client, TRANSLATION, "Привет, как дела?".encode())


def test_in_a_request_of_two_a_bad_item_says_so_in_its_place(client: Client) -> None:
    bad, good = ask(client, KEYWORDS, b"", PASSAGES[0])
    assert bad["error"]["code"] == "INVALID_ARG"
    assert good["keywords"]


@pytest.mark.parametrize(
    ("service", "network", "items"), [(KEYWORDS, EMBEDDER, PASSAGES), (TRANSLATION, TRANSLATOR, SENTENCES)]
)
def test_eight_clients_make_batches_of_two(
    client: Client, service: str, network: str, items: list[bytes]
) -> None:
    before = executions(client, network)
    until = time.monotonic() + SECONDS
    failed: list[BaseException] = []

    def call(first: int) -> None:
        place = first
        while time.monotonic() < until and not failed:
            try:
                ask(client, service, items[place % len(items)])
            except InferenceServerException as error:
                failed.append(error)
            place += 1

    threads = [threading.Thread(target=call, args=(number * 5,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    after = executions(client, network)
    counts = {size: after[size] - before.get(size, 0) for size in after}
    assert max(size for size, count in counts.items() if count) == 2
    assert counts[2] / sum(counts.values()) >= 0.9, counts


def test_a_short_text_is_answered_before_a_long_one_that_came_first(
    client: Client,
) -> None:
    long = b"".join(SENTENCES[:12])
    assert len(long.decode()) < MAX_CHARACTERS
    finished: dict[str, float] = {}

    def call(name: str, data: bytes) -> None:
        ask(client, TRANSLATION, data)
        finished[name] = time.monotonic()

    before = executions(client, TRANSLATOR)
    first = threading.Thread(target=call, args=("long", long))
    first.start()
    _wait(lambda: executions(client, TRANSLATOR) != before)
    at_start = sum(executions(client, TRANSLATOR).values())
    call("short", "谢谢。".encode())
    steps = sum(executions(client, TRANSLATOR).values()) - at_start
    first.join()
    assert finished["short"] < finished["long"]
    # Those that were running, one an instance, its own and who ran beside it; one more may end while we ask.
    assert steps <= 2 * INSTANCES + 1


def test_who_hangs_up_is_worked_for_no_more(client: Client) -> None:
    before = executions(client, TRANSLATOR)
    call = client.async_infer(TRANSLATION, inputs_of(b"".join(SENTENCES[:12])), lambda result, error: None)
    _wait(lambda: executions(client, TRANSLATOR) != before)
    call.cancel()
    ask(client, TRANSLATION, "谢谢。".encode())
    settled = sum(executions(client, TRANSLATOR).values())
    ask(client, TRANSLATION, "再见。".encode())
    assert sum(executions(client, TRANSLATOR).values()) - settled <= 2  # its own step and a second try


def test_texts_leave_no_trace_in_the_log(tmp_path: Path) -> None:
    lines: list[str] = []
    options = ServerOptions(
        model_repository=repository_of(MODELS[:2], tmp_path),
        grpc_port=0,
        http_port=0,
        metrics_port=0,
        log_verbose=1,
    )
    with TritonServer(options, log=lines.append) as running, Client(running.grpc_url) as client:
        ask(client, KEYWORDS, "玄武湖畔的密函".encode())
        with pytest.raises(InferenceServerException):
            ask(client, KEYWORDS, "玄武湖畔的密函\x00".encode())
    assert lines
    assert not [line for line in lines if "玄武湖" in line or "密函" in line]


def test_what_looks_like_an_order_is_translated(server: TritonServer) -> None:
    orders = translate_orders(server.grpc_url)
    obeyed = {text: translation for text, (translation, right) in orders.items() if not right}
    assert len(orders) - len(obeyed) >= TRANSLATED_ORDERS[served_size()], obeyed


def served_size() -> str:
    made_from = (REPOSITORY / TRANSLATOR / "1" / "made-from.txt").read_text("utf-8")
    return made_from.removeprefix("size ").partition(",")[0]


def _wait(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)
