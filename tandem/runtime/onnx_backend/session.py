"""One ONNX Runtime session behind the tensors that Triton's config promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from tandem.runtime.errors import OnnxModelError
from tandem.runtime.onnx_backend.batching import Tensors, groups_of_equal_shape, join, split
from tandem.runtime.onnx_backend.gpu_libraries import preload_libraries
from tandem.runtime.onnx_backend.providers import CPU, check_available
from tandem.runtime.onnx_backend.settings import SessionSettings
from tandem.runtime.onnx_backend.shape_sessions import ShapeSessions
from tandem.runtime.onnx_backend.signature import Signature, check_signature
from tandem.runtime.onnx_backend.slices import Run, SliceRunner

Outcome = dict[str, NDArray[Any]] | Exception


class OnnxSession:
    """A loaded model."""

    def __init__(self, path: Path, settings: SessionSettings, signature: Signature) -> None:
        """Load it.

        Raises:
            OnnxModelError: the file is missing or no ONNX model, doesn't fit the config, or the machine
                lacks the GPU that the config asks for.
        """
        if not path.is_file():
            raise OnnxModelError(
                f"there is no file {path}: run scripts/demo once, which makes what is missing"
            )
        check_available(settings.providers, onnxruntime.get_available_providers())
        preload_libraries(settings.providers, onnxruntime)
        self._sessions = ShapeSessions(lambda: _load(path, settings), settings.shape_sessions)
        check_signature(signature, self._sessions.any.get_inputs(), self._sessions.any.get_outputs())
        _check_placement(settings, self._sessions.any.get_providers())
        self._signature = signature
        self._strings = {spec.name for spec in signature.inputs if spec.is_string}
        self._on_gpu = settings.providers[0][0] != CPU
        self._run_options = onnxruntime.RunOptions()
        for key, value in settings.run_entries.items():
            self._run_options.add_run_config_entry(key, value)
        self._run_tensors: Run = self._run_bound if self._on_gpu and not self._strings else self._run_plain
        if settings.slice_threads:
            self._run_tensors = SliceRunner(self._run_tensors, settings.slice_threads)

    def run_all(self, requests: Sequence[Tensors], outputs: Sequence[str]) -> list[Outcome]:
        """Each request's outputs, or the exception that is its own.

        Requests of equal shape run as one batch. If that fails, each runs alone: a bad one harms no other.

        Args:
            requests: input tensors by name; the first dimension counts items if the model is batched.
            outputs: the outputs to compute.
        """
        outcomes: list[Outcome] = [OnnxModelError("not run")] * len(requests)
        for group in self._groups(requests):
            try:
                results = self._run_group([requests[index] for index in group], outputs)
            except Exception as error:  # whatever ONNX Runtime raises is the answer of these requests
                alone = [error] if len(group) == 1 else [self._run_alone(requests[i], outputs) for i in group]
                outcomes_of_group: Sequence[Outcome] = alone
            else:
                outcomes_of_group = results
            for index, outcome in zip(group, outcomes_of_group, strict=True):
                outcomes[index] = outcome
        return outcomes

    def _groups(self, requests: Sequence[Tensors]) -> list[list[int]]:
        if self._signature.batched:
            return groups_of_equal_shape(requests)
        return [[index] for index in range(len(requests))]

    def _run_group(
        self, requests: Sequence[Tensors], outputs: Sequence[str]
    ) -> list[dict[str, NDArray[Any]]]:
        results = self._run(join(requests), outputs)
        if not self._signature.batched:
            return [results]
        first = self._signature.inputs[0].name
        return split(results, [len(request[first]) for request in requests])

    def _run_alone(self, request: Tensors, outputs: Sequence[str]) -> Outcome:
        try:
            return self._run_group([request], outputs)[0]
        except Exception as error:  # as above
            return error

    def _run(self, feeds: Tensors, outputs: Sequence[str]) -> dict[str, NDArray[Any]]:
        feeds = {name: _decoded(array) if name in self._strings else array for name, array in feeds.items()}
        return {name: _encoded(result) for name, result in self._run_tensors(feeds, outputs).items()}

    def _run_plain(self, feeds: Tensors, outputs: Sequence[str]) -> dict[str, NDArray[Any]]:
        results = self._sessions.of(feeds).run(outputs, dict(feeds), self._run_options)
        return dict(zip(outputs, results, strict=True))

    def _run_bound(self, feeds: Tensors, outputs: Sequence[str]) -> dict[str, NDArray[Any]]:
        """As `_run_plain`, on a GPU: each tensor is copied straight to where the graph wants it."""
        session = self._sessions.of(feeds)
        binding = session.io_binding()
        for name, array in feeds.items():
            binding.bind_cpu_input(name, np.ascontiguousarray(array))
        for name in outputs:
            binding.bind_output(name)
        session.run_with_iobinding(binding, self._run_options)
        return dict(zip(outputs, binding.copy_outputs_to_cpu(), strict=True))


def _load(path: Path, settings: SessionSettings) -> Any:
    try:
        return onnxruntime.InferenceSession(str(path), _options(settings), providers=list(settings.providers))
    except Exception as error:  # ONNX Runtime's classes share no base of their own
        raise OnnxModelError(f"ONNX Runtime can't load {path}: {error}") from error


def _options(settings: SessionSettings) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.intra_op_threads
    options.inter_op_num_threads = settings.inter_op_threads
    options.execution_mode = getattr(onnxruntime.ExecutionMode, settings.execution_mode)
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, settings.graph_level)
    options.enable_cpu_mem_arena = settings.memory_arena
    options.enable_mem_pattern = settings.memory_pattern
    for key, value in settings.session_entries.items():
        options.add_session_config_entry(key, value)
    return options


def _check_placement(settings: SessionSettings, used: Sequence[str]) -> None:
    """ONNX Runtime only warns when a GPU can't be used, and runs on the CPU: many times slower, unnoticed."""
    missing = [name for name, _ in settings.providers if name not in used]
    if missing:
        raise OnnxModelError(
            f"ONNX Runtime has {', '.join(missing)}, but couldn't start it: check the driver, CUDA, cuDNN and"
            " TensorRT, or serve the default config (KIND_CPU)"
        )


def _decoded(array: NDArray[Any]) -> NDArray[Any]:
    """Triton's byte strings as ONNX Runtime's text."""
    return np.array([item.decode("utf-8") for item in array.reshape(-1)], dtype=object).reshape(array.shape)


def _encoded(array: NDArray[Any]) -> NDArray[Any]:
    """ONNX Runtime's text as Triton's byte strings; other arrays as they are."""
    if array.dtype != object:
        return array
    return np.array([str(item).encode("utf-8") for item in array.reshape(-1)], dtype=object).reshape(
        array.shape
    )


def describe(config: Mapping[str, Any], settings: SessionSettings) -> str:
    """One line for the log."""
    providers = ", ".join(name for name, _ in settings.providers)
    threads = f"{settings.intra_op_threads or 'all'} threads"
    if settings.slice_threads:
        threads = f"{settings.slice_threads} slices at once"
    return f"{config.get('name', '')}: {providers}, {threads}"
