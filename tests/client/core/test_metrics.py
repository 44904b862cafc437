import threading
from collections.abc import Iterator

import pytest
from tandem_triton.core.errors import OutcomeKind
from tandem_triton.core.metrics import LATENCY_BOUNDS_S, ClientMetrics


def test_a_new_client_has_every_kind_at_zero() -> None:
    now = ClientMetrics().snapshot()
    assert now.outcomes == {"answered": 0, "empty": 0, "refused": 0, "overloaded": 0, "failed": 0}
    assert now.in_flight == now.latency_sum_s == sum(now.latency_counts) == 0
    assert now.services == {}


def test_a_bucket_holds_what_took_at_most_its_bound() -> None:
    metrics = ClientMetrics()
    for latency_s in (0.005, 0.0051, 31.0):
        metrics.started("id_card")
        metrics.finished("id_card", "answered", latency_s)
    now = metrics.snapshot()
    assert now.latency_counts[:2] == (1, 1)
    assert now.latency_counts[-1] == 1
    assert len(now.latency_counts) == len(LATENCY_BOUNDS_S) + 1
    assert now.latency_sum_s == pytest.approx(31.0101)


def test_nothing_is_lost_between_threads() -> None:
    metrics = ClientMetrics()

    def work() -> None:
        for _ in range(2_000):
            metrics.started("id_card")
            metrics.finished("id_card", "failed", 0.1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    now = metrics.snapshot()
    assert now.outcomes["failed"] == sum(now.latency_counts) == 8_000
    assert now.in_flight == 0


def test_prometheus_shows_the_same_counts() -> None:
    pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - optional
    from tandem_triton.core.prometheus import ClientCollector  # noqa: PLC0415 - optional

    metrics = ClientMetrics()
    for kind in _kinds():
        metrics.started("id_card")
        metrics.finished("id_card", kind, 0.3)
    metrics.started("id_card")
    registry = CollectorRegistry()
    registry.register(ClientCollector(metrics))
    text = generate_latest(registry).decode()
    assert 'tandem_client_outcomes_total{outcome="empty",service="id_card"} 1.0' in text
    assert 'tandem_client_in_flight{service="id_card"} 1.0' in text
    assert 'tandem_client_latency_seconds_bucket{le="0.25",service="id_card"} 0.0' in text
    assert 'tandem_client_latency_seconds_bucket{le="0.5",service="id_card"} 2.0' in text
    assert 'tandem_client_latency_seconds_count{service="id_card"} 2.0' in text


def _kinds() -> Iterator[OutcomeKind]:
    yield from ("answered", "empty")


def test_services_are_counted_apart_and_together() -> None:
    metrics = ClientMetrics()
    for service, latency_s in (("id_card", 0.2), ("find_cards", 0.3)):
        metrics.started(service)
        metrics.finished(service, "answered", latency_s)
    metrics.retried("find_cards")
    now = metrics.snapshot()
    assert (
        now.services["id_card"].outcomes["answered"] == now.services["find_cards"].outcomes["answered"] == 1
    )
    assert (now.services["id_card"].retries, now.services["find_cards"].retries, now.retries) == (0, 1, 1)
    assert now.outcomes["answered"] == sum(now.latency_counts) == 2
    assert now.latency_sum_s == pytest.approx(0.5)
