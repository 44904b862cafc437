"""How good and how fast speech becomes text: `scripts/evaluate speech`, on a folder of recordings.

The error rates are what the field uses: wrong characters of Mandarin (CER), wrong words of English (WER),
as edit distance over the length of the transcript, without punctuation, spaces and case. Beside it
faster-whisper in this process, with the same weights, beam and threads.

A folder holds recordings and an index.json: [{"file", "lang": "zh" or "en", "seconds", "text"}, …].
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz.distance import Levenshtein
from rich.console import Console
from rich.table import Table
from tritonclient import grpc

from tandem.evaluation.throughput import Comparison, Contender, compare
from tandem.runtime.setup import CHECKOUT, REPOSITORY

FOLDER = CHECKOUT.parent / "shared" / "speech"
WEIGHTS = REPOSITORY / "speech_recognizer" / "1" / "model"
LANGUAGES = ("zh", "en")
_BEAM, _THREADS = 5, 2  # as model_repository/speech_recognizer/config.pbtxt

#: The text of a recording, encoded as it is in the folder.
Reader = Callable[[bytes], str]


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A recording and what is said in it.

    Attributes:
        name: of its file.
        data: the file.
        language: `zh` or `en`.
        seconds: how long it is.
        text: the transcript.
    """

    name: str
    data: bytes
    language: str
    seconds: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a reader made of a recording; `errors` of `length` characters or words are wrong."""

    recording: Recording
    text: str
    errors: int
    length: int


def read_recordings(folder: Path) -> list[Recording]:
    """The recordings of a folder.

    Raises:
        OSError: the folder has no index.json, or a recording is missing.
        ValueError: the index is not what it should be.
    """
    index = json.loads((folder / "index.json").read_text("utf-8"))
    try:
        return [
            Recording(
                name=row["file"],
                data=(folder / row["file"]).read_bytes(),
                language=row["lang"],
                seconds=float(row["seconds"]),
                text=row["text"],
            )
            for row in index
            if row["lang"] in LANGUAGES
        ]
    except (KeyError, TypeError) as error:
        raise ValueError(f"{folder}/index.json needs file, lang, seconds and text in every row") from error


def counted(recording: Recording, text: str) -> Heard:
    """The recording's errors in a reader's text."""
    truth, read = units(recording.text, recording.language), units(text, recording.language)
    return Heard(recording=recording, text=text, errors=Levenshtein.distance(read, truth), length=len(truth))


def units(text: str, language: str) -> list[str]:
    """What is compared: characters of Chinese, words of English; in lower case, without punctuation."""
    plain = unicodedata.normalize("NFKC", text).lower()
    if language == "zh":
        return re.findall(r"\w", plain.replace("_", ""))
    return re.findall(r"[a-z0-9]+(?:'[a-z]+)*", plain.replace("’", "'"))


def error_rate(heard: Sequence[Heard]) -> float:
    """Wrong units over all units."""
    return sum(one.errors for one in heard) / max(1, sum(one.length for one in heard))


def served(url: str) -> Reader:
    """The running server as a reader; any thread may call it."""
    client = grpc.InferenceServerClient(url)

    def read(data: bytes) -> str:
        audio = grpc.InferInput("AUDIO", [1, 1], "BYTES")
        audio.set_data_from_numpy(np.array([[data]], np.object_))
        answer = json.loads(client.infer("speech_to_text", [audio]).as_numpy("RESULT").reshape(-1)[0])
        return str(answer["text"])

    return read


def faster_whisper(folder: Path = WEIGHTS) -> Reader:
    """faster-whisper in this process, with its defaults but for what must be the same.

    Raises:
        ImportError: the package is not installed.
    """
    from faster_whisper import WhisperModel  # noqa: PLC0415 - only who compares needs it
    from opencc import OpenCC  # noqa: PLC0415

    model: Any = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=_THREADS)
    simplified = OpenCC("t2s")

    def read(data: bytes) -> str:
        segments, about = model.transcribe(BytesIO(data), beam_size=_BEAM)
        text = "".join(segment.text for segment in segments)
        return str(simplified.convert(text)) if about.language == "zh" else text

    return read


def accuracy_table(readers: dict[str, list[Heard]]) -> Table:
    """A row a reader."""
    table = Table(title="Wrong characters (zh) and words (en)")
    columns = ("reader", "zh recordings", "CER", "en recordings", "WER")
    for column in columns:
        table.add_column(column, justify="left" if column == "reader" else "right")
    for name, heard in readers.items():
        row = [name]
        for language in LANGUAGES:
            own = [one for one in heard if one.recording.language == language]
            row += [str(len(own)), f"{error_rate(own):.1%}"]
        table.add_row(*row)
    return table


def speed_table(comparison: Comparison, first: Contender, seconds_each: float) -> Table:
    """Recordings a second, seconds of work a second of sound, and the ratio; medians of the rounds."""
    table = Table(title=f"Speed, medians of {len(comparison.rates[0])} rounds in turns")
    for column in ("reader", "recordings/s", "real-time factor", "ratio"):
        table.add_column(column, justify="left" if column == "reader" else "right")
    ratio = sorted(comparison.ratios)[len(comparison.ratios) // 2]
    for name, rate, shown in zip(comparison.names, comparison.medians, (f"{ratio:.2f}", ""), strict=True):
        table.add_row(name, f"{rate:.2f}", f"{1 / (rate * seconds_each):.3f}", shown)
    table.caption = f"{first.clients} callers of the server; recordings of {seconds_each:.1f} s on average"
    return table


def main(argv: Sequence[str] | None = None) -> None:
    """Print the tables; with `--show` every recording as well."""
    parser = argparse.ArgumentParser(prog="scripts/evaluate speech", description=__doc__)
    add = parser.add_argument
    add("--url", default="127.0.0.1:8001", help="gRPC address of the server")
    add("--folder", type=Path, default=FOLDER, help="recordings with an index.json, default: %(default)s")
    add("--peer", action="store_true", help="beside faster-whisper, in turns")
    add("--rounds", type=int, default=3, help="of the speed, default: %(default)s; 0: accuracy alone")
    add("--seconds", type=float, default=15.0, help="of a round, default: %(default)s")
    add("--clients", type=int, default=4, help="callers of the server, default: %(default)s")
    add("--show", action="store_true", help="print what was heard in every recording")
    options = parser.parse_args(argv)
    try:
        recordings = read_recordings(options.folder)
    except (OSError, ValueError) as error:
        parser.error(f"no recordings: {error}")
    console = Console(width=None if sys.stdout.isatty() else 120)
    readers = {"Tandem": served(options.url)}
    if options.peer:
        readers["faster-whisper"] = faster_whisper()
    heard = {
        name: [counted(recording, read(recording.data)) for recording in recordings]
        for name, read in readers.items()
    }
    console.print(accuracy_table(heard))
    if options.show:
        for one in heard["Tandem"]:
            console.print(f"{one.recording.name}: {one.errors} of {one.length}\n    {one.text}", markup=False)
    if options.rounds:
        _print_speed(console, readers, recordings, options)


def _print_speed(
    console: Console, readers: dict[str, Reader], recordings: Sequence[Recording], options: argparse.Namespace
) -> None:
    """The server's speed, alone or in turns with the peer."""
    data = [recording.data for recording in recordings]
    seconds_each = sum(recording.seconds for recording in recordings) / len(recordings)
    ours = Contender(name="Tandem", read=readers["Tandem"], clients=options.clients)
    peer = readers.get("faster-whisper")
    if peer is None:
        theirs = Contender(name="Tandem, one caller", read=readers["Tandem"], clients=1)
    else:
        theirs = Contender(name="faster-whisper, in process", read=peer, clients=1)
    comparison = compare(ours, theirs, data, rounds=options.rounds, seconds=options.seconds)
    console.print(speed_table(comparison, ours, seconds_each))
    console.print(f"{os.cpu_count()} cores; {time.strftime('%Y-%m-%d')}")
