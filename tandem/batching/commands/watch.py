"""`tandem plan --watch`: follows a running server's own counters, and says when its setting is wrong."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tandem.batching.commands.subjects import connection
from tandem.batching.errors import InvalidInputError
from tandem.batching.measure.live_model import LiveModel, connect, describe_model
from tandem.batching.measure.traffic_counts import Interval, Weights, add_counts, between, look, service_from
from tandem.batching.outcome import Outcome, Station
from tandem.batching.plan.planner import Objective, Plan, Question, Setting, describe, plan
from tandem.batching.plan.report import triton_settings
from tandem.batching.rules import Rule, greedy, timeout
from tandem.batching.simulate.estimate import Effort
from tandem.batching.solve import solve

# A setting within so much of the best is left alone.
GOOD_ENOUGH = 0.05
# Of an interval's batch times so much counts in the next one.
KEEP = 0.7
# Fewer items in an interval tell no rate.
FEWEST_ITEMS = 20
EFFORT = Effort(precision=0.02, most_items=2_000_000)
# Largest batch that is thought of, where the model's own is smaller.
REACH = 16


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What an interval told.

    Attributes:
        interval: what was seen.
        present: the server's setting at this rate.
        best: the best one; None where none keeps up.
        regret: what the present one costs against it, as a share; infinity where it does not keep up.
        guessed: True where only one batch size was seen, so that larger ones are a guess.
    """

    interval: Interval
    present: Setting
    best: Setting | None
    regret: float
    guessed: bool

    @property
    def right(self) -> bool:
        """True where the setting may stay."""
        return self.best is None or self.regret <= GOOD_ENOUGH


def configured_rule(model: LiveModel) -> Rule:
    """The rule that the model's config makes."""
    if model.delay_us and model.max_batch > 1:
        return timeout(model.max_batch, model.delay_us / 1e6)
    return greedy(model.max_batch)


def judge(
    model: LiveModel, interval: Interval, batches: Weights, objective: Objective, max_batch: int
) -> Verdict:
    """Whether the model's setting is right for what was seen.

    Args:
        model: as the server describes it.
        interval: the last interval; its rate is planned for.
        batches: batches seen so far.
        objective: what should be small.
        max_batch: largest batch to think of.
    """
    service, line = service_from(batches, max(max_batch, model.max_batch))
    present = configured_rule(model)

    def figures(rule: Rule, rate: float) -> Outcome:
        station = Station(service=service, rule=rule, instances=model.instances)
        return solve(station, rate, EFFORT, triton=True, fixed_shapes=model.fixed_shapes)

    rate = interval.rate_per_s
    question = Question(
        rate_per_s=rate, rate_max_per_s=rate, objective=objective, kinds=("greedy",), max_batch=max_batch
    )
    answer: Plan = plan(question, figures)
    outcome = figures(present, rate)
    now = Setting(rule=present, outcome=outcome, at_peak=outcome)
    stable = [setting for setting in answer.settings if setting.stable]
    best = answer.recommended if stable else None
    regret = now.value_s(objective) / best.value_s(objective) - 1 if best else float("inf")
    return Verdict(interval=interval, present=now, best=best, regret=regret, guessed=line is None)


def verdict_text(verdict: Verdict, objective: Objective) -> str:
    """One line for people."""
    seen = verdict.interval
    head = (
        f"{seen.rate_per_s:.1f} items a second in batches of {seen.mean_batch:.2f}, "
        f"{seen.queued_s * 1e3:.1f} ms in the queue: "
    )
    present = describe(verdict.present.rule)
    if verdict.best is None:
        return head + "no setting keeps up; add instances"
    if verdict.right:
        return head + f"{present} is right ({max(verdict.regret, 0.0):.1%} from the best)"
    cost = (
        "does not keep up" if verdict.regret == float("inf") else f"costs {verdict.regret:.0%} of {objective}"
    )
    guess = "; only one batch size was seen, so this is a guess" if verdict.guessed else ""
    return head + f"CHANGE: {present} {cost}; set {triton_settings(verdict.best)}{guess}"


def metrics_text(name: str, verdict: Verdict) -> str:
    """The verdict in Prometheus' text format; a setting that does not keep up has a regret of +Inf."""
    seen = verdict.interval
    regret = "+Inf" if verdict.regret == float("inf") else f"{verdict.regret:.6f}"
    values = {
        "tandem_plan_regret_ratio": ("What the present setting costs against the best, as a share", regret),
        "tandem_plan_right": ("1 while the present setting may stay", str(int(verdict.right))),
        "tandem_plan_rate_per_second": ("Items a second that were seen", f"{seen.rate_per_s:.6f}"),
        "tandem_plan_mean_batch": ("Items a batch that were seen", f"{seen.mean_batch:.6f}"),
        "tandem_plan_best_batch": (
            "Largest batch of the best setting; 0 where none keeps up",
            str(verdict.best.rule.max_batch if verdict.best else 0),
        ),
    }
    return "".join(
        f'# HELP {metric} {words}\n# TYPE {metric} gauge\n{metric}{{model="{name}"}} {value}\n'
        for metric, (words, value) in values.items()
    )


def _write_metrics(path: Path, text: str) -> None:
    """Replace the file in one step: whoever reads it never sees half of it.

    Raises:
        InvalidInputError: it can't be written.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise InvalidInputError(f"--metrics-file {path} can't be written: {error.strerror}") from error


def watch(arguments: argparse.Namespace, sleep: Callable[[float], None] = time.sleep) -> int:
    """Look at the server every so often and say a line each time; ends after --for-s, or when interrupted.

    Args:
        arguments: the options.
        sleep: waits, seconds.

    Raises:
        InvalidInputError: an option is missing or out of range, or the model is an ensemble.
        ServerError: the server went away.
    """
    if not (arguments.url and arguments.model):
        raise InvalidInputError("--watch needs both --url and --model")
    if arguments.every_s <= 0:
        raise InvalidInputError(f"--every-s is {arguments.every_s:g}; it must be above 0")
    client: Any = connect(arguments.url, connection(arguments))
    model = describe_model(client, arguments.model)
    if model.steps:
        steps = ", ".join(step.model for step in model.steps)
        raise InvalidInputError(f"{model.name} is an ensemble; watch one of its steps: {steps}")
    max_batch = arguments.max_batch or max(REACH, model.max_batch)
    begin = last = time.monotonic()
    before, batches = look(client, model), Weights()
    while arguments.for_s is None or time.monotonic() - begin < arguments.for_s:
        sleep(arguments.every_s)
        now, after = time.monotonic(), look(client, model)
        interval = between(before, after, now - last)
        before, last = after, now
        batches = add_counts(batches, interval.batches, KEEP)
        if interval.items < FEWEST_ITEMS:
            print(f"{interval.items} items in {interval.seconds:.0f} s: too few to tell", flush=True)
            continue
        verdict = judge(model, interval, batches, arguments.objective, max_batch)
        print(f"{time.strftime('%H:%M:%S')} {verdict_text(verdict, arguments.objective)}", flush=True)
        if arguments.metrics_file:
            _write_metrics(arguments.metrics_file, metrics_text(model.name, verdict))
    print("watched without sending a single request", file=sys.stderr)
    return 0
