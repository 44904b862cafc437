"""When a server that ended by itself is started again, and when no more."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from tandem.runtime.errors import GaveUpError

# The first restart comes at once: most faults are the first in days. Then 1, 2, 4, … s, at most this.
LONGEST_PAUSE_S = 30.0
# So many restarts within this time are no bad luck any more. The pauses alone take 1 + 2 + 4 + 8 + 16 s.
MOST_RESTARTS = 6
WINDOW_S = 600.0


class Restarts:
    """Counts the restarts of one server."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing has happened yet.

        Args:
            clock: seconds, never going back.
        """
        self._clock = clock
        self._times: deque[float] = deque(maxlen=MOST_RESTARTS)

    def pause_s(self, reason: str) -> float:
        """How long to wait before the restart that is needed now.

        Args:
            reason: why it is needed, for the error.

        Raises:
            GaveUpError: there were too many.
        """
        now = self._clock()
        while self._times and now - self._times[0] > WINDOW_S:
            self._times.popleft()
        recent = len(self._times)
        if recent == MOST_RESTARTS:
            raise GaveUpError(
                f"the server was started again {recent} times in {now - self._times[0]:.0f} s, and ended each"
                f" time; the last time: {reason}"
            )
        self._times.append(now)
        return min(LONGEST_PAUSE_S, 2.0 ** (recent - 1)) if recent else 0.0
