from __future__ import annotations

import importlib
import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tandem_triton.cli.main import main as tandem_main

from tandem.batching.__main__ import main

ROOT = Path(__file__).parents[3]
PYPROJECT = ROOT / "pyproject.toml"
KNOWN = ["plan", "--alpha-ms", "4", "--beta-ms", "8", "--instances", "1"]
KEYS = {
    "rule", "max_batch", "preferred", "delay_ms", "stable", "capacity_per_s", "mean_ms", "p50_ms", "p95_ms",
    "p99_ms", "utilization", "mean_batch", "method", "ci95_mean_ms", "ci95_p95_ms", "ci95_p99_ms",
}  # fmt: skip


def answer(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    assert main([*KNOWN, *options, "--json"]) == 0
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_the_tandem_command_finds_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The entry point as pyproject.toml has it, whether or not this checkout is installed anew."""
    group = re.search(r'\[project\.entry-points\."tandem\.commands"\]\nplan = "(.+)"', PYPROJECT.read_text())
    assert group
    command = importlib.import_module(group.group(1))
    assert tandem_main([*KNOWN, "--rate", "50", "--json"], {"plan": lambda: command}) == 0
    assert "settings" in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("rule", ["greedy", "strict", "timeout"])
def test_the_contract(capsys: pytest.CaptureFixture[str], rule: str) -> None:
    options = ["--rule", rule, "--max-batch", "16", "--delay-ms", "12", "--objective", "p95"]
    result = answer(capsys, "--rate", "75", *options)
    assert {"settings", "recommended", "two"} <= set(result)
    settings = result["settings"]
    assert [setting["max_batch"] for setting in settings] == list(range(1, 17))
    for setting in [*settings, result["recommended"], result["two"]]:
        assert set(setting) == KEYS
        assert setting["rule"] == rule
        assert setting["method"] in {"exact", "bound", "simulated"}
    assert result["two"]["max_batch"] == 2
    stable = [setting["p95_ms"] for setting in settings if setting["stable"]]
    assert result["recommended"]["p95_ms"] <= min(stable) * 1.001


def test_an_unstable_setting_has_no_number(capsys: pytest.CaptureFixture[str]) -> None:
    result = answer(capsys, "--rate", "105", "--rule", "greedy")
    first, second, third, *_ = result["settings"]
    for setting in (first, second):
        assert not setting["stable"]
        assert setting["mean_ms"] is None
        assert setting["p99_ms"] is None
        assert setting["capacity_per_s"] == pytest.approx(
            setting["max_batch"] / (4 + 8 * setting["max_batch"]) * 1e3
        )
    assert third["stable"]
    assert result["two"]["stable"] is False


def test_single_items_are_md1(capsys: pytest.CaptureFixture[str]) -> None:
    result = answer(capsys, "--rate", "50", "--max-batch", "1", "--rule", "greedy")
    assert result["settings"][0]["mean_ms"] == pytest.approx(12 + 0.05 * 144 / 2 / (1 - 0.6), rel=1e-6)


def test_the_table_says_method_regret_and_what_to_write_into_the_config(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*KNOWN, "--rate", "75"]) == 0
    text = capsys.readouterr().out
    assert "recommended  greedy, batches up to 4" in text
    assert "two          greedy, batches up to 2: mean 31.43 ms, regret 6" in text
    assert "max_batch_size: 4  dynamic_batching { preferred_batch_size: [ 4 ] }" in text
    assert text.count("exact") == 62  # a single item waits for nobody: one row for all delays
    assert text.index("recommended") < text.index("two   ") < text.index("Triton") < text.index("capacity")


def test_tritons_own_batcher_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--rate", "75", "--rule", "timeout", "--max-batch", "4", "--delay-ms", "12"]
    ideal = answer(capsys, *options)["settings"][3]
    real = answer(capsys, *options, "--batcher", "triton")["settings"][3]
    assert ideal["method"] == "exact"
    assert real["method"] == "simulated"
    assert real["ci95_mean_ms"] > 0
    assert real["mean_ms"] > ideal["mean_ms"]


def test_a_measured_table_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--table-ms", "10,11,12", "--rate", "100", "--max-batch", "3", "--json"]) == 0
    settings = json.loads(capsys.readouterr().out)["settings"]
    assert settings[2]["capacity_per_s"] == pytest.approx(250)


@pytest.mark.parametrize(
    ("options", "exit_code", "words"),
    [
        (["--rate", "0"], 1, ["rate", "above 0"]),
        (["--rate", "-5"], 1, ["rate", "above 0"]),
        (["--rate", "nan"], 1, ["rate", "above 0"]),
        (["--rate", "75", "--instances", "0"], 1, ["instances", "1 or more"]),
        (["--rate", "75", "--max-batch", "0"], 1, ["batch", "1 or more"]),
        (["--rate", "75", "--delay-ms", "soon"], 1, ["--delay-ms", "numbers"]),
        (["--rate", "75", "--rate-max", "70"], 1, ["highest rate", "below"]),
        (["--rate", "75", "--slo-ms", "0"], 1, ["SLO", "above 0"]),
        (["--rate", "75", "--table-ms", "3,4"], 1, ["either"]),
        (["--rate", "500"], 3, ["no setting keeps up", "times the instances"]),
        (["--rate", "75", "--slo-ms", "5"], 3, ["nearest is 29.6", "raise the SLO"]),
    ],
)
def test_a_wrong_question_says_what_is_wrong_and_what_to_change(
    capsys: pytest.CaptureFixture[str], options: list[str], exit_code: int, words: list[str]
) -> None:
    assert main([*KNOWN, *options]) == exit_code
    error = capsys.readouterr().err
    for word in words:
        assert word in error


@pytest.mark.parametrize(("alpha", "beta"), [("-1", "8"), ("nan", "8"), ("0", "0")])
def test_times_that_cannot_be_are_refused(capsys: pytest.CaptureFixture[str], alpha: str, beta: str) -> None:
    assert main(["plan", "--alpha-ms", alpha, "--beta-ms", beta, "--rate", "10"]) == 1
    assert "must be" in capsys.readouterr().err


def test_json_says_the_nearest_where_the_limit_is_out_of_reach(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*KNOWN, "--rate", "75", "--slo-ms", "5", "--json"]) == 3
    result = json.loads(capsys.readouterr().out)
    assert result["recommended"] is None
    assert result["nearest"]["mean_ms"] == pytest.approx(29.6, abs=0.1)
    assert not math.isnan(result["two"]["mean_ms"])


def processor_seconds(*options: str) -> float:
    """Processor time with imports, the least of three runs.

    Others on the machine make a run's processor time longer, by a shared cache and a lower clock, never
    shorter.
    """
    code = (
        "import sys, time; from tandem.batching.__main__ import main; main(sys.argv[1:]); "
        "print(time.process_time(), file=sys.stderr)"
    )
    words = [sys.executable, "-c", code, *KNOWN, *options]
    times = []
    for _ in range(3):
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
        times.append(float(done.stderr.split()[-1]))
    return min(times)


def test_a_known_model_is_planned_without_the_compiler() -> None:
    """Importing numba takes a third of a second, and its first compilation several."""
    code = (
        "import sys; from tandem.batching.__main__ import main; main(sys.argv[1:]); "
        "sys.exit('numba' in sys.modules)"
    )
    words = [sys.executable, "-c", code, *KNOWN, "--rate", "150", "--instances", "2", "--json"]
    assert subprocess.run(words, cwd=ROOT, capture_output=True, check=False).returncode == 0


def test_exact_rules_answer_within_a_second() -> None:
    assert processor_seconds("--rate", "75", "--rule", "greedy", "--json") < 1.0


def test_sixteen_sizes_and_three_delays_answer_within_five_seconds() -> None:
    delays = ["--delay-ms", "3,6,12"]
    assert processor_seconds("--rate", "150", "--instances", "2", *delays, "--json") < 5.0
