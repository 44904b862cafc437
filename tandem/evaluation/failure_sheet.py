"""What went wrong, for a person to see why: the photograph, the card cut out, its rows, and the reading.

As a page of every failure, or as one picture of a few. It is for drawn cards: it shows all that is on them.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from tandem.evaluation.photo_sets import Photo
from tandem.evaluation.readings import Answer
from tandem.media.letterbox import working_to_sent, working_to_thumbnail
from tandem.media.picture import decode
from tandem.services.id_card.card import RECTIFIED_HEIGHT, RECTIFIED_WIDTH, warp
from tandem.services.id_card.geometry.rectify import rectify
from tandem.training.draw import fonts
from tandem.training.scene.photographs import CardTruth

Image = NDArray[np.uint8]
_SHOWN_WIDTH = 640  # px, on the page
_GREEN, _RED = (0, 160, 0), (0, 0, 255)  # BGR
_STYLE = """
body { font: 14px sans-serif; margin: 2em; max-width: 1400px }
figure { margin: 0 1em 1em 0; display: inline-block; vertical-align: top }
td, th { padding: .1em .8em; text-align: left }
.wrong { color: #b00; font-weight: bold }
h2 { border-top: 1px solid #ccc; padding-top: 1em }
"""
# The picture: px of a failure's three parts, side by side, and of a line of text below them.
_TILE_HEIGHT, _TILE_WIDTHS, _LINE = 200, (270, 320, 610), 20


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A card that was not read whole: what it says (None: there is none), what was read (None: not found)."""

    photo: Photo
    truth: CardTruth | None
    read: Answer | None


def differences(failure: Failure) -> list[tuple[str, str, str, float]]:
    """The fields not read as printed: key, printed, read, confidence; without a card, what was read."""
    truth = failure.truth.fields if failure.truth else {}
    read = failure.read["fields"] if failure.read else {}
    sure = failure.read["confidence"] if failure.read else {}
    return [
        (name, truth.get(name, ""), read.get(name) or "", sure.get(name, 0.0))
        for name in dict.fromkeys([*truth, *read])
        if truth.get(name) != read.get(name)
    ]


def write_sheet(failures: Sequence[Failure], folder: Path) -> Path:
    """Write `failures.html` into the folder; pictures are inside it. Returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "failures.html"
    with path.open("w", encoding="utf-8") as page:
        page.write(f"<!doctype html><meta charset=utf-8><title>Failures</title><style>{_STYLE}</style>")
        page.write(
            f"<h1>{len(failures)} failures</h1><p>Green: where the card is. Red: where it was found.</p>"
        )
        for failure in failures:
            page.write(f"<h2>{html.escape(failure.photo.name)}</h2>{_readings(failure)}")
            page.write(_figure(outlined(failure), "as sent"))
            for image, caption in cut_out(failure):
                page.write(_figure(image, caption))
    return path


def _readings(failure: Failure) -> str:
    wrong = {name for name, *_ in differences(failure)}
    truth = failure.truth.fields if failure.truth else {}
    read = failure.read["fields"] if failure.read else {}
    sure = failure.read["confidence"] if failure.read else {}
    rows = ["<tr><th>field</th><th>printed</th><th>read</th><th>confidence</th></tr>"]
    for name in dict.fromkeys([*truth, *read]):
        cells = (name, truth.get(name, "–"), read.get(name, "–"), f"{sure.get(name, 0):.3f}")
        mark = ' class="wrong"' if name in wrong else ""
        rows.append(f"<tr{mark}>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells) + "</tr>")
    return f"<table>{''.join(rows)}</table>"


def _figure(image: Image, caption: str) -> str:
    scale = min(1.0, _SHOWN_WIDTH / image.shape[1])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])
    source = base64.b64encode(data.tobytes()).decode("ascii")
    shown = f'<img src="data:image/jpeg;base64,{source}">'
    return f"<figure>{shown}<figcaption>{html.escape(caption)}</figcaption></figure>"


def outlined(failure: Failure) -> Image:
    """The photograph with the true cards in green and the found one in red; a dot at their own top left."""
    drawn: Image = np.asarray(
        cv2.imdecode(np.frombuffer(failure.photo.data, np.uint8), cv2.IMREAD_COLOR), np.uint8
    )
    quads = [(card.quad, _GREEN) for card in failure.photo.cards]
    if failure.read:
        quads.append((np.asarray(failure.read["quad"], np.float32), _RED))
    width = max(2, drawn.shape[1] // 400)
    for quad, colour in quads:
        cv2.polylines(drawn, [quad.astype(np.int32)], True, colour, width, cv2.LINE_AA)
        cv2.circle(drawn, (int(quad[0][0]), int(quad[0][1])), 3 * width, colour, -1)
    return drawn


def cut_out(failure: Failure) -> list[tuple[Image, str]]:
    """The rectified card and its rows as the recogniser saw them, with captions; empty if none was found.

    They are cut once more, from the quad that the server gave and by this checkout's pipeline.
    """
    if failure.read is None:
        return []
    picture = decode(failure.photo.data)
    size = (picture.pixels.shape[0], picture.pixels.shape[1])
    quad = working_to_sent(np.asarray(failure.read["quad"], np.float32), picture.sent_size, size)
    card = warp(picture.pixels, quad, (RECTIFIED_HEIGHT, RECTIFIED_WIDTH))
    emblem = np.full(1, failure.read["side"] == "emblem", np.float32)
    found = working_to_thumbnail(quad, size)[None]
    rows = rectify(picture.pixels, picture.sent_size, found, np.ones(1, np.float32), emblem).lanes
    return [
        (card, "the card as it was rectified"),
        (np.concatenate(list(rows)), "its rows, as the recogniser saw them"),
    ]


def write_picture(failures: Sequence[Failure], path: Path, most: int = 6) -> None:
    """Write one picture of each subset's first failure, `most` at most: photograph, card, rows, reading.

    Raises:
        FontsMissingError: no font to write with.
    """
    first = {failure.photo.subset: failure for failure in reversed(failures)}
    subsets = dict.fromkeys(failure.photo.subset for failure in failures)
    tiles = [_tile(first[subset]) for subset in list(subsets)[:most]]
    if not tiles:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.vstack(tiles), [cv2.IMWRITE_JPEG_QUALITY, 80])


def _tile(failure: Failure) -> Image:
    wrong = differences(failure)
    height = _TILE_HEIGHT + _LINE * (len(wrong) + 1) + 8
    tile = np.full((height, sum(_TILE_WIDTHS), 3), 255, np.uint8)
    left = 0
    images = [outlined(failure), *(image for image, _ in cut_out(failure))]
    for image, width in zip(images, _TILE_WIDTHS, strict=False):
        scale = min((width - 8) / image.shape[1], (_TILE_HEIGHT - 8) / image.shape[0])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        tile[4 : 4 + small.shape[0], left + 4 : left + 4 + small.shape[1]] = small
        left += width
    lines = [failure.photo.name] + [
        f"{name}   printed: {printed or '–'}   read: {read or '(left empty)'}   confidence {sure:.2f}"
        for name, printed, read, sure in wrong
    ]
    return _written(tile, lines)


def _written(tile: Image, lines: Sequence[str]) -> Image:
    shown = Pillow.fromarray(tile)
    pen, font = ImageDraw.Draw(shown), fonts.opened(fonts.fallback(), 14)
    for i, line in enumerate(lines):
        colour = (90, 90, 90) if i == 0 else (20, 20, 160)  # BGR: dark red
        pen.text((8, _TILE_HEIGHT + i * _LINE), line, fill=colour, font=font)
    return np.asarray(shown, np.uint8)
