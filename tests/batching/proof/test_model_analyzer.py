"""Model Analyzer's answer, and the count of what is asked of a server: without the one and the other."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tandem.batching.errors import CalibrationError, InvalidInputError
from tandem.batching.proof import model_analyzer
from tandem.batching.proof.model_analyzer import Answer, Watch, best_of, counted, quick_search

ROOT = Path(__file__).parents[3]
HEAD = (
    "Model,Batch,Concurrency,Model Config Path,Instance Group,Max Batch Size,Satisfies Constraints,"
    "Throughput (infer/sec),p99 Latency (ms)"
)
ROWS = [
    "m,1,4,m_config_default,1:CPU,8,Yes,110.2,40.1",
    "m,1,16,m_config_3,1:CPU,8,Yes,198.5,82.3",
    "m,1,16,m_config_1,1:CPU,2,Yes,124.0,130.9",
]
TABLE = "\n".join([HEAD, *ROWS]) + "\n"


def test_the_best_row_is_the_answer() -> None:
    assert best_of(TABLE) == Answer(
        max_batch=8, instances=1, concurrency=16, throughput_per_s=198.5, p99_ms=82.3, measurements=3
    )


@pytest.mark.parametrize("table", [HEAD + "\n", "Model,Batch\nm,1\n", TABLE.replace("198.5", "fast")])
def test_another_table_is_refused(table: str) -> None:
    with pytest.raises(InvalidInputError):
        best_of(table)


def program(folder: Path, body: str) -> Path:
    """A stand-in for the analyzer; its settings are in the dict `settings`."""
    made = folder / "model-analyzer"
    made.write_text(
        f"#!{sys.executable}\nimport json, pathlib, sys\n"
        "assert sys.argv[1:3] == ['profile', '--config-file']\n"
        "settings = json.loads(pathlib.Path(sys.argv[3]).read_text())\n" + body
    )
    made.chmod(0o755)
    return made


def search(made: Path, timeout_s: float = 60) -> Answer:
    return quick_search(
        made, repository=made.parent, model="m", grpc_url="here:1", http_url="here:2", metrics_url="here:3",
        max_batch=8, max_instances=1, max_concurrency=16, on_cpu=True, timeout_s=timeout_s,
    )  # fmt: skip


def test_the_search_is_asked_for_and_its_table_read(tmp_path: Path) -> None:
    body = (
        "assert settings['run_config_search_mode'] == 'quick'\n"
        "assert settings['profile_models'] == {'m': {'cpu_only': True}}\n"
        "assert settings['run_config_search_max_model_batch_size'] == 8\n"
        "assert settings['triton_metrics_url'] == 'http://here:3/metrics'\n"
        "results = pathlib.Path(settings['export_path']) / 'results'\n"
        "results.mkdir()\n"
        f"(results / 'metrics-model-inference.csv').write_text({TABLE!r})\n"
    )
    assert search(program(tmp_path, body)).max_batch == 8


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sys.exit('no such model')\n", "no such model"),
        ("import time; time.sleep(60)\n", "did not end within"),
    ],
)
def test_a_search_that_fails_says_why(tmp_path: Path, body: str, said: str) -> None:
    with pytest.raises(CalibrationError, match=said):
        search(program(tmp_path, body), timeout_s=5)


def metrics(*counts: int) -> str:
    lines = [
        f'nv_inference_count{{model="m{place}",version="1"}} {count}' for place, count in enumerate(counts)
    ]
    return "# HELP nv_inference_count Number of inferences\n" + "\n".join(lines) + "\nnv_other 5\n"


def test_inferences_of_all_models_are_counted() -> None:
    assert counted(metrics(7, 1_500_000)) == 1_500_007
    assert counted('nv_inference_count{model="m",version="1"} 1.5e+06\n') == 1_500_000
    assert counted("") == 0


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """An address that serves the last text of a list as metrics."""
    served = [metrics(100)]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(served[-1].encode())

        def log_message(self, *_words: object) -> None:
            pass

    listening = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield f"127.0.0.1:{listening.server_port}", served
    listening.shutdown()
    thread.join()
    listening.server_close()


def test_a_model_that_is_loaded_anew_begins_to_count_anew(
    server: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 before, 130, then loaded anew: 20, then 25 at the end: 55 in between."""
    url, served = server
    monkeypatch.setattr(model_analyzer, "POLL_S", 0.01)
    with Watch(url, os.getpid()) as watch:
        for count in (130, 20):
            served.append(metrics(count))
            time.sleep(0.5)
        served.append(metrics(25))
        with pytest.raises(CalibrationError, match="leave it first"):
            _ = watch.result
    assert watch.result.items == 55
    assert watch.result.took_s >= 1
    assert watch.result.processor_s >= 0


@pytest.mark.slow
@pytest.mark.triton
def test_both_are_asked_on_a_real_server(tmp_path: Path) -> None:
    """From the index to the table: minutes."""
    done = subprocess.run(
        [
            sys.executable, str(ROOT / "scripts" / "_load_analyzer.py"), "analyzer",
            "--max-batch", "4", "--max-concurrency", "8", "--requests", "1000", "--out", str(tmp_path),
        ],
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'client'}"},
        capture_output=True, text=True, check=False, timeout=1800,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in (tmp_path / "analyzer.md").read_text().splitlines()[2:]]
    assert [row[0].split()[1] for row in rows] == ["tandem", "Model"]
    planner, analyzer = rows
    assert float(planner[3]) < float(analyzer[3])
    assert 0 < int(planner[4]) < int(analyzer[4])
