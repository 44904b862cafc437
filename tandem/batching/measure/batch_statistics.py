"""What the server itself counts of a model: batches by size, and the time that they took."""

from __future__ import annotations

import time
from typing import Any

from tandem.batching.measure.live_model import TIMEOUT_S, LiveModel, translated

# The server answers first and counts then; on a busy machine the count may come that much later.
STATISTICS_LAG_S = 1.0
_POLL_S = 0.01
# How many batches of each size ran, and the backend's time for them together, seconds.
Counts = dict[int, tuple[int, float]]


def batch_counts(client: Any, model: LiveModel) -> Counts:
    """How many batches of each size ran so far, and the backend's time for them together, seconds.

    Raises:
        ModelNotFoundError, ServerDownError: it went away.
    """
    with translated(model.name):
        answer = client.get_inference_statistics(model.name, client_timeout=TIMEOUT_S)
    result = {}
    for entry in answer.model_stats[0].batch_stats:
        parts = (entry.compute_input, entry.compute_infer, entry.compute_output)
        result[int(entry.batch_size)] = (int(entry.compute_infer.count), sum(part.ns for part in parts) / 1e9)
    return result


def since(before: Counts, after: Counts) -> Counts:
    """What ran between two counts; sizes that did not are left out."""
    new = {
        size: (count - before.get(size, (0, 0.0))[0], busy - before.get(size, (0, 0.0))[1])
        for size, (count, busy) in after.items()
    }
    return {size: (count, busy) for size, (count, busy) in new.items() if count > 0}


def busy_s(client: Any, model: LiveModel) -> float:
    """Time that the model's instances have worked so far, seconds."""
    return sum(busy for _, busy in batch_counts(client, model).values())


def items_run(client: Any, model: LiveModel) -> int:
    """How many items the model, or ensemble, has answered so far.

    Raises:
        ModelNotFoundError, ServerDownError: it went away.
    """
    with translated(model.name):
        answer = client.get_inference_statistics(model.name, client_timeout=TIMEOUT_S)
    return int(answer.model_stats[0].inference_count)


def foreign_items(client: Any, model: LiveModel, *, before: int, sent: int) -> int:
    """How many items ran that somebody else had sent.

    Args:
        client: see `live_model.connect`.
        model: which was measured.
        before: `items_run` before the first item was sent.
        sent: how many were, all of them answered.
    """
    until = time.perf_counter() + STATISTICS_LAG_S
    while (ran := items_run(client, model) - before) < sent and time.perf_counter() < until:
        time.sleep(_POLL_S)
    return max(ran - sent, 0)
