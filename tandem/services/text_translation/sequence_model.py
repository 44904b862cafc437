"""A translation model of an operator's own on CTranslate2, of those whose tokens name languages (NLLB)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import ctranslate2
from tokenizers import Tokenizer

from tandem.services.text_translation.engine import IsCancelled, ModelSettings
from tandem.services.text_translation.languages import CHINESE, ENGLISH
from tandem.services.text_translation.limits import token_limit
from tandem.services.text_translation.prompts import Wanted
from tandem.services.text_translation.translate import Draft

#: How families spell a language as a token: NLLB, M2M-100, mBART-50, MADLAD and OPUS's multilingual ones.
_SPELLINGS = (
    {CHINESE: "zho_Hans", ENGLISH: "eng_Latn"},
    {CHINESE: "__zh__", ENGLISH: "__en__"},
    {CHINESE: "zh_CN", ENGLISH: "en_XX"},
)
_END = "</s>"


class SequenceModel:
    """NLLB and its kin, as a folder of CTranslate2 with a `tokenizer.json`.

    Raises:
        ValueError: the tokenizer names Chinese and English in no way that is known.
    """

    def __init__(self, folder: Path, settings: ModelSettings) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._languages = _spelling(self._tokenizer)
        self._translator = ctranslate2.Translator(
            str(folder),
            device=settings.device,
            device_index=settings.device_index,
            compute_type=settings.compute_type,
            intra_threads=settings.threads,
        )

    def translate(self, wanted: Sequence[Wanted], is_cancelled: IsCancelled) -> list[Draft]:
        """The drafts, in order; both directions share a batch. A second try searches wider."""
        sources = [self._source(one) for one in wanted]
        limits = [token_limit(len(source)) for source in sources]

        def stop(step: ctranslate2.GenerationStepResult) -> bool:
            return bool(is_cancelled(step.batch_id))

        beams = 1 if not any(one.attempt for one in wanted) else 4
        results = self._translator.translate_batch(
            sources,
            target_prefix=[[self._languages[one.direction.target]] for one in wanted],
            beam_size=beams,
            max_decoding_length=max(limits) + 1,  # with the language
            return_end_token=True,
            callback=stop if beams == 1 else None,
        )
        return [self._draft(one.hypotheses[0], limit) for one, limit in zip(results, limits, strict=True)]

    def _source(self, wanted: Wanted) -> list[str]:
        """NLLB's order: the language, the text, the end."""
        tokens = self._tokenizer.encode(wanted.text, add_special_tokens=False).tokens
        return [self._languages[wanted.direction.source], *tokens, _END]

    def _draft(self, tokens: Sequence[str], limit: int) -> Draft:
        words = list(tokens[1:])  # without the language
        ended = bool(words) and words[-1] == _END
        kept = words[:-1] if ended else words
        cut = not ended or len(kept) > limit
        ids = (self._tokenizer.token_to_id(token) for token in kept[:limit])
        text = self._tokenizer.decode([index for index in ids if index is not None])
        return Draft(text=text.strip(), cut=cut, tokens=min(len(kept), limit))


def _spelling(tokenizer: Tokenizer) -> dict[str, str]:
    for spelling in _SPELLINGS:
        if all(tokenizer.token_to_id(name) is not None for name in spelling.values()):
            return spelling
    known = "; ".join(" and ".join(spelling.values()) for spelling in _SPELLINGS)
    raise ValueError(f"tokenizer.json has no tokens for Chinese and English; known are {known}")
