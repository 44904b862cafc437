"""A page of every failure: the photograph, the strips that were read, and the reading.

It is for synthetic pictures: it shows everything that is on them.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tandem.pipeline.decode import decode
from tandem.pipeline.letterbox import working_to_sent, working_to_thumbnail
from tandem.pipeline.rectify import Rectified, rectify

if TYPE_CHECKING:
    from tandem.training.evaluate import Failure

Image = NDArray[np.uint8]
_SHOWN_WIDTH = 640  # px
_STYLE = """
body { font: 14px sans-serif; margin: 2em; max-width: 1400px }
figure { margin: 0 1em 1em 0; display: inline-block; vertical-align: top }
td, th { padding: .1em .8em; text-align: left }
.wrong { color: #b00; font-weight: bold }
h2 { border-top: 1px solid #ccc; padding-top: 1em }
"""


def _figure(image: Image, caption: str) -> str:
    scale = min(1.0, _SHOWN_WIDTH / image.shape[1])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])
    source = base64.b64encode(data.tobytes()).decode("ascii")
    shown = f'<img src="data:image/jpeg;base64,{source}">'
    return f"<figure>{shown}<figcaption>{html.escape(caption)}</figcaption></figure>"


def _outlined(image: Image, quads: Sequence[tuple[NDArray[np.float32], tuple[int, int, int]]]) -> Image:
    drawn = image.copy()
    for quad, colour in quads:
        width = max(2, image.shape[1] // 400)
        cv2.polylines(drawn, [quad.astype(np.int32)], True, colour, width, cv2.LINE_AA)
        cv2.circle(drawn, (int(quad[0][0]), int(quad[0][1])), 3 * width, colour, -1)
    return drawn


def _rectified(failure: Failure) -> Rectified | None:
    """The card cut out once more, from the quad that the server gave."""
    if failure.read is None:
        return None
    picture = decode(failure.photo.data)
    size = (picture.pixels.shape[0], picture.pixels.shape[1])
    working = working_to_sent(np.asarray(failure.read["quad"], np.float32), picture.sent_size, size)
    found = working_to_thumbnail(working, size)[None]
    emblem = np.full(1, failure.read["side"] == "emblem", np.float32)
    return rectify(picture.pixels, picture.sent_size, found, np.ones(1, np.float32), emblem)


def _readings(failure: Failure) -> str:
    truth = failure.truth.fields if failure.truth else {}
    read: dict[str, Any] = failure.read["fields"] if failure.read else {}
    confidence: dict[str, float] = failure.read["confidence"] if failure.read else {}
    rows = []
    for name in dict.fromkeys([*truth, *read]):
        mark = "" if truth.get(name) == read.get(name) else ' class="wrong"'
        cells = (name, truth.get(name, "–"), read.get(name, "–"), f"{confidence.get(name, 0):.3f}")
        rows.append(f"<tr{mark}>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells) + "</tr>")
    return (
        "<table><tr><th>field</th><th>printed</th><th>read</th><th>confidence</th></tr>"
        + "".join(rows)
        + "</table>"
    )


def write_sheet(failures: Sequence[Failure], folder: Path) -> Path:
    """Write `failures.html` into the folder; pictures are inside it. Returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [f"<!doctype html><meta charset=utf-8><title>Failures</title><style>{_STYLE}</style>"]
    parts.append(
        f"<h1>{len(failures)} failures</h1><p>Green: where the card is. Red: where it was found.</p>"
    )
    for failure in failures:
        parts.append(f"<h2>{html.escape(failure.photo.name)}</h2>")
        parts.append(_readings(failure))
        image = np.asarray(
            cv2.imdecode(np.frombuffer(failure.photo.data, np.uint8), cv2.IMREAD_COLOR), np.uint8
        )
        quads = [(card.quad, (0, 160, 0)) for card in failure.photo.cards]
        if failure.read:
            quads.append((np.asarray(failure.read["quad"], np.float32), (0, 0, 255)))
        parts.append(_figure(_outlined(image, quads), "as sent"))
        again = _rectified(failure)
        if again is not None:
            parts.append(_figure(np.concatenate(list(again.lanes)), "the rows, as the recogniser saw them"))
    path = folder / "failures.html"
    path.write_text("\n".join(parts), encoding="utf-8")
    return path
