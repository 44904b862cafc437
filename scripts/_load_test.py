"""What `scripts/load_test` runs once the environment is there."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from export.services import set_up
from tandem.batching.errors import BatchingError
from tandem.batching.measure.live_model import connect
from tandem.batching.measure.processor_time import processor_seconds_by_model
from tandem.batching.plan.measured import measure
from tandem.batching.plan.report import measured_text
from tandem.batching.proof.comparison import (
    BANDS,
    WIDE_BANDS,
    Row,
    as_json,
    draw,
    relative_errors,
    save_traces,
    table,
)
from tandem.batching.proof.ensemble_proof import course_text, judge
from tandem.batching.proof.ensemble_runs import MOST_TURNS, TURNS, EnsembleSubject, record
from tandem.batching.proof.length_runs import LENGTHS, PADDED, run_lengths
from tandem.batching.proof.planner_choice import CASES, judge_case
from tandem.batching.proof.recording import Recording, load_recording
from tandem.batching.proof.reference import write_padded_model
from tandem.batching.proof.reference_runs import (
    batcher_subjects,
    calibrate_subject,
    perf_analyzer_transport_s,
    run_subject,
    write_subjects,
)
from tandem.batching.proof.text_boxes import NAME as TEXT_BOXES
from tandem.batching.proof.text_boxes import write_text_boxes
from tandem.runtime.errors import EmbeddedServerError
from tandem.runtime.options import ServerOptions
from tandem.runtime.server import TritonServer
from tandem.runtime.setup import REPOSITORY

SAMPLE = REPOSITORY.parent / "docs" / "images" / "sample.jpg"

# Ensembles that are run as they are configured; the last one is not ours.
ENSEMBLES = {
    "id_card": "the card reader, with real pictures",
    "find_cards": "the finder of documents, with real pictures",
    TEXT_BOXES: "PaddleOCR's text detector, as guides serve it, with real pictures",
}


def main() -> int:
    """Exit status: 0 if everything ran."""
    options = parse()
    try:
        {"reference": reference, "choice": choice, "lengths": lengths}.get(options.command, ensemble)(options)
    except (BatchingError, EmbeddedServerError) as error:
        say(f"error: {error}")
        return 1
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/load_test")
    commands = parser.add_subparsers(dest="command", required=True)
    first = commands.add_parser("reference", help="Triton's batcher against its model")
    first.add_argument("--alpha-ms", type=float, default=8.0)
    first.add_argument("--beta-ms", type=float, default=4.0)
    first.add_argument("--instances", type=int, default=1)
    first.add_argument("--sizes", type=numbers(int), default=[1, 2, 4, 8], metavar="M,M,…")
    first.add_argument("--delays-ms", type=numbers(float), metavar="MS,MS,…", help="default: 0 and s(1)")
    first.add_argument("--loads", type=numbers(float), default=[0.30, 0.60, 0.85], metavar="L,L,…")
    second = commands.add_parser("choice", help="the planner's choice against a sweep")
    second.add_argument("--sizes", type=numbers(int), default=[1, 2, 4, 8], metavar="M,M,…")
    second.add_argument("--cases", default="".join(case.name for case in CASES), help="letters of the cases")
    second.add_argument("--parallel", type=int, default=1, help="settings that run at once")
    ensembles = [commands.add_parser(name, help=words) for name, words in ENSEMBLES.items()]
    for command in ensembles:
        command.add_argument("pictures", nargs="*", type=Path, default=[SAMPLE], help="default: the sample")
        command.add_argument("--loads", type=numbers(float), default=[0.3, 0.6, 0.8], metavar="L,L,…")
        command.add_argument("--seconds", type=float, default=25.0, help="of each run, at least")
        command.add_argument(
            "--turns", type=int, default=TURNS, help="of all loads, at least; in each the same requests"
        )
        command.add_argument(
            "--most-turns", type=int, default=MOST_TURNS, help="while a mean is uncertain by over a tenth"
        )
        command.add_argument("--attempts", type=int, default=3, help="at a run that others disturb")
        command.add_argument("--config-name", metavar="NAME", help="as for scripts/serve")
        command.add_argument(
            "--again", type=Path, metavar="DIR", help="the --out of a run: predict that anew, measure nothing"
        )
        command.add_argument("--processors", type=float, default=float(os.cpu_count() or 1))
    texts = commands.add_parser("lengths", help="a model that pads, with texts of different lengths")
    texts.add_argument("--loads", type=numbers(float), default=[0.3, 0.6, 0.8], metavar="L,L,…")
    defaults = [(first, 3000, 20.0), (second, 2000, 8.0), (texts, 3000, 15.0)]
    defaults += [(command, 60, 10.0) for command in ensembles]
    for command, requests, budget in defaults:
        command.add_argument("--requests", type=int, default=requests, help="of each run")
        command.add_argument("--budget-s", type=float, default=budget, help="time to measure each model")
        command.add_argument(
            "--out", type=Path, help="folder for the table, the plot and the figures as JSON"
        )
    options = parser.parse_args()
    if options.command in ENSEMBLES and options.turns < 1:
        parser.error(f"--turns {options.turns}; there must be 1 or more")
    return options


def reference(options: argparse.Namespace) -> None:
    delays = options.delays_ms or [0.0, options.alpha_ms + options.beta_ms]
    subjects = batcher_subjects(options.alpha_ms, options.beta_ms, options.sizes, delays, options.instances)
    with tempfile.TemporaryDirectory() as folder:
        write_subjects(Path(folder), subjects)
        with serving(Path(folder)) as server:
            widest = max(subjects, key=lambda subject: (subject.rule.max_batch, -subject.rule.delay_s))
            found = calibrate_subject(server.grpc_url, widest, options.budget_s)
            say(f"s(b) = {', '.join(f'{value * 1e3:.2f}' for value in found.service.seconds)} ms")
            found = replace(found, transport_s=perf_analyzer_transport_s(server.grpc_url, widest, found))
            say(f"gap {found.gaps_s[-1] * 1e3:.2f} ms, transport {found.transport_s * 1e3:.2f} ms")
            rows = []
            for subject in subjects:
                for load in options.loads:
                    rows.append(run_subject(server.grpc_url, subject, found, load, options.requests))
                    tell(rows[-1])
    publish(rows, options.out, "reference", ("ideal rule", "Triton's batcher"))


def choice(options: argparse.Namespace) -> None:
    outcomes = []
    for case in (case for case in CASES if case.name in options.cases):
        with tempfile.TemporaryDirectory() as folder:
            write_subjects(Path(folder), case.subjects(options.sizes))
            with serving(Path(folder)) as server:
                outcomes.append(
                    judge_case(
                        server.grpc_url,
                        case,
                        options.sizes,
                        requests=options.requests,
                        budget_s=options.budget_s,
                        parallel=options.parallel,
                        say=say,
                    )
                )
    lines = [
        "| case | alpha, beta ms | c | rate /s | objective | chosen | it ran | best of sweep | it ran "
        "| regret | calibration s | sweep s |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for found in outcomes:
        case = found.case
        lines.append(
            f"| {case.name} | {case.alpha_ms:g}, {case.beta_ms:g} | {case.instances} | {case.rate_per_s:.1f} "
            f"| {case.objective} | {found.chosen} | {found.chosen_s * 1e3:.2f} | {found.best} "
            f"| {found.best_s * 1e3:.2f} | {found.regret:.1%} "
            f"| {found.calibration_s:.0f} | {found.sweep_s:.0f} |"
        )
    print("\n".join(lines))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "choice.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (options.out / "choice.json").write_text(json.dumps([asdict(found) for found in outcomes], indent=1))


def lengths(options: argparse.Namespace) -> None:
    """A model that pads, with texts of different lengths, beside its prediction."""
    texts = [b"x" * length for length in LENGTHS]
    with tempfile.TemporaryDirectory() as folder:
        write_padded_model(Path(folder), PADDED)
        with serving(Path(folder)) as server:
            client = connect(server.grpc_url)
            found = measure(client, PADDED.name, files=texts, budget_s=options.budget_s)
            say(measured_text(found))
            rows = run_lengths(client, server.grpc_url, found, texts, options.loads, options.requests)
    publish(rows, options.out, "lengths", ("mean s(b)", "s(b, lengths)"), WIDE_BANDS)


def ensemble(options: argparse.Namespace) -> None:
    """Measure an ensemble, its capacity, and what it does at shares of that; each beside its prediction."""
    name = options.command
    kept = f"{name}.msgpack"
    recording = load_recording(options.again / kept) if options.again else record_ensemble(options)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        recording.save(options.out / kept)
    rows = judge(recording)
    for row in rows:
        tell(row)
    models = ("own processors", "shared processors")
    publish(rows, options.out, name, models, WIDE_BANDS, course_text(recording, rows))


def record_ensemble(options: argparse.Namespace) -> Recording:
    """Serve an ensemble and run it."""
    name, pictures = options.command, [path.read_bytes() for path in options.pictures]
    with tempfile.TemporaryDirectory() as folder:
        repository = REPOSITORY
        if name == TEXT_BOXES:
            repository = Path(folder)
            write_text_boxes(repository)
        else:
            set_up([name], say)
        with serving(repository, options.config_name, services=(name,)) as server:
            client, clock = connect(server.grpc_url), partial(processor_seconds_by_model, server.pid)
            calibrate = partial(
                measure,
                client,
                name,
                files=pictures,
                processors=options.processors,
                budget_s=options.budget_s,
                processor_clock=clock,
            )
            return record(
                EnsembleSubject(
                    client=client,
                    url=server.grpc_url,
                    calibrate=calibrate,
                    pictures=pictures,
                    clock=clock,
                    attempts=options.attempts,
                ),
                options.loads,
                requests=options.requests,
                seconds=options.seconds,
                capacity_s=options.budget_s,
                turns=options.turns,
                most_turns=options.most_turns,
                tell=lambda found: say(measured_text(found)),
            )


@contextmanager
def serving(
    repository: Path, config_name: str | None = None, services: tuple[str, ...] = ()
) -> Iterator[TritonServer]:
    """A server on free ports."""
    say("starting Triton …")
    options = ServerOptions(
        model_repository=repository,
        services=services,
        config_name=config_name,
        grpc_port=0,
        http_port=0,
        metrics_port=0,
    )
    with TritonServer(options, log=lambda _line: None) as server:
        yield server


def publish(
    rows: Sequence[Row],
    out: Path | None,
    name: str,
    models: tuple[str, str],
    bands: tuple[float, float] = BANDS,
    said: str = "",
) -> None:
    """The table on stdout; table, figures, plot and every request's times in the folder."""
    text = table(rows, *models, bands) + (f"\n{said}" if said else "")
    print(text)
    if out:
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{name}.md").write_text(text + "\n", encoding="utf-8")
        (out / f"{name}.json").write_text(json.dumps(as_json(rows), indent=1), encoding="utf-8")
        draw(out / f"{name}.png", rows, name, bands)
        save_traces(out / f"{name}.npz", rows)


def tell(row: Row) -> None:
    mean, p95 = relative_errors(row)
    say(
        f"{row.subject} {row.setting} at {row.rate_per_s:.1f}/s: measured {row.measured.mean_s * 1e3:.2f}, "
        f"p95 {row.measured.p95_s * 1e3:.2f} ms; predicted {mean:+.1%}, {p95:+.1%}"
    )


def numbers(kind: Callable[[str], float]) -> Callable[[str], list[float]]:
    return lambda text: [kind(word) for word in text.split(",")]


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
