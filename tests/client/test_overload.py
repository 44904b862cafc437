"""Offered twice what the server can do: the excess is refused quickly, what was admitted served as before."""

from __future__ import annotations

import resource
import threading
import time
from statistics import median, quantiles

import pytest
from tandem_client import Client, ClientOptions, OverloadedError

from tandem.runtime.server import TritonServer
from tests.client.orders import order

pytestmark = pytest.mark.triton

SERVICE_S = 0.05
INSTANCES = 4  # of the test model
IN_FLIGHT = 2 * INSTANCES  # a place in service and one behind it
ADMISSION_S = 0.02
OFFERED_PER_S = 2 * INSTANCES / SERVICE_S
CALLERS = 32
RUN_S = 8.0
QUICK_S = 0.1
GROWTH_KIB = 30 * 1024  # of 2,500 items of 200 kB each: a leak of one in ten would show
PICTURE = order(number="1", delay_s=SERVICE_S) + b" " * 200_000


def _timed(client: Client) -> tuple[bool, float]:
    """Whether it was admitted, and how long that took."""
    began_s = time.perf_counter()
    try:
        client.recognize(PICTURE)
    except OverloadedError:
        return False, time.perf_counter() - began_s
    return True, time.perf_counter() - began_s


def test_twice_the_capacity(triton: TritonServer) -> None:
    options = ClientOptions(max_in_flight=IN_FLIGHT, admission_timeout_s=ADMISSION_S)
    took: list[tuple[bool, float]] = []
    with Client(triton.grpc_url, options=options) as client:
        for _ in range(20):
            _timed(client)
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        end_s = time.monotonic() + RUN_S

        def call() -> None:
            while time.monotonic() < end_s:
                due_s = time.monotonic() + CALLERS / OFFERED_PER_S
                took.append(_timed(client))
                time.sleep(max(0.0, due_s - time.monotonic()))

        callers = [threading.Thread(target=call) for _ in range(CALLERS)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
        assert client.metrics.snapshot().in_flight == 0

    served = [seconds for admitted, seconds in took if admitted]
    refused = [seconds for admitted, seconds in took if not admitted]
    assert len(refused) > len(took) / 5, "the server was never overloaded: the test proves nothing"
    assert len(served) > len(took) / 10
    assert median(refused) < QUICK_S
    # Admission, one item before it, its own service; tripled, for the machine has other work.
    assert quantiles(served, n=20)[-1] < 3 * (ADMISSION_S + 2 * SERVICE_S)
    assert grown_kib < GROWTH_KIB
