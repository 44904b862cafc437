"""The server's shared memory regions: their names tell whose they are, so that leftovers can be removed.

Triton's Python backend keeps one region a model instance in /dev/shm. A server that was killed leaves them
behind. The names start with the pid namespace and the pid of the process that started the server.
"""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - that is where Linux keeps POSIX shared memory
_OWNER_ONLY = 0o600
_NAME = re.compile(r"tandem-(?P<namespace>\d+)-(?P<pid>\d+)-[0-9a-f]+-")


def new_prefix() -> str:
    """A prefix that no other server has and that tells who started this one."""
    return f"tandem-{_namespace()}-{os.getpid()}-{secrets.token_hex(4)}-"


def remove_regions(prefix: str, folder: Path = SHARED_MEMORY) -> list[str]:
    """Remove the regions whose names start with `prefix`; returns their names."""
    removed = []
    for path in folder.glob(f"{prefix}*"):
        path.unlink(missing_ok=True)
        removed.append(path.name)
    return removed


def hide_regions(prefix: str, folder: Path = SHARED_MEMORY) -> None:
    """Leave the regions whose names start with `prefix` to their owner alone.

    They hold pictures of cards, and Triton lets every user of the machine read them, whatever the umask. Who
    has opened a region goes on using it.
    """
    for path in folder.glob(f"{prefix}*"):
        with suppress(FileNotFoundError):  # a model process that ended took it away
            path.chmod(_OWNER_ONLY)


def remove_leftovers(folder: Path = SHARED_MEMORY) -> list[str]:
    """Remove the regions of servers whose starter is gone; returns their names.

    Regions of another pid namespace (a container that shares /dev/shm) are left alone: their pids mean
    nothing here.
    """
    removed: list[str] = []
    for path in folder.glob("tandem-*"):
        match = _NAME.match(path.name)
        if match and match["namespace"] == _namespace() and not Path("/proc", match["pid"]).exists():
            removed += remove_regions(path.name, folder)
    return removed


def _namespace() -> str:
    return "".join(filter(str.isdigit, os.readlink("/proc/self/ns/pid")))  # "pid:[4026531836]"
