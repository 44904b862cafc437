"""The libraries behind the GPU's providers, found where pip puts them: no CUDA of the system's is needed."""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from tandem.runtime.onnx_backend.providers import CUDA, TENSORRT, Provider

# In this order: each needs those before it.
_TENSORRT = ("libnvinfer.so.*", "libnvinfer_plugin.so.*", "libnvonnxparser.so.*")


def preload_libraries(providers: Collection[Provider], runtime: Any) -> None:
    """Load what the providers link to, as far as it is installed; what isn't, they look for themselves.

    Args:
        providers: what the config asks for.
        runtime: the module `onnxruntime`; builds older than 1.21 can't load CUDA themselves.
    """
    names = {name for name, _ in providers}
    if names & {CUDA, TENSORRT} and hasattr(runtime, "preload_dlls"):
        runtime.preload_dlls()
    if TENSORRT in names:
        for path in _installed("tensorrt_libs", _TENSORRT):
            ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)


def _installed(package: str, patterns: Collection[str]) -> Iterator[Path]:
    found = importlib.util.find_spec(package)
    for folder in map(Path, (found.submodule_search_locations or ()) if found else ()):
        for pattern in patterns:
            yield from sorted(folder.glob(pattern))
