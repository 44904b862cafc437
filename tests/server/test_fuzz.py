"""Mutated pictures against the real server: all answered in time, nothing ends, nothing grows.

300 by default; `scripts/test tests/server/test_fuzz.py --slow --log-cli-level=INFO` sends 10,000 more,
and tells what came of them.
"""

from __future__ import annotations

import io
import json
import logging
from collections import Counter
from concurrent.futures import Future, wait
from importlib.resources import files

import jsonschema
import numpy as np
import pytest
from PIL import Image
from tritonclient import grpc
from tritonclient.utils import InferenceServerException

from tandem.evaluation.memory import memory_bytes, shared_memory_bytes
from tandem.evaluation.mutants import SAMPLE, mutants
from tandem.runtime.model_processes import model_processes
from tandem.runtime.server import TritonServer
from tests.server.asking import ask, ask_later

pytestmark = pytest.mark.triton
_LOG = logging.getLogger(__name__)
DEADLINE_S = 60
IN_FLIGHT = 8
WARM_UP_SHARE = 1 / 3  # so many more are sent first: buffers grow to what such pictures need
PROGRESS_EVERY = 1_000
LARGEST = (2400, 2400)  # pixels: the largest working picture there is (tandem.media.picture.MAX_LONG_SIDE)
# Allocators keep what they once had; a leak of one thumbnail (0.4 MB) a picture would break this at once.
GROWTH_BYTES = 48 * 2**20
SCHEMA = json.loads((files("tandem.services.id_card") / "result.schema.json").read_text(encoding="utf-8"))


def outcome(future: Future[dict[str, object]], how: str) -> str:
    """What became of a picture: "read", "no card", "refused"; any other error fails with how it was made."""
    try:
        answer = future.result()
    except InferenceServerException as error:
        if error.status() != "StatusCode.INVALID_ARGUMENT":
            raise AssertionError(how) from error
        return "refused"
    jsonschema.validate(answer, SCHEMA)
    return "read" if answer["cards"] else "no card"


def send(server: TritonServer, client: grpc.InferenceServerClient, count: int, seed: int) -> Counter[str]:
    """Sends mutants, a few at a time; gives how many ended how.

    Raises:
        EmbeddedServerError: the server or a model's process ended, with its last words.
    """
    outcomes: Counter[str] = Counter()
    group: dict[Future[dict[str, object]], str] = {}
    for number, (how, data) in enumerate(mutants(count, np.random.default_rng(seed)), start=1):
        group[ask_later(client, data)] = how
        if len(group) == IN_FLIGHT or number == count:
            done, late = wait(group, timeout=DEADLINE_S)
            assert not late, [group[future] for future in late]
            server.check()
            for future in done:
                outcomes[outcome(future, f"number {number}: {group[future]}")] += 1
            group.clear()
        if number % PROGRESS_EVERY == 0:
            _LOG.info("%d of %d", number, count)
    return outcomes


def fill_every_buffer(client: grpc.InferenceServerClient) -> None:
    """As many of the largest pictures, full of cards, as are ever in flight: what buffers may ever need."""
    photo = Image.open(SAMPLE)
    square = Image.new("RGB", LARGEST, "white")
    part = photo.resize((LARGEST[0] // 2, LARGEST[0] // 2 * photo.height // photo.width))
    for row in range(LARGEST[1] // part.height + 1):
        for column in range(2):
            square.paste(part, (column * part.width, row * part.height))
    data = io.BytesIO()
    square.save(data, "JPEG", quality=90)
    for _ in range(2):
        wait([ask_later(client, data.getvalue()) for _ in range(IN_FLIGHT)])
    ask(client, data.getvalue(), data.getvalue())


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_every_mutant_is_answered_and_nothing_ends_or_grows(triton_server: TritonServer, count: int) -> None:
    with grpc.InferenceServerClient(triton_server.grpc_url) as client:
        prefix = triton_server.shared_memory_prefix
        fill_every_buffer(client)
        send(triton_server, client, round(count * WARM_UP_SHARE), seed=0)
        processes = model_processes(triton_server.pid)
        before, shared_before = memory_bytes(triton_server.pid), shared_memory_bytes(prefix)
        outcomes = send(triton_server, client, count, seed=count)
        after, shared_after = memory_bytes(triton_server.pid), shared_memory_bytes(prefix)
        growth = {name: after[name] - before[name] for name in before}
        report = {name: f"{size / 2**20:+.1f} MiB" for name, size in growth.items()}
        log = "%d mutants: %s; growth of memory: %s; of /dev/shm: %d bytes"
        _LOG.info(log, count, dict(outcomes), report, shared_after - shared_before)
        assert outcomes.total() == count
        assert outcomes["refused"] > count / 10, "the mutants must be broken"
        assert outcomes["read"] + outcomes["no card"] > count / 20, "some must get past decoding"
        triton_server.check()
        assert model_processes(triton_server.pid) == processes
        assert max(growth.values()) < GROWTH_BYTES, report
        assert shared_after <= shared_before
        assert ask(client, SAMPLE.read_bytes())[0]["cards"]
