"""Whether there is an NVIDIA GPU. Standard library only: it is asked before anything is installed."""

from __future__ import annotations

from pathlib import Path

# What the driver shows: on Linux itself, and on Linux inside Windows.
_SIGNS = (Path("/proc/driver/nvidia/version"), Path("/dev/dxg"))


def has_gpu() -> bool:
    """Whether this machine has the driver of an NVIDIA GPU."""
    return any(path.exists() for path in _SIGNS)
