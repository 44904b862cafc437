"""Other readers to measure against, behind the same function: encoded picture in, answer out."""

from __future__ import annotations

import logging
from collections.abc import Callable

import cv2
import numpy as np

# Lines of a whole photograph: text and the recogniser's confidence.
Lines = list[tuple[str, float]]


def rapidocr_reader() -> Callable[[bytes], Lines]:
    """RapidOCR in this process at its defaults: a whole photograph in, text lines out.

    Raises:
        ImportError: RapidOCR is not installed with all it needs (`pip install rapidocr==3.10.0`).
    """
    from rapidocr import RapidOCR  # noqa: PLC0415 - half a second and three sessions: only who asks pays

    logging.getLogger("RapidOCR").setLevel(logging.WARNING)
    engine = RapidOCR()

    def read(data: bytes) -> Lines:
        found = engine(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))
        if found.txts is None:
            return []
        return list(zip(found.txts, (float(score) for score in found.scores), strict=True))

    return read
