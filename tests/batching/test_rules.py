from __future__ import annotations

import math

import pytest

from tandem.batching.errors import InvalidInputError
from tandem.batching.rules import Rule, greedy, strict, timeout


def test_greedy_never_waits_and_strict_waits_without_end() -> None:
    assert not greedy(8).waits
    assert strict(8).waits
    assert strict(8).delay_s == math.inf
    assert not strict(1).waits


def test_timeout_prefers_the_largest_batch_unless_told() -> None:
    assert timeout(8, 0.01).preferred == 8
    assert timeout(8, 0.01, preferred=2).preferred == 2


@pytest.mark.parametrize(
    "wrong", [{"max_batch": 0}, {"preferred": 0}, {"preferred": 5}, {"delay_s": -1.0}, {"delay_s": math.nan}]
)
def test_what_no_rule_can_be_is_refused(wrong: dict[str, float]) -> None:
    right = {"kind": "timeout", "max_batch": 4, "preferred": 4, "delay_s": 0.1}
    with pytest.raises(InvalidInputError):
        Rule(**{**right, **wrong})  # type: ignore[arg-type]
