"""Whether this machine's processor can run a model's file.

An 8-bit network computes wrong sums on a CPU without VNNI instructions. Who makes such a file writes the
instructions that it needs beside it, and the server is not started where they are missing.
"""

from __future__ import annotations

from pathlib import Path

from tandem.runtime.errors import WrongProcessorError

CPUINFO = Path("/proc/cpuinfo")
# `model.cpu.onnx.needs` holds flags of /proc/cpuinfo, of which one must be there.
NEEDS = ".needs"
# Of these, one lets a CPU add products of 8-bit integers without overflow.
FAST_INTEGERS = ("avx512_vnni", "avx_vnni")


def has_fast_integers(cpuinfo: Path = CPUINFO) -> bool:
    """Whether this CPU adds products of 8-bit integers without overflow (VNNI)."""
    return not processor_flags(cpuinfo).isdisjoint(FAST_INTEGERS)


def processor_flags(cpuinfo: Path = CPUINFO) -> frozenset[str]:
    """What this CPU can do, in Linux' words; empty where that can't be read."""
    try:
        return frozenset(cpuinfo.read_text("ascii", errors="replace").split())
    except OSError:
        return frozenset()


def check_processor(model_file: Path, cpuinfo: Path = CPUINFO) -> None:
    """Return if this CPU can run the file.

    Raises:
        WrongProcessorError: it can't; the message says what it lacks.
    """
    try:
        needed = model_file.with_name(model_file.name + NEEDS).read_text("ascii").split()
    except FileNotFoundError:
        return
    if needed and processor_flags(cpuinfo).isdisjoint(needed):
        raise WrongProcessorError(
            f"{model_file} was made for a processor with {' or '.join(needed)}, which this one lacks: make it"
            " here by scripts/serve --set-up-only, or build the image with VNNI=no"
        )
