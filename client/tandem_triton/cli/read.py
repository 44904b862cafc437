"""`tandem read`: pictures in, one line of JSON a picture out, or a file of answers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tandem_triton.cli.connection import add_connection_arguments, connection_options
from tandem_triton.cli.exits import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE
from tandem_triton.cli.progress import progress_bar
from tandem_triton.cli.sinks import AnswerFile, LinesOut, Sink
from tandem_triton.cli.sources import drawing_paths, find_pictures
from tandem_triton.core.client import Client
from tandem_triton.core.errors import OutcomeKind, TandemError
from tandem_triton.core.options import DEFAULT_URLS, ClientOptions
from tandem_triton.services.id_card import Card

SUMMARY = "Read the identity cards in pictures; prints one line of JSON a picture."

_IN_FLIGHT = 8  # fills batches of two on four instances; more would only hold pictures in memory
_FAILURES_SHOWN = 20

Draw = Callable[[Path, list[Card]], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See `cli.Command`."""
    add = parser.add_argument
    add(
        "photos",
        nargs="+",
        metavar="PHOTO",
        help="picture, folder of pictures, or pattern such as 'in/**/*.jpg'",
    )
    add("--protocol", choices=list(DEFAULT_URLS), default="grpc")
    add(
        "--draw",
        type=Path,
        metavar="OUT",
        help="write the picture with what was read on it; several: a folder",
    )
    add(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="write answers here, with each picture's path, as they come",
    )
    add(
        "--format", choices=["jsonl", "csv"], help="of FILE (default: csv if it is named so, else JSON lines)"
    )
    add("--resume", action="store_true", help="keep what is in FILE and skip the pictures it has")
    add(
        "--in-flight",
        type=int,
        default=_IN_FLIGHT,
        metavar="N",
        help=f"pictures on their way (default {_IN_FLIGHT})",
    )
    add("--timeout", type=float, default=30.0, metavar="S", help="seconds allowed for a picture (default 30)")
    add_connection_arguments(parser)


@dataclass
class _Tally:
    """What became of the pictures."""

    counts: dict[str, int] = field(default_factory=dict)
    failures: list[tuple[Path, TandemError]] = field(default_factory=list)

    def count(self, outcome: OutcomeKind) -> None:
        self.counts[outcome] = self.counts.get(outcome, 0) + 1

    def fail(self, picture: Path, error: TandemError) -> None:
        self.count(error.outcome)
        self.failures.append((picture, error))


def run(arguments: argparse.Namespace) -> int:
    """See `cli.Command`."""
    try:
        options = _options(arguments)
        table = _is_table(arguments)
        draw = _drawer(arguments)
    except (ValueError, TandemError) as error:
        print(f"tandem read: {error}", file=sys.stderr)
        return EXIT_USAGE if isinstance(error, ValueError) else EXIT_FAILED
    pictures = find_pictures(arguments.photos)
    tally = _Tally()
    try:
        with ExitStack() as stack:
            sink: Sink = LinesOut(sys.stdout)
            if arguments.output is not None:
                sink = file = AnswerFile(arguments.output, table=table, resume=arguments.resume)
                stack.enter_context(file)
                pictures = _without(pictures, file)
            client = stack.enter_context(Client(arguments.url, protocol=arguments.protocol, options=options))
            _read(client, pictures, sink, draw(pictures), tally)
    except KeyboardInterrupt:
        _report(tally, len(pictures), interrupted=True)
        return EXIT_INTERRUPTED
    except (OSError, ValueError) as error:  # of the file to write
        print(f"tandem read: {arguments.output}: {error}", file=sys.stderr)
        return EXIT_FAILED
    _report(tally, len(pictures), interrupted=False)
    return EXIT_FAILED if tally.failures else 0


def _read(client: Client, pictures: Sequence[Path], sink: Sink, draw: Draw, tally: _Tally) -> None:
    """Read every picture into the sink."""
    # Answers on a terminal are progress enough, and a bar would run through them.
    shown = len(pictures) > 1 and not (isinstance(sink, LinesOut) and sys.stdout.isatty())
    with progress_bar(len(pictures), shown=shown) as step:
        for reading in client.recognize_many(pictures, ordered=sink.ordered):
            picture = pictures[reading.index]
            try:
                draw(picture, reading.cards)
                sink.write(picture, reading.json)
                tally.count(reading.outcome)
            except TandemError as error:
                sink.fail(picture, error)
                tally.fail(picture, error)
            step(len(tally.failures))


def _report(tally: _Tally, total: int, *, interrupted: bool) -> None:
    """Say on stderr what became of the pictures, unless it was one and all is well."""
    for picture, error in tally.failures[:_FAILURES_SHOWN]:
        print(f"{picture}: {error}", file=sys.stderr)
    if len(tally.failures) > _FAILURES_SHOWN:
        print(f"… and {len(tally.failures) - _FAILURES_SHOWN} more failures", file=sys.stderr)
    if total == 1 and not interrupted:
        return
    counts = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(tally.counts.items()))
    ending = f"interrupted, {total - sum(tally.counts.values())} left" if interrupted else f"{total} pictures"
    print(f"{ending}: {counts or 'nothing to do'}", file=sys.stderr)


def _options(arguments: argparse.Namespace) -> ClientOptions:
    return ClientOptions(
        timeout_s=arguments.timeout, max_in_flight=arguments.in_flight, **connection_options(arguments)
    )


def _is_table(arguments: argparse.Namespace) -> bool:
    if arguments.output is None:
        if arguments.resume or arguments.format:
            raise ValueError("--resume and --format need --output")
        return False
    if arguments.format is not None:
        return bool(arguments.format == "csv")
    return bool(arguments.output.suffix.lower() == ".csv")


def _without(pictures: Sequence[Path], file: AnswerFile) -> list[Path]:
    left = [picture for picture in pictures if not file.has(picture)]
    if len(left) < len(pictures):
        print(f"{len(pictures) - len(left)} pictures are in the file already", file=sys.stderr)
    return left


def _drawer(arguments: argparse.Namespace) -> Callable[[Sequence[Path]], Draw]:
    """Makes the function that draws, once the pictures are known; fails now if nothing could be drawn."""
    if arguments.draw is None:
        return lambda _: lambda _picture, _cards: None
    try:
        from tandem_triton.cli.drawing import draw_cards  # noqa: PLC0415 - needs Pillow, which is optional
    except ImportError:
        raise TandemError("--draw needs Pillow: pip install 'tandem-triton-client[images]'") from None
    from tandem_triton.cli.fonts import find_chinese_font  # noqa: PLC0415 - only with --draw

    font = find_chinese_font()

    def of(pictures: Sequence[Path]) -> Draw:
        targets = drawing_paths(pictures, arguments.draw) if pictures else {}

        def draw(picture: Path, cards: list[Card]) -> None:
            try:
                targets[picture].parent.mkdir(parents=True, exist_ok=True)
                draw_cards(picture.read_bytes(), cards, font).save(targets[picture])
            except (OSError, ValueError) as error:  # a kind of picture that Pillow can't read or write
                raise TandemError(f"can't draw it: {error}") from error

        return draw

    return of
