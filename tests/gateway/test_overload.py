"""Twice what the Triton can do, through the queue: the excess is refused quickly, nobody's memory grows.

For a minute, telling what it saw: `scripts/test tests/gateway/test_overload.py --slow --log-cli-level=INFO`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

import pytest
from tandem_triton.queue import QueueClient, QueueNames, QueueOptions

from tandem.runtime.model_processes import model_processes
from tandem.runtime.server import TritonServer
from tests.client.orders import order
from tests.client.overload import offer
from tests.gateway.broker import Broker
from tests.gateway.process import GatewayProcess

pytestmark = [pytest.mark.rabbitmq, pytest.mark.triton]
_LOG = logging.getLogger(__name__)

SERVICE_S = 0.05
INSTANCES = 4  # of the test model
PER_S = INSTANCES / SERVICE_S
LONGEST = 16  # pictures that may wait: 0.2 s of work
CALLERS = 64
QUICK_S = 0.1
GROWTH_BYTES = 30 * 2**20
# The broker keeps what it has written lately: its quorum queues' log, up to 512 MiB by default.
PICTURE = order(number="1", delay_s=SERVICE_S) + b" " * 2_000
BROKER = "broker"


@pytest.mark.parametrize("run_s", [8.0, pytest.param(60.0, marks=pytest.mark.slow)])
def test_twice_the_capacity(
    broker: Broker,
    triton: TritonServer,
    start_gateway: Callable[..., GatewayProcess],
    names: QueueNames,
    run_s: float,
) -> None:
    gateway = start_gateway("--longest", str(LONGEST))
    processes = {
        "client": os.getpid(),
        "gateway": gateway.pid,
        "tritonserver": triton.pid,
        BROKER: broker.pid,
    }
    processes |= {f"{name} {pid}": pid for pid, name in model_processes(triton.pid).items()}
    short = QueueNames(prefix=names.prefix, longest=LONGEST)
    with QueueClient(broker.url, QueueOptions(names=short, timeout_s=60)) as client:
        found = offer(
            lambda: client.recognize(PICTURE),
            callers=CALLERS,
            per_s=2 * PER_S,
            run_s=run_s,
            processes=processes,
        )
    _LOG.info("\n%s", "\n".join(found.lines()))
    total = len(found.served_s) + len(found.refused_s)
    assert len(found.refused_s) > total / 5, "nothing was too much: the test proves nothing"
    assert len(found.served_s) > total / 10
    assert found.refused_p95_s < QUICK_S
    # The queue, what the gateway has in hand, its own service, at the Triton's pace; doubled: a busy machine.
    assert found.served_p95_s < 2 * ((LONGEST + 8) / PER_S + SERVICE_S)
    grown = {name: size for name, size in found.grown_bytes().items() if name != BROKER}
    assert max(grown.values()) < GROWTH_BYTES, grown
