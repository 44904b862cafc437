"""How well the quality flags say what is wrong: `scripts/evaluate flags`.

Every card is photographed as it should be and with each fault in known doses; the table says for each dose
how many cards get each flag, and how many are read whole in spite of it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import Console
from rich.progress import track

from tandem.evaluation import figures
from tandem.evaluation.evaluate import evaluate
from tandem.evaluation.photo_sets import Photo
from tandem.evaluation.quality_photos import DOSES, quality_photos
from tandem.evaluation.readings import PhotoReading
from tandem.evaluation.served import triton_reader

# From which score on a flag counts as raised. Glare is a share of the text rows' area, incomplete one of
# the card's.
RAISED_FROM = {"blurred": 0.5, "glare": 0.01, "incomplete": 0.005, "grey_copy": 0.5}
_WIDTH = 140  # columns, where there is no terminal


def flag_figures(readings: Sequence[PhotoReading]) -> figures.Row:
    """Of the cards that were found: the share that gets each flag, and the median score of each."""
    cards = [card for reading in readings for card in reading.cards]
    scores = [card.quality for card in cards if card.found]
    row: figures.Row = {
        "cards": len(cards),
        "found": figures.share(len(scores), len(cards)),
        "all fields": figures.share(sum(card.whole for card in cards), len(cards)),
    }
    for flag in DOSES:
        own = np.array([score[flag] for score in scores])
        row[flag] = float((own >= RAISED_FROM[flag]).mean()) if len(own) else figures.NAN
        row[f"median {flag}"] = float(np.median(own)) if len(own) else figures.NAN
    return row


def main(argv: Sequence[str] | None = None) -> None:
    """Draw, read, and print the table."""
    parser = argparse.ArgumentParser(prog="scripts/evaluate flags", description=__doc__)
    parser.add_argument("--url", default="127.0.0.1:8001", help="gRPC address of the server")
    parser.add_argument("--count", type=int, default=40, help="cards (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=21_000, help="default: %(default)s")
    options = parser.parse_args(argv)
    read = triton_reader(options.url)
    drawn = _all_photos(options.count, options.seed)
    answered = evaluate(drawn, lambda photo: read(photo.data))
    readings = [reading for _, _, reading in answered]
    rows = {dose: flag_figures(own) for dose, own in figures.by_subset(readings).items()}
    raised = ", ".join(f"{flag} from {least:g}" for flag, least in RAISED_FROM.items())
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    shown = {
        dose: {name: value for name, value in row.items() if not name.startswith("median")}
        for dose, row in rows.items()
    }
    console.print(figures.table(f"Flags raised, % of the cards found ({raised})", shown, "fault"))
    medians = {
        dose: {name: value for name, value in row.items() if name.startswith("median")}
        for dose, row in rows.items()
    }
    console.print(figures.table("Median scores", medians, "fault"))


def _all_photos(count: int, seed: int) -> Iterator[Photo]:
    numbers = track(range(count), description="cards", console=Console(stderr=True), transient=True)
    for number in numbers:
        yield from quality_photos(number, seed)


if __name__ == "__main__":
    main()
