"""Whether an outcome is final, or the item is sent again after a pause; pure."""

from __future__ import annotations

from tandem_triton.core.errors import UnavailableError
from tandem_triton.core.options import RetryPolicy
from tandem_triton.transport.transport import RawOutcome


def pause_before_retry_s(
    policy: RetryPolicy, outcome: RawOutcome, *, sent: int, left_s: float, draw: float
) -> float | None:
    """Seconds to wait before the item is sent again, or None if the outcome is final.

    Only `UnavailableError` is retried: the server never took the item, or its answer was lost with the
    connection; reading a card twice does no harm. Any other failure would fail again, or add to an overload.

    Args:
        policy: see `RetryPolicy`.
        outcome: of the latest attempt.
        sent: how often the item was sent, ≥ 1.
        left_s: until the item's deadline; a pause that outlasts it is not begun.
        draw: evenly from [0, 1).
    """
    if not isinstance(outcome, UnavailableError) or sent >= policy.attempts:
        return None
    # The exponent is bounded so that many attempts do not overflow.
    longest = min(policy.longest_pause_s, policy.first_pause_s * 2.0 ** min(sent - 1, 32))
    pause = longest * (0.5 + 0.5 * draw)
    return pause if pause < left_s else None
