"""Token, mutual TLS and queue together, as the deployments have them: an item is answered.

The variables are those of the built manifests and of the merged compose files; what they name lies elsewhere
here. A gateway that has all but the token is refused.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from tandem_triton.queue import QueueClient, QueueNames, QueueOptions

from tandem.runtime.options import ServerOptions
from tandem.runtime.ports import settle_ports
from tests.deploy.manifests import build_with
from tests.deploy.programs import ROOT
from tests.gateway.broker import Broker
from tests.gateway.process import GatewayProcess

pytestmark = [pytest.mark.triton, pytest.mark.rabbitmq]
MODELS = ROOT / "tests" / "client" / "model_repository"
START_S = 120
Variables = dict[str, str]


def of_kubernetes(folder: Path) -> tuple[Variables, Variables]:
    """The variables of Triton's container and of the gateway's."""
    pod = build_with(["queue", "token", "tls"], folder)["Deployment/tandem"]["spec"]["template"]["spec"]
    containers = {one["name"]: one for one in pod["containers"]}
    for one in containers.values():
        mounted = {mount["mountPath"] for mount in one["volumeMounts"]}
        assert {"/etc/tandem/token", "/etc/tandem/tls"} <= mounted
        assert "args" not in one
    triton, gateway = (
        {variable["name"]: variable["value"] for variable in containers[name]["env"] if "value" in variable}
        for name in ("triton", "gateway")
    )
    return triton, gateway


def of_compose(_: Path) -> tuple[Variables, Variables]:
    """The variables of the services `triton` and `gateway`, the second file's laid over the first's."""
    files = [ROOT / "docker-compose.yml", ROOT / "deploy" / "compose.access.yml"]
    services: list[dict[str, Any]] = [yaml.safe_load(path.read_text("utf-8"))["services"] for path in files]
    for name in services[1]:
        assert name in services[0]
        assert services[1][name]["volumes"] == ["${TANDEM_ACCESS:-./access}:/etc/tandem/access:ro"]
    triton, gateway = (
        {**services[0][name].get("environment", {}), **services[1][name]["environment"]}
        for name in ("triton", "gateway")
    )
    assert "command" not in services[0]["gateway"]
    return triton, gateway


def by_the_page(folder: Path) -> None:
    """The commands of docs/security.md, in a folder of theirs, and what they wrote put beside the test's."""
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    (commands,) = re.findall(r"^```\n(mkdir -p access.*?)^```", page, re.M | re.S)
    if os.geteuid() != 0:
        commands = commands.replace("&& chgrp 1000", "#")
    made = folder / "made"
    made.mkdir()
    subprocess.run(["bash", "-euc", commands], cwd=made, check=True, capture_output=True, timeout=120)
    assert not (made / "access" / "authority.key").exists()
    for path in (made / "access").iterdir():
        path.rename(folder / path.name)


def by_cert_manager(folder: Path) -> None:
    """The token, and a certificate for servers and clients, as cert-manager's secret has them."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(str(folder / "ca.crt"))
    issued.cert_chain_pems[0].write_to_path(str(folder / "tls.crt"))
    issued.private_key_pem.write_to_path(str(folder / "tls.key"))
    (folder / "token").write_text("callers-0123456789\n")


def placed(variables: Mapping[str, str], folder: Path) -> Variables:
    """The variables with the deployment's files where they are here."""
    return {
        name: str(folder / Path(value).name) if value.startswith("/etc/tandem/") else value
        for name, value in variables.items()
    }


@pytest.fixture(
    params=[(of_kubernetes, by_cert_manager), (of_compose, by_the_page)], ids=["kubernetes", "compose"]
)
def deployed(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Variables, Variables]:
    of_deployment, write_access = request.param
    triton, gateway = of_deployment(tmp_path)
    write_access(tmp_path)
    return placed(triton, tmp_path), placed(gateway, tmp_path)


def test_an_item_is_answered(
    deployed: tuple[Variables, Variables], broker: Broker, names: QueueNames, tmp_path: Path
) -> None:
    triton, gateway = deployed
    options = settle_ports(ServerOptions(model_repository=MODELS, grpc_port=0, http_port=0, metrics_port=0))
    ports = {f"TANDEM_{name.upper()}": str(port) for name, port in options.ports().items()}
    path = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'client'}"}
    server = subprocess.Popen(
        [sys.executable, "-m", "tandem.runtime"],
        env={**path, **triton, **ports, "TANDEM_MODEL_REPOSITORY": str(MODELS), "TANDEM_SERVICES": "id_card"},
    )
    url = f"localhost:{options.grpc_port}"
    started: list[GatewayProcess] = []
    try:
        told = {**path, **gateway, "TANDEM_GATEWAY_URL": url, "TANDEM_BROKER": broker.url}
        for without in (None, "TANDEM_GATEWAY_TOKEN_FILE"):
            environment = {name: value for name, value in told.items() if name != without}
            log = tmp_path / f"gateway-{len(started)}.log"
            prefix = names.prefix if without is None else f"{names.prefix}-refused"
            started.append(GatewayProcess(log, "--prefix", prefix, environment=environment))
        with QueueClient(broker.url, QueueOptions(names=names, timeout_s=START_S)) as client:
            assert client.call_json("id_card", b'{"number": "1"}')["cards"]
        assert started[0].healthy()
        wait_until_refused(started[1])
        assert server.poll() is None
    finally:
        for one in started:
            one.kill()
        server.terminate()
        server.wait(timeout=60)


def wait_until_refused(gateway: GatewayProcess) -> None:
    """Until `/healthz` of a gateway without a token says why it takes nothing."""
    deadline = time.monotonic() + START_S
    while "token" not in gateway.trouble():
        assert time.monotonic() < deadline, gateway.trouble()
        time.sleep(0.2)
    assert not gateway.healthy()
