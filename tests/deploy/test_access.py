"""Token, keys, mutual TLS and queue together, as the deployments have them: an item is answered.

The variables are those of the built manifests and of the merged compose files; what they name lies elsewhere
here. A gateway that has all but the token is refused.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme
from tandem_triton.queue import QueueClient, QueueNames, QueueOptions

from tandem.runtime.options import ServerOptions
from tandem.runtime.ports import settle_ports
from tests.deploy.manifests import build_with, parsed
from tests.deploy.programs import ROOT
from tests.door.process import DoorProcess
from tests.gateway.broker import Broker
from tests.gateway.process import GatewayProcess

pytestmark = [pytest.mark.triton, pytest.mark.rabbitmq]
MODELS = ROOT / "tests" / "client" / "model_repository"
START_S = 120
ITEM = b'{"number": "1"}'
Variables = dict[str, str]
Deployed = dict[str, Variables]


def of_kubernetes(folder: Path) -> Deployed:
    """Each container's variables, with every component that closes something."""
    made = build_with(["queue", "keys", "token", "tls"], folder)
    containers = made["Deployment/tandem"]["spec"]["template"]["spec"]["containers"]
    for one in containers:
        mounted = {mount["mountPath"] for mount in one["volumeMounts"]}
        assert {"/etc/tandem/token", "/etc/tandem/tls"} <= mounted
        assert ("/etc/tandem/keys" in mounted) == (one["name"] == "door")
        assert "args" not in one
    return {
        one["name"]: {variable["name"]: variable["value"] for variable in one["env"] if "value" in variable}
        for one in containers
    }


def of_compose(_: Path) -> Deployed:
    """Each service's variables, the second file's laid over the first's; there is a file of keys."""
    first, second = (
        parsed(ROOT / name, TANDEM_DOOR_KEYS="/etc/tandem/access/keys")["services"]
        for name in ("docker-compose.yml", "deploy/compose.access.yml")
    )
    for name in second:
        assert second[name]["volumes"] == ["./access:/etc/tandem/access:ro"]
        assert "command" not in first[name]
    return {name: {**first[name].get("environment", {}), **second[name]["environment"]} for name in second}


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
def deployed(request: pytest.FixtureRequest, tmp_path: Path) -> Deployed:
    of_deployment, write_access = request.param
    variables = of_deployment(tmp_path)
    write_access(tmp_path)
    return {name: placed(own, tmp_path) for name, own in variables.items()}


def test_an_item_is_answered(deployed: Deployed, broker: Broker, names: QueueNames, tmp_path: Path) -> None:
    options = settle_ports(ServerOptions(model_repository=MODELS, grpc_port=0, http_port=0, metrics_port=0))
    ports = {f"TANDEM_{name.upper()}": str(port) for name, port in options.ports().items()}
    path = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'client'}"}
    models = {"TANDEM_MODEL_REPOSITORY": str(MODELS), "TANDEM_SERVICES": "id_card"}
    url = f"localhost:{options.grpc_port}"
    with ExitStack() as stack:
        server = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "tandem.runtime"],
                env={**path, **deployed["triton"], **ports, **models},
            )
        )
        stack.callback(server.terminate)
        told = {**path, **deployed["gateway"], "TANDEM_GATEWAY_URL": url, "TANDEM_BROKER": broker.url}
        gateways = []
        for without in ("", "TANDEM_GATEWAY_TOKEN_FILE"):
            environment = {name: value for name, value in told.items() if name != without}
            prefix = names.prefix + without.lower()
            gateways.append(
                GatewayProcess(
                    tmp_path / f"gateway{without}.log", "--prefix", prefix, environment=environment
                )
            )
            stack.callback(gateways[-1].kill)
        with QueueClient(broker.url, QueueOptions(names=names, timeout_s=START_S)) as client:
            assert client.call_json("id_card", ITEM)["cards"]
        assert gateways[0].healthy()
        wait_until_refused(gateways[1])
        assert_load_test_gets_in(url, tmp_path)
        assert_the_door_wants_a_key({**path, **deployed["door"], "TANDEM_DOOR_TRITON": url}, tmp_path)
        assert server.poll() is None


def assert_the_door_wants_a_key(environment: Variables, folder: Path) -> None:
    """By TLS; with a key an item is answered, without one it is not."""
    made = subprocess.run(
        [sys.executable, "-m", "tandem_triton.cli.main", "key", "--file", "keys", "new", "app"],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    trusted = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    with DoorProcess("--anybody", env=environment) as door:
        for headers, status in (({"X-API-Key": made.stdout.strip()}, 200), ({}, 401)):
            host, _, port = door.http.partition(":")
            connection = http.client.HTTPSConnection("localhost", int(port), context=trusted, timeout=60)
            connection.request("POST", "/v1/id_card", ITEM, headers)
            answer = connection.getresponse()
            said = json.loads(answer.read())
            connection.close()
            assert answer.status == status, (host, said)
            assert ("cards" in said) == (status == 200)


def assert_load_test_gets_in(url: str, folder: Path) -> None:
    """`scripts/load_test service` with token and certificate is answered; without the token it is told."""
    words = ["--url", url, "--rates", "20", "--seconds", "1", "--requests", "20", "--tls-roots", "ca.crt"]
    words += ["--tls-certificate", "tls.crt", "--tls-key", "tls.key"]
    for token, said in ((["--token-file", "token"], '"answered": 20'), ([], "token")):
        done = subprocess.run(
            [
                sys.executable,
                str(ROOT / "scripts" / "_load_service.py"),
                "service",
                "id_card",
                *words,
                *token,
            ],
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'client'}"},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == (0 if token else 1), done.stderr
        assert said in done.stdout + done.stderr


def wait_until_refused(gateway: GatewayProcess) -> None:
    """Until `/healthz` of a gateway without a token says why it takes nothing."""
    deadline = time.monotonic() + START_S
    while "token" not in gateway.trouble():
        assert time.monotonic() < deadline, gateway.trouble()
        time.sleep(0.2)
    assert not gateway.healthy()
