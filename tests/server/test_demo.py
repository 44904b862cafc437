"""`scripts/demo` as a user runs it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tandem.runtime.setup import CHECKOUT

pytestmark = pytest.mark.triton

SAMPLE = CHECKOUT / "docs" / "images" / "sample.jpg"
TIMEOUT_S = 120.0


def demo(folder: Path, *photos: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(CHECKOUT / "scripts" / "demo"), *photos]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False, cwd=folder, env={}
    )


def test_without_arguments_it_reads_the_sample(tmp_path: Path) -> None:
    done = demo(tmp_path)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    expected = json.loads(SAMPLE.with_suffix(".json").read_text())[0]["cards"]
    assert [card["fields"] for card in json.loads(line)["cards"]] == [card["fields"] for card in expected]


def test_one_line_a_photo_in_order_and_a_bad_one_harms_no_other(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    done = demo(tmp_path, str(SAMPLE), "notes.txt", str(SAMPLE))
    first, bad, last = map(json.loads, done.stdout.splitlines())
    assert first == last
    assert first["cards"]
    assert bad["error"]["code"] == "INVALID_ARGUMENT"
    assert done.returncode == 1
    assert "error: notes.txt: " in done.stderr
    assert "Traceback" not in done.stderr
