"""Thin client of Tandem: pictures of Chinese resident identity cards in, typed fields out.

>>> from tandem_triton import Client
>>> with Client("127.0.0.1:8001") as client:  # doctest: +SKIP
...     for card in client.recognize("photo.jpg"):
...         print(card.side, dict(card.fields))
"""

from tandem_triton.core.aio import AsyncClient
from tandem_triton.core.client import Client
from tandem_triton.core.errors import (
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
from tandem_triton.core.many import Reading
from tandem_triton.core.metrics import ClientMetrics, MetricsSnapshot
from tandem_triton.core.options import ClientOptions, RetryPolicy, TlsOptions
from tandem_triton.media.picture import Picture, encode_picture
from tandem_triton.services.id_card import Answer, Card, Correction, Point, Quad, Side

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
