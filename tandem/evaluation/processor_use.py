"""What a server's processes use of the processors, each by the model that it runs (Linux)."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tandem.runtime.model_processes import model_processes

#: The name under which `uses_of` gives the server's own process: its threads run no model.
SERVER = "tritonserver"
# Fields of proc_pid_stat(5), counted behind the name: parent, process group, minor faults, user and system
# time.
_PARENT, _GROUP, _FAULTS, _USER, _SYSTEM = 1, 2, 7, 11, 12


@dataclass(frozen=True, kw_only=True)
class Use:
    """What processes have used so far: seconds of user and system time, page faults."""

    user_s: float = 0.0
    system_s: float = 0.0
    faults: int = 0

    def __add__(self, other: Use) -> Use:
        return Use(
            user_s=self.user_s + other.user_s,
            system_s=self.system_s + other.system_s,
            faults=self.faults + other.faults,
        )

    def __sub__(self, other: Use) -> Use:
        return Use(
            user_s=self.user_s - other.user_s,
            system_s=self.system_s - other.system_s,
            faults=self.faults - other.faults,
        )

    @property
    def processor_s(self) -> float:
        """User and system time together, seconds."""
        return self.user_s + self.system_s


def uses_of(server_pid: int) -> dict[str, Use]:
    """What the server (`SERVER`) and each model's processes have used so far, by the model's name."""
    uses = {SERVER: _use_of(server_pid)}
    for pid, model in model_processes(server_pid).items():
        uses[model] = uses.get(model, Use()) + _use_of(pid)
    return uses


def use_of(server_pid: int) -> Use:
    """What the server and its models' processes have used so far, together."""
    return sum(uses_of(server_pid).values(), Use())


def use_of_group(group: int) -> Use:
    """What the processes of a process group that still run have used so far, together."""
    used = Use()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # a process may end meanwhile
            if int(_stat(int(folder.name))[_GROUP]) == group:
                used += _use_of(int(folder.name))
    return used


def use_of_family(pid: int) -> Use:
    """What a process and all that descend from it have used so far, those that run still."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(folder.name)] = int(_stat(int(folder.name))[_PARENT])
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    used = Use()
    for member in family:
        with suppress(OSError):  # a process may end meanwhile
            used += _use_of(member)
    return used


def machine_busy_s() -> float:
    """Processor time of all of this machine since it started, what a hypervisor took included, seconds."""
    words = Path("/proc/stat").read_text("ascii").split()
    user, nice, system, _idle, _iowait, *more = (int(word) for word in words[1:9])
    return (user + nice + system + sum(more)) / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """The words of a process's proc_pid_stat(5) behind its name, which may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()


def _use_of(pid: int) -> Use:
    words = _stat(pid)
    tick = os.sysconf("SC_CLK_TCK")
    return Use(
        user_s=int(words[_USER]) / tick, system_s=int(words[_SYSTEM]) / tick, faults=int(words[_FAULTS])
    )
