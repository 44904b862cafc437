"""Why the server ended, read from its own log."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# "E1123 06:49:46.107361 9416 model_lifecycle.cc:642] "failed to load 'x' version 1: Internal: …""
_ERROR = re.compile(r'^E\d{4} \S+ \d+ \S+\] "?(?P<text>.*?)"?$')
_MODEL = re.compile(r"failed to load (?:model )?'(?P<model>[^']+)'(?: version \d+)?: (?P<reason>.*)")
_POLL = re.compile(r"Poll failed for model directory '(?P<model>[^']+)': (?P<reason>.*)")
_PORT = re.compile(r"Socket '(?P<socket>[^']+)' already in use")
# Said at each start on every machine without a GPU, and at each stop.
_HARMLESS = (
    "Signal (15) received.",
    "CudaDriverHelper has not been initialized",
    "Unable to allocate pinned system memory",
    "failed to allocate pinned system memory",
    "unable to create stream for",
)
# The server prints an exception's stack behind this mark.
_STACK_MARK = re.compile(r"\\n\\nAt:\\n.*$")


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What the log says.

    Attributes:
        model: the model that failed, or empty.
        reason: the server's own words, or empty.
        socket: the address that was in use, or empty.
    """

    model: str = ""
    reason: str = ""
    socket: str = ""


def find_failure(lines: Sequence[str]) -> Failure:
    """The first cause that the log's lines give; empty where they give none."""
    errors = [text for text in map(_error_text, lines) if text]
    for text in errors:
        match = _MODEL.search(text) or _POLL.search(text)
        if match:
            return Failure(model=match["model"], reason=_plain(match["reason"]) + _parser_hint(lines))
    for line in lines:
        match = _PORT.search(line)
        if match:
            return Failure(reason=_plain(match[0]), socket=match["socket"])
    if errors:
        return Failure(reason=_plain(errors[-1]))
    endings = [line for line in lines if line.startswith("error: ")]
    return Failure(reason=_plain(endings[-1].removeprefix("error: ")) if endings else "")


def is_harmless(line: str) -> bool:
    """Whether a log line looks like trouble, but says only that there is no GPU or that we stop it."""
    return any(harmless in line for harmless in _HARMLESS)


def _error_text(line: str) -> str:
    match = _ERROR.match(line)
    return "" if not match or is_harmless(line) else match["text"]


def _plain(text: str) -> str:
    return _STACK_MARK.sub("", text).replace("\\n", "\n").replace('\\"', '"').strip()


def _parser_hint(lines: Sequence[str]) -> str:
    """The place in a config that the parser stumbled over: it is printed without saying which file."""
    mark = "inference.ModelConfig: "
    hints = [
        line.partition(mark)[2] for line in lines if line.startswith("[libprotobuf ERROR") and mark in line
    ]
    return f" ({hints[0].strip()})" if hints else ""
