"""`tandem plan`: an arrival rate and an objective in, the batch settings and what they will do out."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tandem.batching.errors import BatchingError, InvalidInputError, UnreachableObjectiveError, UnstableError
from tandem.batching.outcome import Outcome, Station
from tandem.batching.plan.planner import OBJECTIVES, TWO, Question, default_delays_s, plan
from tandem.batching.plan.report import measured_text, plan_json, plan_text
from tandem.batching.rules import Rule, greedy
from tandem.batching.service_time import ServiceTime
from tandem.batching.simulate.simulate import SimulationPlan, simulate
from tandem.batching.solve import solve

SUMMARY = "Say how to set a model's batcher for an arrival rate, what it will do, and how sure that is."

# Measuring a model takes about so long; with its margins well under a minute.
SECONDS_A_MODEL = 20.0
EXIT_FAILED = 1
EXIT_NO_SETTING = 3

# Every setting is simulated coarsely, the few near the best finely; the same seed for all, so that they
# compare.
COARSE = SimulationPlan(items=40_000, replications=6)
FINE = SimulationPlan(items=150_000, replications=10)
MAX_BATCH = 16
PLOT_SIZES = (1, 2, 4, 8, 16)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `tandem plan`."""
    ask = parser.add_argument_group("what is asked")
    ask.add_argument("--rate", type=float, required=True, metavar="R", help="arrivals, items a second")
    ask.add_argument("--rate-max", type=float, metavar="R", help="highest arrivals that must be kept up with")
    ask.add_argument("--objective", choices=OBJECTIVES, default="mean", help="what to make small")
    ask.add_argument("--slo-ms", type=float, default=math.inf, metavar="MS", help="limit of the objective")
    known = parser.add_argument_group("a model whose times are known")
    known.add_argument("--alpha-ms", type=float, metavar="MS", help="time of a batch, s(b) = alpha + beta b")
    known.add_argument("--beta-ms", type=float, metavar="MS", help="time of an item")
    known.add_argument("--table-ms", metavar="MS,MS,…", help="s(1), s(2), … instead of alpha and beta")
    known.add_argument("--instances", type=int, metavar="C", help="instances of the model (default 1)")
    live = parser.add_argument_group("a model on a live server, measured first")
    live.add_argument("--url", metavar="HOST:PORT", help="the server's gRPC address")
    live.add_argument("--model", metavar="NAME", help="the model or ensemble")
    live.add_argument(
        "--data",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="sample for a BYTES input, e.g. a picture",
    )
    live.add_argument(
        "--shape",
        action="append",
        default=[],
        metavar="NAME=N,…",
        help="shape of an input that varies, one item",
    )
    live.add_argument(
        "--budget-s", type=float, default=SECONDS_A_MODEL, metavar="S", help="time to measure each model"
    )
    live.add_argument(
        "--pid",
        type=int,
        metavar="PID",
        help="the server's process here: tells how many processors a step uses",
    )
    live.add_argument(
        "--processors",
        type=float,
        metavar="P",
        help="processors that an ensemble's steps share (default: all, if it is here and on CPU)",
    )
    tried = parser.add_argument_group("what is tried")
    tried.add_argument("--rule", choices=("greedy", "strict", "timeout"), help="default: greedy and timeout")
    tried.add_argument("--max-batch", type=int, metavar="M", help=f"largest batch (default {MAX_BATCH})")
    tried.add_argument(
        "--delay-ms",
        action="append",
        default=[],
        metavar="MS[,MS…]",
        help="delays (default: s(1)/4, s(1)/2, s(1))",
    )
    tried.add_argument(
        "--batcher",
        choices=("ideal", "triton"),
        help="the rule as it should be, or Triton's batcher as it is (default: ideal; with --url triton)",
    )
    out = parser.add_argument_group("what comes out")
    out.add_argument("--json", action="store_true", help="print JSON instead of a table")
    out.add_argument(
        "--plot", type=Path, metavar="FILE.png", help="draw latency over rate, and the map of the best M"
    )
    out.add_argument("--write", metavar="NAME", help="write configs/NAME.pbtxt with the recommended setting")
    out.add_argument("--model-repository", type=Path, default=Path("model_repository"), metavar="FOLDER")


def run(arguments: argparse.Namespace) -> int:
    """Answer; gives the exit code: 0, 1 for a wrong question, 3 where no setting fits."""
    try:
        return _run(arguments)
    except (UnstableError, UnreachableObjectiveError) as error:
        print(f"tandem plan: {error}", file=sys.stderr)
        return EXIT_NO_SETTING
    except BatchingError as error:
        print(f"tandem plan: {error}", file=sys.stderr)
        return EXIT_FAILED


def _run(arguments: argparse.Namespace) -> int:
    subject = _live(arguments) if arguments.url or arguments.model else _known(arguments)
    question = make_question(arguments, subject.max_batch, subject.one_s)
    answer = plan(question, partial(subject.figures, COARSE), partial(subject.figures, FINE))
    print(json.dumps(plan_json(answer), indent=1) if arguments.json else plan_text(answer))
    if arguments.plot:
        _draw(arguments.plot, subject, question)
    chosen = answer.recommended  # raises where there is none, after the table has shown why
    if arguments.write:
        _write(arguments, chosen.rule)
    return 0


@dataclass(frozen=True, kw_only=True)
class _Subject:
    """What is planned for: its largest batch, s(1), and its figures with a given effort."""

    name: str
    max_batch: int
    one_s: float
    figures: Callable[[SimulationPlan, Rule, float], Outcome]


def _known(arguments: argparse.Namespace) -> _Subject:
    max_batch = MAX_BATCH if arguments.max_batch is None else arguments.max_batch
    service = known_service(arguments, max(max_batch, TWO))
    instances = 1 if arguments.instances is None else arguments.instances
    figures = partial(_figures, service, instances, arguments.batcher == "triton")
    name = f"s(1) = {service.of(1) * 1e3:g} ms, s(2) = {service.of(2) * 1e3:g} ms, {instances} instance(s)"
    return _Subject(name=name, max_batch=max_batch, one_s=service.of(1), figures=figures)


def _live(arguments: argparse.Namespace) -> _Subject:
    """Measure the model first; says what was found on stderr.

    Raises:
        InvalidInputError: an option is missing, contradicts, or names a file that can't be read.
    """
    from tandem.batching.measure.live_model import connect  # noqa: PLC0415 - needs tritonclient
    from tandem.batching.plan.measured import measure, processor_seconds  # noqa: PLC0415

    if not (arguments.url and arguments.model):
        raise InvalidInputError("a live model needs both --url and --model")
    if arguments.alpha_ms is not None or arguments.beta_ms is not None or arguments.table_ms is not None:
        raise InvalidInputError(
            "with --url the times are measured; leave --alpha-ms, --beta-ms and --table-ms out"
        )
    found = measure(
        connect(arguments.url),
        arguments.model,
        files=[read_file(path) for path in arguments.data],
        shapes=dict(parse_shape(text) for text in arguments.shape),
        max_batch=arguments.max_batch,
        budget_s=arguments.budget_s,
        processor_clock=partial(processor_seconds, arguments.pid) if arguments.pid else None,
    )
    print(measured_text(found), file=sys.stderr)
    shared = arguments.processors
    if shared is None and found.on_cpu and is_here(arguments.url):
        shared = float(os.cpu_count() or 1)
        print(f"its steps share this machine's {shared:g} processors (--processors)", file=sys.stderr)
    if shared is not None:
        found = replace(found, processors=shared)
    triton = arguments.batcher != "ideal"
    return _Subject(
        name=arguments.model,
        max_batch=found.max_batch,
        one_s=found.one_s,
        figures=lambda effort, rule, rate: found.figures(rule, rate, effort, triton=triton),
    )


def is_here(url: str) -> bool:
    """True where the address is this machine's own."""
    return url.rpartition(":")[0] in ("localhost", "127.0.0.1", "[::1]")


def read_file(path: Path) -> bytes:
    """The file's content.

    Raises:
        InvalidInputError: it can't be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"--data {path} can't be read: {error.strerror}") from error


def parse_shape(text: str) -> tuple[str, tuple[int, ...]]:
    """Name and sizes of `NAME=3,224,224`.

    Raises:
        InvalidInputError: it has another form.
    """
    name, _, sizes = text.partition("=")
    try:
        return name, tuple(int(size) for size in sizes.split(","))
    except ValueError:
        raise InvalidInputError(f"--shape {text!r}: NAME=3,224,224 is wanted") from None


def _draw(path: Path, subject: _Subject, question: Question) -> None:
    from tandem.batching.plan.plots import draw_plan  # noqa: PLC0415 - matplotlib takes seconds to import

    sizes = [size for size in PLOT_SIZES if size <= max(subject.max_batch, TWO)]
    figures = partial(subject.figures, COARSE)
    draw_plan(
        path, figures, [greedy(size) for size in sizes], rate_per_s=question.rate_per_s, title=subject.name
    )
    print(f"drawn: {path}", file=sys.stderr)


def _write(arguments: argparse.Namespace, rule: Rule) -> None:
    from tandem.batching.plan.config_file import write_configs  # noqa: PLC0415 - needs tritonclient

    if not arguments.model:
        raise InvalidInputError("--write needs --model: the model or ensemble whose config is written")
    for path in write_configs(arguments.model_repository, arguments.model, arguments.write, rule):
        print(f"written: {path}", file=sys.stderr)
    print(f"serve it: scripts/serve --config-name {arguments.write}", file=sys.stderr)


def known_service(arguments: argparse.Namespace, max_batch: int) -> ServiceTime:
    """s(b) from the options.

    Raises:
        InvalidInputError: neither alpha and beta nor a table, or both, or a table that is too short.
    """
    line = arguments.alpha_ms is not None and arguments.beta_ms is not None
    if line == (arguments.table_ms is not None):
        raise InvalidInputError("give either --alpha-ms and --beta-ms, or --table-ms, or --url and --model")
    if line:
        return ServiceTime.linear(arguments.alpha_ms / 1e3, arguments.beta_ms / 1e3, max_batch)
    service = ServiceTime(tuple(value / 1e3 for value in numbers(arguments.table_ms, "--table-ms")))
    if service.max_batch < max_batch:
        raise InvalidInputError(
            f"--table-ms ends at s({service.max_batch}); give {max_batch} times, or a smaller --max-batch"
        )
    return service


def make_question(arguments: argparse.Namespace, max_batch: int, service_one_s: float) -> Question:
    """The question in the options; delays that are not given follow from s(1)."""
    delays = tuple(value / 1e3 for text in arguments.delay_ms for value in numbers(text, "--delay-ms"))
    return Question(
        rate_per_s=arguments.rate,
        rate_max_per_s=arguments.rate if arguments.rate_max is None else arguments.rate_max,
        objective=arguments.objective,
        slo_s=arguments.slo_ms / 1e3,
        kinds=(arguments.rule,) if arguments.rule else ("greedy", "timeout"),
        max_batch=max_batch,
        delays_s=delays or default_delays_s(service_one_s),
    )


def numbers(text: str, option: str) -> list[float]:
    """The numbers of a comma-separated list.

    Raises:
        InvalidInputError: something in it is no number.
    """
    try:
        return [float(word) for word in text.split(",")]
    except ValueError:
        raise InvalidInputError(f"{option} {text!r}: numbers with commas between them are wanted") from None


def _figures(
    service: ServiceTime, instances: int, triton: bool, effort: SimulationPlan, rule: Rule, rate: float
) -> Outcome:
    station = Station(service=service, rule=rule, instances=instances)
    if triton and rule.waits and rule.kind == "timeout":
        return simulate(station, rate, effort, triton=True)
    return solve(station, rate, effort)
