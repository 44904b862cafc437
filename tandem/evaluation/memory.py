"""What a server's processes take: memory of each, and shared memory."""

from __future__ import annotations

from pathlib import Path

from tandem.runtime.model_processes import model_processes

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux keeps it
SERVER = "tritonserver"


def memory_bytes(server_pid: int) -> dict[str, int]:
    """Process → its own (anonymous) memory in bytes; model processes by their model's name."""
    names = {server_pid: SERVER} | model_processes(server_pid)
    return {name: anonymous_bytes(pid) for pid, name in names.items()}


def anonymous_bytes(pid: int) -> int:
    """A process's own memory in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    (line,) = [line for line in lines if line.startswith("RssAnon:")]
    return int(line.split()[1]) * 1024


def shared_memory_bytes(prefix: str) -> int:
    """What the regions of one server take in /dev/shm, in bytes."""
    return sum(path.stat().st_blocks * 512 for path in SHARED_MEMORY.glob(f"{prefix}*"))
