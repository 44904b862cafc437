"""The processes that run the Python models, and whether they still do.

Triton starts one a model instance and never again: when one ends (out of memory, killed), every request that
needs its model fails with INTERNAL, while the server goes on saying that it is ready (release 24.10).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

_PROC = Path("/proc")
# States of a process that has ended, from proc_pid_stat(5): zombie (Triton doesn't collect it) and dead.
_ENDED = frozenset("ZXx")


def model_processes(server_pid: int, *, ended_too: bool = False) -> dict[int, str]:
    """Process id → model of the server's model processes.

    Args:
        server_pid: the server's.
        ended_too: also those that have ended; Triton does not collect them, so they are still there.
    """
    found = {}
    for folder in _PROC.glob("[0-9]*"):
        state, parent = _state_and_parent(folder)
        if parent == server_pid and (ended_too or state not in _ENDED):
            found[int(folder.name)] = _model(folder)
    return found


def ended(processes: Mapping[int, str]) -> list[str]:
    """The models of those processes that have ended since."""
    return sorted({model for pid, model in processes.items() if _has_ended(_PROC / str(pid))})


def _has_ended(folder: Path) -> bool:
    return _state_and_parent(folder)[0] in _ENDED


def _state_and_parent(folder: Path) -> tuple[str, int]:
    """The process's state letter and its parent's id; ("X", 0) if it is gone."""
    try:
        stat = (folder / "stat").read_text("utf-8", "replace")
    except OSError:
        return "X", 0
    state, parent = stat.rpartition(")")[2].split()[:2]  # the name before may hold anything
    return state, int(parent)


def _model(folder: Path) -> str:
    """The model's name, from the path of its file, which is the stub's first argument: MODEL/VERSION/FILE."""
    try:
        arguments: Iterable[str] = (folder / "cmdline").read_text("utf-8", "replace").split("\0")[1:2]
    except OSError:
        arguments = ()
    return next((Path(argument).parent.parent.name for argument in arguments), "") or "unknown"
