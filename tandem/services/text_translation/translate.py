"""The whole way of a text: decode, decide the direction, split, translate, check, once more, join."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tandem.media.text import decode_text
from tandem.services.text_translation.checks import KINDS, OF_ODD_LENGTH, faults
from tandem.services.text_translation.languages import CHINESE, Direction, has_words, read_direction
from tandem.services.text_translation.prompts import Wanted
from tandem.services.text_translation.sentences import Piece, clauses, join, split

#: About two pages, some hundred sentences: what a person waits for. Longer texts travel in parts.
MAX_CHARACTERS = 5000
NOTHING_TO_TRANSLATE = "nothing_to_translate"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What the network made of a sentence.

    Attributes:
        text: the translation.
        cut: whether it was stopped at the longest length allowed.
        tokens: how many the network wrote.
    """

    text: str
    cut: bool
    tokens: int = 0


@dataclass(frozen=True, kw_only=True)
class _Translated:
    """A draft and the kinds of fault that were found in it."""

    draft: Draft
    faults: tuple[str, ...]

    @property
    def badness(self) -> tuple[int, int]:
        """The fewer and lighter the faults, the smaller."""
        return len(self.faults), sum(len(KINDS) - KINDS.index(kind) for kind in self.faults)


#: Gives the drafts of the sentences, in order; asks the network for two at a time.
Ask = Callable[[Sequence[Wanted]], Iterator[Draft]]


def translate_bytes(data: bytes, options: bytes | None, ask: Ask) -> dict[str, Any]:
    """The result (`result.schema.json`) for a text as it was sent.

    Raises:
        InputError: the text or the options are not allowed; the message says what is.
    """
    text = decode_text(data, max_characters=MAX_CHARACTERS)
    return translate(text, read_direction(text, options), ask)


def translate(text: str, direction: Direction, ask: Ask) -> dict[str, Any]:
    """The result for a decoded text."""
    pieces = split(text, direction.source)
    sentences = [piece for piece in pieces if _is_wanted(piece, direction)]
    found = iter(_translated([piece.text for piece in sentences], direction, ask))
    translations: list[str] = []
    warnings: list[dict[str, Any]] = []
    if not sentences:
        warnings.append({"kind": NOTHING_TO_TRANSLATE, "start": 0, "end": len(text)})
    for piece in pieces:
        if not piece.is_sentence:
            continue
        if not _is_wanted(piece, direction):  # a number, a web address, a name: it stays as it is
            translations.append(piece.text)
            continue
        translated = next(found)
        translations.append(translated.draft.text)
        place = {"start": piece.start, "end": piece.start + len(piece.text)}
        warnings += [{"kind": kind, **place} for kind in translated.faults]
    return {
        "translation": join(pieces, translations, direction.target),
        "source": direction.source,
        "target": direction.target,
        "warnings": warnings,
    }


def _is_wanted(piece: Piece, direction: Direction) -> bool:
    return piece.is_sentence and has_words(piece.text, direction.source)


def _translated(texts: Sequence[str], direction: Direction, ask: Ask) -> list[_Translated]:
    """Each sentence's translation; a faulty one gets more tries, and the best stays.

    The longest are asked for first: a pair takes as long as its longer sentence, so sentences of like length
    should share one.
    The second try asks in another way. Where the network still answers instead of translating, or leaves half
    of the sentence out, the third gives it one clause after the other.
    """
    wanted = [Wanted(text=text, direction=direction) for text in texts]
    order = sorted(range(len(wanted)), key=lambda index: len(texts[index]), reverse=True)
    longest_first = [wanted[index] for index in order]
    first = dict(zip(order, _checked(longest_first, ask(longest_first)), strict=True))
    best = [first[index] for index in range(len(wanted))]
    faulty = [index for index, translated in enumerate(best) if translated.faults]
    again = [replace(wanted[index], attempt=1) for index in faulty]
    for index, second in zip(faulty, _checked(again, ask(again)), strict=True):
        best[index] = min(best[index], second, key=lambda one: one.badness)
    for index in faulty:
        if not OF_ODD_LENGTH.isdisjoint(best[index].faults):
            third = _by_clauses(wanted[index], ask)
            best[index] = min(best[index], third, key=lambda one: one.badness)
    return best


def _by_clauses(wanted: Wanted, ask: Ask) -> _Translated:
    """The sentence's translation, put together from its clauses'."""
    parts = clauses(wanted.text)
    drafts = list(ask([replace(wanted, text=part) for part in parts])) if len(parts) > 1 else []
    whole = Draft(
        text=("" if wanted.direction.target == CHINESE else " ").join(draft.text for draft in drafts),
        cut=any(draft.cut for draft in drafts),
        tokens=sum(draft.tokens for draft in drafts),
    )
    return next(_checked([wanted], [whole]))


def _checked(wanted: Iterable[Wanted], drafts: Iterable[Draft]) -> Iterator[_Translated]:
    for one, draft in zip(wanted, drafts, strict=True):
        yield _Translated(draft=draft, faults=faults(one.text, draft.text, one.direction, cut=draft.cut))
