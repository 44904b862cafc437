"""The planner's pictures: latency over rate for each batch size, and the map of the best size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tandem.batching.exact.single import greedy_mean_s
from tandem.batching.outcome import MAX_LOAD, Outcome
from tandem.batching.rules import Rule
from tandem.batching.service_time import ServiceTime

# Axis of the map: load of single items, rate x s(1); at 1 a server without batches is full.
MAP_LOADS = np.linspace(0.05, 1.6, 26)
MAP_RATIOS = np.logspace(-1, 1, 17)  # alpha / beta
MAP_SIZES = (1, 2, 3, 4, 6, 8, 12, 16)
# Two is called as good as the best within this regret.
GOOD_ENOUGH = 0.01
RATES = 16
# Curves end where latency has left every useful scale.
CURVE_END = 0.97
INK, FAINT = "#222222", "#999999"


def best_size_map(
    ratios: NDArray[np.float64] = MAP_RATIOS,
    loads: NDArray[np.float64] = MAP_LOADS,
    sizes: Sequence[int] = MAP_SIZES,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The size with the least mean latency, and what two costs against it; greedy, one instance, exact.

    Args:
        ratios: `(r,)` alpha / beta.
        loads: `(l,)` rate × s(1).
        sizes: sizes to choose from; 2 among them.

    Returns:
        `(r, l)` best sizes, 0 where none is stable; `(r, l)` regret of two, infinity where two is unstable.
    """
    best = np.zeros((len(ratios), len(loads)), np.int64)
    regret = np.full(best.shape, np.inf)
    for row, ratio in enumerate(ratios):
        service = ServiceTime.linear(ratio / (1 + ratio), 1 / (1 + ratio), max(sizes))
        for column, load in enumerate(loads):
            means = {
                size: greedy_mean_s(service, load, size)
                for size in sizes
                if load < MAX_LOAD * service.capacity_per_s(size, 1)
            }
            if means:
                least = min(means.values())
                # Larger sizes tie at light load: the smallest within a ten-thousandth is the answer.
                best[row, column] = min(size for size, mean in means.items() if mean <= least * 1.0001)
                regret[row, column] = means[2] / least - 1 if 2 in means else np.inf
    return best, regret


def draw_plan(
    path: Path,
    figures: Callable[[Rule, float], Outcome],
    rules: Sequence[Rule],
    *,
    rate_per_s: float,
    title: str,
    ratios: NDArray[np.float64] = MAP_RATIOS,
    loads: NDArray[np.float64] = MAP_LOADS,
) -> None:
    """Draw latency over rate for each rule, beside the map of the best size.

    Args:
        path: PNG to write.
        figures: a rule's figures at a rate.
        rules: one curve each.
        rate_per_s: the rate that was asked for, marked.
        title: of the left half.
        ratios: rows of the map.
        loads: columns of the map.
    """
    figure, (left, right) = new_figure(1, 2, width=11)
    draw_latency(left, figures, rules, rate_per_s=rate_per_s, title=title)
    draw_map(right, ratios, loads)
    save(figure, path)


def draw_latency(
    axes: Any,
    figures: Callable[[Rule, float], Outcome],
    rules: Sequence[Rule],
    *,
    rate_per_s: float,
    title: str,
) -> None:
    """Mean (line) and p95 (dashes) over rate, a colour a rule, each up to near its capacity."""
    colours = palette(len(rules))
    tallest = 0.0
    for rule, colour in zip(rules, colours, strict=True):
        capacity = figures(rule, rate_per_s).capacity_per_s
        rates = np.linspace(0.02, CURVE_END, RATES) * capacity
        outcomes = [figures(rule, float(rate)) for rate in rates]
        axes.plot(rates, [1e3 * o.mean_s for o in outcomes], color=colour, label=f"M = {rule.max_batch}")
        axes.plot(rates, [1e3 * o.p95_s for o in outcomes], color=colour, linestyle="--", linewidth=0.8)
        tallest = max(tallest, 1e3 * outcomes[len(outcomes) * 4 // 5].p95_s)
    axes.axvline(rate_per_s, color=FAINT, linewidth=0.8)
    axes.annotate("asked", (rate_per_s, 0.97), xycoords=("data", "axes fraction"), color=FAINT, fontsize=8)
    axes.set(xlabel="arrivals, items a second", ylabel="latency, ms", ylim=(0, 1.5 * tallest), xlim=(0, None))
    axes.set_title(f"{title}\nmean (line), p95 (dashes)", fontsize=10)
    axes.legend(frameon=False, fontsize=8)


def draw_map(
    axes: Any, ratios: NDArray[np.float64] = MAP_RATIOS, loads: NDArray[np.float64] = MAP_LOADS
) -> None:
    """The best size over load and alpha/beta; where two is within `GOOD_ENOUGH` of it is framed."""
    from matplotlib.colors import BoundaryNorm, ListedColormap  # noqa: PLC0415 - slow to import

    best, regret = best_size_map(ratios, loads)
    shades = ListedColormap(["white", *palette(len(MAP_SIZES))])
    index = np.searchsorted([0, *MAP_SIZES], best)
    mesh = axes.pcolormesh(
        loads,
        ratios,
        index,
        cmap=shades,
        norm=BoundaryNorm(np.arange(len(MAP_SIZES) + 2) - 0.5, shades.N),
    )
    good = np.where(np.isfinite(regret), regret, 10.0)
    axes.contour(loads, ratios, good, levels=[GOOD_ENOUGH], colors=INK, linewidths=1.5)
    ratio = np.asarray(ratios)
    axes.plot(2 * (1 + ratio) / (ratio + 2), ratio, color="white", linestyle="--")
    axes.text(0.08, 0.12, "between the black lines two is\nwithin 1 % of the best", fontsize=8, color="white")
    axes.set(
        yscale="log", xlabel="load of single items, rate x s(1)", ylabel="alpha / beta", xlim=(0.05, 1.6)
    )
    axes.set_title("best batch size (greedy, one instance)\nwhite dashes: two is full", fontsize=10)
    bar = axes.figure.colorbar(mesh, ax=axes, ticks=np.arange(len(MAP_SIZES) + 1))
    bar.ax.set_yticklabels(["none", *map(str, MAP_SIZES)])


def palette(count: int) -> list[Any]:
    """`count` colours that can be told apart, also in grey."""
    from matplotlib import colormaps  # noqa: PLC0415 - slow to import

    return [colormaps["viridis"](share) for share in np.linspace(0.05, 0.92, count)]


def new_figure(rows: int, columns: int, *, width: float) -> tuple[Any, Any]:
    """A figure without a window, and its axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(width, 4.2 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns)


def save(figure: Any, path: Path) -> None:
    """Write the PNG, small."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
