"""How well documents are told apart: `scripts/evaluate kinds`.

Photographs of other documents, so many of each kind, go to `document_kind`, `find_cards` and `id_card`; none
may be answered as a resident identity card. Photographs of resident cards go to `id_card`; none may be
refused for its kind. Names, places, backgrounds and, where the drawer knows pools, fonts are those that
training never uses.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from tritonclient import grpc

from tandem.media.document_kinds import KINDS, NONE, RESIDENT
from tandem.training.draw.confuser_kinds import draw_document
from tandem.training.scene.conditions import EASY, HARD, ROTATED, TILTED, UPRIGHT
from tandem.training.scene.photographs import StoredFlat, photograph

OTHERS = tuple(kind for kind in KINDS if kind not in RESIDENT)
SERVICES = ("document_kind", "find_cards", "id_card")
_FLAT_WIDTH = 1011  # px: ID-1 at 300 dpi
_SIZES = ((1200, 1600), (1600, 1200), (1080, 1440))
#: In these shares: as people take pictures of a document, some badly.
_CONDITIONS = ((EASY, 0.2), (UPRIGHT, 0.35), (TILTED, 0.15), (ROTATED, 0.2), (HARD, 0.1))
_FOUND_FROM = 0.7  # overlap (IoU) from which an object is where the document lies
_WIDTH = 140  # columns, where there is no terminal
_AT_ONCE = 2  # requests on their way

Answer = dict[str, Any]
Quad = NDArray[np.float32]
Ask = Callable[[str, bytes], Answer]


@dataclass(frozen=True, kw_only=True)
class KindPhoto:
    """A photograph (JPEG) of one document and where it lies; of `none` a background without one."""

    kind: str
    data: bytes
    quad: Quad | None


@dataclass(frozen=True, kw_only=True)
class KindReading:
    """What the services said of one photograph; None where a service was not asked.

    Attributes:
        kind: what it shows.
        named: the first kind of `document_kind`.
        found: the kind that `find_cards` gives the document, "" where it finds none there.
        resident: `id_card` answers a resident identity card.
        others: the kinds in `id_card`'s `others`.
    """

    kind: str
    named: str | None
    found: str | None
    resident: bool
    others: tuple[str, ...]


def kind_photos(seed: int, kinds: Sequence[str], count: int) -> Iterator[KindPhoto]:
    """`count` photographs of each kind, by seed."""
    for kind in kinds:
        for index in range(count):
            yield draw_kind_photo(np.random.default_rng([seed, KINDS.index(kind), index]), kind)


def draw_kind_photo(rng: np.random.Generator, kind: str) -> KindPhoto:
    """One photograph of a document of a kind, as a telephone takes it."""
    chosen = int(rng.choice(len(_CONDITIONS), p=[share for _, share in _CONDITIONS]))
    conditions = replace(_CONDITIONS[chosen][0], area=(0.12, 0.7))
    size = _SIZES[int(rng.integers(len(_SIZES)))]
    flats = []
    if kind != NONE:
        image, alpha = draw_document(rng, kind, width_px=_FLAT_WIDTH, pool="test")
        flats = [StoredFlat(image=image, alpha=alpha, side=None)]
    picture, quads = photograph(rng, flats, size=size, conditions=conditions, pool="test")
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
    return KindPhoto(kind=kind, data=data, quad=quads[0] if quads else None)


def read_photo(ask: Ask, photo: KindPhoto, services: Sequence[str] = SERVICES) -> KindReading:
    """What the services say of a photograph."""
    answers = {service: ask(service, photo.data) for service in services}
    card = answers.get("id_card", {"cards": [], "others": []})
    return KindReading(
        kind=photo.kind,
        named=answers["document_kind"]["kinds"][0]["kind"] if "document_kind" in answers else None,
        found=_kind_there(answers["find_cards"]["objects"], photo.quad) if "find_cards" in answers else None,
        resident=bool(card["cards"]),
        others=tuple(other["kind"] for other in card["others"]),
    )


def _kind_there(objects: Sequence[Answer], quad: Quad | None) -> str:
    """The kind of the object that lies where the document does; "" where none does (of no document: any)."""
    if quad is None:
        return str(objects[0]["kind"]) if objects else ""
    overlaps = [_overlap(np.array(entry["quad"], np.float32), quad) for entry in objects]
    best = int(np.argmax(overlaps)) if overlaps else -1
    return str(objects[best]["kind"]) if best >= 0 and overlaps[best] >= _FOUND_FROM else ""


def _overlap(first: Quad, second: Quad) -> float:
    """Intersection over union of two quads, 0-1."""
    a, b = (cv2.convexHull(quad.astype(np.float32)) for quad in (first, second))
    shared, _ = cv2.intersectConvexConvex(a, b)
    return float(shared) / max(cv2.contourArea(a) + cv2.contourArea(b) - float(shared), 1e-6)


def triton_ask(url: str) -> Ask:
    """A thread-safe function from a service's name and an encoded picture to its answer."""
    client = grpc.InferenceServerClient(url)

    def ask(service: str, data: bytes) -> Answer:
        image = grpc.InferInput("IMAGE", [1, 1], "BYTES")
        image.set_data_from_numpy(np.array([[data]], np.object_))
        answer: Answer = json.loads(client.infer(service, [image]).as_numpy("RESULT").reshape(-1)[0])
        return answer

    return ask


def table_of(readings: Sequence[KindReading]) -> Table:
    """A row a kind: how many were named, found and told apart."""
    table = Table(
        "kind",
        "pictures",
        "document_kind right",
        "find_cards: there and right",
        "id_card: resident",
        "others right",
    )
    by_kind: dict[str, list[KindReading]] = defaultdict(list)
    for reading in readings:
        by_kind[reading.kind].append(reading)
    for kind, own in [*by_kind.items(), ("all", list(readings))]:
        table.add_row(
            kind,
            str(len(own)),
            _share(
                sum(r.named == r.kind for r in own if r.named is not None),
                sum(r.named is not None for r in own),
            ),
            _share(
                sum(r.found == _expected(r.kind) for r in own if r.found is not None),
                sum(r.found is not None for r in own),
            ),
            f"{sum(r.resident for r in own)}",
            _share(sum(r.kind in r.others or (r.kind == NONE and not r.others) for r in own), len(own)),
        )
    return table


def _expected(kind: str) -> str:
    return "" if kind == NONE else kind


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def confusions(readings: Sequence[KindReading]) -> list[str]:
    """The wrong answers of `document_kind`, commonest first: "kind → answer: how often"."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for reading in readings:
        if reading.named not in {None, reading.kind}:
            counts[reading.kind, str(reading.named)] += 1
    ordered = sorted(counts.items(), key=lambda entry: -entry[1])
    return [f"{kind} → {named}: {count}" for (kind, named), count in ordered]


def main(argv: Sequence[str] | None = None) -> None:
    """Draw, ask, and print the tables."""
    parser = argparse.ArgumentParser(prog="scripts/evaluate kinds", description=__doc__)
    parser.add_argument("--url", default="127.0.0.1:8001", help="gRPC address of the server")
    parser.add_argument(
        "--count", type=int, default=25, help="pictures of each other kind (default: %(default)s)"
    )
    parser.add_argument("--residents", type=int, default=1000, help="resident cards (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=31_000, help="default: %(default)s")
    options = parser.parse_args(argv)
    ask = triton_ask(options.url)
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)

    def read_all(photos: Iterator[KindPhoto], total: int, services: Sequence[str]) -> list[KindReading]:
        with ThreadPoolExecutor(_AT_ONCE) as workers:
            answered = workers.map(lambda photo: read_photo(ask, photo, services), photos)
            return list(track(answered, total=total, description="reading", console=Console(stderr=True)))

    others = read_all(kind_photos(options.seed, OTHERS, options.count), options.count * len(OTHERS), SERVICES)
    console.print(table_of(others))
    for line in confusions(others):
        console.print(line)
    each = options.residents // 2
    own = read_all(kind_photos(options.seed + 1, RESIDENT, each), 2 * each, ("id_card",))
    refused = [reading for reading in own if not reading.resident and reading.others]
    lost = sum(not reading.resident and not reading.others for reading in own)
    console.print(
        f"{len(own)} resident cards: {len(refused)} refused for their kind, {lost} not found or not sure"
    )
    for reading in refused:
        console.print(f"{reading.kind} → {reading.others[0]}")


if __name__ == "__main__":
    main()
