"""A plan as one HTML file: answer, pictures and table, readable without a server or the internet."""

from __future__ import annotations

import html
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from string import Template
from typing import Any

from tandem.batching.errors import InvalidInputError, UnreachableObjectiveError, UnstableError
from tandem.batching.outcome import Outcome
from tandem.batching.plan.planner import Plan, Setting, describe
from tandem.batching.plan.report import Addition, conclusion
from tandem.batching.rules import Rule

_PAGE = Template("""\
<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Batch size for $title</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 60rem; margin: 2rem auto; padding: 0 1rem
} pre { background: #f4f4f4; padding: 1rem; overflow-x: auto }
table { border-collapse: collapse; font-size: 14px; width: 100% }
th, td { text-align: right; padding: .2rem .5rem; border-bottom: 1px solid #ddd }
th:first-child, td:first-child, td:last-child, th:last-child { text-align: left }
tr.best { background: #e8f5e9 } tr.two { background: #fff8e1 } tr.unstable { color: #999 }
svg { max-width: 100%; height: auto }
</style>
<h1>Batch size for $title</h1>
<p>$question</p>
<pre>$answer</pre>
$picture
<h2>Every setting that was tried</h2>
<p>Latency is from an item's arrival to the end of its batch. Green: recommended. Yellow: batches of two.
<i>Exact</i> figures come from a Markov chain; simulated ones carry the half width of their 95 % interval.</p>
<table><tr><th>setting<th>capacity, 1/s<th>mean, ms<th>p50<th>p95<th>p99<th>busy<th>items a
batch<th>regret<th>method</tr> $rows
</table>
<h2>What the server said</h2>
<pre>$measured</pre>
</html>
""")


def write_report(
    path: Path,
    plan: Plan,
    even: Plan | None,
    *,
    additions: Sequence[Addition] = (),
    title: str,
    question: str,
    measured: str,
    figures: Callable[[Rule, float], Outcome],
    rules: Sequence[Rule],
) -> None:
    """Write the report.

    Args:
        path: the file to write.
        plan: the answer.
        even: the same question for independent arrivals, where the answer is for others.
        additions: what options add.
        title: the model.
        question: what was asked, a sentence.
        measured: what was measured of the model, lines; may be empty.
        figures: a rule's figures at a rate, for the curves.
        rules: one curve each.

    Raises:
        InvalidInputError: the file can't be written.
    """
    try:  # before the pictures, which take a while
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError as error:
        raise InvalidInputError(f"--report {path} can't be written: {error.strerror}") from error
    more = [line for addition in additions for line in (*addition.lines, "", addition.table)]
    page = _PAGE.substitute(
        title=html.escape(title),
        question=html.escape(question),
        answer=html.escape("\n".join([*conclusion(plan, even), *more])),
        picture=_picture(plan, figures, rules, title),
        rows="\n".join(_row(plan, setting) for setting in plan.settings),
        measured=html.escape(measured or "nothing: the times were given"),
    )
    path.write_text(page, encoding="utf-8")


def _picture(plan: Plan, figures: Callable[[Rule, float], Outcome], rules: Sequence[Rule], title: str) -> str:
    """Latency over rate and the map of the best size, as SVG."""
    from tandem.batching.plan.plots import draw_latency, draw_map, new_figure  # noqa: PLC0415

    figure: Any
    figure, (left, right) = new_figure(1, 2, width=11)
    draw_latency(left, figures, rules, rate_per_s=plan.question.rate_per_s, title=title)
    draw_map(right)
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    text = drawn.getvalue()
    return text[text.index("<svg") :]


def _row(plan: Plan, setting: Setting) -> str:
    outcome = setting.outcome
    name = html.escape(describe(setting.rule))
    if not outcome.stable:
        capacity = f"{outcome.capacity_per_s:.4g}"
        why = "more arrives than this can serve"
        return f'<tr class="unstable"><td>{name}<td>{capacity}<td colspan="8">{why}</tr>'
    mark = "best" if _is_recommended(plan, setting) else "two" if setting.rule == plan.two.rule else ""
    cells = [f"{outcome.capacity_per_s:.4g}"]
    for figure, half in (
        (outcome.mean_s, outcome.ci95_mean_s),
        (outcome.p50_s, 0.0),
        (outcome.p95_s, outcome.ci95_p95_s),
        (outcome.p99_s, outcome.ci95_p99_s),
    ):
        cells.append(f"{figure * 1e3:.4g}" + (f" ± {half * 1e3:.2g}" if half else ""))
    regret = f"{plan.regret(setting):.1%}" if setting.stable else "unstable at the highest rate"
    cells += [f"{outcome.utilization:.0%}", f"{outcome.mean_batch:.2f}", regret, outcome.method]
    return f'<tr class="{mark}"><td>{name}<td>' + "<td>".join(cells) + "</tr>"


def _is_recommended(plan: Plan, setting: Setting) -> bool:
    try:
        return setting.rule == plan.recommended.rule
    except (UnstableError, UnreachableObjectiveError):
        return False
