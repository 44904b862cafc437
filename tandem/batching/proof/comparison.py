"""Prediction beside measurement: one row for each setting and rate that was run on a real server.

A run of a few thousand requests is one sample of a random process; near capacity its mean may lie ten per
cent from the long run's, whatever the model. So what is judged is *this run's* prediction: the simulator fed
with the very times at which the requests were sent. It stands there twice, from a plain model (the ideal
rule; steps with processors of their own) and from the full one (Triton's batcher; shared processors). The
*long run's*, which `tandem plan` says, stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tandem.batching.measure.perf_analyzer import Trace

# Requests of a run that meet a server which is emptier than it will be.
WARM_UP = 0.05
# Batches of a run for the confidence interval of its mean, each long against the queue's memory.
BLOCKS = 10
# What predictions of mean and p95 may be off: a single model's, and an ensemble's or unequal items'.
BANDS = (0.05, 0.10)
WIDE_BANDS = (0.10, 0.15)
_STUDENT_95 = 2.262  # t for BLOCKS - 1 degrees of freedom

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Mean and 95th percentile of latency, seconds."""

    mean_s: float
    p95_s: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """One run.

    Attributes:
        subject: the model.
        setting: the batcher's setting, in words.
        rate_per_s: requests sent a second.
        load: rate over capacity.
        requests: how many were sent.
        measured: what the client saw.
        error_s: half width of the 95 % confidence interval of the measured mean, from blocks of the run.
        slowed: by how much batches took longer than when s(b) was measured, as a share.
        plain: predicted by the plain model for the times at which the requests were sent.
        full: the same by the full model.
        long_run: predicted by the full model for Poisson arrivals without end.
        trace: the requests.
        bystanders: processors that other processes used meanwhile.
        turns: where the same requests were sent several times, the mean of each, seconds; else empty.
        calibrations: where several calibrations were asked, the mean that each predicts, seconds; else empty.
    """

    subject: str
    setting: str
    rate_per_s: float
    load: float
    requests: int
    measured: Figures
    error_s: float
    slowed: float
    plain: Figures
    full: Figures
    long_run: Figures
    trace: Trace
    bystanders: float = 0.0
    turns: tuple[float, ...] = ()
    calibrations: tuple[float, ...] = ()


def measured_figures(trace: Trace) -> tuple[Figures, float]:
    """Mean and p95 of a run without its start, and the half width of the mean's 95 % confidence interval."""
    latencies = trace.without_start(WARM_UP)
    blocks = np.array([block.mean() for block in np.array_split(latencies, BLOCKS)])
    return figures_of(latencies), float(_STUDENT_95 * blocks.std(ddof=1) / np.sqrt(BLOCKS))


def figures_of(latencies: Floats) -> Figures:
    """Mean and p95 of latencies."""
    return Figures(mean_s=float(latencies.mean()), p95_s=float(np.quantile(latencies, 0.95)))


def replay(trace: Trace, run: Callable[[Floats], Floats], transport_s: float) -> Figures:
    """What a simulator says of the requests of a run, at the times at which they were sent.

    Args:
        trace: the run.
        run: arrivals `(n,)` to latencies `(n,)`, seconds.
        transport_s: latency beyond the server's, seconds.
    """
    latencies = run(trace.sent_s) + transport_s
    return figures_of(latencies[int(WARM_UP * len(latencies)) :])


def table(rows: Sequence[Row], plain: str, full: str, bands: tuple[float, float] = BANDS) -> str:
    """The rows as a Markdown table, milliseconds, and how many of them the full model hits.

    Args:
        rows: the runs.
        plain: what the plain model is called.
        full: what the full model is called.
        bands: what mean and p95 may be off, as shares.
    """
    head = (
        f"| setting | load | rate /s | measured: mean | p95 | {plain}: mean | p95 | {full}: mean | p95 "
        "| error: mean | p95 | long run: mean | p95 | s(b) then |"
    )
    lines = [head, "|" + "---|" * (head.count("|") - 1)]
    for row in rows:
        cells = [
            row.setting,
            f"{row.load:.0%}",
            f"{row.rate_per_s:.1f}",
            f"{row.measured.mean_s * 1e3:.2f} ± {row.error_s * 1e3:.2f}",
            f"{row.measured.p95_s * 1e3:.2f}",
            *_milliseconds(row.plain, row.full),
            *(f"{error:+.1%}" for error in relative_errors(row)),
            *_milliseconds(row.long_run),
            f"{row.slowed:+.1%}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", f"{full}: {summary(rows, bands)}"])


def summary(rows: Sequence[Row], bands: tuple[float, float] = BANDS) -> str:
    """How many rows the full model hits, and by how much it misses at worst."""
    mean_band, p95_band = bands
    mean, p95 = np.abs([relative_errors(row) for row in rows]).T
    return (
        f"mean within {mean_band:.0%} in {np.sum(mean <= mean_band)} of {len(rows)} runs (at worst "
        f"{mean.max():.1%} off), p95 within {p95_band:.0%} in {np.sum(p95 <= p95_band)} (at worst "
        f"{p95.max():.1%})"
    )


def _milliseconds(*figures: Figures) -> list[str]:
    return [f"{value * 1e3:.2f}" for each in figures for value in (each.mean_s, each.p95_s)]


def relative_errors(row: Row) -> tuple[float, float]:
    """Errors of the full model's mean and p95 against the measured ones."""
    return row.full.mean_s / row.measured.mean_s - 1, row.full.p95_s / row.measured.p95_s - 1


def as_json(rows: Sequence[Row]) -> list[dict[str, object]]:
    """The rows for a file, without their traces."""
    return [{key: value for key, value in asdict(row).items() if key != "trace"} for row in rows]


def save_traces(path: Path, rows: Sequence[Row]) -> None:
    """Every run's requests as a `(2, n)` array: when they were sent, and until their answer, seconds."""
    np.savez_compressed(
        path,
        **{
            f"{index:02d} {row.subject} {row.load:.0%}": np.stack([row.trace.sent_s, row.trace.latency_s])
            for index, row in enumerate(rows)
        },
    )


def draw(path: Path, rows: Sequence[Row], title: str, bands: tuple[float, float] = BANDS) -> None:
    """Predicted against measured, mean and p95, one point a run; between the dotted lines is near enough."""
    from tandem.batching.plan.plots import FAINT, new_figure, palette, save  # noqa: PLC0415 - matplotlib is slow

    figure, axes = new_figure(1, 2, width=10)
    settings = sorted({row.setting for row in rows})
    colours = dict(zip(settings, palette(len(settings)), strict=True))
    for place, (name, band) in enumerate(zip(("mean", "p95"), bands, strict=True)):
        values = [
            (
                1e3 * float(getattr(row.measured, f"{name}_s")),
                1e3 * float(getattr(row.full, f"{name}_s")),
                row.setting,
            )
            for row in rows
        ]
        span = np.array(
            [min(min(pair[:2]) for pair in values) * 0.9, max(max(pair[:2]) for pair in values) * 1.1]
        )
        axes[place].plot(span, span, color=FAINT, linewidth=0.8)
        for factor in (1 - band, 1 + band):
            axes[place].plot(span, factor * span, color=FAINT, linewidth=0.8, linestyle=":")
        for setting in settings:
            points = np.array([pair[:2] for pair in values if pair[2] == setting])
            axes[place].plot(*points.T, "o", color=colours[setting], markersize=4, label=setting)
        axes[place].set(xscale="log", yscale="log", xlabel="measured, ms", ylabel="predicted, ms")
        for axis in (axes[place].xaxis, axes[place].yaxis):
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter("{x:g}")
        axes[place].tick_params(which="both", labelsize=7)
        axes[place].set_title(f"{title}: {name} (dotted: ± {band:.0%})", fontsize=10)
    axes[1].legend(frameon=False, fontsize=7)
    save(figure, path)
