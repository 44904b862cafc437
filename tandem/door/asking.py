"""Asks Triton about a request's items; every request that reaches Triton is built here, by the client."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tandem_triton import AsyncClient, BadItemError, NotServedError, Service, TandemError, find_services
from tandem_triton.core.service import Request

from tandem.door.errors import BadRequestError
from tandem.door.options import DoorOptions
from tandem.door.records import Record

# What Triton puts before the message of an ensemble's step.
_STEP = re.compile(r"^in ensemble '[^']*', ")


class Asker:
    """The connection to Triton, of one process; made inside its event loop.

    Args:
        options: of the door.

    Raises:
        NotServedError: a service that was named isn't known here.
    """

    def __init__(self, options: DoorOptions) -> None:
        self.services = chosen_services(options.services)
        self._client = AsyncClient(options.triton_url, options=options.client_options())

    async def close(self) -> None:
        """Give up what is in flight."""
        await self._client.close()

    def service(self, name: str) -> Service[Any]:
        """The service of that name.

        Raises:
            NotServedError: there is none; the message says which there are.
        """
        if name not in self.services:
            raise NotServedError(f"there is no such service; there are: {', '.join(self.services)}")
        return self.services[name]

    def requests(
        self, service: Service[Any], items: Sequence[bytes], options: Mapping[str, Any]
    ) -> list[Request[Any]]:
        """A request an item.

        Raises:
            BadItemError: an item or option can't be used.
        """
        encoded = service.encode_options(options)
        return [Request(service=service, content=item, options=encoded) for item in items]

    async def answers(self, requests: Sequence[Request[Any]], record: Record) -> list[bytes | TandemError]:
        """What became of each item: its JSON, or why there is none.

        Args:
            requests: of one caller.
            record: takes note.
        """
        record.items += len(requests)
        began_s = time.perf_counter()
        try:
            if len(requests) == 1:
                return [await self._answer(requests[0])]
            return list(await asyncio.gather(*map(self._answer, requests)))
        finally:
            record.triton_s += time.perf_counter() - began_s

    async def answers_or_raise(self, requests: Sequence[Request[Any]], record: Record) -> list[bytes]:
        """Each item's JSON.

        Raises:
            TandemError: an item has none; of several items the message says which it is.
        """
        texts = []
        for number, outcome in enumerate(await self.answers(requests, record), 1):
            if isinstance(outcome, TandemError):
                if isinstance(outcome, BadItemError) and len(requests) > 1:
                    raise BadRequestError(f"item {number} of {len(requests)}: {outcome}") from outcome
                raise outcome
            texts.append(outcome)
        return texts

    async def _answer(self, request: Request[Any]) -> bytes | TandemError:
        try:
            return (await self._client.ask(request)).text
        except TandemError as error:
            return type(error)(_STEP.sub("", str(error)))


def chosen_services(names: Sequence[str]) -> Mapping[str, Service[Any]]:
    """The services to let through.

    Args:
        names: of them; empty: all that this installation knows.

    Raises:
        NotServedError: one isn't known here.
    """
    known = find_services()
    missing = sorted(set(names) - set(known))
    if missing:
        raise NotServedError(f"no service is called {', '.join(missing)}; there are: {', '.join(known)}")
    return {name: known[name] for name in names} if names else known
