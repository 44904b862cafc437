from __future__ import annotations

from typing import Any

import pytest

from tandem.runtime.errors import OnnxModelError
from tandem.runtime.onnx_backend.settings import SessionSettings, parse_settings


def settings(parameters: dict[str, str] | None = None, **config: Any) -> SessionSettings:
    config["parameters"] = {key: {"string_value": value} for key, value in (parameters or {}).items()}
    return parse_settings(config, kind="CPU", device_id=0)


def test_an_empty_config_means_onnx_runtimes_defaults() -> None:
    chosen = parse_settings({}, kind="CPU", device_id=0)
    assert chosen == SessionSettings(providers=(("CPUExecutionProvider", {}),))
    assert chosen.filename == "model.onnx"


def test_threads_and_mode() -> None:
    chosen = settings({"intra_op_thread_count": "2", "inter_op_thread_count": "3", "execution_mode": "1"})
    assert (chosen.intra_op_threads, chosen.inter_op_threads, chosen.execution_mode) == (2, 3, "ORT_PARALLEL")


def test_slices_side_by_side_have_one_thread_each() -> None:
    chosen = settings({"intra_op_thread_count": "2", "slice_thread_count": "3"})
    assert (chosen.slice_threads, chosen.intra_op_threads) == (3, 1)
    assert settings({"intra_op_thread_count": "2"}).slice_threads == 0


def test_all_shapes_share_a_session_unless_more_are_asked_for() -> None:
    assert settings().shape_sessions == settings({"shape_sessions": "0"}).shape_sessions == 1
    assert settings({"shape_sessions": "8"}).shape_sessions == 8


@pytest.mark.parametrize(
    ("level", "name"),
    [(0, "ORT_ENABLE_ALL"), (-1, "ORT_ENABLE_BASIC"), (1, "ORT_ENABLE_EXTENDED"), (2, "ORT_DISABLE_ALL")],
)
def test_graph_levels_are_the_native_backends(level: int, name: str) -> None:
    assert settings(optimization={"graph": {"level": level}}).graph_level == name


def test_memory_and_passed_on_settings() -> None:
    chosen = settings(
        {
            "enable_mem_arena": "0",
            "enable_mem_pattern": "false",
            "session.intra_op.allow_spinning": "0",
            "memory.enable_memory_arena_shrinkage": "cpu:0",
            "something.else": "ignored, as the native backend does",
        }
    )
    assert not chosen.memory_arena
    assert not chosen.memory_pattern
    assert chosen.session_entries == {"session.intra_op.allow_spinning": "0"}
    assert chosen.run_entries == {"memory.enable_memory_arena_shrinkage": "cpu:0"}


def test_another_file_name() -> None:
    assert settings(default_model_filename="small.onnx").filename == "small.onnx"


@pytest.mark.parametrize(
    ("parameters", "config"),
    [
        ({"intra_op_thread_count": "-1"}, {}),
        ({"intra_op_thread_count": "two"}, {}),
        ({"slice_thread_count": "-2"}, {}),
        ({"shape_sessions": "many"}, {}),
        ({"execution_mode": "2"}, {}),
        ({"enable_mem_arena": "perhaps"}, {}),
        ({}, {"optimization": {"graph": {"level": 3}}}),
    ],
)
def test_values_out_of_range_are_refused_by_name(parameters: dict[str, str], config: dict[str, Any]) -> None:
    name = next(iter(parameters), "optimization.graph.level")
    with pytest.raises(OnnxModelError, match=name):
        settings(parameters, **config)
