"""性别 and 民族: decided within closed lists by the recogniser's own scores, else left open.

A reader without the list reads 汉 as 漢, or 土 as 士. Here every entry of the list is scored against the time
steps, and an entry is chosen only if it stands out and each of its characters was among the likeliest.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from tandem.services.id_card.text.ctc import Glyph, Row
from tandem.services.id_card.text.nations import PRINTED_NATIONS, simplified

SEXES = ("男", "女")

_LEAST_SUPPORT = 0.05  # of every character, at its best time step
_STANDS_OUT = 0.8  # share of the entry among all entries of the list
_FLOOR = 1e-5  # probability of a class that is not among a time step's five likeliest

Steps = Sequence[dict[str, float]]


def decide_sex(row: Row) -> tuple[str, float]:
    """男 or 女 and its confidence; "" where neither was read or both were.

    Neither occurs in a label or in a nation's name, so that the whole row can be searched.
    """
    scores = {sex: max((step.get(sex, 0.0) for step in row.steps), default=0.0) for sex in SEXES}
    best = max(SEXES, key=scores.__getitem__)
    share = scores[best] / (sum(scores.values()) or 1.0)
    if scores[best] < _LEAST_SUPPORT or share < _STANDS_OUT:
        return "", 0.0
    return best, scores[best] * share


def decide_nation(glyphs: Sequence[Glyph], steps: Steps) -> tuple[str, float]:
    """The nation and its confidence; "" where none of the list stands out.

    Args:
        glyphs: what was read behind the label, in reading order.
        steps: the time steps behind the label: probability by character, "" is the blank.
    """
    read = "".join(simplified(glyph.character) for glyph in glyphs)
    if read in PRINTED_NATIONS:
        confidences = [
            glyph.confidence
            + sum(p for c, p in glyph.runners_up if simplified(c) == simplified(glyph.character))
            for glyph in glyphs
        ]
        return read, min(prod(confidences), 1.0)
    if not glyphs:
        return "", 0.0
    folded = [_folded(step) for step in steps]
    best_seen: dict[str, float] = {}
    for step in folded:
        for character, probability in step.items():
            best_seen[character] = max(best_seen.get(character, 0.0), probability)
    possible = [
        nation
        for nation in PRINTED_NATIONS
        if all(best_seen.get(character, 0.0) >= _LEAST_SUPPORT for character in nation)
    ]
    scores = {nation: likelihood(folded, nation) for nation in possible}
    if not any(scores.values()):
        return "", 0.0
    best = max(possible, key=scores.__getitem__)
    share = scores[best] / sum(scores.values())
    if share < _STANDS_OUT:
        return "", 0.0
    return best, share * prod(best_seen[character] for character in best)


def likelihood(steps: Steps, text: str) -> float:
    """The probability that the time steps spell `text`, over all alignments (CTC's forward variable).

    Source: Graves et al., "Connectionist temporal classification", 2006, equations 6 to 8.
    """
    states = ["", *(part for character in text for part in (character, ""))]
    alpha = [1.0] + [0.0] * (len(states) - 1)
    for step in steps:
        emitted = [step.get(state, _FLOOR) for state in states]
        before = alpha
        alpha = []
        for i, state in enumerate(states):
            arriving = before[i] + (before[i - 1] if i else 0.0)
            if i > 1 and state and state != states[i - 2]:
                arriving += before[i - 2]
            alpha.append(arriving * emitted[i])
    return sum(alpha[-2:])


def _folded(step: dict[str, float]) -> dict[str, float]:
    """The time step with each character's forms added up."""
    folded: dict[str, float] = {}
    for character, probability in step.items():
        form = simplified(character)
        folded[form] = min(folded.get(form, 0.0) + probability, 1.0)
    return folded
