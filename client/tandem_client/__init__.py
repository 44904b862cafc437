"""Thin client of Tandem: pictures of Chinese resident identity cards in, typed fields out.

>>> from tandem_client import Client
>>> with Client("127.0.0.1:8001") as client:  # doctest: +SKIP
...     for card in client.recognize("photo.jpg"):
...         print(card.side, dict(card.fields))
"""

from tandem_client.aio import AsyncClient
from tandem_client.cards import Answer, Card, Correction, Point, Quad, Side
from tandem_client.client import Client
from tandem_client.errors import (
    AccessError,
    BadPictureError,
    CancelledError,
    ClosedError,
    DeadlineError,
    NotServedError,
    OverloadedError,
    ProtocolError,
    ServerError,
    TandemError,
    UnavailableError,
)
from tandem_client.many import Reading
from tandem_client.metrics import ClientMetrics, MetricsSnapshot
from tandem_client.options import ClientOptions, RetryPolicy, TlsOptions
from tandem_client.pictures import Picture, encode_picture

__all__ = [
    "AccessError",
    "Answer",
    "AsyncClient",
    "BadPictureError",
    "CancelledError",
    "Card",
    "Client",
    "ClientMetrics",
    "ClientOptions",
    "ClosedError",
    "Correction",
    "DeadlineError",
    "MetricsSnapshot",
    "NotServedError",
    "OverloadedError",
    "Picture",
    "Point",
    "ProtocolError",
    "Quad",
    "Reading",
    "RetryPolicy",
    "ServerError",
    "Side",
    "TandemError",
    "TlsOptions",
    "UnavailableError",
    "encode_picture",
]
