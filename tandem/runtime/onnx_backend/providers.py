"""ONNX Runtime's execution providers for an instance: from `instance_group` and `execution_accelerators`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tandem.runtime.errors import OnnxModelError

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"

Provider = tuple[str, dict[str, str]]

# Triton's names that differ from ONNX Runtime's; all others that start with "trt_" are passed as they are.
_TENSORRT_NAMES = {
    "max_workspace_size_bytes": "trt_max_workspace_size",
    "int8_calibration_table_name": "trt_int8_calibration_table_name",
    "int8_use_native_calibration_table": "trt_int8_use_native_calibration_table",
}
_TENSORRT_PRECISIONS = {
    "FP32": {},
    "FP16": {"trt_fp16_enable": "1"},
    "BF16": {"trt_bf16_enable": "1"},
    "INT8": {"trt_int8_enable": "1"},
}
# CUDA settings that used to be model parameters, with the native backend's numbers for named choices.
_CUDA_PARAMETERS: dict[str, Mapping[str, str] | None] = {
    "cudnn_conv_algo_search": {"0": "EXHAUSTIVE", "1": "HEURISTIC", "2": "DEFAULT"},
    "arena_extend_strategy": {"0": "kNextPowerOfTwo", "1": "kSameAsRequested"},
    "gpu_mem_limit": None,
    "do_copy_in_default_stream": None,
}


def choose_providers(config: Mapping[str, Any], *, gpu: bool, device_id: int) -> tuple[Provider, ...]:
    """The providers that the config asks for, in order; what one can't run falls to the next.

    Args:
        config: Triton's model config as parsed JSON.
        gpu: whether this instance is of KIND_GPU.
        device_id: which GPU.

    Raises:
        OnnxModelError: an accelerator or a parameter of it is unknown.
    """
    accelerators = (config.get("optimization") or {}).get("execution_accelerators") or {}
    for entry in accelerators.get("cpu_execution_accelerator") or []:
        raise OnnxModelError(
            f"unknown CPU execution accelerator '{entry['name']}': remove it from the config"
        )
    if not gpu:
        return ((CPU, {}),)  # as the native backend: GPU accelerators only count on a GPU
    providers: list[Provider] = []
    cuda = _cuda_parameters(config.get("parameters") or {})
    for entry in accelerators.get("gpu_execution_accelerator") or []:
        parameters = entry.get("parameters") or {}
        if entry["name"] == "tensorrt":
            providers.append((TENSORRT, {**_tensorrt_options(parameters), "device_id": str(device_id)}))
        elif entry["name"] == "cuda":
            cuda.update(parameters)
        else:
            raise OnnxModelError(f"unknown GPU execution accelerator '{entry['name']}': tensorrt or cuda")
    return (*providers, (CUDA, {**cuda, "device_id": str(device_id)}), (CPU, {}))


def check_available(providers: Collection[Provider], available: Collection[str]) -> None:
    """Return if this ONNX Runtime has all of the providers.

    Args:
        providers: what the config asks for.
        available: `onnxruntime.get_available_providers()`.

    Raises:
        OnnxModelError: one is missing; the message says what to install or to choose instead.
    """
    missing = [name for name, _ in providers if name not in available]
    if missing:
        raise OnnxModelError(
            f"the config asks for a GPU, but this ONNX Runtime lacks {', '.join(missing)}: install"
            " onnxruntime-gpu (and TensorRT for the configs of that name) as scripts/serve --config-name does"
            " where there is a GPU, or serve the default config"
        )


def _tensorrt_options(parameters: Mapping[str, str]) -> dict[str, str]:
    options: dict[str, str] = {}
    for key, value in parameters.items():
        if key == "precision_mode":
            if value not in _TENSORRT_PRECISIONS:
                raise OnnxModelError(
                    f"precision_mode must be one of {', '.join(_TENSORRT_PRECISIONS)}, not '{value}'"
                )
            options.update(_TENSORRT_PRECISIONS[value])
        elif key in _TENSORRT_NAMES or key.startswith("trt_"):
            options[_TENSORRT_NAMES.get(key, key)] = value
        else:
            raise OnnxModelError(f"unknown parameter '{key}' of the TensorRT execution accelerator")
    return options


def _cuda_parameters(parameters: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    options: dict[str, str] = {}
    for key, names in _CUDA_PARAMETERS.items():
        if key in parameters:
            value = parameters[key].get("string_value", "")
            if names is not None and value not in names:
                raise OnnxModelError(f"{key} must be one of {', '.join(names)}, not '{value}'")
            options[key] = value if names is None else names[value]
    return options
