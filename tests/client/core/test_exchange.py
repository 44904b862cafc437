import pytest
from hypothesis import given
from hypothesis import strategies as st
from tandem_triton import RetryPolicy, UnavailableError
from tandem_triton.core import errors
from tandem_triton.core.exchange import pause_before_retry_s

POLICY = RetryPolicy(attempts=5, first_pause_s=0.1, longest_pause_s=0.5)


def _pause(
    outcome: bytes | errors.TandemError, sent: int = 1, left_s: float = 60, draw: float = 0.5
) -> float | None:
    return pause_before_retry_s(POLICY, outcome, sent=sent, left_s=left_s, draw=draw)


@pytest.mark.parametrize(
    "outcome",
    [b"{}", *(cls("") for cls in errors.TandemError.__subclasses__() if cls is not UnavailableError)],
    ids=lambda outcome: type(outcome).__name__,
)
def test_only_unavailable_is_retried(outcome: bytes | errors.TandemError) -> None:
    assert _pause(outcome) is None


def test_the_pause_doubles_up_to_the_longest() -> None:
    assert [_pause(UnavailableError(), sent, draw=0) for sent in (1, 2, 3, 4)] == [0.05, 0.1, 0.2, 0.25]


def test_attempts_end() -> None:
    assert _pause(UnavailableError(), sent=5) is None


def test_by_default_only_the_deadline_ends_them() -> None:
    policy = RetryPolicy()
    assert pause_before_retry_s(policy, UnavailableError(), sent=10**6, left_s=60, draw=0) == 0.5
    assert pause_before_retry_s(policy, UnavailableError(), sent=10**6, left_s=0.1, draw=0) is None


def test_a_pause_that_outlasts_the_deadline_is_not_begun() -> None:
    assert _pause(UnavailableError(), left_s=0.01) is None
    assert _pause(UnavailableError(), left_s=-1) is None


@given(sent=st.integers(1, 10**6), draw=st.floats(0, 1, exclude_max=True))
def test_jitter_keeps_between_half_and_whole(sent: int, draw: float) -> None:
    policy = RetryPolicy(attempts=10**7, first_pause_s=0.1, longest_pause_s=0.5)
    pause = pause_before_retry_s(policy, UnavailableError(), sent=sent, left_s=60, draw=draw)
    whole = min(0.5, 0.1 * 2 ** min(sent - 1, 10))
    assert pause is not None
    assert whole / 2 <= pause <= whole
