"""The documents found in a picture, and what of them travels to the classifier and past it.

`FOUND` `(D, 9)` float32 has a row a document: its quad in pixels of the picture as sent, and the detector's
score. A row whose score is 0 is padding, for the items of one Triton request share one shape. Row i of
`FOUND` is view i of `VIEWS`; without a document the only view is the whole picture's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tandem.media.document_kinds import KINDS
from tandem.media.document_views import views_of
from tandem.media.letterbox import sent_to_working, thumbnail_to_working, working_to_sent
from tandem.media.picture import Picture
from tandem.media.quads import is_plausible, outline

FOUND_WIDTH = 9
#: A picture with more documents than this is cut to the surest of them.
MAX_DOCUMENTS = 8
_PLACES = 4  # decimals of scores; a corner has one, a tenth of a pixel


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
    size = (picture.pixels.shape[0], picture.pixels.shape[1])
    working = [thumbnail_to_working(quad, size) for quad in quads]
    kept = [i for i, quad in enumerate(working) if scores[i] >= threshold and is_plausible(quad)][
        :MAX_DOCUMENTS
    ]
    found = np.zeros((max(len(kept), 1), FOUND_WIDTH), np.float32)
    for row, index in zip(found, kept, strict=False):
        row[:8] = working_to_sent(working[index], size, picture.sent_size).reshape(8)
        row[8] = scores[index]
    return views_of(picture.pixels, [working[index] for index in kept]), found


def card_views(
    picture: Picture, quads: Sequence[NDArray[np.float32]]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """What the classifier sees of found documents: `VIEWS` (V, 160, 256, 3) and `VIEW_QUADS` (V, 8).

    Args:
        picture: decoded.
        quads: (4, 2) float32 each, px of the picture as sent. Without any the whole picture is the one view.
    """
    size = (picture.pixels.shape[0], picture.pixels.shape[1])
    views = views_of(picture.pixels, [sent_to_working(quad, size, picture.sent_size) for quad in quads])
    height, width = picture.sent_size
    return views, np.stack(list(quads) or [outline(width, height)]).reshape(-1, 8)


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
