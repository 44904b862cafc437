"""A real Prometheus beside the real Triton: every panel shows something, every alert evaluates."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import prometheus_client
import pytest
import yaml
from tandem_triton import BadPictureError, Client
from tandem_triton.core.prometheus import ClientCollector

from tandem.runtime.server import TritonServer
from tests.deploy.prometheus import DASHBOARD, Prometheus, panels, prometheus_for

pytestmark = pytest.mark.triton
ROOT = Path(__file__).parents[2]
SAMPLE = (ROOT / "docs/images/sample.jpg").read_bytes()
# Triton exports these only on a machine with an NVIDIA GPU.
GPU_PANELS = {"GPU use", "GPU memory"}
# These need RabbitMQ and a gateway: tests/gateway/test_panels.py.
QUEUE_PANELS = {
    "Waiting in the queue",
    "Outcomes, as the gateways count them",
    "Latency, as the gateways see it",
}
TIMEOUT_S = 120


@pytest.fixture(scope="module")
def client(triton_server: TritonServer) -> Iterator[Client]:
    with Client(triton_server.grpc_url) as client:
        yield client


@pytest.fixture(scope="module")
def prometheus(
    triton_server: TritonServer, client: Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    registry = prometheus_client.CollectorRegistry()
    registry.register(ClientCollector(client.metrics))
    exporter, thread = prometheus_client.start_http_server(0, "127.0.0.1", registry)
    targets = {
        "triton": triton_server.metrics_url,
        "tandem-triton-clients": f"127.0.0.1:{exporter.server_port}",
    }
    with prometheus_for(tmp_path_factory.mktemp("prometheus"), targets) as prometheus:
        yield prometheus
    exporter.shutdown()
    exporter.server_close()
    thread.join()


@pytest.fixture(scope="module")
def load(client: Client) -> Iterator[None]:
    """Two callers, good pictures and broken ones, while the tests look."""
    stop = threading.Event()

    def call(picture: bytes) -> None:
        while not stop.is_set():
            with suppress(BadPictureError):
                client.recognize(picture)

    pictures = (SAMPLE, SAMPLE, SAMPLE[: len(SAMPLE) // 2])
    threads = [threading.Thread(target=call, args=(picture,)) for picture in pictures]
    for thread in threads:
        thread.start()
    yield
    stop.set()
    for thread in threads:
        thread.join()


@pytest.mark.usefixtures("load")
def test_every_panel_shows_data_under_load(prometheus: Prometheus) -> None:
    titles = panels().keys() - GPU_PANELS - QUEUE_PANELS
    prometheus.wait_for_data(titles)
    values = {title: prometheus.query(panels()[title][0])[0]["value"][1] for title in titles}
    assert float(values["Servers that answer"]) == 1
    assert float(values["Pictures a second"]) > 0
    assert 1 <= float(values["Pictures per run of the recogniser"]) <= 2
    assert 0 < float(values["Refused"]) < 1


def test_the_gpu_panels_are_silent_without_a_gpu_and_valid(prometheus: Prometheus) -> None:
    if Path("/proc/driver/nvidia/version").exists():
        prometheus.wait_for_data(GPU_PANELS)
        return
    for title in GPU_PANELS:
        for expression in panels()[title]:
            assert prometheus.query(expression) == []


@pytest.mark.usefixtures("load")
def test_every_alert_evaluates_and_none_of_them_pages_a_healthy_server(prometheus: Prometheus) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        with suppress(OSError):
            (group,) = prometheus.get("rules")["groups"]
            if all(rule["health"] == "ok" for rule in group["rules"]):
                break
        assert time.monotonic() < deadline
        time.sleep(1)
    assert "firing" not in {rule["state"] for rule in group["rules"]}


def test_the_dashboard_is_whole() -> None:
    identities = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(identities)) == len(identities)
    datasource = yaml.safe_load(
        (ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text("utf-8")
    )["datasources"][0]["uid"]
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        if panel["type"] == "row":
            continue
        assert panel["description"], panel["title"]
        assert panel["datasource"]["uid"] == datasource
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {datasource}
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$(\w+)", json.dumps([panel.get("targets") for panel in DASHBOARD["panels"]])))
    assert used <= variables | {"__rate_interval"}
