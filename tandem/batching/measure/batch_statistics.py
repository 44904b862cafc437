"""What the server itself counts of a model: batches by size, and the time that they took."""

from __future__ import annotations

from typing import Any

from tandem.batching.measure.live_model import TIMEOUT_S, LiveModel, translated

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
