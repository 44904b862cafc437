"""`tandem read`: pictures in, one line of JSON a picture out."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tandem_client.cards import Card
from tandem_client.cli import EXIT_FAILED
from tandem_client.client import Client
from tandem_client.errors import TandemError
from tandem_client.options import DEFAULT_URLS

SUMMARY = "Read the identity cards in pictures; prints one line of JSON a picture."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See `cli.Command`."""
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="picture file")
    parser.add_argument(
        "--url", help="host:port of the server (default: this machine, the protocol's usual port)"
    )
    parser.add_argument("--protocol", choices=list(DEFAULT_URLS), default="grpc")
    parser.add_argument(
        "--draw",
        type=Path,
        metavar="OUT",
        help="write the picture with what was read drawn on it; several: a folder",
    )


def run(arguments: argparse.Namespace) -> int:
    """See `cli.Command`."""
    failed = 0
    with Client(arguments.url, protocol=arguments.protocol) as client:
        for photo in arguments.photos:
            try:
                answer = client.recognize_json(photo)
                print(json.dumps(answer, ensure_ascii=False), flush=True)
                if arguments.draw:
                    _draw(photo, answer, arguments.draw, many=len(arguments.photos) > 1)
            except TandemError as error:
                failed += 1
                print(f"{photo}: {error}", file=sys.stderr)
    return EXIT_FAILED if failed else 0


def _draw(photo: Path, answer: dict[str, list[dict[str, object]]], out: Path, *, many: bool) -> None:
    from tandem_client.drawing import draw_cards  # noqa: PLC0415 - needs Pillow, which is optional
    from tandem_client.fonts import find_chinese_font  # noqa: PLC0415

    cards = [Card.from_json(entry) for entry in answer["cards"]]
    drawn = draw_cards(photo.read_bytes(), cards, find_chinese_font())
    if many:
        out.mkdir(parents=True, exist_ok=True)
        out = out / photo.with_suffix(".jpg").name
    drawn.save(out)
