import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tandem_triton import BadPictureError
from tandem_triton.cli.sinks import COLUMNS, AnswerFile, LinesOut

PICTURES = ["a.jpg", "无 卡.jpg", 'with "quotes", and\nline.jpg', "two.jpg"]


def _answer(cards: int) -> dict[str, Any]:
    card = {"side": "portrait", "score": 0.9, "fields": {"姓名": "张三", "住址": "北京市, 东城区"}}
    return {"cards": [card] * cards}


ANSWERS = dict(zip(PICTURES, map(_answer, (1, 0, 1, 2)), strict=True))


def _write(path: Path, *, table: bool, resume: bool = False) -> list[str]:
    """Write what is missing; gives what was written."""
    with AnswerFile(path, table=table, resume=resume) as sink:
        missing = [name for name in PICTURES if not sink.has(Path(name))]
        for name in missing:
            sink.write(Path(name), ANSWERS[name])
    return missing


@pytest.fixture(params=[False, True], ids=["jsonl", "csv"])
def table(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_lines_are_the_contracts_json_with_the_picture(tmp_path: Path) -> None:
    _write(tmp_path / "out", table=False)
    lines = [json.loads(line) for line in (tmp_path / "out").read_text("utf-8").splitlines()]
    assert lines == [{"picture": name, **ANSWERS[name]} for name in PICTURES]


def test_a_table_has_a_row_a_card_and_one_for_none(tmp_path: Path) -> None:
    _write(tmp_path / "out", table=True)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out").read_bytes().decode("utf-8-sig"), newline="")))
    assert [(row["picture"], row["cards"], row["card"]) for row in rows] == [
        (PICTURES[0], "1", "1"),
        (PICTURES[1], "0", ""),
        (PICTURES[2].replace("\n", " "), "1", "1"),
        (PICTURES[3], "2", "1"),
        (PICTURES[3], "2", "2"),
    ]
    assert list(rows[0]) == list(COLUMNS)
    assert rows[0]["住址"] == "北京市, 东城区"


def test_resuming_a_whole_file_changes_nothing(tmp_path: Path, table: bool) -> None:
    path = tmp_path / "out"
    _write(path, table=table)
    before = path.read_bytes()
    assert _write(path, table=table, resume=True) == []
    assert path.read_bytes() == before


def test_a_file_cut_off_anywhere_is_completed(tmp_path: Path, table: bool) -> None:
    path = tmp_path / "out"
    _write(path, table=table)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        _write(path, table=table, resume=True)
        assert path.read_bytes() == whole, f"cut off after {length} bytes"


def test_without_resume_the_file_is_written_anew(tmp_path: Path, table: bool) -> None:
    path = tmp_path / "out"
    path.write_text("something else entirely")
    assert _write(path, table=table) == PICTURES


def test_a_failure_is_tried_again(tmp_path: Path, table: bool) -> None:
    path = tmp_path / "out"
    with AnswerFile(path, table=table, resume=True) as sink:
        sink.fail(Path("a.jpg"), BadPictureError("no"))
    assert "a.jpg" in _write(path, table=table, resume=True)


@given(content=st.binary(max_size=200), table=st.booleans())
@example(content=b"notes\n", table=False)
@example(content=b"notes,more\n", table=True)
@example(content=b'{"picture": "a.jpg", "cards": []}\nbroken\n', table=False)
def test_a_file_of_something_else_is_left_as_it_is(
    content: bytes, table: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "out"
    path.write_bytes(content)
    if b"\n" in content:
        with pytest.raises(ValueError, match="something else"):
            _write(path, table=table, resume=True)
        assert path.read_bytes() == content
    else:
        assert _write(path, table=table, resume=True) == PICTURES


def test_stdout_gets_a_line_a_picture_failures_too() -> None:
    out = io.StringIO()
    sink = LinesOut(out)
    sink.write(Path("a.jpg"), {"cards": []})
    sink.fail(Path("b.jpg"), BadPictureError("can't be decoded"))
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [
        {"cards": []},
        {"error": {"code": "INVALID_ARGUMENT", "message": "can't be decoded"}},
    ]


@pytest.mark.parametrize("before", [None, 0o644])
@pytest.mark.parametrize("resume", [False, True])
def test_answers_are_for_their_owner_alone(
    tmp_path: Path, table: bool, before: int | None, resume: bool
) -> None:
    path = tmp_path / "out"
    if before is not None:
        path.touch(before)
    _write(path, table=table, resume=resume)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_spreadsheet_keeps_all_digits_and_runs_nothing(tmp_path: Path) -> None:
    card = {
        "side": "portrait",
        "score": 0.9,
        "fields": {"公民身份号码": "110105194912310021", "姓名": "=1+1"},
    }
    names = ["=cmd|' /C calc'!A0.jpg", "+1.jpg", "-x.jpg", "@a.jpg", "plain.jpg"]
    path = tmp_path / "out.csv"
    with AnswerFile(path, table=True, resume=False) as sink:
        for name in names:
            sink.write(Path(name), {"cards": [card]})
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
    assert all(row["公民身份号码"] == "\t110105194912310021" for row in rows)
    assert [row["picture"][0] for row in rows] == ["'", "'", "'", "'", "p"]
    assert rows[0]["姓名"] == "'=1+1"
    with AnswerFile(path, table=True, resume=True) as sink:
        assert all(sink.has(Path(name)) for name in names)
