"""A chat model on CTranslate2 that translates one sentence or two at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import ctranslate2
from tokenizers import Tokenizer

from tandem.services.text_translation.engine import IsCancelled, ModelSettings
from tandem.services.text_translation.languages import CHINESE, Direction
from tandem.services.text_translation.left_over import foreign_tokens
from tandem.services.text_translation.limits import token_limit
from tandem.services.text_translation.prompts import (
    END,
    Wanted,
    question,
    static_prompt,
    without_closing,
)
from tandem.services.text_translation.translate import Draft

#: Whether somebody still waits is asked every so many tokens: asking takes as long as half a token.
_ASK_EVERY = 8


class ChatModel:
    """Qwen2.5 and its kin (ChatML prompts), as a folder of CTranslate2 with a `tokenizer.json`."""

    def __init__(self, folder: Path, settings: ModelSettings) -> None:
        self._generator = ctranslate2.Generator(
            str(folder),
            device=settings.device,
            device_index=settings.device_index,
            compute_type=settings.compute_type,
            intra_threads=settings.threads,
        )
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._static = lru_cache(maxsize=None)(self._static_tokens)
        self._foreign = lru_cache(maxsize=None)(self._foreign_tokens)

    def translate(self, wanted: Sequence[Wanted], is_cancelled: IsCancelled) -> list[Draft]:
        """The drafts, in order.

        Sentences of one direction run as one batch; a batch with both directions runs as two, for each has a
        prompt of its own.

        Args:
            wanted: sentences.
            is_cancelled: whether nobody waits for a sentence any more; its draft is then cut short.
        """
        groups: dict[tuple[Direction, int], list[int]] = {}
        for index, one in enumerate(wanted):
            groups.setdefault((one.direction, one.attempt), []).append(index)
        drafts: dict[int, Draft] = {}
        for (direction, attempt), members in groups.items():
            texts = [wanted[index].text for index in members]

            def gone(place: int, members: Sequence[int] = members) -> bool:
                return is_cancelled(members[place])

            found = self._run(texts, direction, attempt, gone)
            drafts.update(zip(members, found, strict=True))
        return [drafts[index] for index in range(len(wanted))]

    def _run(
        self, texts: Sequence[str], direction: Direction, attempt: int, gone: Callable[[int], bool]
    ) -> list[Draft]:
        asked = [self._tokens(question(_plain(text), direction, attempt)) for text in texts]
        limits = [token_limit(len(self._tokens(text))) for text in texts]

        def stop(step: Any) -> bool:
            return step.step % _ASK_EVERY == 0 and gone(step.batch_id)

        results = self._generator.generate_batch(
            asked,
            static_prompt=self._static(direction, attempt),
            cache_static_prompt=True,
            include_prompt_in_result=False,
            end_token=END,
            return_end_token=True,
            max_length=max(limits),
            beam_size=1,
            sampling_topk=1,
            suppress_sequences=self._banned(direction, attempt),
            callback=stop,
        )
        return [self._draft(one.sequences[0], limit) for one, limit in zip(results, limits, strict=True)]

    def _draft(self, tokens: Sequence[str], limit: int) -> Draft:
        ended = bool(tokens) and tokens[-1] == END
        kept = tokens[:-1] if ended else tokens
        cut = not ended or len(kept) > limit
        ids = (self._tokenizer.token_to_id(token) for token in kept[:limit])
        text = self._tokenizer.decode([index for index in ids if index is not None])
        return Draft(text=without_closing(text), cut=cut, tokens=min(len(kept), limit))

    def _tokens(self, text: str) -> list[str]:
        """CTranslate2 takes tokens by name; special ones in a caller's text are none (see `_plain`)."""
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        return [str(self._tokenizer.id_to_token(index)) for index in ids]

    def _static_tokens(self, direction: Direction, attempt: int) -> list[str]:
        return self._tokens(static_prompt(direction, attempt))

    def _banned(self, direction: Direction, attempt: int) -> list[list[str]] | None:
        """Tokens that a translation may not have.

        English never has Chinese characters. Chinese may quote English, so its words are banned only when the
        first try had left some over.
        """
        return self._foreign(direction) if direction.source == CHINESE or attempt else None

    def _foreign_tokens(self, direction: Direction) -> list[list[str]]:
        return [[token] for token in foreign_tokens(self._tokenizer, direction)]


def _plain(text: str) -> str:
    """The text without what the chat format would take for the end of a turn: `<|` gets a space."""
    return text.replace("<|", "< |")
