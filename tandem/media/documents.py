"""The documents found in a picture, and what of them travels to the classifier and past it.

`FOUND` `(D, 9)` float32 has a row a document: its quad in pixels of the picture as sent, and the detector's
score. A row whose score is 0 is padding, for the items of one Triton request share one shape. Row i of
`FOUND` is view i of `VIEWS`; without a document the only view is the whole picture's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tandem.media.document_kinds import KINDS
from tandem.media.document_views import views_of
from tandem.media.letterbox import letterbox, sent_to_working, thumbnail_to_working, working_to_sent
from tandem.media.picture import Picture
from tandem.media.quads import is_plausible, outline

FOUND_WIDTH = 9
#: A picture with more documents than this is cut to the surest of them.
MAX_DOCUMENTS = 8
#: Where no card lies, a detection below this is no document: the whole picture says more.
SURE_DOCUMENT = 0.3
_PLACES = 4  # decimals of scores; a corner has one, a tenth of a pixel


class FindDocuments(Protocol):
    """The detector of documents of every kind, wherever it runs."""

    def __call__(self, thumbnails: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Documents in (n, 320, 320, 3) uint8 BGR thumbnails: quads (n, k, 4, 2) in px, scores (n, k)."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """A document found in a picture.

    Attributes:
        quad: (4, 2) float32, pixels of the picture as sent, clockwise from the document's own top left.
        score: the detector's, (0, 1].
        kinds: (kinds,) float32, each kind's probability, in the order of `KINDS`.
    """

    quad: NDArray[np.float32]
    score: float
    kinds: NDArray[np.float32]


def straighten_documents(
    picture: Picture, quads: NDArray[np.float32], scores: NDArray[np.float32], *, threshold: float
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The picture's documents as the classifier sees them: `VIEWS` (V, 160, 256, 3) and `FOUND` (V, 9).

    Args:
        picture: decoded.
        quads: (k, 4, 2) float32, thumbnail px, clockwise from each document's own top left; surest first.
        scores: (k,) float32, 0-1.
        threshold: a detection with a lower score is no document.
    """
    kept = [
        (quad, score)
        for quad, score in zip(quads, scores, strict=True)
        if score >= threshold and is_plausible(thumbnail_to_working(quad, picture.size))
    ][:MAX_DOCUMENTS]
    found = np.zeros((max(len(kept), 1), FOUND_WIDTH), np.float32)
    for row, (quad, score) in zip(found, kept, strict=False):
        row[:8] = thumbnail_to_sent(picture, quad).reshape(8)
        row[8] = score
    working = [thumbnail_to_working(quad, picture.size) for quad, _ in kept]
    return views_of(picture.pixels, working), found


def thumbnail_to_sent(picture: Picture, quad: NDArray[np.float32]) -> NDArray[np.float32]:
    """A (4, 2) quad in px of the picture's thumbnail, in px of the picture as sent."""
    return working_to_sent(thumbnail_to_working(quad, picture.size), picture.size, picture.sent_size)


def card_views(picture: Picture, quads: Sequence[NDArray[np.float32]]) -> NDArray[np.uint8]:
    """What the classifier sees of found cards: `VIEWS` (V, 160, 256, 3).

    Args:
        picture: decoded.
        quads: (4, 2) float32 each, px of the picture as sent; one or more.
    """
    working = [sent_to_working(quad, picture.size, picture.sent_size) for quad in quads]
    return views_of(picture.pixels, working)


def other_views(
    picture: Picture, find_documents: FindDocuments
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """What the classifier sees of a picture without cards: `VIEWS` (V, 160, 256, 3) and `VIEW_QUADS` (V, 8).

    Args:
        picture: decoded.
        find_documents: says where other documents lie: a view each. Without any the whole picture is the one
            view.
    """
    quads, scores = find_documents(letterbox(picture.pixels)[np.newaxis])
    views, found = straighten_documents(picture, quads[0], scores[0], threshold=SURE_DOCUMENT)
    if found[0, 8] == 0:
        height, width = picture.sent_size
        found[0, :8] = outline(width, height).reshape(8)
    return views, np.ascontiguousarray(found[:, :8])


def unpack_documents(found: NDArray[np.float32], kinds: NDArray[np.float32]) -> list[Document]:
    """The documents of a `FOUND` (D, 9) with the kinds (≥ D, kinds) of their views, padding left out."""
    rows = zip(found, kinds[: len(found)], strict=True)
    return [
        Document(quad=row[:8].reshape(4, 2), score=float(row[8]), kinds=own)
        for row, own in rows
        if row[8] > 0
    ]


def best_kind(kinds: NDArray[np.float32]) -> tuple[str, float]:
    """The likeliest kind and its probability."""
    index = int(np.argmax(kinds))
    return KINDS[index], float(kinds[index])


def rounded_score(score: float) -> float:
    """A score as results give it."""
    return round(float(score), _PLACES)


def rounded_quad(quad: NDArray[np.float32]) -> list[list[float]]:
    """A (4, 2) quad as results give it."""
    return [[round(float(x), 1), round(float(y), 1)] for x, y in quad]
