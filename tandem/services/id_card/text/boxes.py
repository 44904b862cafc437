"""Where a field is in the picture: from columns of lanes back to corners in the picture as sent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tandem.services.id_card.records import Segment
from tandem.services.id_card.text.ctc import Glyph, Row

Quad = NDArray[np.float64]


def field_box(parts: Sequence[tuple[Row, tuple[Glyph, ...]]]) -> Quad | None:
    """`(4, 2)` px, clockwise from the field's own top left; None for a field that has no glyph.

    Glyphs of one row give the piece of the row that they cover; of several, the least quad around those
    pieces with its sides along the first row.
    """
    quads = [span_quad(row.segment, glyphs[0].x0, glyphs[-1].x1) for row, glyphs in parts if glyphs]
    if not quads:
        return None
    return quads[0] if len(quads) == 1 else aligned_hull(quads)


def span_quad(segment: Segment, x0: float, x1: float) -> Quad:
    """`(4, 2)` px: columns x0 to x1 of a segment's lane, in the picture."""
    top_left, top_right, bottom_right, bottom_left = np.asarray(segment.quad, np.float64)
    width = segment.x1 - segment.x0
    begin, end = ((np.clip(x, segment.x0, segment.x1) - segment.x0) / width for x in (x0, x1))
    top, bottom = top_right - top_left, bottom_right - bottom_left
    return np.array(
        [
            top_left + begin * top,
            top_left + end * top,
            bottom_left + end * bottom,
            bottom_left + begin * bottom,
        ]
    )


def aligned_hull(quads: Sequence[Quad]) -> Quad:
    """`(4, 2)`: the least rectangle around `quads` whose sides run along the first quad's top edge."""
    along = quads[0][1] - quads[0][0]
    length = float(np.hypot(*along))
    along = along / length if length > 0 else np.array([1.0, 0.0])
    down = np.array([-along[1], along[0]])
    axes = np.stack([along, down])
    places = np.concatenate(quads) @ axes.T  # (4 n, 2)
    (left, top), (right, bottom) = places.min(0), places.max(0)
    hull: Quad = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) @ axes
    return hull
