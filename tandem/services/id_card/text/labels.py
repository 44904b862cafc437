"""Finds a row's printed label in what was read, though letters of it may be misread, cut off or missing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, takewhile
from statistics import fmean, median_low

from tandem.services.id_card.records import RowKind
from tandem.services.id_card.text.characters import DOTS
from tandem.services.id_card.text.completeness import places_mm
from tandem.services.id_card.text.ctc import Glyph, Row

# The number's label occurs in two forms. A sex row may be cut so that it begins with the nation's label.
LABELS: dict[RowKind, tuple[str, ...]] = {
    RowKind.NAME: ("姓名",),
    RowKind.SEX_NATION: ("性别",),
    RowKind.BIRTH: ("出生",),
    RowKind.ADDRESS: ("住址",),
    RowKind.NUMBER: ("公民身份号码", "公民身份证号码"),
    RowKind.AUTHORITY: ("签发机关",),
    RowKind.VALIDITY: ("有效期限",),
}
NATION_LABEL = "民族"
_OF_LABELS = frozenset(
    "".join((*(label for labels in LABELS.values() for label in labels), NATION_LABEL, "年月日"))
)

_RUNNER_UP_COST = 0.25  # of a label's character that was read as another but was among the likeliest
_CUT_COST = 0.5  # of a label's leading character that was not read: the row was cut too far right
_NO_GAP_COST = 0.75  # of a label's end without the gap that parts labels from values
_GAP = 1.3  # times the value's pitch; the letters of two-letter labels stand apart nearly as far
_MOST_DIRT = 3  # characters before a label: the row begins beside the card
_TOLERATED = 0.5  # errors a label's character: 姓名 with one, 有效期限 with two
_CERTAIN = 0.75  # cost up to which a label of another row is believed against the row's place
_SURE = 0.8  # and how sure, in the mean, its characters must be: of pale labels the recogniser makes others
#: Where a row's label ends at the latest, mm from the card's left edge. A value begins 1.5 mm further on.
_LABEL_ENDS_MM = {
    RowKind.NAME: 13.0,
    RowKind.SEX_NATION: 13.0,
    RowKind.BIRTH: 13.0,
    RowKind.ADDRESS: 13.0,
    RowKind.NUMBER: 26.0,
}


def label_length(glyphs: Sequence[Glyph], label: str) -> tuple[int, float]:
    """How many leading glyphs are `label`, and how badly they fit.

    Returns:
        Number of glyphs, 0 if the label is not there; its cost in errors (0 perfect, infinite if not there).
    """
    beginning = glyphs[: len(label) + 2]
    if "".join(glyph.character for glyph in beginning[: len(label)]) == label:
        return len(label), 0.0
    if not any(glyph.character in label for glyph in beginning):
        return 0, float("inf")  # soon said of most rows and labels
    costs = _prefix_costs(beginning, label)
    pitch = usual_pitch(glyphs[len(label) :]) or usual_pitch(glyphs)
    totals = [
        cost + (0.0 if length and _gap_before(glyphs, length, pitch) else _NO_GAP_COST)
        for length, cost in enumerate(costs)
    ]
    length = min(range(len(totals)), key=lambda i: (totals[i], -i))
    seen = any(glyph.character in label for glyph in glyphs[:length])
    if length and seen and totals[length] <= _TOLERATED * len(label):
        return length, totals[length]
    return 0, float("inf")


def value_of(row: Row) -> tuple[Glyph, ...]:
    """The row's glyphs behind its label; dots within that are specks."""
    letters = [i for i, glyph in enumerate(row.glyphs) if glyph.character not in DOTS]
    found = [label_length([row.glyphs[i] for i in letters], label) for label in LABELS[row.kind]]
    length, _ = min(found, key=lambda item: item[1])
    behind = letters[length - 1] + 1 if length else 0
    # A whole label is the label, though what stands before it could be one, too, misread.
    return row.glyphs[max(behind, _behind_dirt(row)) or _behind_remains(row) :]


def _behind_dirt(row: Row) -> int:
    """Where the row's whole label ends if it stands behind a few characters of what lies beside the card."""
    ends = [row.text.find(label, 0, len(label) + _MOST_DIRT) + len(label) for label in LABELS[row.kind]]
    return max(
        (end for end, label in zip(ends, LABELS[row.kind], strict=True) if end >= len(label)), default=0
    )


def _behind_remains(row: Row) -> int:
    """Where the value begins if before it, where the label is printed, characters of any label were read.

    A bright copier leaves of a label what the recogniser takes for another one's characters.
    """
    end = _LABEL_ENDS_MM.get(row.kind, 0.0)
    places = places_mm(row, row.glyphs)
    remains = takewhile(
        lambda i: places[i] < end and row.glyphs[i].character in _OF_LABELS | DOTS, range(len(places))
    )
    return sum(1 for _ in remains)


def kind_by_label(row: Row) -> RowKind:
    """What the row shows: what its place says, unless it has plainly another row's label."""
    if _cost(row, row.kind) < float("inf"):
        return row.kind
    cost, kind = min((_cost(row, kind, whole=True), kind) for kind in LABELS)
    length = max(len(label) for label in LABELS[kind])
    sure = fmean(glyph.confidence for glyph in row.glyphs[:length]) if row.glyphs else 0.0
    return kind if cost <= _CERTAIN and sure >= _SURE else row.kind


def has_label(row: Row) -> bool:
    """Whether the row begins with the label of its kind."""
    return _cost(row, row.kind) < float("inf")


def is_labelled(row: Row) -> bool:
    """Whether the row plainly begins with the whole label of its kind."""
    return _cost(row, row.kind, whole=True) <= _CERTAIN


def find_label(glyphs: Sequence[Glyph], label: str) -> tuple[int, int] | None:
    """Begin and end of the best place of a two-character `label` anywhere in `glyphs`; None if nowhere."""
    best: tuple[float, int, int] | None = None
    for begin in range(len(glyphs)):
        pair = glyphs[begin : begin + len(label)]
        cost = sum(_substitution(glyph, character) for glyph, character in zip(pair, label, strict=False))
        cost += len(label) - len(pair)
        if cost <= _TOLERATED * len(label) and (best is None or cost < best[0]):
            best = (cost, begin, begin + len(pair))
    return None if best is None else best[1:]


def usual_pitch(glyphs: Sequence[Glyph]) -> float:
    """Median distance of neighbouring centres (the lower of two), px; 0 for fewer than two glyphs."""
    distances = [right.centre - left.centre for left, right in pairwise(glyphs)]
    return median_low(distances) if distances else 0.0


def _cost(row: Row, kind: RowKind, *, whole: bool = False) -> float:
    """What the best label of a kind costs; if `whole`, of those read from end to end.

    The rest of a label (生) also begins the lines of addresses (生活区).
    """
    found = [(label, *label_length(row.glyphs, label)) for label in LABELS[kind]]
    costs = [cost for label, length, cost in found if length >= len(label) or not whole]
    return min(costs, default=float("inf"))


def _gap_before(glyphs: Sequence[Glyph], index: int, pitch: float) -> bool:
    if index >= len(glyphs):
        return True
    return glyphs[index].centre - glyphs[index - 1].centre >= _GAP * pitch


def _substitution(glyph: Glyph, character: str) -> float:
    if glyph.character == character:
        return 0.0
    return _RUNNER_UP_COST if glyph.support(character) > 0 else 1.0


def _prefix_costs(glyphs: Sequence[Glyph], label: str) -> list[float]:
    """Edit distance of `label` to each prefix of `glyphs`, from the empty one to the whole (Levenshtein)."""
    costs = [_CUT_COST * i for i in range(len(label) + 1)]
    whole = [costs[-1]]
    for glyph in glyphs:
        previous, costs = costs, [costs[0] + 1]
        for i, character in enumerate(label, start=1):
            skipped = costs[i - 1] + 1
            costs.append(min(previous[i - 1] + _substitution(glyph, character), previous[i] + 1, skipped))
        whole.append(costs[-1])
    return whole
