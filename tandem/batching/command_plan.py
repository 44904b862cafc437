"""`tandem plan`: an arrival rate and an objective in, the batch settings and what they will do out."""

from __future__ import annotations

import argparse
import json
import math
import sys
from functools import partial
from pathlib import Path

from tandem.batching.errors import BatchingError, InvalidInputError, UnreachableObjectiveError, UnstableError
from tandem.batching.outcome import Outcome, Station
from tandem.batching.planner import OBJECTIVES, Plan, Question, Solver, default_delays_s, plan
from tandem.batching.report import plan_json, plan_text
from tandem.batching.rules import Rule
from tandem.batching.service_time import ServiceTime
from tandem.batching.simulate import SimulationPlan, simulate
from tandem.batching.solve import solve

SUMMARY = "Say how to set a model's batcher for an arrival rate, what it will do, and how sure that is."

EXIT_FAILED = 1
EXIT_NO_SETTING = 3

# Every setting is simulated coarsely, the few near the best finely; the same seed for all, so that they
# compare.
COARSE = SimulationPlan(items=40_000, replications=6)
FINE = SimulationPlan(items=150_000, replications=10)
MAX_BATCH = 16


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
    live.add_argument("--data", type=Path, metavar="FILE", help="sample for a BYTES input, e.g. a picture")
    live.add_argument(
        "--processors", type=float, metavar="P", help="processors that the steps of an ensemble share"
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
    answer = _answer_known(arguments)
    print(json.dumps(plan_json(answer), indent=1) if arguments.json else plan_text(answer))
    answer.recommended  # noqa: B018 - raises where there is none, after the table has shown why
    return 0


def _answer_known(arguments: argparse.Namespace) -> Plan:
    max_batch = MAX_BATCH if arguments.max_batch is None else arguments.max_batch
    service = known_service(arguments, max(max_batch, 2))
    instances = 1 if arguments.instances is None else arguments.instances
    question = make_question(arguments, max_batch, service.of(1))
    triton = arguments.batcher == "triton"
    coarse = partial(_figures, service, instances, triton, COARSE)
    fine = partial(_figures, service, instances, triton, FINE)
    return plan(question, coarse, fine)


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


__all__ = ["SUMMARY", "Solver", "add_arguments", "run"]
