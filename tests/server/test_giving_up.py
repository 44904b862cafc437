"""Callers of Triton's gRPC who give up, in every way, end nobody but themselves.

docs/decisions/0016-ensembles-are-chains.md: with two steps at once the server ended the first time.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from tritonclient import grpc
from tritonclient.grpc import model_config_pb2

from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY
from tests.server.asking import ask, image_input

IMAGES = Path(__file__).parents[2] / "docs" / "images"
SAMPLE = IMAGES / "sample.jpg"
FIELDS = json.loads((IMAGES / "sample.json").read_text(encoding="utf-8"))[0]["cards"][0]["fields"]
SERVICES = ("id_card", "find_cards", "document_kind")
UNDER_WAY, ANSWERED, ROUNDS = 32, 4, 3
PATIENCE_S = 180
# Its own process, so that it can be killed with its calls under way.
CALLER = """
import sys, threading
from tritonclient import grpc
from tests.server.asking import image_input
url, model, picture, count = sys.argv[1:]
client = grpc.InferenceServerClient(url)
item = image_input([open(picture, "rb").read()])
for _ in range(int(count)):
    client.async_infer(model, [item], lambda result, error: print("answered", flush=True))
threading.Event().wait()
"""
ENSEMBLES = [
    path
    for path in sorted(REPOSITORY.glob("*/config.pbtxt"))
    if "ensemble_scheduling" in path.read_text("utf-8")
]


@pytest.mark.parametrize("path", ENSEMBLES, ids=lambda path: path.parent.name)
def test_every_step_needs_the_one_before(path: Path) -> None:
    config = text_format.Parse(path.read_text("utf-8"), model_config_pb2.ModelConfig())
    steps = config.ensemble_scheduling.step
    assert len(steps) > 1
    for before, step in itertools.pairwise(steps):
        made = set(before.output_map.values())
        assert made & set(step.input_map.values()), f"{before.model_name} and {step.model_name} run at once"


def wait_for_answers(answers: list[Any]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while len(answers) < ANSWERED:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def cancel(url: str, model: str) -> None:
    """All calls, on a connection that stays."""
    answers: list[Any] = []
    with grpc.InferenceServerClient(url) as client:
        calls = [
            client.async_infer(
                model, [image_input([SAMPLE.read_bytes()])], lambda result, error: answers.append(error)
            )
            for _ in range(UNDER_WAY)
        ]
        wait_for_answers(answers)
        for call in calls:
            call.cancel()


def pass_the_deadline(url: str, model: str) -> None:
    over = threading.Semaphore(0)
    with grpc.InferenceServerClient(url) as client:
        for _ in range(UNDER_WAY):
            client.async_infer(
                model,
                [image_input([SAMPLE.read_bytes()])],
                lambda result, error: over.release(),
                client_timeout=1.0,
            )
        for _ in range(UNDER_WAY):
            assert over.acquire(timeout=PATIENCE_S)


def be_killed(url: str, model: str) -> None:
    command = [sys.executable, "-c", CALLER, url, model, str(SAMPLE), str(UNDER_WAY)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as caller:
        assert caller.stdout is not None
        for _ in range(ANSWERED):
            assert caller.stdout.readline() == b"answered\n"
        caller.kill()


@pytest.mark.triton
@pytest.mark.parametrize("model", SERVICES)
@pytest.mark.parametrize("give_up", [cancel, pass_the_deadline, be_killed])
def test_the_server_is_as_it_was(triton_server: TritonServer, model: str, give_up: Any) -> None:
    before = triton_server.pid
    for _ in range(ROUNDS):
        give_up(triton_server.grpc_url, model)
        with grpc.InferenceServerClient(triton_server.grpc_url) as client:
            (answer,) = ask(client, SAMPLE.read_bytes())
            assert [card["fields"] for card in answer["cards"]] == [FIELDS]
    triton_server.check()
    assert triton_server.pid == before
