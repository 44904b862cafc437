"""Keys, rates, numbers in flight, TLS, several processes."""

from __future__ import annotations

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http
import trustme

from tandem.door.callers import Allowance, Callers
from tandem.door.errors import TooManyError
from tandem.door.keys import ApiKey, KeyFile, KeyRing, new_key, read_keys, write_keys
from tandem.door.options import DoorOptions
from tests.client.orders import order
from tests.door.conftest import StartDoor
from tests.door.process import DoorProcess, environment

ITEM = order(number="1")


def key_command(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", COMMAND, *words]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)


COMMAND = """
import argparse, sys
from tandem.door import command_key
parser = argparse.ArgumentParser()
command_key.add_arguments(parser)
sys.exit(command_key.run(parser.parse_args()))
"""


def test_the_command(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    made = key_command("--file", str(path), "new", "app", "--rate", "5", "--in-flight", "2")
    secret = made.stdout.strip()
    assert made.returncode == 0
    assert secret not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    assert KeyRing(path).find(secret) is not None
    path.chmod(0o640)  # for the group of a door that runs as another user
    assert key_command("--file", str(path), "new", "app").returncode == 1
    listed = key_command("--file", str(path), "list").stdout
    assert "app\t" in listed
    assert "5/s\t2 in flight\tvalid" in listed
    assert key_command("--file", str(path), "revoke", "app").returncode == 0
    assert KeyRing(path).find(secret) is None
    assert path.stat().st_mode & 0o777 == 0o640
    assert key_command("--file", str(path), "revoke", "app").returncode == 1
    assert "revoked" in key_command("--file", str(path), "list").stdout


@pytest.mark.parametrize("text", ["", "[]", '{"keys":[{"name":"a"}]}', '{"other":1}', "\x00"])
def test_a_broken_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="no file of keys"):
        KeyRing(path)


def test_a_file_that_breaks_lets_nobody_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tandem.door.keys._LOOK_INTERVAL_S", 0)
    path = tmp_path / "keys.json"
    secret, key = new_key("app")
    write_keys(path, KeyFile(keys=(key,)))
    ring = KeyRing(path)
    assert ring.find(secret) == key
    path.write_text("{")
    assert ring.find(secret) is None
    write_keys(path, KeyFile(keys=(key,)))
    assert ring.find(secret) == key
    assert read_keys(path).keys == (key,)


def test_the_rate_by_a_clock_of_its_own() -> None:
    now = [0.0]
    allowance = Allowance(ApiKey(name="a", sha256="", created="", rate_per_s=4), 1.0, lambda: now[0])
    for _ in range(8):  # what two seconds leave
        allowance.take()
    with pytest.raises(TooManyError) as caught:
        allowance.take()
    assert caught.value.retry_after_s == pytest.approx(0.25)
    now[0] += 0.25
    allowance.take()
    with pytest.raises(TooManyError):
        allowance.take()


def test_what_is_in_flight_comes_back_after_an_error() -> None:
    callers = Callers(None)
    key = ApiKey(name="a", sha256="", created="", in_flight=1)
    for _ in range(3):
        with pytest.raises(RuntimeError), callers.admit(key):
            raise RuntimeError
    with callers.admit(key), pytest.raises(TooManyError), callers.admit(key):
        pass


def test_an_open_address_needs_keys() -> None:
    with pytest.raises(ValueError, match="open to others"):
        DoorOptions(address="0.0.0.0")  # noqa: S104
    assert DoorOptions(address="0.0.0.0", anybody=True).anybody  # noqa: S104


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, str, str]:
    """A file with a free key and a limited one, and both keys."""
    path = tmp_path / "keys.json"
    free, first = new_key("free")
    narrow, second = new_key("narrow", rate_per_s=1, in_flight=1)
    write_keys(path, KeyFile(keys=(first, second)))
    return path, free, narrow


@pytest.mark.triton
def test_wrong_and_missing_keys(start_door: StartDoor, keys: tuple[Path, str, str]) -> None:
    path, free, _ = keys
    door = start_door("--keys", str(path))
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"X-API-Key": "x" * 5000},
        {"Authorization": f"Basic {free}"},
        {"Authorization": "Bearer "},
        {"X-API-Key": "\xff"},
    ):
        for where in ("/v1/id_card", "/v2/models/id_card/infer"):
            status, told, text = door.ask("POST", where, ITEM, headers)
            assert (status, json.loads(text)["code"]) == (401, "UNAUTHENTICATED")
            assert told["www-authenticate"] == "Bearer"
        assert door.ask("GET", "/v2/models/stats", headers=headers)[0] == 401
        assert door.ask("GET", "/v2/health/ready", headers=headers)[0] == 200  # probes have no key
    for headers in ({"Authorization": f"Bearer {free}"}, {"X-API-Key": free}):
        assert door.ask("POST", "/v1/id_card", ITEM, headers)[0] == 200
    assert {each["caller"] for each in door.records() if each["status"] == 200 and each["items"]} == {"free"}
    tensor = tritonclient.grpc.InferInput("IMAGE", [1, 1], "BYTES")
    tensor.set_data_from_numpy(np.array([[ITEM]], np.object_))
    client = tritonclient.grpc.InferenceServerClient(door.grpc)
    with pytest.raises(tritonclient.grpc.InferenceServerException) as caught:
        client.infer("id_card", [tensor])
    assert "UNAUTHENTICATED" in str(caught.value)
    headers = {"authorization": f"Bearer {free}"}
    assert client.infer("id_card", [tensor], headers=headers).as_numpy("RESULT").shape == (1, 1)
    client.close()
    assert free not in "\n".join(door.lines)


@pytest.mark.triton
def test_limits_answer_429(start_door: StartDoor, keys: tuple[Path, str, str]) -> None:
    path, _, narrow = keys
    door = start_door("--keys", str(path))
    headers = {"X-API-Key": narrow}
    slow = threading.Thread(
        target=door.ask, args=("POST", "/v1/id_card", order(number="1", delay_s=2), headers)
    )
    slow.start()
    deadline_s = time.monotonic() + 10
    while True:  # until the slow one is in flight
        status, told, text = door.ask("POST", "/v1/id_card", ITEM, headers)
        if status == 429 or time.monotonic() > deadline_s:
            break
    slow.join()
    assert (status, json.loads(text)["code"]) == (429, "RESOURCE_EXHAUSTED")
    assert int(told["retry-after"]) >= 1
    with grpc.insecure_channel(door.grpc) as channel:
        call: Any = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        codes = set()
        for _ in range(4):
            with pytest.raises(grpc.RpcError) as caught:
                call(b"", metadata=(("x-api-key", narrow),))
            codes.add(caught.value.code())
    assert grpc.StatusCode.RESOURCE_EXHAUSTED in codes
    assert "retry-after" in [each.key for each in caught.value.trailing_metadata() or ()]


@pytest.mark.triton
def test_tls_on_both_ports(start_door: StartDoor, tmp_path: Path) -> None:
    authority = trustme.CA()
    pair = authority.issue_cert("127.0.0.1", "localhost")
    pair.private_key_pem.write_to_path(tmp_path / "key.pem")
    pair.cert_chain_pems[0].write_to_path(tmp_path / "certificate.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    door = start_door(
        "--tls-certificate", str(tmp_path / "certificate.pem"), "--tls-key", str(tmp_path / "key.pem")
    )
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    host, _, port = door.http.partition(":")
    connection = http.client.HTTPSConnection(host, int(port), timeout=20, context=context)
    connection.request("POST", "/v1/id_card", ITEM)
    assert connection.getresponse().status == 200
    connection.close()
    client = tritonclient.grpc.InferenceServerClient(
        door.grpc, ssl=True, root_certificates=str(tmp_path / "ca.pem")
    )
    assert client.is_server_ready()
    client.close()


@pytest.mark.triton
def test_several_processes_share_the_ports(start_door: StartDoor) -> None:
    door = start_door("--processes", "2")

    def count() -> float:
        host, _, port = door.metrics.partition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return sum(
            float(line.split()[-1])
            for line in text.splitlines()
            if line.startswith("tandem_door_requests_total")
        )

    for _ in range(20):
        assert door.ask("POST", "/v1/id_card", ITEM)[0] == 200
    assert count() == 20
    children = Path(f"/proc/{door.pid}/task/{door.pid}/children").read_text().split()
    assert len(children) == 2
    _kill_one(door, int(children[0]))
    for _ in range(10):
        assert door.ask("POST", "/v1/id_card", ITEM)[0] == 200


def _kill_one(door: DoorProcess, child: int) -> None:
    os.kill(child, signal.SIGKILL)
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s:
        if any("starting another" in line for line in door.lines):
            return
        time.sleep(0.05)
    raise AssertionError("no process took its place")
