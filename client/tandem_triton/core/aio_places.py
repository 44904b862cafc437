"""Back-pressure for coroutines: as many items in flight as allowed, the others wait for a place, or fail."""

from __future__ import annotations

import asyncio

from tandem_triton.core.errors import OverloadedError
from tandem_triton.core.options import ClientOptions


class AsyncPlaces:
    """The places of one client; used by the coroutines of one event loop.

    Args:
        options: of the client.
    """

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._places = asyncio.Semaphore(options.max_in_flight)

    async def take(self) -> None:
        """Take a place; give it back by `release`.

        Raises:
            OverloadedError: none became free in time.
        """
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            await asyncio.wait_for(self._places.acquire(), self._options.admission_s)
        except asyncio.TimeoutError:
            raise OverloadedError(
                f"{self._options.max_in_flight} items in flight, none finished within "
                f"{self._options.admission_s:g} s"
            ) from None

    def release(self) -> None:
        """Give a place back."""
        self._places.release()
