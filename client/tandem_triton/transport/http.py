"""HTTP: one pool of connections for all requests of a client."""

from __future__ import annotations

import asyncio
import io
import ssl
from typing import Any
from urllib.parse import quote

import aiohttp

from tandem_triton.core.errors import ClosedError, DeadlineError, TandemError, UnavailableError
from tandem_triton.core.exchange import RawOutcome
from tandem_triton.core.options import ClientOptions, TlsOptions
from tandem_triton.core.service import Request
from tandem_triton.transport.wire import decode_http, encode_http

_LARGE = 2**20  # bytes; aiohttp warns of more in one piece


class HttpTransport:
    """Sends items over HTTP (see `exchange.Transport`).

    Args:
        url: `host:port`, or `host:port/path` behind a proxy.
        options: of the client; there are `max_in_flight` connections at most.

    Raises:
        OSError: a certificate's file can't be read.
    """

    def __init__(self, url: str, options: ClientOptions) -> None:
        self._base = f"{'http' if options.tls is None else 'https'}://{url.rstrip('/')}/v2/models"
        self._headers = dict(options.headers(""))
        self._limit = options.max_in_flight
        self._tls = None if options.tls is None else _ssl_context(options.tls)
        self._session: aiohttp.ClientSession | None = None
        self._on_their_way: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def send(self, request_id: str, request: Request[Any], timeout_s: float) -> RawOutcome:
        """See `Transport.send`."""
        if self._closed:
            return ClosedError("the client is closed")
        task = asyncio.ensure_future(self._ask(request_id, request))
        self._on_their_way.add(task)
        try:
            return await asyncio.wait_for(task, timeout_s)
        except asyncio.TimeoutError:
            return DeadlineError("no answer within the time allowed")
        except asyncio.CancelledError:
            if self._closed:
                return ClosedError("the client was closed before the answer came")
            raise
        finally:
            self._on_their_way.discard(task)

    async def close(self) -> None:
        """See `Transport.close`."""
        self._closed = True
        for task in self._on_their_way:
            task.cancel()
        if self._session is not None:
            await self._session.close()

    async def _ask(self, request_id: str, request: Request[Any]) -> RawOutcome:
        service = request.service
        body, headers = encode_http(request_id, request)
        try:
            async with self._open().post(
                f"{self._base}/{quote(service.name, safe='')}/infer",
                data=_payload(body),
                headers=headers,
                allow_redirects=False,
            ) as answer:
                content = await answer.read()
            return decode_http(
                answer.status, answer.headers, content, request_id=request_id, bad_item=service.bad_item
            )
        except TandemError as error:
            return error
        except (aiohttp.ClientError, OSError) as error:
            return UnavailableError(f"the connection failed ({type(error).__name__})")

    def _open(self) -> aiohttp.ClientSession:
        """The session, opened here, for it belongs to the event loop that runs now."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                connector=aiohttp.TCPConnector(limit=self._limit, ssl=self._tls or True),
                timeout=aiohttp.ClientTimeout(total=None),  # `send` keeps the time
                auto_decompress=True,
            )
        return self._session


def _payload(body: bytes) -> bytes | io.BytesIO:
    """The body in a form that aiohttp sends piece by piece where it is large."""
    return body if len(body) < _LARGE else io.BytesIO(body)


def _ssl_context(tls: TlsOptions) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.root_certificates)
    if tls.certificate_chain is not None:
        context.load_cert_chain(tls.certificate_chain, tls.private_key)
    return context
