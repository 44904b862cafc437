"""How well a running server reads: `python -m tandem.evaluation.evaluate --url 127.0.0.1:8001`.

Sends photographs with known truth (drawn by seed, or a folder with an `index.json`) and prints tables per
subset: an overview with intervals, what was found and read, corners before and after they are corrected,
every field, contradictions, stamps. It can put a general reader beside the server, write a page of every
failure so that a person sees why, plot how well confidence is calibrated, and keep its records so that
several runs count together.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TypeVar

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tandem.evaluation import figures
from tandem.evaluation.calibration_plot import plot_calibration
from tandem.evaluation.failure_sheet import Failure, write_picture, write_sheet
from tandem.evaluation.grounds.packages import fetch
from tandem.evaluation.grounds.pool import Grounds
from tandem.evaluation.overview import overview_table
from tandem.evaluation.peer_cards import cards_of_photograph
from tandem.evaluation.peers import rapidocr_reader
from tandem.evaluation.photo_sets import PUBLISHED, SUBSETS, Photo, draw_photos, read_photos
from tandem.evaluation.places.subsets import REAL_SUBSETS
from tandem.evaluation.readings import (
    Answer,
    PhotoReading,
    Quads,
    compare,
    pair,
    read_readings,
    write_readings,
)
from tandem.evaluation.served import triton_detector, triton_reader
from tandem.evaluation.thresholds import calibration_table, threshold_table
from tandem.runtime.cache import cache_folder

OURS, PEER = "Tandem", "RapidOCR 3.10"
_CLIENTS = 4  # requests in flight: two batches of two
_WIDTH = 165  # columns of the tables where there is no terminal

_GROUPS = {"drawn": PUBLISHED, "real": tuple(REAL_SUBSETS)}

Read = Callable[[Photo], Answer]
_Item = TypeVar("_Item")
Readings = dict[str, list[PhotoReading]]


def evaluate(
    photos: Iterable[Photo],
    read: Read,
    *,
    clients: int = _CLIENTS,
    detect: Callable[[bytes], Quads] | None = None,
) -> Iterator[tuple[Photo, Answer, PhotoReading]]:
    """Read every photograph and compare, in order; `clients` requests are in flight at a time.

    Args:
        photos: with their truth.
        read: thread-safe if there are several clients.
        clients: ≥ 1.
        detect: gives the detector's own quads; asked after the answer, outside of its time.
    """

    def ask(photo: Photo) -> tuple[Photo, Answer, PhotoReading]:
        started = time.perf_counter()
        answer = read(photo)
        seconds = time.perf_counter() - started
        predicted = None if detect is None else detect(photo.data)
        return photo, answer, compare(photo, answer, seconds, predicted)

    with ThreadPoolExecutor(clients) as pool:
        yield from pool.map(ask, photos)


def failures_of(photo: Photo, answer: Answer, reading: PhotoReading) -> list[Failure]:
    """The cards of a photograph that were not read whole, and those found where none is."""
    pairs, spare = pair(photo, answer["cards"])
    return [Failure(photo=photo, truth=None, read=card) for card in spare] + [
        Failure(photo=photo, truth=truth, read=read)
        for (truth, read), card in zip(pairs, reading.cards, strict=True)
        if not card.whole
    ]


def peer_reader() -> Read:
    """RapidOCR on the whole photograph, then the pipeline's field rules; nobody tells it where a card is."""
    lines_of = rapidocr_reader()
    return lambda photo: {"cards": cards_of_photograph(lines_of(photo.data), date.today())}


def unlocated(photo: Photo) -> Photo:
    """The same photograph without the cards' places: a general reader's answers are paired by side."""
    nowhere = np.zeros((4, 2), np.float32)
    return replace(photo, cards=tuple(replace(card, quad=nowhere) for card in photo.cards))


def report(readings: Readings, console: Console) -> None:
    """Print every table that the records allow."""
    ours = readings.get(OURS, [])
    subsets = figures.by_subset(ours)
    console.print(overview_table(ours, readings.get(PEER, [])))
    rows = {name: figures.reading_figures(own) for name, own in subsets.items()}
    console.print(figures.table("What was found and read", rows))
    corners = {name: figures.corner_figures(own) for name, own in subsets.items()}
    corners = {name: row for name, row in corners.items() if row["cards"]}
    if corners:
        title = "Corner error, % of the card's width, before and after they are corrected"
        console.print(figures.table(title, corners))
    console.print(
        figures.table("Fields exact", {name: figures.field_figures(own) for name, own in subsets.items()})
    )
    for title, first, special in (
        ("Cards that contradict themselves", "fault", figures.fault_figures(ours)),
        ("Fields under a stamp", "field", figures.covered_figures(ours)),
    ):
        if special:
            console.print(figures.table(title, special, first))
    if any(card.fields for reading in ours for card in reading.cards):
        console.print(calibration_table(ours))
        console.print(threshold_table(ours))
    if readings.get(PEER):
        console.print(peer_table(ours, readings[PEER]))


def peer_table(ours: Sequence[PhotoReading], peer: Sequence[PhotoReading]) -> Table:
    """Both readers on the photographs that both have read."""
    shared = {reading.name for reading in peer}
    rows: dict[str, figures.Row] = {}
    theirs = figures.by_subset(peer)
    for name, own in figures.by_subset(reading for reading in ours if reading.name in shared).items():
        for reader, read in ((OURS, own), (PEER, theirs[name])):
            row = figures.reading_figures(read)
            kept = ("photos", "cards", "all fields", "number", "CER", "false cards")
            rows[f"{name}, {reader}"] = {column: row[column] for column in kept}
    return figures.table("Beside a general reader, on the same photographs", rows)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command's arguments."""
    parser = argparse.ArgumentParser(
        prog="scripts/evaluate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="127.0.0.1:8001", help="gRPC address of the server")
    parser.add_argument(
        "--subsets",
        nargs="+",
        choices=[*SUBSETS, *REAL_SUBSETS, *_GROUPS],
        metavar="NAME",
        default=["drawn"],
        help=f"of {', '.join([*SUBSETS, *REAL_SUBSETS])}; or drawn: {', '.join(PUBLISHED)}; "
        f"or real: {', '.join(REAL_SUBSETS)} (default: drawn)",
    )
    parser.add_argument("--count", type=int, default=100, help="photographs a subset (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first, for a run in parts")
    parser.add_argument("--seed", type=int, default=20_000, help="default: %(default)s; training uses 1 to 3")
    parser.add_argument(
        "--folder", type=Path, help="read this folder's pictures (with an index.json) instead"
    )
    parser.add_argument("--clients", type=int, default=_CLIENTS, help="requests in flight: %(default)s")
    parser.add_argument(
        "--peer", type=int, metavar="N", default=0, help="also read the first N of each subset by RapidOCR"
    )
    parser.add_argument("--json", type=Path, help="write the records to this file")
    parser.add_argument(
        "--records", type=Path, nargs="+", help="count these files' records together; reads nothing"
    )
    parser.add_argument("--failures", type=Path, help="write a page of every failure into this folder")
    parser.add_argument("--picture", type=Path, help="write a picture of each subset's first failure")
    parser.add_argument("--calibration", type=Path, help="write the calibration plot to this picture")
    options = parser.parse_args(argv)
    options.subsets = [name for asked in options.subsets for name in _GROUPS.get(asked, (asked,))]
    if options.count < 1 or options.clients < 1 or options.peer < 0 or options.first < 0:
        parser.error("--count and --clients are at least 1, --peer and --first at least 0")
    return options


def read_all(options: argparse.Namespace) -> tuple[Readings, list[Failure]]:
    """Draw or load the photographs, read them, and compare: a subset at a time, to keep memory small."""
    readings: Readings = {OURS: []}
    failures: list[Failure] = []
    read_bytes, detect = triton_reader(options.url), triton_detector(options.url)
    peer = peer_reader() if options.peer else None
    for name, photos in _sets(options):
        read = evaluate(photos, lambda photo: read_bytes(photo.data), clients=options.clients, detect=detect)
        for photo, answer, reading in _tracked(read, f"reading {name}", len(photos)):
            readings[OURS].append(reading)
            failures += failures_of(photo, answer, reading)
        if peer is not None:
            few = [unlocated(photo) for photo in photos[: options.peer]]
            compared = evaluate(few, peer, clients=1)
            own = [reading for _, _, reading in _tracked(compared, f"{PEER}: {name}", len(few))]
            readings.setdefault(PEER, []).extend(own)
    return readings, failures


def _sets(options: argparse.Namespace) -> Iterator[tuple[str, list[Photo]]]:
    if options.folder:
        yield options.folder.name, list(read_photos(options.folder))
        return
    grounds = _grounds() if set(options.subsets) & set(REAL_SUBSETS) else None
    for subset in options.subsets:
        drawn = draw_photos(subset, options.count, options.seed, first=options.first, grounds=grounds)
        yield subset, list(_tracked(drawn, f"drawing {subset}", options.count))


def _grounds() -> Grounds:
    """The evaluation's own photographs and documents, fetched if they are missing."""
    folder = cache_folder(os.environ) / "grounds"
    fetch("test", folder, Console(stderr=True).print)
    return Grounds("test", folder)


def _tracked(items: Iterable[_Item], what: str, total: int) -> Iterable[_Item]:
    return track(items, total=total, description=what, console=Console(stderr=True), transient=True)


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the arguments, read (or load what was read), print the tables, write what was asked for."""
    options = parse(argv)
    failures: list[Failure] = []
    if options.records:
        readings = read_readings(options.records)
    else:
        readings, failures = read_all(options)
    report(readings, Console(width=None if sys.stdout.isatty() else _WIDTH))
    if options.json:
        write_readings(readings, options.json)
    if options.failures:
        write_sheet(failures, options.failures)
    if options.picture:
        write_picture(failures, options.picture)
    if options.calibration:
        plot_calibration(readings.get(OURS, []), options.calibration)


if __name__ == "__main__":
    main()
