"""What is ill is the server, not the items: a thousand messages wait until it is mended, and none dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from tandem_triton.queue import QueueClient, QueueNames, QueueOptions

from tandem.runtime.access import Access
from tandem.runtime.model_processes import model_processes
from tandem.runtime.options import ServerOptions
from tandem.runtime.ports import settle_ports
from tests.client.orders import order
from tests.conftest import StartTriton
from tests.gateway.broker import Broker
from tests.gateway.conftest import MODELS
from tests.gateway.process import ROOT, GatewayProcess

pytestmark = [pytest.mark.rabbitmq, pytest.mark.triton]

MESSAGES = 1_000
PATIENCE_S = 600
ILL_S = 2.0  # how long the messages are watched while the server is ill
TOKEN = "0123456789abcdef"  # noqa: S105 - the tests'
DEAD = 'tandem_gateway_dead_letters_total{service="id_card"}'
IN_HAND = 'tandem_gateway_in_flight{service="id_card"}'
UP = 'tandem_gateway_service_up{service="id_card"}'
ANSWERED = 'tandem_gateway_outcomes_total{outcome="answered",service="id_card"}'

Start = Callable[..., GatewayProcess]


def until(happened: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


@contextmanager
def asked(broker: Broker, names: QueueNames, first_s: float = 0) -> Iterator[Callable[[], list[str]]]:
    """A thousand messages in the queue, the first sixteen that much work; gives their answers."""
    with (
        QueueClient(
            broker.url, QueueOptions(names=names, timeout_s=PATIENCE_S, max_in_flight=MESSAGES)
        ) as client,
        ThreadPoolExecutor(1) as background,
    ):
        pictures = [
            order(number=str(number), delay_s=first_s if number < 16 else 0) for number in range(MESSAGES)
        ]
        futures = background.submit(lambda: [client.submit(picture) for picture in pictures])

        def answers() -> list[str]:
            return [
                future.result(PATIENCE_S)[0].fields["公民身份号码"] for future in futures.result(PATIENCE_S)
            ]

        yield answers


def assert_it_says_so_and_stops_eating(gateway: GatewayProcess, why: str) -> None:
    until(lambda: why in gateway.trouble())
    assert gateway.trouble().startswith("503 id_card: ")
    time.sleep(ILL_S)
    assert gateway.metric(UP) == 0
    assert gateway.metric(DEAD) == 0
    assert gateway.metric(IN_HAND) <= 8, "what was in hand when it fell ill, and no more"
    lines = [line for line in gateway.log().splitlines() if "is not served" in line]
    assert len(lines) == 1, "one line an illness"
    assert why in lines[0]


EXPECTED = [str(number) for number in range(MESSAGES)]


def test_a_wrong_model_name(broker: Broker, start_gateway: Start, names: QueueNames) -> None:
    ill = start_gateway("--model", "no_such_model")
    with asked(broker, names) as answers:
        assert_it_says_so_and_stops_eating(ill, "NOT_FOUND")
        assert ill.metric(IN_HAND) == 0, "it probes before it takes anything"
        assert ill.stop() == 0
        well = start_gateway()
        assert answers() == EXPECTED
    assert well.trouble() == ""
    assert well.metric(DEAD) == 0


def test_a_refused_token(
    broker: Broker, start_gateway: Start, start_triton: StartTriton, names: QueueNames, tmp_path: Path
) -> None:
    triton = start_triton(MODELS, access=Access(caller_token=TOKEN))
    (tmp_path / "wrong").write_text("another-token-than-that")
    (tmp_path / "right").write_text(TOKEN + "\n")
    ill = start_gateway("--token-file", str(tmp_path / "wrong"), triton_url=triton.grpc_url)
    with asked(broker, names) as answers:
        assert_it_says_so_and_stops_eating(ill, "PERMISSION_DENIED")
        assert TOKEN not in ill.log()
        ill.kill()
        well = start_gateway("--token-file", str(tmp_path / "right"), triton_url=triton.grpc_url)
        assert answers() == EXPECTED
    assert well.trouble() == ""
    assert well.metric(DEAD) == 0


def test_a_dead_model_process(
    broker: Broker, start_gateway: Start, start_triton: StartTriton, names: QueueNames
) -> None:
    triton = start_triton(MODELS)
    gateway = start_gateway(triton_url=triton.grpc_url)
    until(lambda: gateway.trouble() == "")
    with asked(broker, names, first_s=3) as answers:
        until(lambda: gateway.metric(IN_HAND) == 8)
        for pid, model in model_processes(triton.pid).items():
            if model == "id_card":
                os.kill(pid, signal.SIGKILL)
        assert_it_says_so_and_stops_eating(gateway, "INTERNAL")
        triton.restart()
        assert answers() == EXPECTED, "it resumed by itself"
    assert gateway.trouble() == ""
    assert gateway.metric(DEAD) == 0


def test_a_broker_that_confirms_late(broker: Broker, start_gateway: Start, names: QueueNames) -> None:
    with asked(broker, names, first_s=3) as answers:
        # After the first messages: where these trickle in, on a busy machine, eight are in hand only when the
        # quick ones come, and the broker may then be stopped with nothing left to confirm.
        gateway = start_gateway("--confirm-timeout", "1")
        until(lambda: gateway.metric(IN_HAND) == 8)
        node = broker.pid
        os.kill(node, signal.SIGSTOP)
        try:
            until(lambda: "did not confirm in time" in gateway.log())
        finally:
            os.kill(node, signal.SIGCONT)
        assert answers() == EXPECTED
    until(lambda: gateway.metric(IN_HAND) == 0)
    assert gateway.metric(DEAD) == 0


def test_a_server_that_is_away_at_the_start(
    broker: Broker, start_gateway: Start, start_triton: StartTriton, names: QueueNames
) -> None:
    """It is healthy as soon as the server is there, without any item."""
    options = settle_ports(ServerOptions(model_repository=MODELS, grpc_port=0, http_port=0, metrics_port=0))
    gateway = start_gateway(triton_url=f"127.0.0.1:{options.grpc_port}")
    until(lambda: "UNAVAILABLE" in gateway.trouble())
    start_triton(MODELS, **options.ports())
    until(lambda: gateway.trouble() == "")


def test_a_broker_that_goes_away(tmp_path: Path, start_gateway_at: Callable[[str], GatewayProcess]) -> None:
    with Broker(tmp_path) as mortal:
        gateway = start_gateway_at(mortal.url)
        until(lambda: gateway.trouble() == "")
        mortal.kill()
        until(lambda: "the broker is not connected" in gateway.trouble())
        mortal.start()
        until(lambda: gateway.trouble() == "")


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[str]:
    """Address of a server that is started again when a model's process ends, as `scripts/serve` does."""
    zero = {"grpc_port": 0, "http_port": 0, "metrics_port": 0}
    options = settle_ports(ServerOptions(model_repository=MODELS, **zero))  # type: ignore[arg-type]
    command = [sys.executable, "-m", "tandem.runtime", "--model-repository", str(MODELS)]
    for name, port in options.ports().items():
        command += ["--" + name.replace("_", "-"), str(port)]
    log = tmp_path / "server.log"
    with log.open("w") as sink:
        process = subprocess.Popen(command, cwd=ROOT, stderr=sink, stdout=sink)
        try:
            until(lambda: "ready:" in log.read_text())
            yield f"127.0.0.1:{options.grpc_port}"
        finally:
            process.terminate()
            process.wait()


def test_an_item_that_ends_the_server_dies_and_takes_no_other_with_it(
    broker: Broker, supervised: str, start_gateway: Start, names: QueueNames
) -> None:
    gateway = start_gateway("--redelivery-limit", "1", triton_url=supervised)
    with QueueClient(broker.url, QueueOptions(names=names, timeout_s=PATIENCE_S)) as client:
        poison = client.submit(order(die=True))
        others = [client.submit(order(number=str(number), delay_s=0.05)) for number in range(40)]
        assert [future.result()[0].fields["公民身份号码"] for future in others] == EXPECTED[:40]
        with pytest.raises(Exception, match="without an answer"):
            poison.result()
    assert gateway.metric(DEAD) == 1
    until(lambda: gateway.trouble() == "")


def test_a_url_that_is_none_is_refused_without_its_secret(names: QueueNames) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tandem.gateway", "--broker", "tandem:SECRET@host/", "--monitor-port", "0"],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'client'}"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2
    assert "amqp://user:password@host/" in done.stderr
    assert "SECRET" not in done.stderr + done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_while_it_connects(
    start_gateway_at: Callable[[str], GatewayProcess], number: signal.Signals
) -> None:
    import socket  # noqa: PLC0415 - only here

    with socket.socket() as silent:  # takes connections, and never says a word
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        gateway = start_gateway_at(f"amqp://tandem:SECRET@127.0.0.1:{silent.getsockname()[1]}/")
        assert "the broker is not connected" in gateway.trouble()
        os.kill(gateway.pid, number)
        assert gateway.ended() == 0
    assert "SECRET" not in gateway.log()
