from __future__ import annotations

from pathlib import Path

import pytest

from tandem.runtime.errors import BrokenConfigError, MissingModelFileError, ModelRepositoryError
from tandem.runtime.repository import check_repository, read_config
from tandem.runtime.setup import REPOSITORY
from tests.conftest import AddModel

CONFIGS = sorted(REPOSITORY.glob("*/config.pbtxt")) + sorted(REPOSITORY.glob("*/configs/*.pbtxt"))
NETWORKS = ["card_detector", "text_recognizer"]
LANGUAGE_NETWORKS = ["speech_recognizer", "text_embedder", "translator"]
GRAPH = "double (float[n,3] X) => (float[n,3] Y) { Y = Add(X, X) }"
CONFIG = """
max_batch_size: 2
input [ { name: "X" data_type: TYPE_FP32 dims: [ 3 ] } ]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ 3 ] } ]
"""
KIND_GPU, KIND_CPU = 1, 2  # inference.ModelInstanceGroup.Kind


def test_a_good_repository_passes(add_model: AddModel) -> None:
    check_repository(add_model("double", GRAPH, CONFIG))


def test_an_empty_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRepositoryError, match=r"no models .* --model-repository"):
        check_repository(tmp_path)


def test_a_missing_file_is_named_with_what_to_do(add_model: AddModel) -> None:
    repository = add_model("double", None, CONFIG)
    with pytest.raises(MissingModelFileError, match=r"'double'.*double/1/model\.onnx.*set-up-only"):
        check_repository(repository)


def test_a_broken_config_is_named_with_its_line(add_model: AddModel) -> None:
    repository = add_model("double", GRAPH, CONFIG.replace("max_batch_size", "max_bath_size"))
    with pytest.raises(BrokenConfigError, match=r"double/config\.pbtxt, line 3.*max_bath_size"):
        check_repository(repository)


def test_a_missing_config_is_named(add_model: AddModel) -> None:
    repository = add_model("double", GRAPH, CONFIG)
    (repository / "double" / "config.pbtxt").unlink()
    with pytest.raises(BrokenConfigError, match=r"double/config\.pbtxt can't be read"):
        check_repository(repository)


def test_a_config_name_that_no_model_has_is_refused_with_those_there_are(add_model: AddModel) -> None:
    repository = add_model("double", GRAPH, CONFIG)
    (repository / "double" / "configs").mkdir()
    (repository / "double" / "configs" / "gpu.pbtxt").write_text("broken")
    with pytest.raises(ModelRepositoryError, match=r"configs/gpt\.pbtxt.*there are: gpu"):
        check_repository(repository, "gpt")
    check_repository(repository)  # what isn't chosen isn't read
    with pytest.raises(BrokenConfigError, match=r"configs/gpu\.pbtxt"):
        check_repository(repository, "gpu")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_this_projects_models_take_two_at_a_time(path: Path) -> None:
    config = read_config(path)
    assert config.max_batch_size == 2
    if config.platform != "ensemble":
        assert list(config.dynamic_batching.preferred_batch_size) == [2]
        assert not config.dynamic_batching.HasField("default_queue_policy")  # it would stall the batcher
        # What only asks other models has nothing to warm, and they may not be ready yet.
        assert config.model_warmup or path.parent.name == "speech_translation"


@pytest.mark.parametrize("network", NETWORKS)
def test_the_networks_have_a_config_for_each_kind_of_machine(network: str) -> None:
    default = read_config(REPOSITORY / network / "config.pbtxt")
    gpu = read_config(REPOSITORY / network / "configs" / "gpu.pbtxt")
    tensorrt = read_config(REPOSITORY / network / "configs" / "tensorrt.pbtxt")
    assert [config.instance_group[0].kind for config in (default, gpu, tensorrt)] == [
        KIND_CPU,
        KIND_GPU,
        KIND_GPU,
    ]
    assert default.parameters["intra_op_thread_count"].string_value == "2"
    for other in (gpu, tensorrt):
        assert other.input == default.input
        assert other.output == default.output


@pytest.mark.parametrize("network", LANGUAGE_NETWORKS)
def test_the_networks_of_language_have_a_config_for_a_gpu(network: str) -> None:
    default = read_config(REPOSITORY / network / "config.pbtxt")
    gpu = read_config(REPOSITORY / network / "configs" / "gpu.pbtxt")
    assert [config.instance_group[0].kind for config in (default, gpu)] == [KIND_CPU, KIND_GPU]
    assert (gpu.input, gpu.output, gpu.backend) == (default.input, default.output, default.backend)
    assert list(gpu.model_warmup) == list(default.model_warmup)
    assert gpu.dynamic_batching == default.dynamic_batching


@pytest.mark.parametrize(
    ("service", "item"),
    [
        ("speech_to_text", "AUDIO"),
        ("speech_translation", "AUDIO"),
        ("text_keywords", "TEXT"),
        ("text_translation", "TEXT"),
    ],
)
def test_a_service_says_which_models_it_calls(service: str, item: str) -> None:
    config = read_config(REPOSITORY / service / "config.pbtxt")
    for model in config.parameters["calls"].string_value.split(","):
        assert read_config(REPOSITORY / model / "config.pbtxt").max_batch_size == config.max_batch_size
    assert [(entry.name, entry.optional) for entry in config.input] == [(item, False), ("OPTIONS", True)]


@pytest.mark.parametrize("network", NETWORKS)
def test_the_tensorrt_profile_covers_the_batches(network: str) -> None:
    config = read_config(REPOSITORY / network / "configs" / "tensorrt.pbtxt")
    (accelerator,) = config.optimization.execution_accelerators.gpu_execution_accelerator
    assert accelerator.name == "tensorrt"
    assert accelerator.parameters["precision_mode"] == "FP16"
    shapes = [accelerator.parameters[f"trt_profile_{which}_shapes"] for which in ("min", "opt", "max")]
    assert [shape.split(":")[0] for shape in shapes] == [config.input[0].name] * 3
    least, best, most = ([int(size) for size in shape.split(":")[1].split("x")] for shape in shapes)
    assert (least[0], best[0], most[0]) == (1, 2, 8)
    assert all(a <= b <= c for a, b, c in zip(least, best, most, strict=True))
    for dim, size in zip(config.input[0].dims, best[1:], strict=True):
        assert dim in (-1, size)


def test_the_ensembles_steps_are_there_and_their_tensors_agree() -> None:
    ensemble = read_config(REPOSITORY / "id_card" / "config.pbtxt")
    known = {entry.name: (entry.data_type, list(entry.dims)) for entry in ensemble.input}
    for step in ensemble.ensemble_scheduling.step:
        model = read_config(REPOSITORY / step.model_name / "config.pbtxt")
        for entry in model.input:
            assert known[step.input_map[entry.name]] == (entry.data_type, list(entry.dims)), entry.name
        for entry in model.output:
            known[step.output_map[entry.name]] = entry.data_type, list(entry.dims)
    for entry in ensemble.output:
        assert known[entry.name] == (entry.data_type, list(entry.dims))


@pytest.mark.parametrize(
    ("service", "parameter", "network", "an_instance"),
    [("text_translation", "pieces", "translator", 2), ("speech_to_text", "steps", "speech_recognizer", 1)],
)
def test_one_item_may_fill_every_instance_of_its_network_and_no_more(
    service: str, parameter: str, network: str, an_instance: int
) -> None:
    """More would stand in Triton's queue in front of a newcomer; less leaves a processor idle."""
    asked = read_config(REPOSITORY / service / "config.pbtxt").parameters[parameter].string_value
    instances = read_config(REPOSITORY / network / "config.pbtxt").instance_group[0].count
    assert int(asked) == an_instance * instances
