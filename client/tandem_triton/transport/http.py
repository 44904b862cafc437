"""HTTP by other means: a pool of threads, each waiting for its own request's answer."""

from __future__ import annotations

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import urllib3

from tandem_triton.core.errors import ClosedError, DeadlineError, TandemError, UnavailableError
from tandem_triton.core.options import ClientOptions, TlsOptions
from tandem_triton.transport.transport import RawOutcome
from tandem_triton.transport.wire import decode_http, encode_http


class HttpTransport:
    """Sends pictures over HTTP (see `transport.Transport`).

    A request on its way can't be called back: cancelling `send` only keeps one from starting.

    Args:
        url: `host:port`, or `host:port/path` behind a proxy.
        options: of the client; there are `max_in_flight` threads at most.
    """

    def __init__(self, url: str, options: ClientOptions) -> None:
        scheme = "http" if options.tls is None else "https"
        self._url = f"{scheme}://{url.rstrip('/')}/v2/models/{quote(options.model, safe='')}/infer"
        self._headers = dict(options.metadata)
        self._threads = ThreadPoolExecutor(options.max_in_flight, thread_name_prefix="tandem-http")
        self._connections = urllib3.PoolManager(
            maxsize=options.max_in_flight,
            retries=False,  # retrying is the exchange's, in one place
            ssl_context=None if options.tls is None else _ssl_context(options.tls),
        )
        self._on_their_way: set[asyncio.Future[RawOutcome]] = set()
        self._closed = False

    async def send(self, request_id: str, picture: bytes, timeout_s: float) -> RawOutcome:
        """See `Transport.send`."""
        if self._closed:
            return ClosedError("the client is closed")
        answer = asyncio.get_running_loop().run_in_executor(
            self._threads, self._ask, request_id, picture, timeout_s
        )
        self._on_their_way.add(answer)
        try:
            # urllib3's own timeout begins again with every byte that comes.
            return await asyncio.wait_for(answer, timeout_s)
        except asyncio.TimeoutError:
            return DeadlineError("no answer within the time allowed")
        except asyncio.CancelledError:
            if self._closed:
                return ClosedError("the client was closed before the answer came")
            raise
        finally:
            self._on_their_way.discard(answer)

    async def close(self) -> None:
        """See `Transport.close`; returns without waiting for requests on their way."""
        self._closed = True
        for answer in self._on_their_way:
            answer.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._connections.clear()

    def _ask(self, request_id: str, picture: bytes, timeout_s: float) -> RawOutcome:
        body, headers = encode_http(request_id=request_id, picture=picture)
        try:
            answer = self._connections.request(
                "POST",
                self._url,
                body=body,
                headers={**self._headers, **headers},
                timeout=urllib3.Timeout(total=max(timeout_s, _SHORTEST_TIMEOUT_S)),
            )
            return decode_http(answer.status, answer.headers, answer.data, request_id=request_id)
        except TandemError as error:
            return error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return _error_of_connection(error, timeout_s)


_SHORTEST_TIMEOUT_S = 0.001  # urllib3 refuses 0


def _error_of_connection(error: Exception, timeout_s: float) -> TandemError:
    # A refused connection is also a TimeoutError by urllib3's inheritance.
    refused = isinstance(error, urllib3.exceptions.NewConnectionError)
    if isinstance(error, urllib3.exceptions.TimeoutError) and not refused:
        return DeadlineError(f"no answer within {timeout_s:g} s")
    return UnavailableError(f"the connection failed ({type(error).__name__})")


def _ssl_context(tls: TlsOptions) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.root_certificates)
    if tls.certificate_chain is not None:
        context.load_cert_chain(tls.certificate_chain, tls.private_key)
    return context
