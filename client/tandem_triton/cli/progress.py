"""A progress bar on stderr, with rate and time left; none where `rich` is missing or nobody would see it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(total: int, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """A function to call with each step's number of failures so far.

    Args:
        total: steps to come.
        shown: False shows nothing.
    """
    if not shown:
        yield lambda _: None
        return
    try:
        from rich import progress  # noqa: PLC0415 - optional
        from rich.console import Console  # noqa: PLC0415
    except ImportError:
        print("no progress bar: pip install rich brings it", file=sys.stderr)
        yield lambda _: None
        return

    class Rate(progress.ProgressColumn):
        def render(self, task: progress.Task) -> str:
            return f"{task.finished_speed or task.speed or 0:.1f}/s"

    columns = (
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        Rate(),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.fields[failed]} failed"),
    )
    console = Console(stderr=True)
    with progress.Progress(*columns, console=console, redirect_stdout=False, redirect_stderr=False) as bar:
        task = bar.add_task("", total=total, failed=0)
        yield lambda failed: bar.update(task, advance=1, failed=failed)
