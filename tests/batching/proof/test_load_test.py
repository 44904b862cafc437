"""`scripts/load_test`, short: every subject on a real server, from the arguments to the files.

Whether predictions hold is for the long runs (`test_server_proof`), which want the machine alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
REQUESTS = 40


def load_test(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command behind the script, in this environment."""
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "_load_test.py"), *arguments],
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'client'}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )


def rows_of(folder: Path, name: str) -> list[dict[str, object]]:
    """The figures of a run; its table, plot and traces must be there and fit them."""
    rows: list[dict[str, object]] = json.loads((folder / f"{name}.json").read_text())
    lines = (folder / f"{name}.md").read_text().splitlines()
    assert sum(line.startswith("|") for line in lines) == len(rows) + 2
    assert any(f"of {len(rows)} runs" in line for line in lines)
    assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    with np.load(folder / f"{name}.npz") as traces:
        assert len(traces.files) == len(rows)
        for key in traces.files:
            assert traces[key].shape == (2, REQUESTS)
            assert (np.diff(traces[key][0]) >= 0).all()
    return rows


@pytest.mark.triton
def test_the_batcher_is_run_and_predicted(tmp_path: Path) -> None:
    short = ["--loads", "0.5", "--requests", str(REQUESTS), "--budget-s", "2", "--out", str(tmp_path)]
    done = load_test("reference", "--alpha-ms", "20", "--beta-ms", "20", "--sizes", "2", *short)
    assert done.returncode == 0, done.stderr
    rows = rows_of(tmp_path, "reference")
    assert [row["setting"] for row in rows] == ["M=2, T=0 ms", "M=2, T=40 ms"]
    for row in rows:
        for figures in ("measured", "plain", "full", "long_run"):
            assert row[figures]["mean_s"] > 0.040  # type: ignore[index]
            assert row[figures]["p95_s"] > row[figures]["mean_s"]  # type: ignore[index]
    assert "Triton's batcher: mean within" in done.stdout


@pytest.mark.triton
def test_a_choice_is_run_beside_the_sweep(tmp_path: Path) -> None:
    short = ["--sizes", "1,2", "--requests", str(REQUESTS), "--budget-s", "2", "--parallel", "2"]
    done = load_test("choice", "--cases", "c", *short, "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (case,) = json.loads((tmp_path / "choice.json").read_text())
    assert case["chosen_s"] >= case["best_s"] > 0.012
    assert case["calibration_s"] > 0
    assert done.stdout.splitlines()[2].startswith("| c | 6, 6 | 1 | 25.0 | mean |")


@pytest.mark.triton
def test_the_card_reader_is_run_and_predicted(tmp_path: Path) -> None:
    short = ["--loads", "0.5", "--requests", str(REQUESTS), "--budget-s", "1", "--out", str(tmp_path)]
    twice = [
        "--turns",
        "2",
        "--most-turns",
        "2",
        "--seconds",
        "0",
        "--attempts",
        "1",
    ]  # others may disturb it here
    done = load_test("id_card", *twice, *short)
    assert done.returncode == 0, done.stderr
    (row,) = rows_of(tmp_path, "id_card")
    for figures in ("measured", "plain", "full", "long_run"):
        assert row[figures]["mean_s"] > 0.055  # type: ignore[index]  # the delays of a lone picture
    assert "Means of the turns, ms: 50% " in done.stdout
    assert len(row["turns"]) == 2  # type: ignore[arg-type]
    assert max(row["turns"]) >= row["measured"]["mean_s"] >= min(row["turns"])  # type: ignore[call-overload, index]
    for step in ("decode_image", "card_detector", "rectify_cards", "text_recognizer", "parse_fields"):
        assert f"{step}: s(b) =" in done.stderr
    again = load_test("id_card", "--again", str(tmp_path), "--out", str(tmp_path / "again"))
    assert again.stdout == done.stdout
    assert rows_of(tmp_path / "again", "id_card") == [row]


def test_what_cannot_be_run_is_said() -> None:
    done = load_test("reference", "--alpha-ms", "-1")
    assert done.returncode == 1
    assert "error: alpha = -1 ms; it must be 0 or more" in done.stderr
    done = load_test("find_cards", "--turns", "0")
    assert done.returncode == 2
    assert "--turns 0; there must be 1 or more" in done.stderr
    assert "starting Triton" not in done.stderr


def test_a_recording_that_is_none_is_said(tmp_path: Path) -> None:
    done = load_test("id_card", "--again", str(tmp_path))
    assert done.returncode == 1
    missing = f"no recording at {tmp_path}/id_card.msgpack: No such file or directory"
    assert done.stderr == f"error: {missing}; --out DIR makes one\n"
    (tmp_path / "id_card.msgpack").write_bytes(b"\x81\xa1a\x01")
    done = load_test("id_card", "--again", str(tmp_path))
    assert done.returncode == 1
    assert "is no recording of this version: Object missing required field `capacity_per_s`" in done.stderr
