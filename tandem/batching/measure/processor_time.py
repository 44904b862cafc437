"""Processor time of a server on this machine: it tells how many processors a step uses."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tandem.batching.errors import CalibrationError

# The server's own work, and that of models in its process (native backends), in `processor_seconds_by_model`.
SERVER = ""
# Triton runs every instance of a Python model in a process of this name; its first argument is the model's
# file, MODEL/VERSION/FILE.
_STUB = "triton_python_backend_stub"

# Processor time that a server has used so far, seconds, by model; see `processor_seconds_by_model`.
ProcessorClock = Callable[[], Mapping[str, float]]


def processor_seconds(pid: int) -> float:
    """Processor time that a process and all below it have used so far, seconds (Linux).

    Raises:
        CalibrationError: there is no such process.
    """
    return sum(processor_seconds_by_model(pid).values())


def processor_seconds_by_model(pid: int) -> dict[str, float]:
    """Processor time that a server has used so far, seconds, user's and system's (Linux).

    Every Python model has a process of its own, which counts for the model; all else counts for `SERVER`.

    Raises:
        CalibrationError: there is no such process.
    """
    children: dict[int, list[int]] = {}
    times: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:  # processes come and go while we look
            words = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(words[1]), []).append(int(entry.name))
        times[int(entry.name)] = sum(map(int, words[11:15])) / os.sysconf("SC_CLK_TCK")
    if pid not in times:
        raise CalibrationError(f"there is no process {pid} on this machine; give the server's")
    found = [pid]
    total: dict[str, float] = {SERVER: 0.0}
    while found:
        current = found.pop()
        model = _model_of(current)
        total[model] = total.get(model, 0.0) + times.get(current, 0.0)
        found += children.get(current, [])
    return total


def _model_of(pid: int) -> str:
    """The model that a process runs; `SERVER` for any other process."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
    except OSError:
        return SERVER
    is_stub = Path(words[0]).name == _STUB and len(words) > 1
    return Path(words[1]).parent.parent.name if is_stub else SERVER


def used_since(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Processor time between two readings, seconds, by model."""
    return {model: max(time - before.get(model, 0.0), 0.0) for model, time in after.items()}


def by_step(used: Mapping[str, float], busy: Mapping[str, float]) -> dict[str, float]:
    """Processor time of every step of an ensemble, seconds; together they have all that was used.

    What no step's process used (the server's own threads, models that a step asks, the caller on the same
    machine) belongs to the steps without a process of their own, by the time that they took. Where each has
    one, all pay for it by what they used.

    Args:
        used: see `used_since`.
        busy: time that each step took, seconds.
    """
    own = {step: used.get(step, 0.0) for step in busy}
    rest = sum(used.values()) - sum(own.values())
    without = [step for step in busy if step not in used]
    weights = {step: busy[step] for step in without} if without else own
    total = sum(weights.values())
    if total <= 0:
        return own
    return {step: own[step] + rest * weights.get(step, 0.0) / total for step in busy}


class Bystanders:
    """Watches what processes of this machine use that are neither the server nor this one and its children.

    Args:
        clock: the server's.
    """

    def __init__(self, clock: ProcessorClock) -> None:
        self._clock = clock
        self._begin, self._before = time.perf_counter(), self._reading()

    def processors(self) -> float:
        """Processors that they have used since, on average; 0 or more."""
        used = self._reading() - self._before
        return max(used / (time.perf_counter() - self._begin), 0.0)

    def _reading(self) -> float:
        """Seconds of all processors, less the server's and our own."""
        times = os.times()
        ours = times.user + times.system + times.children_user + times.children_system
        return _machine_seconds() - sum(self._clock().values()) - ours


def _machine_seconds() -> float:
    """Time that this machine's processors have worked so far, seconds, what its host took away included."""
    words = Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()
    user, nice, system, _idle, _waiting, *interrupts_and_stolen = map(int, words[1:9])
    return (user + nice + system + sum(interrupts_and_stolen)) / os.sysconf("SC_CLK_TCK")
