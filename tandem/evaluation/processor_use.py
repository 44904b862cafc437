"""What a server's processes use of the processors, each by the model that it runs (Linux)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tandem.runtime.model_processes import model_processes

#: The name under which `uses_of` gives the server's own process: its threads run no model.
SERVER = "tritonserver"
# Fields of proc_pid_stat(5), counted behind the name: minor faults, user time, system time.
_FAULTS, _USER, _SYSTEM = 7, 11, 12


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


def _use_of(pid: int) -> Use:
    words = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    tick = os.sysconf("SC_CLK_TCK")
    return Use(
        user_s=int(words[_USER]) / tick, system_s=int(words[_SYSTEM]) / tick, faults=int(words[_FAULTS])
    )
