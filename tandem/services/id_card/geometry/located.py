"""All cards of a picture, each where it lies: what the detector sees at once, and at further looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tandem.media.letterbox import THUMBNAIL_SIDE, letterbox, thumbnail_to_working
from tandem.services.id_card.card import is_plausible
from tandem.services.id_card.geometry.corner_look import Refine
from tandem.services.id_card.geometry.find_card import (
    EMBLEM_SIDE_FROM,
    FULL_EVIDENCE,
    LEAST_EVIDENCE,
    PLAIN_EVIDENCE,
    FoundCard,
    Original,
    find_card,
)
from tandem.services.id_card.geometry.ink import ANALYSIS_PX_PER_MM as SCALE
from tandem.services.id_card.geometry.quality import grey_score
from tandem.services.id_card.geometry.second_look import Detect, Seen, look_again, overlap
from tandem.services.id_card.geometry.views import View, mirrored_view, whole_view
from tandem.services.id_card.geometry.wide_look import look_at_parts, look_beside
from tandem.services.id_card.records import MAX_CARDS

FloatArray = NDArray[np.float32]

#: What the detector gives at least this score is looked at again if it is below the threshold, and is a card
#: if it then has the second: on printed pages and copies the network is unsure of cards that fill its square
#: surely.
WEAK_SCORE, AGAIN_SCORE = 0.1, 0.55
#: In a picture without a card the mirrored picture is asked; a card there must be plain.
MIRRORED_SCORE = 0.8
#: A card seen with less must have full evidence to be plain.
_SURE_SCORE = 0.75
#: From this grey on it is a copy, whose edges do not show: a right quad there has less evidence, and so much
#: is enough. (Of 29 on drawn copies six had less.)
_GREY, _GREY_EVIDENCE = 0.5, 0.9
_RIM_MM = 3.0
#: Two detections that share so much (intersection over union) are one card, ...
_SAME_CARD = 0.3
#: ... and two cards do not lie on each other: of two found with so much in common the weaker one is none.
_SAME_PLACE = 0.15
#: A card seen in a part of the picture takes the place of one seen in the whole if it has so much more
#: evidence.
_MUST_GAIN = 0.05
#: Where parts as wide as the picture's shorter side show no card, smaller ones are looked at, too: so large a
#: share of it. What has less evidence than any right card (of 394) is none: the sheet that a card lies on, in
#: a screenshot.
_SMALL_PARTS, _RIGHT_EVIDENCE = 0.7, 0.81
#: Where those show nothing like a card either, still smaller ones: a card of an eighth of the picture's
#: width, among print as large as its title, is seen there only. (Of 60 such cards 60 are found, 59 if they
#: must be seen at 0.75, 57 without; of 46 others with parts of 0.3 45, of 0.36 44, of 0.4 42, without 40.
#: Where no card is, this costs twice as much as all looks before it.)
_SMALLEST_PARTS, _SMALLEST_SCORE = 0.3, 0.4
#: A lone card that is no longer than this share of the picture may have another one beside it that the
#: first look passed over: of 49 cards in screenshots it had two, each beside a plain one.
_ROOM_BESIDE = 0.45
#: So many cards of the parts are followed up: a search that finds nothing is long.
_MOST_FOLLOWED = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class LocatedCard:
    """A card as the detector saw it, and where it was found."""

    seen: Seen
    found: FoundCard


def locate_cards(
    pixels: NDArray[np.uint8],
    sent_size: tuple[int, int],
    detections: tuple[FloatArray, FloatArray, FloatArray],
    *,
    threshold: float,
    detect: Detect | None,
    refine: Refine | None,
    original: Original | None,
) -> list[LocatedCard]:
    """The picture's cards, the surest first.

    Args:
        pixels: (h, w, 3) uint8 BGR, the working picture.
        sent_size: (height, width) of the picture as sent, px.
        detections: quads (k, 4, 2) in thumbnail px, scores (k,), emblem side (k,), the best first.
        threshold: a detection with a lower score is no card, 0-1.
        detect: the network, for further looks; without it there is none.
        refine: the network that corrects corners; without it nothing does.
        original: gives the picture as sent, for cards that are small in the working picture.
    """
    whole = view = whole_view(pixels, sent_size)
    seen = _detections(view, *detections, threshold, detect)
    if not seen and detect is not None:
        view = mirrored_view(view)
        quads, scores, sides = (part[0] for part in detect(letterbox(view.pixels)[np.newaxis]))
        seen = _detections(view, quads, scores, sides, MIRRORED_SCORE, None)
    locate = partial(_located, detect=detect, refine=refine, original=original)
    cards = [locate(view, card) for card in seen]
    if detect is None:
        return _without_rows_of_nothing(_apart(cards))
    first = cards
    if not cards or any(map(_is_doubtful, cards)):
        cards = _with_others(cards, whole, look_at_parts(whole.pixels, detect), locate)
    plain = [card for card in cards if not _is_doubtful(card)]
    if len(plain) == 1:
        (lone,) = plain
        around = view if lone in first else whole
        if _has_room_beside(lone.seen, around):
            cards = _with_others(cards, around, look_beside(around.pixels, lone.seen.quad, detect), locate)
    if all(card.found.evidence < _RIGHT_EVIDENCE and not card.found.settled for card in cards):
        cards = _with_others(cards, whole, look_at_parts(whole.pixels, detect, _SMALL_PARTS), locate)
    finer = min(whole.size) * _SMALLEST_PARTS >= THUMBNAIL_SIDE  # than the network sees
    if finer and all(map(_is_nothing, cards)):
        parts = look_at_parts(whole.pixels, detect, _SMALLEST_PARTS)
        likely = [seen for seen in parts if seen.score >= _SMALLEST_SCORE]
        cards = _with_others(cards, whole, likely, locate)
    return _without_rows_of_nothing(_apart(cards))


def _located(
    view: View, seen: Seen, *, detect: Detect | None, refine: Refine | None, original: Original | None
) -> LocatedCard:
    emblem = seen.emblem >= EMBLEM_SIDE_FROM
    found = find_card(view, seen.quad, emblem=emblem, detect=detect, refine=refine, original=original)
    return LocatedCard(seen=seen, found=found)


def _has_room_beside(seen: Seen, view: View) -> bool:
    """Whether a second card could lie beside a lone one: its other side, in a collage or on a copy."""
    return float(np.ptp(seen.quad, axis=0).max()) <= _ROOM_BESIDE * max(view.size)


def _is_nothing(card: LocatedCard) -> bool:
    """Whether neither the detector nor the evidence says that it is a card."""
    seen = card.found.settled or card.seen.score >= _SURE_SCORE
    return not seen and card.found.evidence < LEAST_EVIDENCE


def _is_doubtful(card: LocatedCard) -> bool:
    if card.found.settled:
        return False
    enough = PLAIN_EVIDENCE if card.seen.score >= _SURE_SCORE else FULL_EVIDENCE
    if card.found.evidence < enough and grey_score(without_rim(card.found)) >= _GREY:
        enough = _GREY_EVIDENCE
    return card.found.evidence < enough


def without_rim(card: FoundCard) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 BGR: the straightened card without its rim, where what lies behind may show."""
    rim = round(_RIM_MM * SCALE)
    return card.small[rim:-rim, rim:-rim]


def _with_others(
    cards: Sequence[LocatedCard],
    view: View,
    others: Sequence[Seen],
    locate: Callable[[View, Seen], LocatedCard],
) -> list[LocatedCard]:
    """The cards, and those of a further look that are plain or settled, in place of what is weak there."""
    kept = list(cards)
    for seen in others[:_MOST_FOLLOWED]:
        new = locate(view, seen)
        rivals = [card for card in kept if _overlap(card, new) >= _SAME_PLACE]
        # What is settled is a card, though its edges don't show: of 508 other things none ever was.
        enough = LEAST_EVIDENCE if new.found.settled else PLAIN_EVIDENCE
        most = max((card.found.evidence for card in rivals), default=enough - _MUST_GAIN)
        if new.found.evidence >= most + _MUST_GAIN:
            kept = [card for card in kept if card not in rivals] + [new]
    return sorted(kept, key=lambda card: -card.seen.score)


def _apart(cards: Sequence[LocatedCard]) -> list[LocatedCard]:
    """The cards without those that lie where one with more evidence lies."""
    kept: list[LocatedCard] = []
    for card in sorted(cards, key=lambda card: -card.found.evidence):
        if all(_overlap(card, other) < _SAME_PLACE for other in kept):
            kept.append(card)
    return [card for card in cards if card in kept]


def _without_rows_of_nothing(cards: Sequence[LocatedCard]) -> list[LocatedCard]:
    """The cards; beside a plain one, those that are none give no rows: they would narrow its own."""
    if all(card.found.evidence < PLAIN_EVIDENCE for card in cards):
        return list(cards)
    return [
        card
        if card.found.evidence >= LEAST_EVIDENCE
        else replace(card, found=replace(card.found, rows=[], outlines=[]))
        for card in cards
    ]


def _overlap(first: LocatedCard, second: LocatedCard) -> float:
    one, other = (card.found.view.to_sent(card.found.quad) for card in (first, second))
    return overlap(one, other)


def _detections(
    view: View,
    quads: FloatArray,
    scores: FloatArray,
    emblem: FloatArray,
    threshold: float,
    detect: Detect | None,
) -> list[Seen]:
    """What the detector is sure enough of, at once or at a second look; px of the view."""
    sure: list[Seen] = []
    for quad, score, side in zip(quads, scores, emblem, strict=True):
        corners = thumbnail_to_working(quad, view.size)
        if score < WEAK_SCORE or not is_plausible(corners) or len(sure) == MAX_CARDS:
            continue
        card = Seen(quad=corners, score=float(score), emblem=float(side))
        if score >= threshold:
            sure.append(card)
            continue
        again = look_again(view.pixels, corners, detect) if detect is not None else []
        if not again or again[0].score < max(threshold, AGAIN_SCORE):
            continue
        if all(overlap(again[0].quad, other.quad) < _SAME_CARD for other in sure):
            sure.append(again[0])
    return sure
