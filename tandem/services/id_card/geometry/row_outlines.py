"""One text row's outline on the card, from where its middle line runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.card import PX_PER_MM
from tandem.services.id_card.geometry.ink import ANALYSIS_PX_PER_MM as SCALE
from tandem.services.id_card.geometry.ink import FloatArray
from tandem.services.id_card.layout import SideLayout
from tandem.services.id_card.records import RowKind

#: Strip height by character size: the recogniser likes characters of 34-38 px on its 48.
HEIGHT_PER_EM = 1.32
#: Free paper left and right of the text, mm.
SIDE_MARGIN_MM = 0.8


@dataclass(frozen=True, kw_only=True)
class Row:
    """One text row of a rectified card.

    Attributes:
        kind: which row it is.
        quad: (4, 2) float32, px of the rectified card (1011 x 638), clockwise from the row's own top left;
            its height is the strip's 48 px.
        bow_mm: how much further down than straight its characters run at both ends of the number's digits.
    """

    kind: RowKind
    quad: NDArray[np.float32]
    bow_mm: float = 0.0


def outline_of(
    ends: NDArray[np.float64], ys: NDArray[np.float64], height: float, layout: SideLayout
) -> FloatArray:
    """(4, 2) px of the rectified card, from the middle line's ends (px of the area) and the height in mm."""
    line = np.stack([ends, ys], axis=1) / SCALE + np.array(layout.area[:2])
    along = (line[1] - line[0]) / np.linalg.norm(line[1] - line[0])
    up = np.array([along[1], -along[0]]) * height / 2
    corners = np.array([line[0] + up, line[1] + up, line[1] - up, line[0] - up])
    return (corners * PX_PER_MM).astype(np.float32)


def middle_of(band: FloatArray, em: float) -> float:
    """Middle, px, of the characters of `em` px in a level row: where a window of their height holds most ink.

    Where several windows hold it all (a row of digits), it is the middle one; a second script above does not
    move it much.
    """
    window = max(round(0.85 * em), 1)
    sums = np.convolve(band.sum(axis=1), np.ones(window), "valid")
    if sums.max() <= 0:
        return band.shape[0] / 2
    return float(np.flatnonzero(sums >= 0.985 * sums.max()).mean()) + window / 2
