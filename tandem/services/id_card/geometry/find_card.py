"""Where exactly a detected card lies, which side it shows, and where its rows are: decided by evidence.

Several ways to see the card compete: the network's corners, the edges that Hough finds near and far, the
picture's own border, a second look of the network, and what a search finds that starts from all of them. What
decides is the ink where the layout has it, the edges and the perspective together (`geometry.evidence`), and
at last the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.card import (
    CARD_HEIGHT_MM,
    CARD_WIDTH_MM,
    RECTIFIED_HEIGHT,
    RECTIFIED_WIDTH,
    homography,
    outline,
    transform,
    warp,
)
from tandem.services.id_card.geometry.corner_look import Refine, refine_corners
from tandem.services.id_card.geometry.evidence import COARSE, EvidenceMap, evidence, evidence_map
from tandem.services.id_card.geometry.hough import cropped_card, near_edges, refinements
from tandem.services.id_card.geometry.ink import ANALYSIS_PX_PER_MM as SCALE
from tandem.services.id_card.geometry.row_outlines import Row
from tandem.services.id_card.geometry.rows import find_rows
from tandem.services.id_card.geometry.search import Sought, seek
from tandem.services.id_card.geometry.second_look import Detect, look_again
from tandem.services.id_card.geometry.views import (
    View,
    enlarged_view,
    is_worth_enlarging,
    mirrored_quad,
    mirrored_view,
)

FloatArray = NDArray[np.float32]
#: Gives the picture as sent, (h, w, 3) uint8 BGR, upright; it is decoded only if it is needed.
Original = Callable[[], NDArray[np.uint8]]

#: From this probability on a card is read as its emblem side.
EMBLEM_SIDE_FROM = 0.5
#: With so much evidence a quad is taken without a further look. On drawn photographs 97 of 100 right quads
#: have more, and 2 of 100 wrong ones (a corner 5 % of the width off).
PLAIN_EVIDENCE = 0.95
#: Edges that are 2-4 % of the width off often have enough for that, but less than this, as one right quad
#: of 14 has; a short search moves them if it gains so much. (Of 194 drawn cards 26 are such; the overlap
#: with the truth rose from 0.91-0.95 to 0.95-0.98 for ten, and fell from 0.99 to 0.96-0.97 for four.)
FULL_EVIDENCE, _SHORT_SEARCH_MUST_GAIN = 1.15, 0.2
#: With less than the first a second side or direction is tried; with less than the second all are, and at
#: last the mirrored picture, which must have at least the third. (Right quads of copies, whose edges do not
#: show, have 0.6-0.9; wrong ways up to 0.84.)
SURE_WAY_EVIDENCE, LEAST_EVIDENCE, MIRRORED_EVIDENCE = 0.85, 0.7, 0.85
#: From row to row of the emblem side, mm.
_ROW_MM = 6.6
_SMOOTH_PX = (6.0, 1.5)
#: A card's own layout may be a mm off: the search must gain this much to move a quad that is already known.
_SEARCH_MUST_GAIN = 0.1
#: What moving onto the edges may cost of a sought quad's evidence: the layout of a card may be a mm off.
_EDGES_MAY_COST = 0.05
#: How often the corner refiner looks: each time from where the corners then are. Where the last look moved no
#: corner further than this, mm, and the evidence is not against it, the quad is settled. (Of 746 drawn cards
#: of eleven kinds 671 were, ten of them more than 2.5 % of the width off, none more than 3.5 %. Of 508
#: detections of what is no card none was.)
_LOOKS, _SETTLED_MM = 6, 1.0
#: What it corrects to so little evidence is not searched for: three of four detections of what is no card,
#: and one card of a hundred, which other looks at the picture find.
_HOPELESS = 0.0
#: Where the network sees text only, its quad is the text's: one start of the search is so much larger.
_ENLARGED = 1.15
#: How well rows fit (`FoundRows.fit`, mm of ink). On 48 cards, drawn and real: 13-25 where quad and side
#: were right (6-8 with stamps or deep blur), 0-7 upside down, 0-10 on the wrong side. Below the first the
#: detector's opinion is doubted; it is overruled only by a fit of at least the second, and this many times
#: its own.
PLAIN_FIT_MM = 12.0
LEAST_FIT_MM = 6.0
BETTER_FIT = 1.5
#: ... nor by a way that costs so much of the evidence: what little of a copy's rows is seen fits upside down.
_TURNING_MAY_COST = 0.3


@dataclass(frozen=True, kw_only=True)
class FoundCard:
    """A card in the working picture.

    Attributes:
        quad: (4, 2) float32, px of the picture, clockwise from the card's own top left.
        emblem: whether it is read as the emblem side.
        small: (324, 514, 3) uint8 BGR, the card straightened.
        rows: on the rectified card.
        outlines: (4, 2) float32 each, the rows in px of the picture.
        fit: how well the rows fit the layout.
        evidence: what speaks for the quad.
        view: in which way of looking at the picture all this lies.
        settled: whether the corner refiner found nothing more to correct, and the evidence agrees.
    """

    quad: FloatArray
    emblem: bool
    small: NDArray[np.uint8]
    rows: list[Row]
    outlines: list[FloatArray]
    fit: float
    evidence: float
    view: View
    settled: bool = False


def find_card(
    view: View,
    quad: FloatArray,
    *,
    emblem: bool,
    detect: Detect | None = None,
    refine: Refine | None = None,
    original: Original | None = None,
) -> FoundCard:
    """The card that the detector saw.

    Args:
        view: the working picture.
        quad: (4, 2) float32, px of the view, the detector's corners.
        emblem: the detector's side.
        detect: the network, for a second look; without it there is none.
        refine: the network that corrects corners; without it nothing does.
        original: gives the picture as sent, (h, w, 3) uint8 BGR, for small cards.
    """
    card = _found(view, quad, emblem=emblem, detect=detect, refine=refine)
    if card.evidence < LEAST_EVIDENCE:
        turned = mirrored_view(view)
        other = _found(turned, mirrored_quad(view, quad), emblem=emblem, detect=detect, refine=refine)
        if other.evidence > max(card.evidence, MIRRORED_EVIDENCE):
            card = other
    if original is not None and is_worth_enlarging(card.view, card.quad):
        closer = enlarged_view(card.view, card.quad, original())
        quad = closer.from_sent(card.view.to_sent(card.quad))
        return replace(straighten(closer, quad, emblem=card.emblem), evidence=card.evidence)
    return card


def _found(
    view: View, quad: FloatArray, *, emblem: bool, detect: Detect | None, refine: Refine | None
) -> FoundCard:
    """The card in one way of looking at the picture."""
    pixels = view.pixels
    seen = evidence_map(pixels, quad)
    first = _judged(seen, [near_edges(pixels, quad)], emblem=emblem)
    if first.evidence < PLAIN_EVIDENCE:  # plain edges are nearer than any network's corners
        first = _better(_judged(seen, [quad], emblem=emblem), first)
    found = _looked_at(pixels, quad, refine) if refine and first.evidence < FULL_EVIDENCE else None
    if found is not None:
        looked, settled = found
        if settled:
            card = straighten(view, looked.quad, emblem=looked.emblem)
            return replace(card, evidence=looked.evidence, settled=True)
        first = _better(first, looked)
        if looked.evidence < _HOPELESS and first.evidence < LEAST_EVIDENCE:
            return replace(straighten(view, first.quad, emblem=first.emblem), evidence=first.evidence)
    best = first
    if first.evidence < PLAIN_EVIDENCE:
        quads = [refined.quad for refined in refinements(pixels, quad)]
        frame = cropped_card(quad, (pixels.shape[0], pixels.shape[1]))
        best = _better(first, _judged(seen, quads if frame is None else [*quads, frame], emblem=emblem))
    if best.evidence >= PLAIN_EVIDENCE:
        best = _moved_a_little(seen, best)
        card = replace(straighten(view, best.quad, emblem=best.emblem), evidence=best.evidence)
        if card.fit >= PLAIN_FIT_MM:
            return card
    best = _searched_for(pixels, seen, [quad, best.quad], best, detect)
    card = replace(straighten(view, best.quad, emblem=best.emblem), evidence=best.evidence)
    if card.fit >= PLAIN_FIT_MM or best.evidence >= PLAIN_EVIDENCE:
        return card
    return _turned_by_rows(card)


def _looked_at(pixels: NDArray[np.uint8], quad: FloatArray, refine: Refine) -> tuple[Sought, bool] | None:
    """The quad as the network corrects it, or the edges beside that; and whether it is settled.

    None where the network does not answer, or says what is no quad.
    """
    card = refine_corners(pixels, quad, refine, looks=_LOOKS)
    if card is None:
        return None
    seen = evidence_map(pixels, card.quad)
    quads = [card.quad, near_edges(pixels, card.quad)]
    looked = _judged(seen, quads, emblem=card.emblem >= EMBLEM_SIDE_FROM)
    return looked, card.moved_mm < _SETTLED_MM and looked.evidence >= LEAST_EVIDENCE


def _judged(seen: EvidenceMap, quads: Sequence[FloatArray], *, emblem: bool) -> Sought:
    """The quad with the most evidence; of equal ones the first."""
    scores = evidence(seen, np.stack([seen.on_map(quad) for quad in quads]), emblem=emblem)
    best = int(scores.argmax())
    return Sought(quad=quads[best], emblem=emblem, evidence=float(scores[best]))


def _better(first: Sought, second: Sought) -> Sought:
    return second if second.evidence > first.evidence else first


def _moved_a_little(seen: EvidenceMap, best: Sought) -> Sought:
    """The plain quad, or one near it that has much more evidence."""
    if best.evidence >= FULL_EVIDENCE:
        return best
    found = seek(seen, [best.quad, *_a_row_away(best)], emblem=best.emblem, short=True)
    return found if found.evidence >= best.evidence + _SHORT_SEARCH_MUST_GAIN else best


def _searched_for(
    pixels: NDArray[np.uint8],
    seen: EvidenceMap,
    starts: Sequence[FloatArray],
    best: Sought,
    detect: Detect | None,
) -> Sought:
    """The best quad of a search from all that is known; at worst `best`."""
    starts, quad = [*starts, *_a_row_away(best)], starts[0]
    middle = quad.mean(axis=0)
    starts = [*starts, (middle + (quad - middle) * _ENLARGED).astype(np.float32)]
    again = look_again(pixels, quad, detect) if detect is not None else []
    if again:
        starts = [*starts, *(card.quad for card in again)]
        seen = evidence_map(pixels, again[0].quad)
    for tried, (emblem, turn) in enumerate(_likely_ways(seen, starts, best.emblem)):
        turned = [np.roll(start, turn, axis=0) for start in starts]
        found = seek(seen, turned, emblem=emblem)
        best = found if found.evidence > best.evidence + _SEARCH_MUST_GAIN else best
        if best.evidence >= (SURE_WAY_EVIDENCE if tried == 0 else LEAST_EVIDENCE):
            break
    edges = _judged(seen, [near_edges(pixels, best.quad)], emblem=best.emblem)
    return edges if edges.evidence >= best.evidence - _EDGES_MAY_COST else best


def _a_row_away(best: Sought) -> list[FloatArray]:
    """The emblem side's quad moved by one row: its two rows are found at each other's places, too."""
    if not best.emblem:
        return []
    card = outline(CARD_WIDTH_MM, CARD_HEIGHT_MM)
    on_picture = homography(card, best.quad)
    return [transform((card + [0, by]).astype(np.float32), on_picture) for by in (-_ROW_MM, _ROW_MM)]


def _likely_ways(seen: EvidenceMap, starts: Sequence[FloatArray], emblem: bool) -> list[tuple[bool, int]]:
    """Sides and quarter turns to search for, likeliest first."""
    quads = np.stack([seen.on_map(quad) for quad in starts])
    ways = [(side, turn) for side in (emblem, not emblem) for turn in (0, 2)]
    scores = [
        float(evidence(seen, np.roll(quads, turn, axis=1), emblem=side, sharpness=COARSE).max())
        for side, turn in ways
    ]
    return [ways[i] for i in np.argsort(scores)[::-1]]


def _turned_by_rows(card: FoundCard) -> FoundCard:
    """The card the way its rows fit best: perhaps it lies the other way round, or on its other side."""
    seen = evidence_map(card.view.pixels, card.quad)
    ways = [(np.roll(card.quad, turn, axis=0), side) for turn in (0, 2) for side in (False, True)]
    possible = [
        (quad, side)
        for quad, side in ways
        if _judged(seen, [quad], emblem=side).evidence >= card.evidence - _TURNING_MAY_COST
    ]
    turned = [straighten(card.view, quad, emblem=side) for quad, side in possible]
    other = max(turned, key=lambda found: found.fit, default=card)
    if other.fit <= max(BETTER_FIT * card.fit, LEAST_FIT_MM):
        return card
    return replace(other, evidence=card.evidence)


def straighten(view: View, quad: FloatArray, *, emblem: bool) -> FoundCard:
    """The card inside the quad, and its rows."""
    small = warp(view.pixels, quad, (round(CARD_HEIGHT_MM * SCALE), round(CARD_WIDTH_MM * SCALE)))
    found = find_rows(small, emblem)
    if found.fit < PLAIN_FIT_MM:
        # A screen's dots, a copy's specks: averaged away along the rows, whose ends are then not sharp.
        smooth = cv2.GaussianBlur(small, (0, 0), sigmaX=_SMOOTH_PX[0], sigmaY=_SMOOTH_PX[1])
        again = find_rows(np.asarray(smooth, np.uint8), emblem)
        found = again if again.fit > BETTER_FIT * found.fit else found
        if found.fit < LEAST_FIT_MM:
            found = find_rows(np.asarray(smooth, np.uint8), emblem, whole=True)
    on_picture = homography(outline(RECTIFIED_WIDTH, RECTIFIED_HEIGHT), quad)
    outlines = [transform(row.quad, on_picture) for row in found.rows]
    return FoundCard(
        quad=quad,
        emblem=emblem,
        small=small,
        rows=found.rows,
        outlines=outlines,
        fit=found.fit,
        evidence=0.0,
        view=view,
    )
