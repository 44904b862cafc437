"""An operator's own translation model: a small random network in the form of NLLB."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ctranslate2.specs import LayerSpec, TransformerSpec
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from tandem.services.text_translation.engine import ModelSettings
from tandem.services.text_translation.engines import load_engine, network_kind
from tandem.services.text_translation.languages import Direction
from tandem.services.text_translation.prompts import Wanted

HIDDEN, INNER = 16, 32
NLLB = ("zho_Hans", "eng_Latn")
WORDS = ["<unk>", "<s>", "</s>", "▁", *"abcdefgh你好天气", *NLLB]
ZH_EN, EN_ZH = Direction(source="zh", target="en"), Direction(source="en", target="zh")


def fill(spec: LayerSpec, random: np.random.Generator) -> None:
    """Random weights for every part of the network."""
    spec.encoder.embeddings[0].weight = random.normal(0, 1, (len(WORDS), HIDDEN)).astype(np.float32)
    spec.decoder.embeddings.weight = spec.encoder.embeddings[0].weight
    spec.decoder.projection.weight = spec.decoder.embeddings.weight

    def linear(part: LayerSpec, rows: int, columns: int) -> None:
        part.weight = random.normal(0, 0.4, (rows, columns)).astype(np.float32)
        part.bias = random.normal(0, 0.4, rows).astype(np.float32)

    def norm(part: LayerSpec) -> None:
        part.gamma, part.beta = np.ones(HIDDEN, np.float32), np.zeros(HIDDEN, np.float32)

    for stack in (spec.encoder, spec.decoder):
        norm(stack.layer_norm)
        for layer in stack.layer:
            norm(layer.self_attention.layer_norm)
            linear(layer.self_attention.linear[0], 3 * HIDDEN, HIDDEN)
            linear(layer.self_attention.linear[1], HIDDEN, HIDDEN)
            norm(layer.ffn.layer_norm)
            linear(layer.ffn.linear_0, INNER, HIDDEN)
            linear(layer.ffn.linear_1, HIDDEN, INNER)
            if stack is spec.decoder:
                norm(layer.attention.layer_norm)
                linear(layer.attention.linear[0], HIDDEN, HIDDEN)
                linear(layer.attention.linear[1], 2 * HIDDEN, HIDDEN)
                linear(layer.attention.linear[2], HIDDEN, HIDDEN)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    spec = TransformerSpec.from_config((1, 1), 2, pre_norm=True)
    fill(spec, np.random.default_rng(5))
    spec.register_source_vocabulary(WORDS)
    spec.register_target_vocabulary(WORDS)
    spec.config.add_source_bos, spec.config.add_source_eos = False, False
    spec.validate()
    spec.save(str(tmp_path))
    save_tokenizer(tmp_path, WORDS)
    return tmp_path


def save_tokenizer(folder: Path, words: list[str]) -> None:
    tokenizer = Tokenizer(models.Unigram([(word, -1.0) for word in words], unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(list(NLLB) if NLLB[0] in words else [])
    tokenizer.save(str(folder / "tokenizer.json"))


def test_both_directions_share_a_batch_and_get_what_they_get_alone(folder: Path) -> None:
    assert network_kind(folder / "model.bin") == "TransformerSpec"
    engine = load_engine(folder, ModelSettings(compute_type="float32", threads=1))
    wanted = [Wanted(text="你好", direction=ZH_EN), Wanted(text="abc", direction=EN_ZH)]
    together = engine.translate(wanted, lambda _place: False)
    alone = [engine.translate([one], lambda _place: False)[0] for one in wanted]
    assert together == alone
    assert all(not set(NLLB) & set(draft.text.split()) for draft in together)
    assert all(draft.cut or draft.tokens for draft in together)


def test_a_second_try_searches_wider(folder: Path) -> None:
    engine = load_engine(folder, ModelSettings(compute_type="float32", threads=1))
    (again,) = engine.translate([Wanted(text="你好", direction=ZH_EN, attempt=1)], lambda _place: False)
    assert again.text is not None


def test_a_tokenizer_without_the_languages_is_refused(folder: Path) -> None:
    save_tokenizer(folder, WORDS[:-2])
    with pytest.raises(ValueError, match="no tokens for Chinese and English; known are zho_Hans"):
        load_engine(folder, ModelSettings(threads=1))
