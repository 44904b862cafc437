"""How one instance of an ONNX model runs: Triton's model config as one frozen record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tandem.runtime.errors import OnnxModelError
from tandem.runtime.onnx_backend.providers import Provider, choose_providers

DEFAULT_FILE = "model.onnx"
# ONNX Runtime's names of the levels that Triton counts; 0 = not set.
_GRAPH_LEVELS = {
    0: "ORT_ENABLE_ALL",
    -1: "ORT_ENABLE_BASIC",
    1: "ORT_ENABLE_EXTENDED",
    2: "ORT_DISABLE_ALL",
}
_EXECUTION_MODES = {0: "ORT_SEQUENTIAL", 1: "ORT_PARALLEL"}
_TRUE = {"1", "true", "yes"}
_FALSE = {"0", "false", "no"}
# Parameters of this form are handed to ONNX Runtime as they are.
_SESSION_PREFIX = "session."
_SHRINKAGE = "memory.enable_memory_arena_shrinkage"


@dataclass(frozen=True, kw_only=True)
class SessionSettings:
    """How an ONNX Runtime session is made.

    Attributes:
        filename: the model's file in its version's folder.
        providers: execution providers with their options, best first.
        intra_op_threads: threads within an operator, 0 = one a core; 1 where slices run side by side.
        inter_op_threads: threads across operators, 0 = one a core; counts in parallel mode only.
        execution_mode: name of a member of `onnxruntime.ExecutionMode`.
        graph_level: name of a member of `onnxruntime.GraphOptimizationLevel`.
        memory_arena: keep freed memory for the next run.
        memory_pattern: plan memory for repeated shapes.
        session_entries: ONNX Runtime's own `session.*` settings.
        run_entries: ONNX Runtime's settings of each run.
        slice_threads: how many slices of a batch run at once, each index of the first two dimensions by
            itself; 0 runs a batch as one tensor. The native backend ignores it.
        shape_sessions: how many shapes of the inputs have a session of their own; 1: all share one. Triton's
            own backend ignores it.
    """

    filename: str = DEFAULT_FILE
    providers: tuple[Provider, ...]
    intra_op_threads: int = 0
    inter_op_threads: int = 0
    execution_mode: str = "ORT_SEQUENTIAL"
    graph_level: str = "ORT_ENABLE_ALL"
    memory_arena: bool = True
    memory_pattern: bool = True
    session_entries: Mapping[str, str] = field(default_factory=dict)
    run_entries: Mapping[str, str] = field(default_factory=dict)
    slice_threads: int = 0
    shape_sessions: int = 1


def parse_settings(config: Mapping[str, Any], *, kind: str, device_id: int) -> SessionSettings:
    """The settings that a model's config asks for on one instance.

    Args:
        config: Triton's model config as parsed JSON.
        kind: the instance's kind as Triton's Python backend says it, "CPU" or "GPU".
        device_id: which GPU.

    Raises:
        OnnxModelError: a value is out of its range; the message names the setting.
    """
    parameters = {
        key: value.get("string_value", "") for key, value in (config.get("parameters") or {}).items()
    }
    slices = _count(parameters, "slice_thread_count")
    graph = (config.get("optimization") or {}).get("graph") or {}
    return SessionSettings(
        filename=config.get("default_model_filename") or DEFAULT_FILE,
        providers=choose_providers(config, gpu=kind == "GPU", device_id=device_id),
        intra_op_threads=1 if slices else _count(parameters, "intra_op_thread_count"),
        inter_op_threads=_count(parameters, "inter_op_thread_count"),
        execution_mode=_choice("execution_mode", _count(parameters, "execution_mode"), _EXECUTION_MODES),
        graph_level=_choice("optimization.graph.level", int(graph.get("level", 0)), _GRAPH_LEVELS),
        memory_arena=_truth(parameters, "enable_mem_arena"),
        memory_pattern=_truth(parameters, "enable_mem_pattern"),
        session_entries={key: value for key, value in parameters.items() if key.startswith(_SESSION_PREFIX)},
        run_entries={key: value for key, value in parameters.items() if key == _SHRINKAGE},
        slice_threads=slices,
        shape_sessions=_count(parameters, "shape_sessions") or 1,
    )


def _count(parameters: Mapping[str, str], key: str) -> int:
    """A whole number, 0 or more; 0 where it is missing."""
    value = parameters.get(key, "0")
    if not value.isdecimal():
        raise OnnxModelError(f"parameter {key} must be a whole number, 0 or more, not '{value}'")
    return int(value)


def _choice(name: str, value: int, names: Mapping[int, str]) -> str:
    if value not in names:
        raise OnnxModelError(f"{name} must be one of {', '.join(map(str, sorted(names)))}, not {value}")
    return names[value]


def _truth(parameters: Mapping[str, str], key: str) -> bool:
    """True where it is missing, as in ONNX Runtime."""
    value = parameters.get(key, "1").lower()
    if value not in _TRUE | _FALSE:
        raise OnnxModelError(f"parameter {key} must be 1 or 0, not '{value}'")
    return value in _TRUE
