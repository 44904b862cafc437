"""The reliability diagram: accuracy against confidence, a panel a field."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tandem.evaluation.calibration import Bin, calibration_error, interval, read_fields, reliability
from tandem.evaluation.readings import PhotoReading

# Latin names beside the keys: plots need no Chinese font then.
LABELS = {
    "姓名": "name",
    "性别": "sex",
    "民族": "ethnic group",
    "出生": "date of birth",
    "住址": "address",
    "公民身份号码": "number",
    "签发机关": "authority",
    "有效期限": "validity",
}
_COLUMNS = 4
_INK, _FAINT, _ACCENT = "#222222", "#bbbbbb", "#1f6fb4"


def plot_calibration(readings: Sequence[PhotoReading], path: Path) -> None:
    """Write the diagram as a picture; its format is the path's ending.

    Each point is a range of confidences: its mean confidence, and the share of its fields that are as
    printed with the 95 % interval of that share; its area grows with their number.
    """
    import matplotlib as mpl  # noqa: PLC0415 - half a second, and only plots need it

    mpl.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415

    shown = [(name, read_fields(readings, name)) for name in LABELS]
    shown = [(name, fields) for name, fields in shown if fields]
    rows = -(-len(shown) // _COLUMNS)
    figure, axes = pyplot.subplots(
        rows, _COLUMNS, figsize=(3 * _COLUMNS, 3 * rows), sharex=True, sharey=True, squeeze=False
    )
    for axis in axes.flat[len(shown) :]:
        axis.set_visible(False)
    for axis, (name, fields) in zip(axes.flat, shown, strict=False):
        _panel(axis, reliability(fields))
        error = calibration_error(fields)
        axis.set_title(f"{LABELS[name]}: {len(fields)} read, ECE {error:.1%}", fontsize=9, color=_INK)
    figure.supxlabel("confidence", fontsize=10)
    figure.supylabel("share read as printed", fontsize=10)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _panel(axis: Any, bins: Sequence[Bin]) -> None:
    axis.plot([0, 1], [0, 1], color=_FAINT, linewidth=1, linestyle="--")
    total = sum(own.fields for own in bins)
    for own in bins:
        accuracy = own.right / own.fields
        low, high = interval(own.right, own.fields)
        axis.plot([own.confidence] * 2, [low, high], color=_ACCENT, linewidth=1, alpha=0.6)
        axis.scatter(own.confidence, accuracy, s=12 + 160 * own.fields / total, color=_ACCENT, zorder=3)
    axis.set_xlim(-0.03, 1.03)
    axis.set_ylim(-0.03, 1.03)
    axis.grid(color=_FAINT, linewidth=0.3)
    axis.tick_params(labelsize=8)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
