from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tandem.runtime.errors import OnnxModelError
from tandem.runtime.onnx_backend.signature import check_signature, parse_signature


@dataclass(frozen=True)
class Node:
    name: str
    type: str
    shape: list[int | str | None]


INPUT = Node("X", "tensor(uint8)", ["n", 384, None, 3])
OUTPUT = Node("Y", "tensor(float)", ["n", 8])


def config(batch: int = 2, x: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    entry = {"name": "X", "data_type": "TYPE_UINT8", "dims": [384, -1, 3]} | (x or {})
    return {
        "max_batch_size": batch,
        "input": [entry],
        "output": [{"name": "Y", "data_type": "TYPE_FP32", "dims": [8]}],
    } | more


def check(config: dict[str, Any], x: Node = INPUT, y: Node = OUTPUT) -> None:
    check_signature(parse_signature(config), [x], [y])


def test_what_fits_passes() -> None:
    check(config())
    check(config(x={"dims": [384, 512, 3]}))  # the config may be narrower than the graph
    check(config(x={"dims": ["384", "-1", "3"]}))  # Triton's JSON writes 64-bit numbers as text


def test_the_graph_has_the_shape_that_triton_reshapes_to() -> None:
    check(config(x={"dims": [384, -1, 1, 3], "reshape": {"shape": [384, -1, 3]}}))
    check(config(x={"dims": [1], "reshape": {"shape": []}}), x=Node("X", "tensor(uint8)", ["n"]))


def test_without_a_batch_dimension_all_dimensions_are_listed() -> None:
    fixed = Node("X", "tensor(uint8)", [1, 384, None, 3])
    output = Node("Y", "tensor(float)", [8])
    check(config(batch=0, x={"dims": [1, 384, -1, 3]}), x=fixed, y=output)


def test_a_graph_may_have_outputs_that_the_config_leaves_out() -> None:
    check_signature(parse_signature(config()), [INPUT], [Node("more", "tensor(int64)", []), OUTPUT])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (config(x={"name": "Z"}), "no input 'Z', it has: X"),
        (config(x={"data_type": "TYPE_FP32"}), "'X' is TYPE_FP32 in the config, TYPE_UINT8 in the graph"),
        (config(x={"dims": [3, -1, 384]}), r"\[-1,3,-1,384\] in the config, \[-1,384,-1,3\] in the graph"),
        (config(x={"dims": [384, -1]}), r"\[-1,384,-1\] in the config"),
    ],
)
def test_what_differs_is_named(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(OnnxModelError, match=message):
        check(wrong)


def test_an_input_that_the_config_forgot_is_named() -> None:
    with pytest.raises(OnnxModelError, match="doesn't list the graph's inputs: W"):
        check_signature(parse_signature(config()), [INPUT, Node("W", "tensor(float)", ["n"])], [OUTPUT])


def test_a_graph_of_fixed_batch_is_refused_where_batches_are_wanted() -> None:
    with pytest.raises(OnnxModelError, match="first dimension is fixed to 1: export"):
        check(config(), x=Node("X", "tensor(uint8)", [1, 384, None, 3]))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (config(x={"allow_ragged_batch": True}), "allow_ragged_batch"),
        (config(batch_input=[{"kind": "BATCH_ELEMENT_COUNT"}]), "batch_input"),
        (config(output=[]), "inputs and outputs"),
    ],
)
def test_what_this_backend_does_not_do_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(OnnxModelError, match=message):
        parse_signature(wrong)
