"""Thin client of a Tandem server: items in (pictures of identity cards first), typed answers out.

>>> from tandem_triton import Client
>>> with Client("127.0.0.1:8001") as client:  # doctest: +SKIP
...     for card in client.recognize("photo.jpg"):
...         print(card.side, dict(card.fields))
"""

from tandem_triton.core.aio import AsyncClient
from tandem_triton.core.client import Client
from tandem_triton.core.errors import (
    AccessError,
    BadItemError,
    BadPictureError,
    CancelledError,
    ClosedError,
    DeadlineError,
    ItemTypeError,
    NotServedError,
    OverloadedError,
    ProtocolError,
    ServerError,
    TandemError,
    UnavailableError,
)
from tandem_triton.core.in_flight import Result
from tandem_triton.core.metrics import ClientMetrics, MetricsSnapshot
from tandem_triton.core.options import ClientOptions, RetryPolicy, TlsOptions
from tandem_triton.core.service import Answer, Request, Service
from tandem_triton.media.picture import Picture, Point, Quad, encode_picture
from tandem_triton.services import find_services, service_named
from tandem_triton.services.id_card import Card, CardsAnswer, Correction, Reading, Side

__all__ = [
    "AccessError",
    "Answer",
    "AsyncClient",
    "BadItemError",
    "BadPictureError",
    "CancelledError",
    "Card",
    "CardsAnswer",
    "Client",
    "ClientMetrics",
    "ClientOptions",
    "ClosedError",
    "Correction",
    "DeadlineError",
    "ItemTypeError",
    "MetricsSnapshot",
    "NotServedError",
    "OverloadedError",
    "Picture",
    "Point",
    "ProtocolError",
    "Quad",
    "Reading",
    "Request",
    "Result",
    "RetryPolicy",
    "ServerError",
    "Service",
    "Side",
    "TandemError",
    "TlsOptions",
    "UnavailableError",
    "encode_picture",
    "find_services",
    "service_named",
]
