"""The card as a plane: its size, and warping between it and pictures.

Three coordinate systems, all continuous (a pixel's centre is at +0.5), x to the right and y down:
millimetres on the card, pixels of the rectified card (300 dpi), pixels of the working picture.
"""

from __future__ import annotations

from tandem.media.quads import (
    View,
    homography,
    is_plausible,
    outline,
    quad_height,
    quad_width,
    share_outside,
    transform,
    view_of,
    warp,
)

__all__ = [
    "CARD_HEIGHT_MM",
    "CARD_WIDTH_MM",
    "CORNER_RADIUS_MM",
    "PX_PER_MM",
    "RECTIFIED_HEIGHT",
    "RECTIFIED_WIDTH",
    "View",
    "homography",
    "is_plausible",
    "outline",
    "quad_height",
    "quad_width",
    "share_outside",
    "transform",
    "view_of",
    "warp",
]

#: ISO/IEC 7810 ID-1.
CARD_WIDTH_MM = 85.60
CARD_HEIGHT_MM = 54.00
CORNER_RADIUS_MM = 3.18

#: ID-1 at 300 dpi.
RECTIFIED_WIDTH = 1011
RECTIFIED_HEIGHT = 638
PX_PER_MM = RECTIFIED_WIDTH / CARD_WIDTH_MM
