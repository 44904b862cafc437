"""A real Prometheus beside the real Triton: every panel shows something, every alert evaluates."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import prometheus_client
import pytest
import yaml
from tandem_client import BadPictureError, Client
from tandem_client.prometheus import ClientCollector

from tandem.runtime.server import TritonServer

pytestmark = pytest.mark.triton
ROOT = Path(__file__).parents[2]
SAMPLE = (ROOT / "docs/images/sample.jpg").read_bytes()
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboards/tandem.json").read_text("utf-8"))
# Triton exports these only on a machine with an NVIDIA GPU.
GPU_PANELS = {"GPU use", "GPU memory"}
# These need RabbitMQ and a gateway; here only that Prometheus understands them.
QUEUE_PANELS = {
    "Waiting in the queue",
    "Outcomes, as the gateways count them",
    "Latency, as the gateways see it",
}
# Grafana's own value for a scrape interval of 1 s would be 4 s; pictures take seconds on a busy machine.
VARIABLES = {"$__rate_interval": "60s", "$instance": ".*"}
TIMEOUT_S = 120


def panels() -> dict[str, list[str]]:
    """Title → expressions, with the variables filled in."""
    found = {}
    for panel in DASHBOARD["panels"]:
        expressions = [target["expr"] for target in panel.get("targets", [])]
        for name, value in VARIABLES.items():
            expressions = [expression.replace(name, value) for expression in expressions]
        if expressions:
            found[panel["title"]] = expressions
    return found


class Prometheus:
    """Asks a Prometheus."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1"

    def get(self, path: str, **parameters: str) -> Any:
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self._url}/{path}?{query}", timeout=10) as answer:  # noqa: S310
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[Any]:
        series: list[Any] = self.get("query", query=expression)["result"]
        return series


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def client(triton_server: TritonServer) -> Iterator[Client]:
    with Client(triton_server.grpc_url) as client:
        yield client


@pytest.fixture(scope="module")
def prometheus(
    triton_server: TritonServer, client: Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    """The repository's own configuration, but for the addresses and a faster scrape."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is missing: apt install prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text("utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    jobs["triton"]["static_configs"] = [{"targets": [triton_server.metrics_url]}]
    config["scrape_configs"] = [jobs["triton"], jobs["tandem-clients"]]
    registry = prometheus_client.CollectorRegistry()
    registry.register(ClientCollector(client.metrics))
    exporter, thread = prometheus_client.start_http_server(0, "127.0.0.1", registry)
    clients = [{"targets": [f"127.0.0.1:{exporter.server_port}"]}]
    (folder / "clients.yml").write_text(yaml.safe_dump(clients))
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    shutil.copy(ROOT / "deploy/prometheus/alerts.yml", folder)
    port = free_port()
    command = [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        yield Prometheus(port)
        process.terminate()
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


def without_data(prometheus: Prometheus, titles: set[str]) -> list[str]:
    missing = []
    for title in sorted(titles):
        for expression in panels()[title]:
            with suppress(OSError):  # it is starting
                if prometheus.query(expression):
                    continue
            missing.append(f"{title}: {expression}")
    return missing


@pytest.mark.usefixtures("load")
def test_every_panel_shows_data_under_load(prometheus: Prometheus) -> None:
    titles = panels().keys() - GPU_PANELS - QUEUE_PANELS
    deadline = time.monotonic() + TIMEOUT_S
    while missing := without_data(prometheus, titles):
        assert time.monotonic() < deadline, missing
        time.sleep(1)
    values = {title: prometheus.query(panels()[title][0])[0]["value"][1] for title in titles}
    assert float(values["Servers that answer"]) == 1
    assert float(values["Pictures a second"]) > 0
    assert 1 <= float(values["Pictures per run of the recogniser"]) <= 2
    assert 0 < float(values["Refused"]) < 1


def test_the_gpu_panels_are_silent_without_a_gpu_and_valid(prometheus: Prometheus) -> None:
    if Path("/proc/driver/nvidia/version").exists():
        assert not without_data(prometheus, GPU_PANELS)
        return
    for title in GPU_PANELS:
        for expression in panels()[title]:
            assert prometheus.query(expression) == []


def test_the_queues_panels_are_valid(prometheus: Prometheus) -> None:
    for title in QUEUE_PANELS:
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
