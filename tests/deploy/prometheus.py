"""A real Prometheus with the repository's configuration, and the dashboard's questions to it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.programs import ROOT, find_program

DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboards/tandem.json").read_text("utf-8"))
# Grafana's own value for a scrape interval of 1 s would be 4 s; pictures take seconds on a busy machine.
VARIABLES = {"$__rate_interval": "60s", "$instance": ".*", "$service": ".*"}
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
        with urllib.request.urlopen(f"{self._url}/{path}?{query}", timeout=60) as answer:  # noqa: S310
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[Any]:
        series: list[Any] = self.get("query", query=expression)["result"]
        return series

    def wait_for_data(self, titles: set[str]) -> None:
        """Return when every expression of these panels has data; fail if one has none in the end."""
        deadline = time.monotonic() + TIMEOUT_S
        while missing := self._without_data(titles):
            assert time.monotonic() < deadline, missing
            time.sleep(1)

    def _without_data(self, titles: set[str]) -> list[str]:
        missing = []
        for title in sorted(titles):
            for expression in panels()[title]:
                with suppress(OSError):  # it is starting
                    if self.query(expression):
                        continue
                missing.append(f"{title}: {expression}")
        return missing


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def prometheus_for(folder: Path, targets: dict[str, str]) -> Iterator[Prometheus]:
    """A Prometheus with the repository's configuration, but for the addresses and a faster scrape.

    Args:
        folder: for its files.
        targets: job → `host:port`; the other jobs are left out.
    """
    program = find_program("prometheus", "apt install prometheus")
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text("utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"] = [job for job in config["scrape_configs"] if job["job_name"] in targets]
    assert len(config["scrape_configs"]) == len(targets)
    for job in config["scrape_configs"]:
        entries = [{"targets": [targets[job["job_name"]]]}]
        if "file_sd_configs" in job:
            (folder / "clients.yml").write_text(yaml.safe_dump(entries))
        else:
            job["static_configs"] = entries
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
