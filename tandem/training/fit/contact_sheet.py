"""A sheet of synthetic photographs with their cards outlined: `python -m tandem.training.fit.contact_sheet`.

For a person to see what the detector is trained on.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.training.fit.dataset import Sample, build_pools, draw_sample

_GREEN, _RED = (0, 200, 0), (40, 40, 255)


def outlined(sample: Sample) -> NDArray[np.uint8]:
    """The sample's thumbnail with every card outlined and its own top left marked."""
    drawn = sample.thumbnail.copy()
    for quad in sample.quads[: sample.count]:
        cv2.polylines(drawn, [quad.round().astype(np.int32)], True, _RED, 1, cv2.LINE_AA)
        cv2.circle(drawn, (round(float(quad[0][0])), round(float(quad[0][1]))), 5, _GREEN, -1, cv2.LINE_AA)
    return drawn


def contact_sheet(samples: Sequence[Sample], columns: int) -> NDArray[np.uint8]:
    """The samples in rows of `columns`; an unfinished last row is left out."""
    tiles = [outlined(sample) for sample in samples]
    rows = len(tiles) // columns
    return np.vstack([np.hstack(tiles[row * columns : (row + 1) * columns]) for row in range(rows)])


def main(argv: Sequence[str] | None = None) -> None:
    """Draw and write the sheet."""
    parser = argparse.ArgumentParser(prog="python -m tandem.training.fit.contact_sheet", description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path("docs/images/training.jpg"), help="default: %(default)s"
    )
    parser.add_argument("--seed", type=int, default=7, help="default: %(default)s")
    parser.add_argument("--columns", type=int, default=8, help="default: %(default)s")
    parser.add_argument("--rows", type=int, default=4, help="default: %(default)s")
    options = parser.parse_args(argv)
    count = options.columns * options.rows
    pools = build_pools(options.seed, faces=count, confusers=count // 2, backdrops=count)
    rng = np.random.default_rng(options.seed)
    sheet = contact_sheet([draw_sample(rng, pools) for _ in range(count)], options.columns)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(options.out), sheet, [cv2.IMWRITE_JPEG_QUALITY, 72])


if __name__ == "__main__":
    main()
