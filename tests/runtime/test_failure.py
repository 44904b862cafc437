"""The lines are the server's own (release 24.10), shortened."""

from __future__ import annotations

from tandem.runtime.failure import find_failure, is_harmless

NO_GPU = [
    'W1123 06:49:42.400253 9356 pinned_memory_manager.cc:273] "Unable to allocate pinned system memory"',
    'E1123 06:49:42.400572 9356 server.cc:241] "CudaDriverHelper has not been initialized."',
]
END = "error: creating server: Internal - failed to load all models"


def test_a_model_that_fails_is_named_without_its_stack() -> None:
    line = (
        "E1123 06:49:46.107361 9416 model_lifecycle.cc:642] \"failed to load 'x' version 1: Internal:"
        ' OnnxModelError: the graph has no input \\"A\\"\\n\\nAt:\\n  session.py(37): __init__\\n"'
    )
    failure = find_failure([*NO_GPU, line, END])
    assert failure.model == "x"
    assert failure.reason == 'Internal: OnnxModelError: the graph has no input "A"'


def test_a_broken_config_tells_the_place() -> None:
    lines = [
        "[libprotobuf ERROR text_format.cc:337] Error parsing text-format inference.ModelConfig: 1:37:"
        ' Message type "inference.ModelConfig" has no field named "max_batch_sze".',
        'E1123 06:49:42.401709 9356 model_repository_manager.cc:1460] "Poll failed for model directory'
        " 'bad': failed to read text proto from r2/bad/config.pbtxt\"",
        END,
    ]
    failure = find_failure([*NO_GPU, *lines])
    assert failure.model == "bad"
    assert "1:37" in failure.reason
    assert "config.pbtxt" in failure.reason


def test_a_model_without_versions_is_named() -> None:
    line = (
        "E1123 06:49:49.160322 9486 model_repository_manager.cc:724] \"failed to load model 'x': at least one"
        " version must be available under the version policy of model 'x'\""
    )
    failure = find_failure([*NO_GPU, line, END])
    assert failure.model == "x"
    assert "at least one version" in failure.reason


def test_a_port_taken_meanwhile_is_recognised() -> None:
    line = (
        'E1123 06:49:49.1 9486 main.cc:244] "failed to start HTTP service: Unavailable - '
        "Socket '127.0.0.1:8000' already in use \""
    )
    assert find_failure([*NO_GPU, line]).socket == "127.0.0.1:8000"


def test_without_a_cause_the_last_words_count() -> None:
    assert find_failure([*NO_GPU, END]).reason == "creating server: Internal - failed to load all models"


def test_a_machine_without_gpu_is_no_failure() -> None:
    assert all(map(is_harmless, NO_GPU))
    assert find_failure(NO_GPU).reason == ""
    assert find_failure([]).reason == ""
