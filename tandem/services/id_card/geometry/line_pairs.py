"""The two lines of an issuing authority that stand above and below the height of its label."""

from __future__ import annotations

from tandem.services.id_card.geometry.ink import ANALYSIS_PX_PER_MM as SCALE
from tandem.services.id_card.geometry.ink import FloatArray

#: Two lines of an authority around its label: how far from its middle, and from each other, mm; between them
#: the response falls to this share.
_AROUND_MM, _LEAST_APART_MM, _VALLEY = 3.4, 2.6, 0.5


def two_around(response: FloatArray, middle: float, single: float) -> tuple[int, int] | None:
    """The middles of two lines of an authority, one above and one below its label's; None if it is one line.

    Cards differ in where they print the second line: below the first, or both around the label's height.

    Args:
        response: (h,) how much a row centred at each y stands out, mm of ink.
        middle: y of the label's middle, px of the level map.
        single: the response of the line at that height.
    """
    reach, apart = (round(mm * SCALE) for mm in (_AROUND_MM, _LEAST_APART_MM))
    at = round(middle)
    upper = max(at - reach, 0)
    if at - upper < apart // 2 or at + apart // 2 >= len(response):
        return None
    first = upper + int(response[upper : at - apart // 2 + 1].argmax())
    second = at + apart // 2 + int(response[at + apart // 2 : at + reach].argmax())
    between = float(response[first : second + 1].min())
    weaker = float(min(response[first], response[second]))
    if second - first < apart or between > _VALLEY * weaker or weaker < _VALLEY * float(response.max()):
        return None
    return (first, second) if weaker > single else None
