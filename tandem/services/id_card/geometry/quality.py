"""How well a card was photographed: blur, glare over text, grey copy; each a measured score from 0 to 1.

Each measure is a length or a contrast first, then laid between the value where nothing is wrong (0) and the
one where it is as wrong as it gets (1); `test_quality.py` holds them on cards made worse step by step.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.geometry.percentiles import percentiles_of_counts

#: Strokes are 0.25-0.35 mm wide. Edges this wide (mm) are a good photo's; this wide, strokes have run
#: together.
SHARP_EDGE_MM = 0.25
BLURRED_EDGE_MM = 0.55
#: All channels at least this bright (of 255), and this much over the usual paper, is burnt out.
_BURNT = 250
_OVER_PAPER = 8
#: Colour beside the light's: the 95th percentile over the card of how far (log B/G, log R/G) is from its
#: median. Grey copies under coloured light and with noise were seen up to 0.04, coloured cards in the dark
#: from 0.08. (On cards 96 px wide noise brought grey copies to 0.07.)
GREY_COLOUR = 0.035
COLOURED_COLOUR = 0.09
#: Added before the logarithm (of 255), so that noise in black is no colour.
_BLACK = 8.0
#: Colours are compared on a card about this wide, px: by a whole number smaller, for which averaging is fast.
_COLOURS_WIDTH = 48
#: Rows with less contrast than this (of 255) carry no text whose edges could be measured.
_LEAST_CONTRAST = 20.0
#: The steepness that so many of a strip's pixels do not reach is that of its edges.
_STEEPEST = 0.98


def blur_score(strips: Sequence[NDArray[np.uint8]], px_per_mm: Sequence[float]) -> float:
    """How wide the edges of the text are: 0 up to `SHARP_EDGE_MM`, 1 from `BLURRED_EDGE_MM` on.

    An edge's width is its contrast over its steepness, both at the strip's strongest edges.

    Args:
        strips: (h, w, 3) uint8 BGR each, text rows.
        px_per_mm: resolution of each.
    """
    widths = [_edge_width(strip) / scale for strip, scale in zip(strips, px_per_mm, strict=True)]
    known = [width for width in widths if np.isfinite(width)]
    if not known:
        return 1.0
    return _between(float(np.median(known)), SHARP_EDGE_MM, BLURRED_EDGE_MM)


def _edge_width(strip: NDArray[np.uint8]) -> float:
    """Width in px of the strip's strongest edges; infinite if it has no text."""
    grey = np.asarray(cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY), np.uint8)
    ink, paper = percentiles_of_counts(grey[::2, ::2], (2, 60))
    if paper - ink < _LEAST_CONTRAST:
        return float("inf")
    # Scharr over 32 is the change a pixel.
    across, along = (
        cv2.Scharr(grey, cv2.CV_16S, *axes)[::2, ::2].astype(np.float32) for axes in ((1, 0), (0, 1))
    )
    squares = (across * across + along * along).ravel()
    steep = round(_STEEPEST * (squares.size - 1))
    steepness = float(np.sqrt(np.partition(squares, steep)[steep])) / 32
    return float((paper - ink) / max(steepness, 1e-3))


def glare_score(strips: Sequence[NDArray[np.uint8]]) -> float:
    """Share of the text rows' area that is burnt out.

    Paper that is white all over (a scan) is not glare: burnt pixels must be brighter than the usual paper.

    Args:
        strips: (h, w, 3) uint8 BGR each, text rows.
    """
    if not strips:
        return 0.0
    darkest = np.concatenate(
        [
            cv2.min(cv2.min(*(channels := cv2.split(strip[::2, ::2]))[:2]), channels[2]).ravel()
            for strip in strips
        ]
    )
    (paper,) = percentiles_of_counts(darkest, (50,))
    return float((darkest >= max(_BURNT, paper + _OVER_PAPER)).mean())


def grey_score(card: NDArray[np.uint8]) -> float:
    """How little colour the card has beside the light's own: 1 a grey copy, 0 a coloured card.

    Args:
        card: (h, w, 3) uint8 BGR, the rectified card without its outermost mm, which may show what lies
            behind.
    """
    # Averaging takes the sensor's colour noise away; logarithms of ratios, the light's colour and strength.
    averaged = max(1, card.shape[1] // _COLOURS_WIDTH)
    height, width = (side // averaged for side in card.shape[:2])
    whole = card[: height * averaged, : width * averaged]
    small = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    small = np.log(small.astype(np.float32) + _BLACK)
    ratios = (small[..., (0, 2)] - small[..., 1:2]).reshape(-1, 2)
    distance = np.linalg.norm(ratios - np.median(ratios, axis=0), axis=1)
    return 1 - _between(float(np.percentile(distance, 95)), GREY_COLOUR, COLOURED_COLOUR)


def _between(value: float, none: float, full: float) -> float:
    """0 at `none` or below, 1 at `full` or above."""
    return float(np.clip((value - none) / (full - none), 0, 1))
