"""How far a download is: a bar on a terminal, else a line each tenth."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

_MB = 10**6
_TENTHS = 10


@contextmanager
def download_bar(total: int, say: Callable[[str], None]) -> Iterator[Callable[[int], None]]:
    """A function to call with each number of bytes that came.

    Args:
        total: bytes to come.
        say: gets a line each tenth where stderr is no terminal.
    """
    if sys.stderr.isatty():
        columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task("", total=total)
            yield lambda count: progress.advance(task, count)
        return
    came = 0

    def advance(count: int) -> None:
        nonlocal came
        before, came = came, came + count
        if came * _TENTHS // total > before * _TENTHS // total:
            say(f"{came / _MB:.0f} of {total / _MB:.0f} MB")

    yield advance
