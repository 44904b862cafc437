"""What `scripts/load_test analyzer` runs: `tandem plan` beside Model Analyzer's quick search."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tandem.batching.errors import BatchingError
from tandem.batching.measure.live_model import connect
from tandem.batching.measure.perf_analyzer import run_poisson
from tandem.batching.outcome import Outcome
from tandem.batching.plan.measured import Measured, measure
from tandem.batching.plan.planner import Question, plan
from tandem.batching.proof.comparison import Figures, measured_figures
from tandem.batching.proof.model_analyzer import VERSION, Answer, Asked, Watch, install, quick_search
from tandem.batching.proof.reference import ReferenceModel, write_reference_model
from tandem.batching.rules import Rule
from tandem.batching.simulate.estimate import Effort
from tandem.runtime.access import Access
from tandem.runtime.errors import EmbeddedServerError
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY

MODEL = "planned"
INSTALLED = REPOSITORY.parent / ".cache" / "model_analyzer"
# A model that waits: it is the same for both, whatever else this machine does.
ALPHA_MS, BETA_MS = 8.0, 4.0
FINE = Effort(precision=0.005)


class OpenAccess(Access):
    """Model control for everybody: the analyzer sends no token. For a server on a port that nobody knows."""

    def arguments(self) -> Sequence[str]:
        """Nothing is closed."""
        return []


@dataclass(frozen=True, kw_only=True)
class Line:
    """One of the two, and what it asked.

    Attributes:
        name: of the tool.
        max_batch: its answer.
        said: the rest of its answer.
        asked: of the server.
        ran: what the answer did at the rate.
        error_s: half width of the 95 % interval of its mean, seconds.
    """

    name: str
    max_batch: int
    said: str
    asked: Asked
    ran: Figures
    error_s: float


def main() -> int:
    """Exit status: 0 if both answered."""
    options = parse()
    try:
        program = install(INSTALLED)
        with tempfile.TemporaryDirectory() as folder:
            answers = ask_both(Path(folder), program, options)
        with tempfile.TemporaryDirectory() as folder:
            lines = judge(Path(folder), answers, options)
    except (BatchingError, EmbeddedServerError) as error:
        say(f"error: {error}")
        return 1
    text = table(lines, options)
    print(text)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "analyzer.md").write_text(text + "\n", encoding="utf-8")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/load_test", description=__doc__)
    parser.add_argument("command", choices=["analyzer"])
    parser.add_argument(
        "--rate", type=float, default=100.0, help="items a second to plan for, and to judge at"
    )
    parser.add_argument("--max-batch", type=int, default=8, help="largest batch that both may try")
    parser.add_argument(
        "--max-concurrency", type=int, default=16, help="most callers that the analyzer tries"
    )
    parser.add_argument("--budget-s", type=float, default=8.0, help="time for the planner to measure")
    parser.add_argument("--requests", type=int, default=5000, help="to judge each answer by")
    parser.add_argument("--timeout-s", type=float, default=1800.0, help="after which the analyzer is ended")
    parser.add_argument("--out", type=Path, help="folder for the table")
    return parser.parse_args()


Answers = dict[str, tuple[int, str, Asked]]


def ask_both(folder: Path, program: Path, options: argparse.Namespace) -> Answers:
    """Largest batch, the rest of the answer, and what was asked of the server, by tool."""
    model = ReferenceModel(
        name=MODEL, alpha_ms=ALPHA_MS, beta_ms=BETA_MS, max_batch=options.max_batch, dynamic=False
    )
    write_reference_model(folder, model)
    config = folder / MODEL / "config.pbtxt"  # with a preferred size no smaller max_batch_size would load
    config.write_text(config.read_text("utf-8") + "dynamic_batching { }\n", encoding="utf-8")
    server_options = ServerOptions(
        model_repository=folder, services=(MODEL,), access=OpenAccess(), grpc_port=0, http_port=0,
        metrics_port=0,
    )  # fmt: skip
    with TritonServer(server_options, log=lambda _line: None) as server:
        say("planning …")
        with Watch(server.metrics_url, server.pid) as planning:
            found = measure(connect(server.grpc_url), MODEL, budget_s=options.budget_s)
            rule, outcome = planned(found, options.rate)
        say(f"the analyzer searches, about {5 * options.max_concurrency:.0f} s or more …")
        with Watch(server.metrics_url, server.pid) as searching:
            best = quick_search(
                program, repository=folder, model=MODEL, grpc_url=server.grpc_url, http_url=server.http_url,
                metrics_url=server.metrics_url, max_batch=options.max_batch, max_instances=1,
                max_concurrency=options.max_concurrency, on_cpu=True, timeout_s=options.timeout_s,
            )  # fmt: skip
    return {
        "tandem plan": (
            rule.max_batch,
            f"at {options.rate:g}/s mean {outcome.mean_s * 1e3:.1f} ms, p95 {outcome.p95_s * 1e3:.1f} ms",
            planning.result,
        ),
        f"Model Analyzer {VERSION}, quick": (best.max_batch, described(best), searching.result),
    }


def planned(found: Measured, rate: float) -> tuple[Rule, Outcome]:
    """The planner's setting for the least mean latency, and what it is to do."""
    question = Question(
        rate_per_s=rate, rate_max_per_s=rate, max_batch=found.max_batch, delays_s=(found.one_s / 2,)
    )
    answer = plan(question, lambda rule, rate: found.figures(rule, rate, FINE, triton=True))
    return answer.recommended.rule, answer.recommended.outcome


def described(best: Answer) -> str:
    return (
        f"{best.throughput_per_s:.0f}/s with {best.concurrency} callers, p99 {best.p99_ms:.0f} ms "
        f"(best of {best.measurements} kept)"
    )


def judge(folder: Path, answers: Answers, options: argparse.Namespace) -> list[Line]:
    """Each answer under Poisson arrivals; the same setting is run once."""
    sizes = sorted({size for size, _, _ in answers.values()})
    for size in sizes:
        write_reference_model(
            folder,
            ReferenceModel(name=f"{MODEL}_{size}", alpha_ms=ALPHA_MS, beta_ms=BETA_MS, max_batch=size),
        )
    ran = {}
    server_options = ServerOptions(model_repository=folder, grpc_port=0, http_port=0, metrics_port=0)
    with TritonServer(server_options, log=lambda _line: None) as server:
        for size in sizes:
            trace = run_poisson(server.grpc_url, f"{MODEL}_{size}", options.rate, options.requests)
            ran[size] = measured_figures(trace)
    return [
        Line(
            name=name,
            max_batch=size,
            said=said,
            asked=asked,
            ran=ran[size][0],
            error_s=ran[size][1],
        )
        for name, (size, said, asked) in answers.items()
    ]


def table(lines: Sequence[Line], options: argparse.Namespace) -> str:
    rows = [
        "| | answer: `max_batch_size` | and it says | took, s | inferences | processor time of the server, s "
        f"| run at {options.rate:g}/s: mean, ms | p95, ms |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for line in lines:
        rows.append(
            f"| {line.name} | {line.max_batch} | {line.said} | {line.asked.took_s:.0f} | {line.asked.items} "
            f"| {line.asked.processor_s:.1f} | {line.ran.mean_s * 1e3:.1f} ± {line.error_s * 1e3:.1f} "
            f"| {line.ran.p95_s * 1e3:.1f} |"
        )
    return "\n".join(rows)


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
