"""Other readers to measure against: encoded picture in, lines of text out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of text of a whole photograph.

    Attributes:
        text: what was read.
        confidence: the reader's own, 0-1, of the whole line.
        quad: (4, 2) float32, px of the picture; the first side is the upper or the left one of the picture.
    """

    text: str
    confidence: float
    quad: NDArray[np.float32]


def rapidocr_reader() -> Callable[[bytes], list[Line]]:
    """RapidOCR in this process at its defaults: a whole photograph in, text lines out.

    Raises:
        ImportError: RapidOCR is not installed with all it needs (`pip install rapidocr==3.10.0`).
    """
    from rapidocr import RapidOCR  # noqa: PLC0415 - half a second and three sessions: only who asks pays

    engine = RapidOCR(params={"Global.log_level": "warning"})

    def read(data: bytes) -> list[Line]:
        found = engine(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))
        if found.txts is None:
            return []
        return [
            Line(text=text, confidence=float(score), quad=np.asarray(quad, np.float32))
            for text, score, quad in zip(found.txts, found.scores, found.boxes, strict=True)
        ]

    return read
