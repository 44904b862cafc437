"""What the router costs, held to its limits; `python -m tests.client.measure_overhead` prints the table."""

from __future__ import annotations

import logging

import pytest
import tritonclient.grpc as plain
from tandem_triton import Client

from tandem.runtime.server import TritonServer
from tests.client.askers import PICTURE, SWIFT, TWENTY_MS, Subject
from tests.client.measure_overhead import ECHO, compare, latencies_s, plain_call, rows, shares

pytestmark = pytest.mark.triton
_LOG = logging.getLogger(__name__)


def test_one_client_pays_less_than_a_millisecond(triton: TritonServer) -> None:
    with (
        plain.InferenceServerClient(triton.grpc_url) as bare,
        Client(triton.grpc_url) as client,
    ):
        took = latencies_s({"plain": plain_call(bare), "router": lambda: client.call_json(ECHO, PICTURE)})
    assert took["router"] - took["plain"] < 0.001


@pytest.mark.slow
@pytest.mark.parametrize("subject", [TWENTY_MS, SWIFT], ids=lambda subject: subject.title)
def test_64_in_flight_get_what_perf_analyzer_gets(triton: TritonServer, subject: Subject) -> None:
    rates = compare(triton.grpc_url, subject, rounds=3, run_s=6)
    _LOG.info("\n%s", "\n".join(rows(subject, rates)))
    assert shares(rates)["64 threads, Client"] >= 0.95
    assert shares(rates)["64 coroutines, AsyncClient"] >= 0.95
    assert subject is not SWIFT or rates["perf_analyzer"][0].per_s >= 3_000
