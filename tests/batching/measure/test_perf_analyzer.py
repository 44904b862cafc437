from __future__ import annotations

import base64
import json
import struct
from pathlib import Path

import numpy as np
import pytest

from tandem.batching.errors import InvalidInputError, InvalidRateError
from tandem.batching.measure import perf_analyzer
from tandem.batching.measure.perf_analyzer import (
    PerfAnalyzerError,
    find_perf_analyzer,
    item_data,
    library_folder,
    read_record,
    run_poisson,
)


def record(path: Path, requests: list[dict[str, object]]) -> Path:
    path.write_text(json.dumps({"experiments": [{"requests": requests}]}))
    return path


def test_requests_come_in_the_order_in_which_they_were_sent(tmp_path: Path) -> None:
    requests: list[dict[str, object]] = [
        {"timestamp": 3_000_000_000, "response_timestamps": [3_500_000_000]},
        {"timestamp": 1_000_000_000, "response_timestamps": [1_200_000_000]},
        {"timestamp": 2_000_000_000, "response_timestamps": [2_100_000_000]},
    ]
    trace = read_record(record(tmp_path / "r.json", requests))
    assert trace.sent_s == pytest.approx([0, 1, 2])
    assert trace.latency_s == pytest.approx([0.2, 0.1, 0.5])
    assert trace.rate_per_s == pytest.approx(1)
    assert trace.without_start(0.34) == pytest.approx([0.1, 0.5])


def test_an_empty_record_says_so(tmp_path: Path) -> None:
    with pytest.raises(PerfAnalyzerError, match="no request"):
        read_record(record(tmp_path / "r.json", []))


def test_a_picture_is_sent_with_its_length_in_front() -> None:
    data = item_data([b"abc"], "IMAGE")
    entry = data["data"][0]["IMAGE"]  # type: ignore[index]
    raw = base64.b64decode(entry["content"]["b64"])
    assert struct.unpack("<I", raw[:4]) == (3,)
    assert raw[4:] == b"abc"
    assert entry["shape"] == [1]


def test_the_libraries_are_found_in_the_servers_wheel(tmp_path: Path) -> None:
    folder = library_folder(tmp_path / "lib")
    assert {path.name for path in folder.iterdir()} == {"libb64.so.0d", "libcudart.so.12"}
    assert all(path.resolve().stat().st_size > 0 for path in folder.iterdir())


def test_a_missing_program_says_where_it_comes_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PerfAnalyzerError, match="tritonclient"):
        find_perf_analyzer()


def test_a_server_that_is_down_is_an_error_with_its_reason() -> None:
    with pytest.raises(PerfAnalyzerError, match="perf_analyzer failed"):
        run_poisson("127.0.0.1:9", "nothing", 10, 10)


def test_less_than_a_second_of_requests_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="send 11 or more"):
        run_poisson("127.0.0.1:9", "nothing", 10.2, 10)


def test_a_rate_below_one_is_no_range() -> None:
    with pytest.raises(PerfAnalyzerError, match="connect"):
        run_poisson("127.0.0.1:9", "nothing", 0.5, 10)


def test_its_own_error_is_told_not_the_end_of_its_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perf_analyzer, "_SENDERS", -1)
    with pytest.raises(PerfAnalyzerError, match=r"(?i)max-threads"):
        run_poisson("127.0.0.1:9", "nothing", 10, 20)


def test_a_rate_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidRateError):
        run_poisson("127.0.0.1:9", "nothing", np.nan, 5)


def test_a_program_that_hangs_is_started_again(tmp_path: Path) -> None:
    once = f"mkdir {tmp_path / 'tried'} && sleep 60; echo ended"
    assert perf_analyzer._run(["sh", "-c", once], {}, timeout_s=0.5).stdout == "ended\n"


def test_a_program_that_always_hangs_is_an_error() -> None:
    with pytest.raises(PerfAnalyzerError, match="did not end within 0 s, 2 times"):
        perf_analyzer._run(["sleep", "60"], {}, timeout_s=0.2)
