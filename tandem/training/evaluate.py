"""How well a running server reads: `python -m tandem.training.evaluate --url 127.0.0.1:8001`.

Sends photographs with known truth (drawn by seed, or a folder with an `index.json`) and prints a table per
subset. With `--sheet` it also writes a page of every failure, so that a person sees why.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz.distance import Levenshtein
from rich.console import Console
from rich.progress import track
from rich.table import Table
from tritonclient import grpc

from tandem.training.photo_sets import SUBSETS, Photo, draw_photos, read_photos
from tandem.training.photographs import CardTruth
from tandem.training.score import corner_error, match_cards

Answer = dict[str, Any]
_UNKNOWN_QUAD = 0.0  # area: the folder does not say where the card is
_CLIENTS = 4  # requests in flight: two batches of two


@dataclass(kw_only=True)
class Tally:
    """What was counted over the photographs of one subset."""

    photos: int = 0
    cards: int = 0
    found: int = 0
    sides: int = 0
    whole: int = 0
    spare: int = 0
    clean: int = 0  # photographs without a card on which none was found
    fields: dict[str, list[bool]] = field(default_factory=dict)
    edits: int = 0
    characters: int = 0
    corner_errors: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def row(self) -> dict[str, float]:
        """The subset's figures: shares 0-1, corner errors in shares of the card's width, latency in ms."""
        ids = self.fields.get("公民身份号码", [])
        return {
            "photos": self.photos,
            "cards": self.cards,
            "found": _share(self.found, self.cards),
            "side": _share(self.sides, self.found),
            "all fields": _share(self.whole, self.cards),
            "number": _share(sum(ids), len(ids)),
            "CER": self.edits / max(self.characters, 1),
            "corner median": float(np.median(self.corner_errors)) if self.corner_errors else float("nan"),
            "corner p95": float(np.quantile(self.corner_errors, 0.95))
            if self.corner_errors
            else float("nan"),
            "false cards": _share(self.spare, self.photos),
            "p50 ms": float(np.median(self.seconds)) * 1e3 if self.seconds else float("nan"),
        }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A card that was not read whole: what it says, what was read (None: not found)."""

    photo: Photo
    truth: CardTruth | None
    read: Answer | None


def _located(cards: Sequence[CardTruth]) -> bool:
    return all(float(np.abs(card.quad).sum()) > _UNKNOWN_QUAD for card in cards)


def _pairs(
    photo: Photo, read: Sequence[Answer]
) -> tuple[list[tuple[CardTruth, Answer | None]], list[Answer]]:
    """True cards with what was read for them, and the spare; by place, or by side if places are unknown."""
    if _located(photo.cards):
        quads = [np.asarray(card["quad"], np.float32) for card in read]
        matches, spare = match_cards([card.quad for card in photo.cards], quads)
        return [
            (photo.cards[match.true], None if match.found is None else read[match.found]) for match in matches
        ], [read[index] for index in spare]
    left = list(read)
    paired: list[tuple[CardTruth, Answer | None]] = []
    for card in photo.cards:
        same = next((answer for answer in left if answer["side"] == card.side), left[0] if left else None)
        if same is not None:
            left.remove(same)
        paired.append((card, same))
    return paired, left


def count(photo: Photo, answer: Answer, seconds: float, tally: Tally) -> list[Failure]:
    """Add one photograph's answer to the tally; returns its failures."""
    tally.photos += 1
    tally.seconds.append(seconds)
    pairs, spare = _pairs(photo, answer["cards"])
    failures = [Failure(photo=photo, truth=None, read=card) for card in spare]
    tally.spare += len(spare)
    for truth, read in pairs:
        tally.cards += 1
        tally.found += read is not None
        got = {} if read is None else read["fields"]
        if read is not None:
            tally.sides += read["side"] == truth.side
            if _located([truth]):
                tally.corner_errors.append(corner_error(np.asarray(read["quad"], np.float32), truth.quad))
        for name, text in truth.fields.items():
            tally.fields.setdefault(name, []).append(got.get(name) == text)
            tally.edits += Levenshtein.distance(got.get(name) or "", text)
            tally.characters += len(text)
        right = all(got.get(name) == text for name, text in truth.fields.items())
        tally.whole += right
        if not right:
            failures.append(Failure(photo=photo, truth=truth, read=read))
    return failures


def triton_reader(url: str) -> Callable[[bytes], Answer]:
    """A thread-safe function from an encoded picture to the server's answer."""
    client = grpc.InferenceServerClient(url)

    def read(data: bytes) -> Answer:
        image = grpc.InferInput("IMAGE", [1, 1], "BYTES")
        image.set_data_from_numpy(np.array([[data]], np.object_))
        answer: Answer = json.loads(client.infer("id_card", [image]).as_numpy("RESULT").reshape(-1)[0])
        return answer

    return read


def evaluate(
    photos: Iterable[Photo], read: Callable[[bytes], Answer], *, clients: int = _CLIENTS
) -> tuple[dict[str, Tally], list[Failure]]:
    """Read every photograph and count, per subset; `clients` requests are in flight at a time."""
    tallies: dict[str, Tally] = {}
    failures: list[Failure] = []

    def ask(photo: Photo) -> tuple[Photo, Answer, float]:
        started = time.perf_counter()
        answer = read(photo.data)
        return photo, answer, time.perf_counter() - started

    with ThreadPoolExecutor(clients) as pool:
        for photo, answer, seconds in pool.map(ask, photos):
            failures += count(photo, answer, seconds, tallies.setdefault(photo.subset, Tally()))
    return tallies, failures


def table(tallies: dict[str, Tally]) -> Table:
    """The figures of every subset as a table."""
    printed = Table(box=None)
    rows = {name: tally.row() for name, tally in tallies.items()}
    printed.add_column("subset")
    for name in next(iter(rows.values()), {}):
        printed.add_column(name, justify="right")
    for subset, row in rows.items():
        printed.add_row(subset, *(_cell(name, value) for name, value in row.items()))
    return printed


def _cell(name: str, value: float) -> str:
    if math.isnan(value):
        return "–"
    if name in ("photos", "cards"):
        return f"{value:.0f}"
    return (
        f"{value:.0f} "
        if name.endswith("ms")
        else f"{value:.2%}"
        if name.startswith(("corner", "CER"))
        else f"{value:.1%}"
    )


def field_table(tallies: dict[str, Tally]) -> Table:
    """Exact match of every field, per subset."""
    names = sorted({name for tally in tallies.values() for name in tally.fields})
    printed = Table(box=None)
    for name in ("subset", *names):
        printed.add_column(name, justify="left" if name == "subset" else "right")
    for subset, tally in tallies.items():
        cells = (tally.fields.get(name, []) for name in names)
        printed.add_row(
            subset,
            *(_cell(name, _share(sum(hits), len(hits))) for name, hits in zip(names, cells, strict=True)),
        )
    return printed


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the arguments, read, print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tandem.training.evaluate", description=__doc__)
    parser.add_argument(
        "--url", default="127.0.0.1:8001", help="gRPC address of the server (default: %(default)s)"
    )
    parser.add_argument("--subsets", nargs="+", choices=SUBSETS, default=["upright"], help="default: upright")
    parser.add_argument("--count", type=int, default=200, help="photographs a subset (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=20_000, help="default: %(default)s; training uses 1 to 3")
    parser.add_argument(
        "--folder", type=Path, help="read this folder's pictures (with an index.json) instead of drawing"
    )
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--failures", type=Path, help="write a page of every failure into this folder")
    options = parser.parse_args(argv)
    # Wide enough for the table also where there is no terminal.
    console = Console(width=None if sys.stdout.isatty() else 160)
    if options.folder:
        photos = list(read_photos(options.folder))
    else:
        drawn = (
            photo for subset in options.subsets for photo in draw_photos(subset, options.count, options.seed)
        )
        total = options.count * len(options.subsets)
        photos = list(
            track(drawn, total=total, description="drawing", console=Console(stderr=True), transient=True)
        )
    progress = track(photos, description="reading", console=Console(stderr=True), transient=True)
    tallies, failures = evaluate(progress, triton_reader(options.url))
    console.print(table(tallies))
    console.print(field_table(tallies))
    if options.failures:
        from tandem.training.failure_sheet import write_sheet  # noqa: PLC0415 - only here is it needed

        write_sheet(failures, options.failures)
    if options.json:
        figures = {name: tally.row() for name, tally in tallies.items()}
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
