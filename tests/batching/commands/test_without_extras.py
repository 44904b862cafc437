"""`tandem plan` where only what `scripts/demo` installs is there: it answers, or says at once what to run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
MODEL = ["plan", "--alpha-ms", "4", "--beta-ms", "8"]
# What the extra `batching` brings.
ABSENT = ("numba", "llvmlite", "scipy", "matplotlib")
BLOCKED = (
    f"import sys; sys.modules.update(dict.fromkeys({ABSENT!r})); "
    "from tandem.batching.__main__ import main; sys.exit(main(sys.argv[1:]))"
)


def ask(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BLOCKED, *MODEL, *options],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'client'}"},
        capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        ["--rate", "150", "--instances", "2", "--max-batch", "4"],
        ["--rate", "60", "--rule", "timeout", "--max-batch", "2", "--delay-ms", "50"],
        ["--rate", "60", "--rule", "timeout", "--max-batch", "2", "--delay-ms", "12", "--batcher", "triton"],
        ["--rate", "40", "--rule", "greedy", "--max-batch", "2", "--burst", "2,0.2,0.1"],
    ],
    ids=["two-instances", "long-delay", "tritons-batcher", "bursts"],
)
def test_questions_that_need_simulation_are_answered(options: list[str]) -> None:
    done = ask(*options, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["recommended"]["mean_ms"] > 12
    assert any(setting["method"] == "simulated" for setting in result["settings"])


def test_recorded_arrivals_are_answered(tmp_path: Path) -> None:
    times = np.cumsum(np.random.default_rng(1).exponential(1 / 60, 3000))
    recording = tmp_path / "arrivals.txt"
    recording.write_text("# seconds\n" + "\n".join(f"{time:.6f}" for time in times))
    done = ask("--arrivals", str(recording), "--rule", "greedy", "--max-batch", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["two"]["mean_ms"] > 12


@pytest.mark.parametrize("option", ["--plot", "--report"])
def test_what_needs_more_says_so_before_any_work(tmp_path: Path, option: str) -> None:
    target = tmp_path / "out.file"
    done = ask("--rate", "75", option, str(target))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"tandem plan: {option} needs matplotlib, which is not installed; "
        "run `.venv/bin/pip install -e '.[batching]'` in the checkout\n"
    )
    assert not target.exists()


@pytest.mark.slow
def test_a_fresh_environment_with_only_the_server_answers(tmp_path: Path) -> None:
    """What `scripts/demo` leaves, made anew (two minutes, most of them pip's)."""
    venv.create(tmp_path / "env", with_pip=True)
    python = str(tmp_path / "env" / "bin" / "python")
    source = tmp_path / "source"  # building leaves a folder behind, which is not for this checkout
    for name in ("tandem", "client"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("build", "*.egg-info"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source / name)
    install = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run([*install, f"{source}[serve]", f"{source / 'client'}[cli]"], check=True, cwd=tmp_path)
    for name in ABSENT:
        assert (
            subprocess.run([python, "-c", f"import {name}"], capture_output=True, check=False).returncode != 0
        )
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    words = [str(tmp_path / "env" / "bin" / "tandem"), *MODEL, "--rate", "150", "--instances", "2", "--json"]
    done = subprocess.run(words, env=clean, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["recommended"]["max_batch"] == 2
