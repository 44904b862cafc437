"""`tandem plan`: an arrival rate and an objective in, the batch settings and what they will do out."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tandem.batching.commands.plan_options import add_arguments, check_packages
from tandem.batching.commands.subjects import Subject, known_model, live_model, numbers
from tandem.batching.commands.traffic_options import Asked, asked_traffic
from tandem.batching.commands.watch import watch
from tandem.batching.errors import BatchingError, InvalidInputError, UnreachableObjectiveError, UnstableError
from tandem.batching.outcome import Outcome
from tandem.batching.plan.planner import TWO, Plan, Question, default_delays_s, plan
from tandem.batching.plan.report import Addition, plan_json, plan_text
from tandem.batching.plan.scaling import LATE, plan_scaling, scaling_addition
from tandem.batching.rules import Rule, greedy
from tandem.batching.simulate.estimate import Effort
from tandem.batching.simulate.traffic import Poisson, Traffic

__all__ = ["SUMMARY", "add_arguments", "run"]

SUMMARY = "Say how to set a model's batcher for an arrival rate, what it will do, and how sure that is."

EXIT_FAILED = 1
EXIT_NO_SETTING = 3

# Every setting is simulated until its intervals are within two per cent, or 0.8 where only a few are asked
# for; the ones near the best within half a per cent.
COARSE = Effort(precision=0.02)
SOUND = Effort(precision=0.008)
FINE = Effort(precision=0.005)
FEW = 20
# Bursts that fill a server for seconds can't be simulated to such a precision in a time that anyone waits
# for.
BURST_ITEMS = 1_500_000
PLOT_SIZES = (1, 2, 4, 8, 16)


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
    check_packages(arguments)
    if arguments.watch:
        return watch(arguments)
    asked = asked_traffic(arguments)
    if arguments.write and not arguments.model:
        raise InvalidInputError("--write needs --model: the model or ensemble whose config is written")
    if arguments.write:
        _check_write(arguments)  # whether it may, before any work
    make_question(
        arguments, asked, max_batch=arguments.max_batch or TWO, service_one_s=1.0
    )  # before any work
    subject = live_model(arguments) if arguments.url or arguments.model else known_model(arguments)
    if asked.profile is not None and subject.station is None:
        raise InvalidInputError(
            "--ramp and --rates are for a single model whose items take about the same time; for an ensemble "
            "ask for its slowest step"
        )
    question = make_question(arguments, asked, max_batch=subject.max_batch, service_one_s=subject.one_s)
    first, second = _efforts(question, asked)
    answer = plan(question, _solver(subject, first, asked.at_rate), _solver(subject, second, asked.at_rate))
    even = None if asked.poisson else plan(question, _solver(subject, COARSE, Poisson))
    more = _additions(arguments, subject, answer, asked)
    print(
        json.dumps(plan_json(answer, even, more), indent=1)
        if arguments.json
        else plan_text(answer, even, more)
    )
    if arguments.plot:
        _draw(arguments.plot, subject, question)
    if arguments.report:
        _report(arguments.report, subject, answer, even, asked, more)
    chosen = answer.recommended  # raises where there is none, after the table has shown why
    if arguments.write:
        _write(arguments, chosen.rule)
    return 0


def _efforts(question: Question, asked: Asked) -> tuple[Effort, Effort]:
    """How much to simulate of every setting, and then of those near the best."""
    if not asked.poisson:
        coarse = replace(COARSE, most_items=BURST_ITEMS)
        return coarse, coarse
    return (SOUND if len(question.rules()) <= FEW else COARSE), FINE


def _additions(
    arguments: argparse.Namespace, subject: Subject, answer: Plan, asked: Asked
) -> tuple[Addition, ...]:
    """What items of different lengths and a climbing rate add to the answer, where there is one."""
    try:
        chosen = answer.recommended
    except (UnstableError, UnreachableObjectiveError):
        return ()
    if subject.lengths is not None:
        from tandem.batching.plan.by_length import (  # noqa: PLC0415 - numba is slow to import
            by_length_addition,
            compare_layouts,
        )

        found = compare_layouts(
            subject.lengths,
            asked.at_rate(answer.question.rate_per_s),
            instances=subject.instances,
            max_batch=answer.question.max_batch,
            objective=answer.question.objective,
        )
        return (by_length_addition(found),)
    if asked.profile is None or subject.station is None:
        return ()
    limit = arguments.slo_ms / 1e3
    scaling = plan_scaling(
        subject.station(chosen.rule),
        asked.profile,
        replica_s=arguments.replica_s,
        limit_s=limit if math.isfinite(limit) else LATE * chosen.outcome.p95_s,
        effort=replace(FINE, spread=subject.spread),
        transport_s=subject.transport_s,
    )
    return (scaling_addition(scaling),)


def _solver(
    subject: Subject, effort: Effort, at_rate: Callable[[float], Traffic]
) -> Callable[[Rule, float], Outcome]:
    return lambda rule, rate: subject.figures(effort, rule, at_rate(rate))


def make_question(
    arguments: argparse.Namespace, asked: Asked, *, max_batch: int, service_one_s: float
) -> Question:
    """The question in the options; delays that are not given follow from s(1)."""
    delays = tuple(value / 1e3 for text in arguments.delay_ms for value in numbers(text, "--delay-ms"))
    return Question(
        rate_per_s=asked.rate_per_s,
        rate_max_per_s=asked.rate_per_s if arguments.rate_max is None else arguments.rate_max,
        objective=arguments.objective,
        slo_s=arguments.slo_ms / 1e3,
        kinds=(arguments.rule,) if arguments.rule else ("greedy", "timeout"),
        max_batch=max_batch,
        delays_s=delays or default_delays_s(service_one_s),
    )


def _curves(subject: Subject) -> list[Rule]:
    return [greedy(size) for size in PLOT_SIZES if size <= max(subject.max_batch, TWO)]


def _draw(path: Path, subject: Subject, question: Question) -> None:
    from tandem.batching.plan.plots import draw_plan  # noqa: PLC0415 - matplotlib takes seconds to import

    figures = _solver(subject, COARSE, Poisson)
    draw_plan(path, figures, _curves(subject), rate_per_s=question.rate_per_s, title=subject.name)
    print(f"drawn: {path}", file=sys.stderr)


def _report(
    path: Path, subject: Subject, answer: Plan, even: Plan | None, asked: Asked, more: Sequence[Addition]
) -> None:
    from tandem.batching.plan.html_report import write_report  # noqa: PLC0415 - matplotlib is slow

    question = answer.question
    limit = f", at most {question.slo_s * 1e3:g} ms" if math.isfinite(question.slo_s) else ""
    write_report(
        path,
        answer,
        even,
        additions=more,
        title=subject.name,
        question=f"{question.rate_per_s:g} items a second ({asked.words}); {question.objective}{limit}.",
        measured=subject.measured,
        figures=_solver(subject, COARSE, Poisson),
        rules=_curves(subject),
    )
    print(f"report: {path}", file=sys.stderr)


def _check_write(arguments: argparse.Namespace) -> None:
    from tandem.batching.plan.config_file import check_configs  # noqa: PLC0415 - needs tritonclient

    check_configs(arguments.model_repository, arguments.model, arguments.write, overwrite=arguments.overwrite)


def _write(arguments: argparse.Namespace, rule: Rule) -> None:
    from tandem.batching.plan.config_file import write_configs  # noqa: PLC0415 - needs tritonclient

    for path in write_configs(
        arguments.model_repository, arguments.model, arguments.write, rule, overwrite=arguments.overwrite
    ):
        print(f"written: {path}", file=sys.stderr)
    print(f"serve it: scripts/serve --config-name {arguments.write}", file=sys.stderr)
