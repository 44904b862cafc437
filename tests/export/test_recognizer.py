"""The recogniser's export: interface, parity, and refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from export.errors import ExportError, ParityError
from export.files import write_atomically
from export.for_cpu import CPU_FILE
from export.recognizer import export_recognizer, main
from export.recognizer_classes import BLANK, SPACE, can_be_printed, class_names, kept_classes
from export.recognizer_graph import OPSET, dictionary_of, serving_graph
from export.recognizer_parity import TOLERANCE, check_parity
from export.recognizer_weights import published_weights
from tandem.runtime.processor import NEEDS, has_fast_integers

GB2312_HANZI = [
    bytes([row, cell]).decode("gb2312")
    for row in range(0xB0, 0xF8)
    for cell in range(0xA1, 0xFF)
    if not (row == 0xD7 and cell > 0xF9)
]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[int]]:
    folder = tmp_path_factory.mktemp("recogniser")
    out, characters = folder / "1" / "model.onnx", folder / "characters.txt"
    return out, characters, export_recognizer(published_weights(), out, characters)


def test_parity_at_batches_one_and_two_and_several_widths(exported: tuple[Path, Path, list[int]]) -> None:
    out, _, classes = exported
    assert check_parity(published_weights(), out, classes) <= TOLERANCE


def test_parity_check_notices_a_changed_weight(
    exported: tuple[Path, Path, list[int]], tmp_path: Path
) -> None:
    out, _, classes = exported
    model = onnx.load(str(out))
    bias = next(i for i in model.graph.initializer if list(i.dims) == [len(classes)])
    changed = numpy_helper.to_array(bias).copy()
    changed[:2] += 1
    bias.CopyFrom(numpy_helper.from_array(changed, bias.name))
    onnx.save(model, str(tmp_path / "changed.onnx"))
    with pytest.raises(ParityError, match="differs by"):
        check_parity(published_weights(), tmp_path / "changed.onnx", classes)


def test_only_standard_operators_of_one_opset(exported: tuple[Path, Path, list[int]]) -> None:
    model = onnx.load(str(exported[0]))
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)]
    assert {node.domain for node in model.graph.node} == {""}
    assert "Identity" not in {node.op_type for node in model.graph.node}


def test_characters_file_has_a_line_for_each_class(exported: tuple[Path, Path, list[int]]) -> None:
    _, characters, classes = exported
    lines = characters.read_text(encoding="utf-8").split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(classes)
    assert (lines[0], lines[-1]) == (BLANK, SPACE)
    assert all(len(line) == 1 for line in lines[1:])


def test_no_hanzi_is_lost(exported: tuple[Path, Path, list[int]]) -> None:
    kept = set(exported[1].read_text(encoding="utf-8").split("\n"))
    known = dictionary_of(onnx.load(str(published_weights())))
    hanzi = {character for character in GB2312_HANZI if character in known}
    assert len(hanzi) > 6_700
    assert hanzi <= kept
    assert set("0123456789X·〇-#ABC") <= kept


@pytest.mark.parametrize(
    ("character", "printed"), [("汉", True), ("𠮷", True), ("〇", True), ("エ", False), ("🚲", False)]
)
def test_can_be_printed(character: str, *, printed: bool) -> None:
    assert can_be_printed(character) is printed


def test_class_names_follow_the_kept_classes() -> None:
    dictionary = ["汉", "エ", "A"]
    classes = kept_classes(dictionary)
    assert classes == [0, 1, 3, 4]
    assert class_names(dictionary, classes) == [BLANK, "汉", "A", SPACE]


def _model_ending_in(*operators: str) -> onnx.ModelProto:
    names = [f"n{i}" for i in range(len(operators) + 1)]
    nodes = [helper.make_node(operator, [names[i]], [names[i + 1]]) for i, operator in enumerate(operators)]
    ends = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in (names[0], names[-1])
    ]
    return helper.make_model(
        helper.make_graph(nodes, "other", ends[:1], ends[1:]), opset_imports=[helper.make_opsetid("", 11)]
    )


def test_another_network_is_refused() -> None:
    with pytest.raises(ExportError, match="MatMul, Add, Softmax"):
        serving_graph(_model_ending_in("Relu", "Relu", "Relu"), [0])


def test_a_model_without_characters_is_refused() -> None:
    with pytest.raises(ExportError, match="no character list"):
        dictionary_of(_model_ending_in("Relu"))


def test_command_writes_all_files(tmp_path: Path) -> None:
    out, characters = tmp_path / "a" / "model.onnx", tmp_path / "b" / "characters.txt"
    main(["--out", str(out), "--characters", str(characters)])
    assert out.stat().st_size > 1_000_000
    assert characters.is_file()
    needs = [CPU_FILE + NEEDS] if has_fast_integers() else []
    assert sorted(path.name for path in out.parent.iterdir()) == [CPU_FILE, *needs, "model.onnx"]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert np.array_equal([entry.name for entry in tmp_path.iterdir()], ["file"])
