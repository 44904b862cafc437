"""Export the document classifier from torch to ONNX: `python -m export.document_classifier`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.document_classifier.served import check, export, load
from export.errors import ExportError
from export.files import beside

WEIGHTS = Path("export/weights/document_classifier.pt")
MODEL = Path("model_repository/document_classifier/1/model.onnx")
_SEED = 9


def drawn_views(count: int, seed: int = _SEED, documents: int = 1) -> NDArray[np.uint8]:
    """(count, 160, 256, 3) uint8 views of drawn documents.

    Args:
        count: of the views.
        seed: of what is drawn.
        documents: how many of each kind the views show.
    """
    from tandem.training.fit.document_views import draw_pools, draw_view  # noqa: PLC0415 - drawing needs fonts

    pools = draw_pools(seed, documents=documents, backdrops=4 * documents)
    rng = np.random.default_rng(seed)
    return np.stack([draw_view(rng, pools)[0] for _ in range(count)])


def main(argv: Sequence[str] | None = None) -> int:
    """Export, compare, put in place; 0 if the exported model may be served."""
    parser = argparse.ArgumentParser(prog="python -m export.document_classifier", description=__doc__)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=MODEL, help="default: %(default)s")
    options = parser.parse_args(argv)
    try:
        with beside(options.out) as scratch:
            classifier = load(options.weights)
            export(classifier, scratch)
            worst = check(classifier, scratch, drawn_views(10))
            scratch.replace(options.out)
    except ExportError as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    print(f"wrote {options.out}; largest difference from torch: {worst:.2g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
