"""`tandem read` against the real server."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tandem_triton.cli.main import main

from tandem.runtime.server import TritonServer
from tests.client.orders import order

pytestmark = pytest.mark.triton

PATIENCE_S = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six pictures: four cards, one without, one that can't be decoded."""
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    for number in range(3):
        (folder / f"{number}.jpg").write_bytes(order(number=str(number)))
    (folder / "deep" / "3.jpg").write_bytes(order(number="3"))
    (folder / "bad.jpg").write_bytes(b"not a picture")
    (folder / "none.jpg").write_bytes(order(no_card=True))
    return folder


def _numbers(path: Path) -> dict[str, list[str]]:
    answers = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return {
        Path(answer["picture"]).name: [card["fields"]["公民身份号码"] for card in answer["cards"]]
        for answer in answers
    }


def _read(url: str, *words: object) -> int:
    return main(["read", "--url", url, *map(str, words)])


class TestOut:
    """Answers on stdout."""

    def test_one_picture_is_one_line_and_nothing_else(
        self, triton: TritonServer, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert _read(triton.grpc_url, folder / "0.jpg") == 0
        said = capsys.readouterr()
        [card] = json.loads(said.out)["cards"]
        assert card["fields"]["公民身份号码"] == "0"
        assert "公民身份号码" in said.out, "Chinese is written as Chinese"
        assert said.err == ""

    def test_lines_keep_the_pictures_order_and_a_failure_has_its_line(
        self, triton: TritonServer, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert _read(triton.http_url, "--protocol", "http", folder) == 1
        said = capsys.readouterr()
        lines = [json.loads(line) for line in said.out.splitlines()]
        assert [line["cards"][0]["fields"]["公民身份号码"] for line in lines[:3] + lines[5:]] == list("0123")
        assert lines[3]["error"]["code"] == "INVALID_ARGUMENT"
        assert lines[4] == {"cards": []}
        assert f"{folder / 'bad.jpg'}: the picture can't be decoded" in said.err
        assert "6 pictures: 4 answered, 1 empty, 1 refused" in said.err

    def test_a_missing_file_fails(
        self, triton: TritonServer, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert _read(triton.grpc_url, folder / "gone.jpg") == 1
        assert "gone.jpg: can't read the file: No such file" in capsys.readouterr().err

    @pytest.mark.parametrize(
        "words",
        [
            ["--resume"],
            ["--format", "csv"],
            ["--header", "token"],
            ["--header", "a=一"],
            ["--timeout", "0"],
            ["--in-flight", "0"],
        ],
    )
    def test_options_that_make_no_sense_are_refused(self, words: list[str], folder: Path) -> None:
        assert _read("127.0.0.1:1", *words, folder) == 2


class TestFile:
    """Answers in a file."""

    def test_json_lines(self, triton: TritonServer, folder: Path, tmp_path: Path) -> None:
        out = tmp_path / "out.jsonl"
        assert _read(triton.grpc_url, "-o", out, folder) == 1
        assert _numbers(out) == {
            **{f"{number}.jpg": [str(number)] for number in range(4)},
            "none.jpg": [],
        }

    def test_a_table(self, triton: TritonServer, folder: Path, tmp_path: Path) -> None:
        out = tmp_path / "out.csv"
        assert _read(triton.grpc_url, "-o", out, folder) == 1
        with out.open(encoding="utf-8-sig", newline="") as lines:
            rows = {Path(row["picture"]).name: row for row in csv.DictReader(lines)}
        assert rows["2.jpg"]["公民身份号码"] == "2"
        assert rows["none.jpg"]["cards"] == "0"

    def test_resume_reads_only_what_is_missing(
        self, triton: TritonServer, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "out.jsonl"
        _read(triton.grpc_url, "-o", out, folder)
        (folder / "bad.jpg").write_bytes(order(number="mended"))
        (folder / "0.jpg").write_bytes(order(number="changed"))
        assert _read(triton.grpc_url, "-o", out, "--resume", folder) == 0
        assert _numbers(out)["bad.jpg"] == ["mended"]
        assert _numbers(out)["0.jpg"] == ["0"]
        assert "5 pictures are in the file already" in capsys.readouterr().err

    def test_a_file_of_something_else_is_not_touched(
        self, triton: TritonServer, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "diary.txt"
        out.write_text("dear diary\n")
        assert _read(triton.grpc_url, "-o", out, "--resume", folder) == 1
        assert out.read_text() == "dear diary\n"
        assert "something else" in capsys.readouterr().err

    def test_a_folder_that_is_not_there(
        self, triton: TritonServer, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert _read(triton.grpc_url, "-o", "none/out.jsonl", folder) == 1
        assert "No such file" in capsys.readouterr().err

    def test_ctrl_c_leaves_a_file_that_can_be_resumed(self, triton: TritonServer, tmp_path: Path) -> None:
        pictures = [tmp_path / f"{number:03}.jpg" for number in range(200)]
        for picture in pictures:
            picture.write_bytes(order(number=picture.stem, delay_s=0.2))  # seconds in all
        out = tmp_path / "out.jsonl"
        words = ["read", "--url", triton.grpc_url, "-o", str(out), str(tmp_path)]
        with subprocess.Popen(
            [sys.executable, "-m", "tandem_triton.cli.main", *words],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": "client"},
            # Whoever runs the tests in the background has Ctrl-C ignored, and children inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - only resets
        ) as reading:
            killer = threading.Timer(PATIENCE_S, reading.kill)
            killer.start()
            while not (out.exists() and out.stat().st_size) and reading.poll() is None:
                time.sleep(0.01)
            reading.send_signal(signal.SIGINT)
            _, said = reading.communicate()
            killer.cancel()
        assert reading.returncode == 130, said
        assert "Traceback" not in said
        assert "interrupted" in said
        before = _numbers(out)
        assert 0 < len(before) < len(pictures)
        assert _read(triton.grpc_url, "-o", out, "--resume", tmp_path) == 0
        assert _numbers(out) == {picture.name: [picture.stem] for picture in pictures}


def test_draw_without_a_font_says_so_before_reading(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("tandem_triton.cli.fonts.COMMON_FONTS", ())
    assert _read("127.0.0.1:1", "--draw", "out.jpg", folder / "0.jpg") == 1
    assert "fonts-noto-cjk" in capsys.readouterr().err


def test_draw_writes_a_picture_for_each(
    triton: TritonServer, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("x", "y"):
        path = folder / f"{name}.png"
        Image.new("RGB", (120, 80)).save(path)
    assert _read(triton.grpc_url, "--draw", tmp_path / "drawn", folder / "x.png", folder / "y.png") == 0
    with Image.open(tmp_path / "drawn" / "x.jpg") as drawn:
        assert drawn.width >= 120
        assert np.asarray(drawn)[:80].max() > 100, "the outline is there"
        assert drawn.height > 80, "what was read stands below"
    assert (tmp_path / "drawn" / "y.jpg").exists()
    assert capsys.readouterr().out.count("\n") == 2
