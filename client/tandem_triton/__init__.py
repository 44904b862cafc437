"""Thin client of a Tandem server: items in (pictures of identity cards first), typed answers out.

>>> from tandem_triton import Client
>>> with Client("127.0.0.1:8001") as client:  # doctest: +SKIP
...     for card in client.recognize("photo.jpg"):
...         print(card.side, dict(card.fields))
"""

from tandem_triton._version import __version__
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
from tandem_triton.media.audio import Audio, encode_audio
from tandem_triton.media.picture import Picture, Point, Quad, encode_picture
from tandem_triton.media.text import Text, encode_text
from tandem_triton.services import find_services, service_named
from tandem_triton.services.id_card import Card, CardsAnswer, Correction, Reading, Side
from tandem_triton.services.speech_to_text import Segment, Transcript
from tandem_triton.services.speech_translation import SpokenTranslation
from tandem_triton.services.text_keywords import Keyword, KeywordsAnswer
from tandem_triton.services.text_translation import Translation, TranslationWarning

__all__ = [
    "AccessError",
    "Answer",
    "AsyncClient",
    "Audio",
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
    "Keyword",
    "KeywordsAnswer",
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
    "Segment",
    "ServerError",
    "Service",
    "Side",
    "SpokenTranslation",
    "TandemError",
    "Text",
    "TlsOptions",
    "Transcript",
    "Translation",
    "TranslationWarning",
    "UnavailableError",
    "__version__",
    "encode_audio",
    "encode_picture",
    "encode_text",
    "find_services",
    "service_named",
]
