"""From what was found and classified to the service's answer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tandem.media.document_kinds import NONE
from tandem.media.documents import best_kind, rounded_quad, rounded_score, unpack_documents


def list_objects(found: NDArray[np.float32], kinds: NDArray[np.float32]) -> dict[str, Any]:
    """The documents of one picture as `result.schema.json` describes them, surest first.

    What the classifier takes for no document at all is left out.

    Args:
        found: (D, 9) packed documents, padding allowed.
        kinds: (≥ D, kinds) probabilities of each view's kinds.
    """
    objects: list[dict[str, Any]] = []
    for document in unpack_documents(found, kinds):
        kind, probability = best_kind(document.kinds)
        if kind != NONE:
            score = rounded_score(document.score * probability)
            objects.append({"kind": kind, "score": score, "quad": rounded_quad(document.quad)})
    return {"objects": sorted(objects, key=lambda entry: -entry["score"])}
