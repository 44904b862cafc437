"""From what was found and classified to the service's answer."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.media.document_kinds import KINDS
from tandem.media.documents import rounded_score, unpack_documents


def rank_kinds(found: NDArray[np.float32], kinds: NDArray[np.float32]) -> dict[str, Any]:
    """Every kind with its probability, as `result.schema.json` describes it, best first.

    Of several documents the largest decides; without one, the whole picture.

    Args:
        found: (D, 9) packed documents, padding allowed.
        kinds: (≥ 1, kinds) probabilities of each view's kinds; without a document the first is the picture's.
    """
    documents = unpack_documents(found, kinds)
    largest = max(documents, key=lambda document: cv2.contourArea(document.quad), default=None)
    scores = kinds[0] if largest is None else largest.kinds
    order = np.argsort(-scores, kind="stable")
    return {"kinds": [{"kind": KINDS[i], "score": rounded_score(scores[i])} for i in order]}
