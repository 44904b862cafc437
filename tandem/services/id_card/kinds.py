"""What the document classifier says of a picture's cards, and of other documents where there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tandem.media.document_kinds import NONE, RESIDENT
from tandem.media.documents import FindDocuments, best_kind, card_views, other_views, thumbnail_to_sent
from tandem.media.picture import Picture
from tandem.media.quads import is_plausible
from tandem.services.id_card.geometry.second_look import overlap

FloatArray = NDArray[np.float32]
#: (V, 160, 256, 3) uint8 views to (V, kinds) probabilities.
Classify = Callable[[NDArray[np.uint8]], FloatArray]

#: A card's outline that shares less (intersection over union) with where the detector saw it is looked at
#: there, too: a temporary card's first rows alone look like a resident card, and the finder may have settled
#: on them.
SAME_OUTLINE = 0.9
#: With less it is another card.
SAME_CARD = 0.3
#: What that look must be sure of to count. Of 68 resident cards whose detection was so far off, the surest
#: look at something else had 0.70; at five of six temporary cards it had 0.96 and more.
SURE_LOOK = 0.9


def classify_cards(
    picture: Picture,
    quads: Sequence[FloatArray],
    seen: Sequence[FloatArray],
    *,
    find_documents: FindDocuments,
    classify: Classify,
) -> tuple[FloatArray, FloatArray]:
    """`KINDS` (V, kinds) and `VIEW_QUADS` (V, 8): a row a card or, without cards, a document.

    Args:
        picture: decoded.
        quads: the cards' outlines, (4, 2) each, px of the picture as sent.
        seen: where the detector saw cards, likewise, any number of them.
        find_documents: says where other documents lie, in a picture without cards; without any the whole
            picture is classified.
        classify: the document classifier.
    """
    if not quads:
        views, view_quads = other_views(picture, find_documents)
        return classify(views), view_quads
    looks = [(index, look) for index, quad in enumerate(quads) for look in _elsewhere(quad, seen)]
    found = classify(card_views(picture, [*quads, *(look for _, look in looks)]))
    kinds = found[: len(quads)].copy()
    for (index, _), look in zip(looks, found[len(quads) :], strict=True):
        kind, probability = best_kind(look)
        if probability >= SURE_LOOK and kind not in {NONE, *RESIDENT}:
            kinds[index] = look
    return kinds, np.stack(quads).reshape(-1, 8).astype(np.float32)


def seen_quads(picture: Picture, quads: FloatArray, scores: FloatArray, threshold: float) -> list[FloatArray]:
    """Where the detector saw cards, (4, 2) each, px of the picture as sent.

    Args:
        picture: decoded.
        quads: (k, 4, 2), px of its thumbnail.
        scores: (k,), 0-1.
        threshold: a lower score is no card.
    """
    sure = [quad for quad, score in zip(quads, scores, strict=True) if score >= threshold]
    return [quad for quad in (thumbnail_to_sent(picture, one) for one in sure) if is_plausible(quad)]


def _elsewhere(quad: FloatArray, seen: Sequence[FloatArray]) -> list[FloatArray]:
    """Where the detector saw a card, if that is not where it was found."""
    nearest = max(seen, key=lambda other: overlap(quad, other), default=quad)
    return [nearest] if SAME_CARD <= overlap(quad, nearest) < SAME_OUTLINE else []
