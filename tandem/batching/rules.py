"""When an idle instance starts a batch, and how many items it takes: three rules, one form.

An idle instance starts as soon as `preferred` items wait or the oldest has waited `delay_s`, and takes
min(waiting, max_batch):

- *greedy*: preferred 1. Triton with `max_queue_delay_microseconds: 0`.
- *strict*: preferred = max_batch, delay without end. No Triton setting does this; it is the patent's reading.
- *timeout* ("M or T"): Triton's `preferred_batch_size` with a delay.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from tandem.batching.errors import InvalidInputError

Kind = Literal["greedy", "strict", "timeout"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A dispatch rule.

    Attributes:
        kind: which of the three it is, for people.
        max_batch: most items in a batch, 1 or more.
        preferred: waiting items that start a batch at once, 1 to `max_batch`.
        delay_s: longest time the oldest item waits for others while an instance is idle, seconds, 0 to
            infinity.
    """

    kind: Kind
    max_batch: int
    preferred: int
    delay_s: float

    def __post_init__(self) -> None:
        if self.max_batch < 1:
            raise InvalidInputError(f"the largest batch is {self.max_batch}; it must be 1 or more")
        if not 1 <= self.preferred <= self.max_batch:
            raise InvalidInputError(f"the preferred size {self.preferred} is not in 1 to {self.max_batch}")
        if math.isnan(self.delay_s) or self.delay_s < 0:
            raise InvalidInputError(f"the delay is {self.delay_s} s; it must be 0 or more")

    @property
    def waits(self) -> bool:
        """True where an idle instance may leave items waiting."""
        return self.preferred > 1 and self.delay_s > 0


def greedy(max_batch: int) -> Rule:
    """An idle instance takes what waits, at most `max_batch`."""
    return Rule(kind="greedy", max_batch=max_batch, preferred=1, delay_s=0.0)


def strict(max_batch: int) -> Rule:
    """An idle instance waits until `max_batch` items are there."""
    return Rule(kind="strict", max_batch=max_batch, preferred=max_batch, delay_s=math.inf)


def timeout(max_batch: int, delay_s: float, preferred: int | None = None) -> Rule:
    """An idle instance waits for `preferred` items (default: `max_batch`), but at most `delay_s`."""
    return Rule(kind="timeout", max_batch=max_batch, preferred=preferred or max_batch, delay_s=float(delay_s))
