"""Processor time of a server on this machine: it tells how many processors a step uses."""

from __future__ import annotations

import os
from pathlib import Path

from tandem.batching.errors import CalibrationError


def processor_seconds(pid: int) -> float:
    """Processor time that a process and all below it have used so far, seconds (Linux).

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
    found, total = [pid], 0.0
    while found:
        current = found.pop()
        total += times.get(current, 0.0)
        found += children.get(current, [])
    return total
