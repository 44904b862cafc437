"""The environment that the server's processes get."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# glibc gives a picture's buffers back to the kernel, which clears their pages again for the next one: 7,400
# page faults and 29 ms of system time a picture. So blocks of up to 32 MiB come from the heap, and the heap
# keeps 128 MiB when it shrinks: 10 faults, 5 ms, and a fifth more memory (docs/performance.md).
_ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(128 * 2**20),
    "MALLOC_TOP_PAD_": str(2**20),
    # Each of the server's many threads would else keep a heap of its own.
    "MALLOC_ARENA_MAX": "2",
}

# OpenBLAS, which numpy and OpenCV bring, keeps a thread for every core; each of them watches for more work
# for milliseconds after the last matrix, on processors that the other steps want (docs/batching.md, "Where
# the processors go"). A step's parallel work runs in workers of its own.
_LINEAR_ALGEBRA = {"OPENBLAS_NUM_THREADS": "1"}


def server_environment(libraries: Sequence[Path], added: Mapping[str, str]) -> dict[str, str]:
    """The server's environment, made of this process'; its stubs must find this Python and its packages.

    Args:
        libraries: folders of shared libraries that the server needs.
        added: variables of the user's choice; they win.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    environment = {**_ALLOCATOR, **_LINEAR_ALGEBRA, **environment, **added}
    # Else ONNX Runtime keeps records of its use in the home folder and sends them to its maker.
    environment["ORT_DISABLE_TELEMETRY"] = "1"
    # The models' processes read paths with Chinese characters, whatever the locale.
    environment["PYTHONUTF8"] = "1"
    prepend = {
        "LD_LIBRARY_PATH": [str(folder) for folder in libraries],
        # The stub looks for "python3" on PATH to find the virtual environment.
        "PATH": [str(Path(sys.executable).parent)],
        "PYTHONPATH": [str(Path(__file__).parents[2])],
    }
    for name, values in prepend.items():
        environment[name] = os.pathsep.join([*values, *filter(None, [environment.get(name)])])
    return environment
