"""`tandem listen`: recordings in; what is said out, with times, as text, subtitles or JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from tandem_triton.cli.connection import add_connection_arguments, connection_options
from tandem_triton.cli.exits import EXIT_FAILED, EXIT_USAGE
from tandem_triton.cli.progress import progress_bar
from tandem_triton.core.client import Client
from tandem_triton.core.errors import BadItemError
from tandem_triton.core.options import DEFAULT_URLS, ClientOptions
from tandem_triton.services import speech_to_text, speech_translation
from tandem_triton.services.speech_to_text import Segment

SUMMARY = "Write down what is said in recordings, with times; --translate gives the translation as well."

#: Half an hour of speech takes minutes on two cores.
_TIMEOUT_S = 900.0
_IN_FLIGHT = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """See `main.Command`."""
    add = parser.add_argument
    add("recordings", nargs="+", metavar="FILE", help="WAV, FLAC, OGG, MP3, M4A or WebM, up to 30 minutes")
    add("--language", metavar="CODE", help="the spoken one, e.g. zh or en; default: it is detected")
    add("--translate", choices=["zh", "en"], metavar="TO", help="zh or en: give the translation as well")
    add("--format", choices=list(_WRITERS), default="text", help="default: %(default)s")
    add("--protocol", choices=list(DEFAULT_URLS), default="grpc")
    add(
        "--timeout", type=float, default=_TIMEOUT_S, metavar="S", help="seconds for a recording (%(default)g)"
    )
    add(
        "--in-flight", type=int, default=_IN_FLIGHT, metavar="N", help="recordings on their way (%(default)s)"
    )
    add_connection_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """See `main.Command`."""
    service: Any = speech_translation.SERVICE if arguments.translate else speech_to_text.SERVICE
    given = {"language": arguments.language} if arguments.language else {}
    if arguments.translate:
        given["target"] = arguments.translate
    try:
        service.encode_options(given)
        options = ClientOptions(
            timeout_s=arguments.timeout,
            max_in_flight=arguments.in_flight,
            **connection_options(arguments),
        )
        client = Client(arguments.url, protocol=arguments.protocol, options=options)
    except (ValueError, BadItemError, OSError) as error:
        print(f"tandem listen: {error}", file=sys.stderr)
        return EXIT_USAGE
    write, failed = _WRITERS[arguments.format], 0
    # Answers on a terminal are progress enough, and a bar would run through them.
    shown = len(arguments.recordings) > 1 and not sys.stdout.isatty()
    with client, progress_bar(len(arguments.recordings), shown=shown) as step:
        for result in client.call_many(service, arguments.recordings, **given):
            path = arguments.recordings[result.index]
            if result.error is None:
                print(write(path, result.json, result.value), flush=True)
            else:
                failed += 1
                print(f"{path}: {result.error}", file=sys.stderr)
            step(failed)
    return EXIT_FAILED if failed else 0


def _as_text(path: str, _json: dict[str, Any], answer: Any) -> str:
    lines = [f"{path} ({answer.language or 'nobody spoke'})"]
    lines += [f"  {_clock(segment.start_s)} {segment.text}{_doubt(segment)}" for segment in answer.segments]
    if getattr(answer, "translation", ""):
        lines.append(f"  {answer.target}: {answer.translation}")
    return "\n".join(lines)


def _as_subtitles(_path: str, _json: dict[str, Any], answer: Any) -> str:
    """SubRip, which every player reads."""
    blocks = [
        f"{number}\n{_clock(segment.start_s, ',')} --> {_clock(segment.end_s, ',')}\n{segment.text}\n"
        for number, segment in enumerate(answer.segments, start=1)
    ]
    return "\n".join(blocks)


def _as_json(path: str, answer: dict[str, Any], _value: Any) -> str:
    return json.dumps({"recording": path, **answer}, ensure_ascii=False)


_LEAST_SURE = 0.5


def _doubt(segment: Segment) -> str:
    return "" if segment.confidence >= _LEAST_SURE else "  (?)"


def _clock(seconds: float, point: str = ".") -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"


Writer = Callable[[str, dict[str, Any], Any], str]
_WRITERS: dict[str, Writer] = {"text": _as_text, "srt": _as_subtitles, "json": _as_json}
