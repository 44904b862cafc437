"""Triton's own statistics: under load the networks run on exactly two pictures, and alone nobody waits."""

from __future__ import annotations

import json
import statistics
import threading
import time
from pathlib import Path

import pytest
from tritonclient import grpc

from tests.server.asking import ask

pytestmark = pytest.mark.triton
SAMPLE = (Path(__file__).parents[2] / "docs/images/sample.jpg").read_bytes()
# More than two for each of the ensemble's five steps: with eight, four batches fill only four steps, no queue
# forms, and whether two lone pictures ever meet is luck (docs/decisions/0004-pairs-stay-together.md).
CLIENTS = 16
SECONDS = 30


def executions(client: grpc.InferenceServerClient, model: str) -> dict[int, int]:
    """How often the model ran, by batch size."""
    statistics = client.get_inference_statistics(model, as_json=True)["model_stats"][0]
    return {
        int(entry["batch_size"]): int(entry["compute_infer"].get("count", 0))
        for entry in statistics.get("batch_stats", [])
    }


def test_sixteen_clients_make_batches_of_two(triton_server):
    with grpc.InferenceServerClient(triton_server.grpc_url) as client:
        models = ("card_detector", "text_recognizer")
        before = {model: executions(client, model) for model in models}
        until = time.monotonic() + SECONDS
        wrong = []

        def call() -> None:
            while time.monotonic() < until:
                (answer,) = ask(client, SAMPLE)
                if len(answer["cards"]) != 1:
                    wrong.append(json.dumps(answer))

        threads = [threading.Thread(target=call) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        for model in models:
            after = executions(client, model)
            counts = {size: after[size] - before[model].get(size, 0) for size in after}
            assert max(size for size, count in counts.items() if count) == 2, (model, counts)
            assert counts[2] / sum(counts.values()) >= 0.9, (model, counts)


STEPS = ("decode_image", "card_detector", "rectify_cards", "text_recognizer", "parse_fields")


def own_milliseconds(client: grpc.InferenceServerClient) -> float:
    """What all executions of the steps took until now, queues left out."""
    spent = 0
    for model in STEPS:
        said = client.get_inference_statistics(model, as_json=True)["model_stats"][0]["inference_stats"]
        spent += sum(
            int(said[part].get("ns", 0)) for part in ("compute_input", "compute_infer", "compute_output")
        )
    return spent / 1e6


def test_a_lone_picture_waits_for_nobody(triton_server):
    with grpc.InferenceServerClient(triton_server.grpc_url) as client:
        for _ in range(3):
            ask(client, SAMPLE)
        shares = []
        for _ in range(30):
            before, start = own_milliseconds(client), time.perf_counter()
            ask(client, SAMPLE)
            took = 1000 * (time.perf_counter() - start)
            shares.append(took / (own_milliseconds(client) - before))
    # The delays of all steps together are 17 ms; a pair's hold at the door would add 60 to 360.
    assert statistics.median(shares) <= 1.25, shares
