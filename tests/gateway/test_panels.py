"""A real RabbitMQ with its metrics, a gateway, a Prometheus: the panels of the queue show something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tandem_triton.queue import QueueClient, QueueNames, QueueOptions

from tests.client.orders import order
from tests.deploy.programs import ROOT
from tests.deploy.prometheus import free_port, prometheus_for
from tests.gateway.broker import Broker

pytestmark = [pytest.mark.rabbitmq, pytest.mark.triton]
PANELS = {
    "Waiting in the queue",
    "Outcomes, as the gateways count them",
    "Latency, as the gateways see it",
}


@pytest.fixture(scope="module")
def metrics_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, metrics_port: int) -> Iterator[Broker]:
    """A node with the plugin that docker-compose.yml enables, on a port of its own."""
    folder = tmp_path_factory.mktemp("rabbitmq")
    (folder / "plugins").write_text((ROOT / "deploy/rabbitmq/enabled_plugins").read_text("utf-8"))
    (folder / "none.conf").write_text(
        f"prometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = {metrics_port}\n"
    )
    with Broker(folder) as broker:
        yield broker


@pytest.fixture
def names() -> QueueNames:
    """The names that the dashboard knows."""
    return QueueNames()


def test_the_queues_panels_show_data(
    broker: Broker, metrics_port: int, start_gateway: Callable[..., object], names: QueueNames, tmp_path: Path
) -> None:
    gateway = start_gateway()
    with QueueClient(broker.url, options=QueueOptions(names=names)) as client:
        for number in range(3):
            assert client.recognize(order(number=str(number)))
    targets = {"gateway": gateway.monitor, "rabbitmq": f"127.0.0.1:{metrics_port}"}  # type: ignore[attr-defined]
    with prometheus_for(tmp_path, targets) as prometheus:
        prometheus.wait_for_data(PANELS)
        queues = {
            series["metric"]["queue"]
            for series in prometheus.query('rabbitmq_detailed_queue_messages_ready{queue=~"tandem[.].*"}')
        }
    assert {names.items("id_card"), names.dead("id_card")} <= queues
