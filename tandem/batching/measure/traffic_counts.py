"""What a running server counted between two looks: rate, batches by size, and their times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tandem.batching.measure.batch_statistics import Counts, batch_counts, since
from tandem.batching.measure.live_model import TIMEOUT_S, LiveModel, translated
from tandem.batching.service_time import LinearFit, ServiceTime, fit_line

# Like `Counts`, but older batches count for less than one.
Weights = dict[int, tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Look:
    """The server's counters at one moment.

    Attributes:
        items: inferences so far.
        queued_s: time that requests have waited in the queue, together, seconds.
        batches: see `batch_statistics.Counts`.
    """

    items: int
    queued_s: float
    batches: Counts


@dataclass(frozen=True, kw_only=True)
class Interval:
    """What happened between two looks.

    Attributes:
        seconds: time between them.
        items: inferences.
        queued_s: mean wait in the queue, seconds; 0 without items.
        batches: batches by size, and their time.
    """

    seconds: float
    items: int
    queued_s: float
    batches: Counts

    @property
    def rate_per_s(self) -> float:
        """Items a second."""
        return self.items / self.seconds

    @property
    def mean_batch(self) -> float:
        """Items a batch; 0 without batches."""
        batches = sum(count for count, _ in self.batches.values())
        return sum(size * count for size, (count, _) in self.batches.items()) / batches if batches else 0.0


def look(client: Any, model: LiveModel) -> Look:
    """The server's counters now.

    Raises:
        ModelNotFoundError, ServerDownError: it went away.
    """
    with translated(model.name):
        stats = client.get_inference_statistics(model.name, client_timeout=TIMEOUT_S).model_stats[0]
    queued = stats.inference_stats.queue.ns / 1e9
    return Look(items=int(stats.inference_count), queued_s=queued, batches=batch_counts(client, model))


def between(before: Look, after: Look, seconds: float) -> Interval:
    """What happened between two looks."""
    items = after.items - before.items
    waited = (after.queued_s - before.queued_s) / items if items else 0.0
    return Interval(
        seconds=seconds, items=items, queued_s=waited, batches=since(before.batches, after.batches)
    )


def add_counts(known: Weights, new: Counts, keep: float) -> Weights:
    """Counts in which older ones weigh less.

    Args:
        known: those so far.
        new: those of the last interval.
        keep: weight of the older ones, 0 to 1.
    """
    sizes = known.keys() | new.keys()
    old = {size: known.get(size, (0.0, 0.0)) for size in sizes}
    fresh = {size: new.get(size, (0, 0.0)) for size in sizes}
    return {
        size: (old[size][0] * keep + fresh[size][0], old[size][1] * keep + fresh[size][1]) for size in sizes
    }


def service_from(batches: Weights, max_batch: int) -> tuple[ServiceTime, LinearFit | None]:
    """s(b) from the batches that ran: means where a size was seen, else the line through those.

    With a single size seen nothing tells alpha from beta; s(b) is then taken as proportional to b, the least
    that batches can gain.

    Args:
        batches: at least one of them.
        max_batch: how far to go.
    """
    seen = {size: busy / count for size, (count, busy) in sorted(batches.items()) if count > 0}
    if len(seen) < 2:
        ((size, seconds),) = seen.items()
        return ServiceTime(tuple(seconds * b / size for b in range(1, max_batch + 1))), None
    line = fit_line(list(seen), list(seen.values()))
    alpha, beta = max(line.alpha_s, 0.0), max(line.beta_s, 0.0)
    times: list[float] = []
    for size in range(1, max_batch + 1):
        guess = seen.get(size, alpha + beta * size)
        times.append(max(guess, times[-1] if times else 1e-6))  # a larger batch is not done sooner
    return ServiceTime(tuple(times)), line
