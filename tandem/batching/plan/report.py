"""A plan as JSON (the contract of `tandem plan --json`) and as a table for people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tandem.batching.errors import UnreachableObjectiveError, UnstableError
from tandem.batching.lengths import LengthModel
from tandem.batching.plan.measured import Measured
from tandem.batching.plan.planner import Plan, Setting, describe
from tandem.batching.service_time import LinearFit

Json = dict[str, object]
# Digits of a figure in JSON: far more than anyone measures, few enough to read.
DIGITS = 6
# Instances that slow each other down by more are worth a word.
SLOW = 1.1
# Other processes that use more of the machine make measured times longer than they are.
BUSY_BYSTANDERS = 0.1


@dataclass(frozen=True, kw_only=True)
class Addition:
    """What an option adds to the answer.

    Attributes:
        key: its name in JSON.
        lines: below the lines of answer.
        table: below the table.
        json: its content in JSON.
    """

    key: str
    lines: tuple[str, ...]
    table: str
    json: Json


def setting_json(setting: Setting) -> Json:
    """One entry of `settings`: null where there is no number (unstable, or a delay without end)."""
    rule, outcome = setting.rule, setting.outcome
    return {
        "rule": rule.kind,
        "max_batch": rule.max_batch,
        "preferred": rule.max_batch if rule.kind == "greedy" else rule.preferred,
        "delay_ms": _milliseconds(rule.delay_s),
        "stable": outcome.stable,
        "capacity_per_s": _number(outcome.capacity_per_s),
        "mean_ms": _milliseconds(outcome.mean_s),
        "p50_ms": _milliseconds(outcome.p50_s),
        "p95_ms": _milliseconds(outcome.p95_s),
        "p99_ms": _milliseconds(outcome.p99_s),
        "utilization": _number(outcome.utilization),
        "mean_batch": _number(outcome.mean_batch),
        "method": outcome.method,
        "ci95_mean_ms": _milliseconds(outcome.ci95_mean_s),
        "ci95_p95_ms": _milliseconds(outcome.ci95_p95_s),
        "ci95_p99_ms": _milliseconds(outcome.ci95_p99_s),
    }


def plan_json(plan: Plan, even: Plan | None = None, additions: Sequence[Addition] = ()) -> Json:
    """The whole answer; `recommended` is null and `error` says why where no setting fits.

    Args:
        plan: the answer.
        even: the same question for independent arrivals, where the answer is for others.
        additions: what options add.
    """
    answer: Json = {"settings": [setting_json(setting) for setting in plan.settings]}
    try:
        answer["recommended"] = setting_json(plan.recommended)
    except UnreachableObjectiveError as error:
        answer |= {"recommended": None, "error": str(error), "nearest": setting_json(plan.nearest)}
    except UnstableError as error:
        answer |= {"recommended": None, "error": str(error)}
    answer["two"] = setting_json(plan.two)
    if even is not None:
        answer["planned_for_even_arrivals"] = _even_json(plan, even)
    return answer | {addition.key: addition.json for addition in additions}


def _even_json(plan: Plan, even: Plan) -> Json | None:
    """What the setting for independent arrivals does with the plan's own; null where there is none."""
    chosen = _even_choice(plan, even)
    if chosen is None:
        return None
    regret = plan.regret(chosen)
    return setting_json(chosen) | {"regret": _number(regret)}


def _even_choice(plan: Plan, even: Plan) -> Setting | None:
    """The setting of `plan` that would have been recommended for independent arrivals."""
    try:
        rule = even.recommended.rule
    except (UnstableError, UnreachableObjectiveError):
        return None
    return next((setting for setting in plan.settings if setting.rule == rule), None)


def plan_text(plan: Plan, even: Plan | None = None, additions: Sequence[Addition] = ()) -> str:
    """The answer in three lines, and below it a table of all settings.

    Args:
        plan: the answer.
        even: the same question for independent arrivals, where the answer is for others.
        additions: what options add.
    """
    header = (
        f"{'rule':8} {'M':>3} {'delay':>8} {'capacity':>9} {'mean':>9} {'p50':>9} {'p95':>9} {'p99':>9} "
        f"{'busy':>5} {'batch':>6} {'regret':>7}  method\n"
        f"{'':8} {'':3} {'ms':>8} {'1/s':>9} {'ms':>9} {'ms':>9} {'ms':>9} {'ms':>9}"
    )
    rows = [_row(plan, setting) for setting in plan.settings]
    more = [line for addition in additions for line in addition.lines]
    below = [line for addition in additions for line in ("", addition.table)]
    return "\n".join([*conclusion(plan, even), *more, "", header, *rows, *below])


def _line_text(fit: LinearFit, gap_s: float) -> list[str]:
    """Alpha and beta with their errors, and what is wrong with them."""
    alpha, beta = (
        f"{value * 1e3:.4g}" + (f" ± {error * 1e3:.2g}" if math.isfinite(error) else "")
        for value, error in ((fit.alpha_s, fit.alpha_error_s), (fit.beta_s, fit.beta_error_s))
    )
    lines = [f"  alpha {alpha} ms, beta {beta} ms, gap {gap_s * 1e3:.2g} ms"]
    if fit.alpha_s < 0 or fit.beta_s < 0:
        lines.append("  warning: alpha or beta is negative, so s(b) is no such line; the table is used")
    elif fit.bad:
        lines.append(f"  warning: alpha + beta b is off by up to {fit.worst_relative:.0%}; the table is used")
    return lines


def measured_text(found: Measured) -> str:
    """What was measured of a live model: a line for each of its steps, and warnings."""
    lines = []
    for place, step in enumerate(found.steps):
        times = ", ".join(
            f"{time * 1e3:.4g} ± {spread * 1e3:.2g}"
            for time, spread in zip(step.service.seconds, step.spread_s, strict=True)
        )
        lines.append(
            f"{step.model.name}: s(b) = {times} ms, {step.model.instances} instance(s), {step.took_s:.0f} s"
        )
        if step.demand:
            lines.append(f"  uses {_listed(step.demand)} processors{_beside(found, place)}")
        if step.fit is None:
            lines.append("  one batch size only: no alpha and beta; raise max_batch_size to measure more")
            continue
        lines += _line_text(step.fit, step.gaps_s[-1])
        if step.slowdown > SLOW:
            lines.append(
                f"  warning: busy instances slow each other down {step.slowdown:.2f} times; counted in"
            )
    if found.lengths is not None:
        lines += _lengths_text(found.lengths)
    lines.append(f"transport and hand-over: {found.transport_s * 1e3:.2g} ms")
    if found.foreign:
        lines.append(
            f"warning: {found.foreign} item(s) of somebody else ran meanwhile and are in these times; measure"
            " again while nobody else asks, or on a server of its own"
        )
    if found.bystanders > BUSY_BYSTANDERS:
        lines.append(
            f"warning: other processes of this machine used {found.bystanders:.2f} processors meanwhile, "
            "which made these times longer; measure again while it has nothing else to do"
        )
    return "\n".join(lines)


def _beside(found: Measured, place: int) -> str:
    if not found.contention:
        return ""
    return (
        f"; beside other steps it takes {_listed(found.contention[place])} times what fair shares would make"
        + (f" and varies by {found.unexplained[place]:.0%}" if found.unexplained else "")
    )


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


def _lengths_text(lengths: LengthModel) -> list[str]:
    """How a batch's time depends on its items."""
    alone = np.array(lengths.alone_s) * 1e3
    lines = [
        f"  its {len(alone)} samples take {alone.min():.4g} to {alone.max():.4g} ms alone "
        f"(mean {alone.mean():.4g}); traffic is drawn from them"
    ]
    factors = zip(lengths.constant_s, lengths.longest, lengths.others, strict=True)
    for size, (constant, longest, others) in enumerate(factors, start=1):
        if size > 1:
            lines.append(
                f"  a batch of {size}: {constant * 1e3:.3g} ms + {longest:.2f} x its longest item "
                f"+ {others:.2f} x the others (off by {lengths.off:.0%} or less on average)"
            )
    short, shared = lengths.shared_short_s()
    lines.append(
        f"  a short item (the shortest quarter) takes {short * 1e3:.4g} ms alone, "
        f"{shared * 1e3:.4g} ms in a pair with a random one"
    )
    return lines


def _row(plan: Plan, setting: Setting) -> str:
    rule, outcome = setting.rule, setting.outcome
    delay = "-" if math.isinf(rule.delay_s) else f"{rule.delay_s * 1e3:.4g}"
    start = f"{rule.kind:8} {rule.max_batch:3d} {delay:>8} {outcome.capacity_per_s:9.4g} "
    if not outcome.stable:
        return start + "unstable: more arrives than this can serve"
    figures = (outcome.mean_s, outcome.p50_s, outcome.p95_s, outcome.p99_s)
    method: str = outcome.method
    if method == "simulated":
        method = (
            f"simulated, mean ± {outcome.ci95_mean_s / outcome.mean_s:.1%}, "
            f"p99 ± {outcome.ci95_p99_s / outcome.p99_s:.1%}"
        )
    regret = f"{plan.regret(setting):7.1%}" if setting.stable else "unstable at the highest rate"
    return (
        start
        + " ".join(f"{figure * 1e3:9.4g}" for figure in figures)
        + f" {outcome.utilization:5.2f} {outcome.mean_batch:6.2f} {regret}  {method}"
    )


def conclusion(plan: Plan, even: Plan | None) -> list[str]:
    """The lines of answer: recommended, two, and what to write into the config."""
    question = plan.question
    try:
        chosen = plan.recommended
    except (UnstableError, UnreachableObjectiveError):
        return [f"two          {_summary(plan, plan.two)}"]
    headroom = chosen.outcome.capacity_per_s / question.rate_max_per_s - 1
    lines = [
        f"recommended  {_summary(plan, chosen)}; {headroom:.0%} headroom above "
        f"{question.rate_max_per_s:g} items a second",
        f"two          {_summary(plan, plan.two)}",
    ]
    if chosen.rule.kind != "strict":
        lines.append(f"Triton       {triton_settings(chosen)}")
    if even is not None and (other := _even_choice(plan, even)) is not None:
        lines.append(f"even traffic would ask for   {_summary(plan, other)} with this traffic")
    return lines


def _summary(plan: Plan, setting: Setting) -> str:
    objective = plan.question.objective
    if not setting.stable:
        return f"{describe(setting.rule)}: unstable, it serves {setting.outcome.capacity_per_s:.4g} a second"
    value = setting.value_s(objective) * 1e3
    return f"{describe(setting.rule)}: {objective} {value:.4g} ms, regret {plan.regret(setting):.1%}"


def triton_settings(setting: Setting) -> str:
    """The lines of config.pbtxt that make the setting."""
    rule = setting.rule
    preferred = rule.max_batch if rule.kind == "greedy" else rule.preferred
    delay = round(rule.delay_s * 1e6)
    inner = f"preferred_batch_size: [ {preferred} ]"
    if delay:
        inner += f" max_queue_delay_microseconds: {delay}"
    return f"max_batch_size: {rule.max_batch}  dynamic_batching {{ {inner} }}"


def _number(value: float) -> float | None:
    return round(value, DIGITS) if math.isfinite(value) else None


def _milliseconds(seconds: float) -> float | None:
    return _number(seconds * 1e3)
