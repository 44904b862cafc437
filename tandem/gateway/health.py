"""Whether a service of the Triton works: known from what becomes of items, and from a probe.

A failure that is not the item's own fault may be the server's: it is set up wrong, refuses the token, has
lost a model's process, is away. Then nothing may be taken from the queue, and no message may be counted as
failed. So each such failure is followed by the service's probe, a small well-formed item: if that is
answered, the item is to blame, else the server, and the probe is repeated until it is answered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from tandem_triton import AsyncClient, BadItemError, Request, Service, TandemError

_LOG = logging.getLogger(__name__)
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 2.0  # how long a Triton that is back may wait for its first item


class ServiceHealth:
    """One service's state; used by one event loop.

    Args:
        client: asks the Triton.
        service: which.
        changed: told each change.

    Attributes:
        reason: why it is ill, None if it is well.
    """

    def __init__(
        self, client: AsyncClient, service: Service[Any], changed: Callable[[ServiceHealth], None]
    ) -> None:
        self.service = service
        self.reason: str | None = "not probed yet"
        self._code: str | None = None
        self._client = client
        self._changed = changed
        self._well = asyncio.Event()
        self._ill = asyncio.Event()
        self._ill.set()
        self._probing: asyncio.Task[TandemError | None] | None = None

    async def wait_well(self) -> None:
        """Return when the service works."""
        await self._well.wait()

    async def wait_ill(self) -> None:
        """Return when the service does not work."""
        await self._ill.wait()

    async def passes(self) -> bool:
        """Whether the probe is answered now, which sets the state; simultaneous callers share one."""
        if self._probing is None or self._probing.done():
            self._probing = asyncio.create_task(self._probe())
        self._set(await asyncio.shield(self._probing))
        return self.reason is None

    async def recover(self) -> None:
        """Return when the probe is answered, however long it takes; between two tries is a growing pause."""
        pause_s = _FIRST_PAUSE_S
        while not await self.passes():
            await asyncio.sleep(pause_s)
            pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)

    async def _probe(self) -> TandemError | None:
        request = Request(service=self.service, content=self.service.probe)
        try:
            await self._client.ask(request)
        except BadItemError:
            return None  # it was looked at, and that is what was asked
        except TandemError as error:
            return error
        return None

    def _set(self, error: TandemError | None) -> None:
        was_well, was = self._well.is_set(), self._code
        self._code = None if error is None else error.code
        self.reason = None if error is None else f"{error.code}: {error}"
        if error is None:
            self._ill.clear()
            self._well.set()
            if not was_well:
                _LOG.info("%s is served", self.service.name)
        else:
            self._well.clear()
            self._ill.set()
            if was != self._code:  # one line an illness, not one a probe
                _LOG.error(
                    "%s is not served: %s; nothing is taken from its queue", self.service.name, self.reason
                )
        self._changed(self)
