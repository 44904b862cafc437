from __future__ import annotations

from typing import Any

import pytest

from tandem.runtime.errors import OnnxModelError
from tandem.runtime.onnx_backend.providers import CPU, CUDA, TENSORRT, check_available, choose_providers


def accelerated(name: str, **parameters: str) -> dict[str, Any]:
    entry = {"name": name, "parameters": parameters}
    return {"optimization": {"execution_accelerators": {"gpu_execution_accelerator": [entry]}}}


def test_a_cpu_instance_uses_the_cpu_whatever_accelerators_are_named() -> None:
    assert choose_providers(accelerated("tensorrt"), gpu=False, device_id=0) == ((CPU, {}),)


def test_a_gpu_instance_uses_its_own_gpu_and_falls_back_to_the_cpu() -> None:
    assert choose_providers({}, gpu=True, device_id=3) == ((CUDA, {"device_id": "3"}), (CPU, {}))


def test_tensorrt_comes_before_cuda_with_triton_s_names_translated() -> None:
    config = accelerated(
        "tensorrt",
        precision_mode="FP16",
        max_workspace_size_bytes="1024",
        trt_engine_cache_enable="1",
        trt_profile_min_shapes="X:1x3",
    )
    (name, options), *rest = choose_providers(config, gpu=True, device_id=1)
    assert name == TENSORRT
    assert options == {
        "device_id": "1",
        "trt_fp16_enable": "1",
        "trt_max_workspace_size": "1024",
        "trt_engine_cache_enable": "1",
        "trt_profile_min_shapes": "X:1x3",
    }
    assert [name for name, _ in rest] == [CUDA, CPU]


def test_cuda_options_from_the_accelerator_and_from_deprecated_parameters() -> None:
    config = accelerated("cuda", use_ep_level_unified_stream="1")
    config["parameters"] = {
        "cudnn_conv_algo_search": {"string_value": "1"},
        "gpu_mem_limit": {"string_value": "4096"},
    }
    (_, options), _ = choose_providers(config, gpu=True, device_id=0)
    assert options == {
        "device_id": "0",
        "use_ep_level_unified_stream": "1",
        "cudnn_conv_algo_search": "HEURISTIC",
        "gpu_mem_limit": "4096",
    }


@pytest.mark.parametrize(
    ("config", "names"),
    [
        (accelerated("tensorflow"), "tensorflow"),
        (accelerated("tensorrt", precision_mode="FP8"), "FP8"),
        (accelerated("tensorrt", workspace="1"), "workspace"),
        ({"parameters": {"arena_extend_strategy": {"string_value": "7"}}}, "arena_extend_strategy"),
    ],
)
def test_what_is_unknown_is_refused_by_name(config: dict[str, Any], names: str) -> None:
    with pytest.raises(OnnxModelError, match=names):
        choose_providers(config, gpu=True, device_id=0)


def test_a_cpu_accelerator_is_refused() -> None:
    accelerators = {"cpu_execution_accelerator": [{"name": "openvino"}]}
    with pytest.raises(OnnxModelError, match="openvino"):
        choose_providers({"optimization": {"execution_accelerators": accelerators}}, gpu=False, device_id=0)


def test_a_missing_gpu_provider_says_what_to_do() -> None:
    providers = choose_providers({}, gpu=True, device_id=0)
    check_available(providers, [CUDA, CPU])
    with pytest.raises(OnnxModelError, match=f"lacks {CUDA}: install onnxruntime-gpu"):
        check_available(providers, [CPU])
