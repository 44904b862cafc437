"""Who asks a step for some of its outputs, however often, leaves its process none the worse."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tritonclient import grpc

from tandem.runtime.model_processes import model_processes
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import CHECKOUT

SAMPLE = (CHECKOUT / "docs" / "images" / "sample.jpg").read_bytes()
CALLERS = 8


# Before responses were made of the wanted outputs only, the process was corrupt after some 6,000 requests.
@pytest.mark.parametrize("count", [200, pytest.param(20_000, marks=pytest.mark.slow)])
def test_some_of_the_outputs(triton_server: TritonServer, count: int) -> None:
    before = model_processes(triton_server.pid)
    wanted = [grpc.InferRequestedOutput("PICTURE_SIZE")]

    def ask(requests: int) -> set[tuple[int, ...]]:
        picture = grpc.InferInput("IMAGE", [1, 1], "BYTES")
        picture.set_data_from_numpy(np.array([[SAMPLE]], np.object_))
        sizes = set()
        with grpc.InferenceServerClient(triton_server.grpc_url) as client:
            for _ in range(requests):
                answer = client.infer("decode_image", [picture], outputs=wanted, client_timeout=30)
                assert [output.name for output in answer.get_response().outputs] == ["PICTURE_SIZE"]
                sizes.add(tuple(answer.as_numpy("PICTURE_SIZE")[0].tolist()))
        return sizes

    with ThreadPoolExecutor(CALLERS) as callers:
        seen = list(callers.map(ask, [count // CALLERS] * CALLERS))
    assert len(set.union(*seen)) == 1
    assert model_processes(triton_server.pid) == before
