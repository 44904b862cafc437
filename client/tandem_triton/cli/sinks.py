"""Where answers are written: lines on stdout, or a file, valid after every write, that can be resumed."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol

from tandem_triton.core.errors import TandemError

FIELDS = ("姓名", "性别", "民族", "出生", "住址", "公民身份号码", "签发机关", "有效期限")
"""The fields of both sides, in the order of the card: the columns of a table."""

COLUMNS = ("picture", "cards", "card", "side", "score", *FIELDS)
"""A table's columns: `cards` is how many the picture has, `card` which of them the row is, from 1."""


_OWNER_ONLY = 0o600
# Spreadsheets take these for a formula, and a long number for one of 15 digits.
_FORMULA = re.compile(r"[=+\-@\t\r]")
_LONG_NUMBER = re.compile(r"\d{16,}")

_FOREIGN = "the file to resume has something else in it than answers of this format"


class Sink(Protocol):
    """Takes one answer, or one failure, a picture."""

    ordered: bool
    """Whether answers must come in the pictures' order."""

    def write(self, picture: Path, answer: dict[str, Any]) -> None:
        """Take an answer, whole or not at all."""

    def fail(self, picture: Path, error: TandemError) -> None:
        """Take a failure."""


class LinesOut:
    """One line of JSON a picture, the contract's, in order; a failure's line says what was wrong.

    Args:
        stream: text, usually stdout.
        named: put each picture's path in front, for it is not plain which line is whose.
    """

    ordered = True

    def __init__(self, stream: IO[str], *, named: bool = False) -> None:
        self._stream = stream
        self._named = named

    def write(self, picture: Path, answer: dict[str, Any]) -> None:
        """See `Sink.write`."""
        if self._named:
            answer = {"picture": str(picture), **answer}
        print(json.dumps(answer, ensure_ascii=False), file=self._stream, flush=True)

    def fail(self, picture: Path, error: TandemError) -> None:
        """See `Sink.fail`."""
        self.write(picture, {"error": {"code": error.code, "message": str(error)}})


class AnswerFile:
    """A file of answers, JSON lines or CSV; without failures, so that resuming tries these again.

    Args:
        path: written anew, or, to resume, appended to.
        table: CSV with a row a card; else JSON lines, the contract's JSON with `picture` in front.
        resume: keep what is there, but for a last entry that was cut off.

    Raises:
        OSError: the file can't be opened.
        ValueError: the file to resume has something else in it; it is left as it is.
    """

    ordered = False

    def __init__(self, path: Path, *, table: bool, resume: bool) -> None:
        self._table = table
        self._done: frozenset[str] = frozenset()
        if resume and path.exists():
            content = path.read_bytes()
            kept, pictures = _whole_rows(content) if table else _whole_lines(content)
            self._done = frozenset(pictures)
            self._file: IO[bytes] = path.open("r+b")
            self._file.truncate(kept)
            self._file.seek(kept)
        else:
            # What people's cards say is for its owner alone, whatever the umask.
            self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY), "wb")
        os.fchmod(self._file.fileno(), _OWNER_ONLY)
        if table and self._file.tell() == 0:
            # The mark makes spreadsheets take the file for UTF-8.
            self._append("\ufeff" + _rows([COLUMNS]))

    def has(self, picture: Path) -> bool:
        """Whether the picture was in the file already."""
        return (_one_line(picture) if self._table else str(picture)) in self._done

    def write(self, picture: Path, answer: dict[str, Any]) -> None:
        """See `Sink.write`."""
        if self._table:
            self._append(_rows(_table_rows(picture, answer)))
        else:
            self._append(json.dumps({"picture": str(picture), **answer}, ensure_ascii=False) + "\n")

    def fail(self, picture: Path, error: TandemError) -> None:
        """See `Sink.fail`: nothing is written."""

    def __enter__(self) -> AnswerFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def _append(self, text: str) -> None:
        """All of an entry in one write, on its way to the disk before the next picture is looked at."""
        # A name that is no text, as file systems allow, must not end the run.
        self._file.write(text.encode(errors="backslashreplace"))
        self._file.flush()


def _table_rows(picture: Path, answer: dict[str, Any]) -> Iterator[list[object]]:
    cards = answer["cards"]
    for number, card in enumerate(cards, start=1):
        fields = (card["fields"].get(name, "") for name in FIELDS)
        yield [picture, len(cards), number, card["side"], card["score"], *fields]
    if not cards:
        yield [picture, 0, *[""] * (len(COLUMNS) - 2)]


def _rows(rows: Iterable[Sequence[object]]) -> str:
    """A line a row, whatever is in it: so that a file that was cut off can be mended."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([map(_one_line, row) for row in rows])
    return text.getvalue()


def _one_line(value: object) -> str:
    """A cell on one line, that a spreadsheet takes for the text that it is."""
    text = str(value).replace("\r", " ").replace("\n", " ")
    if _FORMULA.match(text):
        return f"'{text}"
    # A tab is not shown, and goes with whatever strips white space.
    return f"\t{text}" if _LONG_NUMBER.fullmatch(text) else text


def _whole_lines(content: bytes) -> tuple[int, list[str]]:
    """How many bytes of JSON lines are whole, and their pictures.

    Raises:
        ValueError: more than the last line is broken.
    """
    lines = _ended(content)
    try:
        pictures = [str(json.loads(line)["picture"]) for line in lines]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError(_FOREIGN) from None
    return sum(map(len, lines)), pictures


def _whole_rows(content: bytes) -> tuple[int, list[str]]:
    """How many bytes of a table are whole pictures, and these pictures.

    Raises:
        ValueError: more than the last picture is broken.
    """
    lines = _ended(content)
    rows = [next(csv.reader([line.decode("utf-8-sig", errors="replace")]), []) for line in lines]
    if rows and tuple(rows[0]) != COLUMNS:
        raise ValueError(_FOREIGN)
    whole, pictures, seen = len(lines[:1]), [], 0
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(COLUMNS) or not row[1].isdecimal():
            raise ValueError(_FOREIGN)
        seen += 1
        if seen >= int(row[1]):  # a picture without a card has one row as well
            whole, seen = number, 0
            pictures.append(row[0])
    return sum(map(len, lines[:whole])), pictures


def _ended(content: bytes) -> list[bytes]:
    """The lines, without a last one that was cut off."""
    return [line + b"\n" for line in content.split(b"\n")[:-1]]
