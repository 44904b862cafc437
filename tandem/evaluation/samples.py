"""The pictures that the repository ships: `python -m tandem.evaluation.samples`.

- `docs/images/sample.jpg`, the photograph that `scripts/demo` reads without arguments, and its truth beside
it; - `deploy/perf_analyzer/id_card.json`, the same and a few more as input data for `perf_analyzer`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.batching.measure.perf_analyzer import item_data
from tandem.evaluation.photo_sets import Photo, draw_photos, write_photos
from tandem.training.draw.cards import draw_card
from tandem.training.scene.backdrops import wood
from tandem.training.scene.conditions import UPRIGHT
from tandem.training.scene.photographs import CardTruth, photograph

SAMPLE, PERF = Path("docs/images"), Path("deploy/perf_analyzer/id_card.json")
_SAMPLE_SEED = 13
_PERF_PICTURES, _PERF_SEED = 4, 40_000
_SIZE = (960, 1280)  # px: height, width
_PERF_SIDE = 1280  # px: the long side of perf_analyzer's pictures, so that the file stays small


def draw_sample_photo(seed: int = _SAMPLE_SEED) -> Photo:
    """One portrait card on a wooden desk, seen a little from the side."""
    rng = np.random.default_rng(seed)
    face = draw_card(rng, "test", side="portrait", stamp_share=0).face
    conditions = replace(UPRIGHT, tilt_deg=(16, 22), rotation_deg=(6, 12), area=(0.34, 0.4), blur=0, dark=0)
    image, quads = photograph(rng, [face], size=_SIZE, conditions=conditions, backdrop=wood(rng, *_SIZE))
    if quads[0] is None:
        raise ValueError(f"seed {seed} found no place for the card")
    card = CardTruth(quad=quads[0], side=face.side, fields=face.fields)
    return Photo(name="sample.jpg", subset="sample", data=_jpeg(image), cards=(card,))


def _jpeg(image: NDArray[np.uint8], quality: int = 88) -> bytes:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()


def _smaller(data: bytes) -> bytes:
    image = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    scale = _PERF_SIDE / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return _jpeg(np.asarray(small, np.uint8), 85)


def main(argv: Sequence[str] | None = None) -> None:
    """Draw and write the files."""
    parser = argparse.ArgumentParser(prog="python -m tandem.evaluation.samples", description=__doc__)
    parser.add_argument("--images", type=Path, default=SAMPLE, help="folder; default: %(default)s")
    parser.add_argument("--perf", type=Path, default=PERF, help="file; default: %(default)s")
    options = parser.parse_args(argv)
    sample = draw_sample_photo()
    write_photos([sample], options.images)
    (options.images / "index.json").rename(options.images / "sample.json")
    others = [_smaller(photo.data) for photo in draw_photos("upright", _PERF_PICTURES - 1, _PERF_SEED)]
    options.perf.parent.mkdir(parents=True, exist_ok=True)
    data = item_data([sample.data, *others], "IMAGE")
    options.perf.write_text(json.dumps(data), encoding="ascii")


if __name__ == "__main__":
    main()
