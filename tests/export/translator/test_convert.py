from __future__ import annotations

from pathlib import Path

import ctranslate2
import numpy as np
import pytest
from tokenizers import Tokenizer

from export.errors import ExportError
from export.translator import convert as module
from export.translator.convert import convert
from tandem.services.text_translation.engine import ModelSettings
from tandem.services.text_translation.engines import load_engine, network_kind
from tandem.services.text_translation.languages import Direction
from tandem.services.text_translation.prompts import Wanted
from tests.export.translator.small_gguf import SmallQwen, small_qwen, write_gguf

TEXT = "ab cab 你好"


@pytest.fixture(scope="module")
def model() -> SmallQwen:
    return small_qwen()


@pytest.fixture
def folder(model: SmallQwen, tmp_path: Path) -> Path:
    write_gguf(model, tmp_path / "model.gguf")
    target = tmp_path / "converted"
    target.mkdir()
    convert(tmp_path / "model.gguf", target)
    return target


def logits(folder: Path, tokens: list[str]) -> np.ndarray:  # type: ignore[type-arg]
    generator = ctranslate2.Generator(str(folder), device="cpu", compute_type="float32", intra_threads=1)
    return np.array(generator.forward_batch([tokens]))[0]


def test_the_tokenizer_is_the_files(folder: Path, model: SmallQwen) -> None:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    encoded = tokenizer.encode(f"<|im_start|>{TEXT}<|im_end|>", add_special_tokens=False)
    assert encoded.tokens[0] == "<|im_start|>"
    assert encoded.tokens[1] == "ab"  # joined by the only merge
    assert encoded.tokens[-1] == "<|im_end|>"
    assert encoded.ids == [model.tokens.index(token) for token in encoded.tokens]
    assert tokenizer.decode(encoded.ids) == TEXT


def test_the_network_computes_what_the_formulas_say(
    tmp_path: Path, model: SmallQwen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUANTIZATION", "float32")
    write_gguf(model, tmp_path / "model.gguf")
    convert(tmp_path / "model.gguf", tmp_path)
    for ids in ([70], [70, 5, 256, 3, 258, 11, 12]):
        found = logits(tmp_path, [model.tokens[index] for index in ids])
        expected = model.logits(ids)
        assert np.abs(found[:, : expected.shape[1]] - expected).max() < 2e-3 * np.abs(expected).max()


def test_eight_bits_stay_near(folder: Path, model: SmallQwen) -> None:
    ids = [70, 5, 256, 3, 258, 11, 12]
    found, expected = logits(folder, [model.tokens[i] for i in ids]), model.logits(ids)
    cosine = (found * expected).sum() / np.linalg.norm(found) / np.linalg.norm(expected)
    assert cosine > 0.99


@pytest.mark.parametrize("content", [b"", b"not a model at all", b"GGUF"])
def test_no_gguf_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.gguf").write_bytes(content)
    with pytest.raises(ExportError, match="no GGUF file"):
        convert(tmp_path / "model.gguf", tmp_path)


def test_another_architecture_is_refused(tmp_path: Path, model: SmallQwen) -> None:
    write_gguf(model, tmp_path / "model.gguf", architecture="llama")
    with pytest.raises(ExportError, match="llama model; only qwen2"):
        convert(tmp_path / "model.gguf", tmp_path)


def test_the_converted_model_is_served_two_at_a_time_and_stops_in_time(folder: Path) -> None:
    assert network_kind(folder / "model.bin") == "TransformerDecoderSpec"
    engine = load_engine(folder, ModelSettings(threads=1))
    wanted = [
        Wanted(text=TEXT, direction=Direction(source="zh", target="en")),
        Wanted(text="b" * 40, direction=Direction(source="en", target="zh")),
        Wanted(text="ab", direction=Direction(source="zh", target="en"), attempt=1),
    ]
    drafts = engine.translate(wanted, lambda _place: False)
    assert len(drafts) == 3
    assert engine.translate(wanted[:1], lambda _place: False) == drafts[:1]
    for draft in drafts:
        assert draft.cut or draft.tokens < 150
    stopped = engine.translate(wanted[1:2], lambda _place: True)
    assert stopped[0].tokens <= 8
    assert stopped[0].tokens < drafts[1].tokens


def test_what_is_no_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"can't be read.*export\.translator\.set_up"):
        network_kind(tmp_path / "model.bin")
    (tmp_path / "model.bin").write_bytes(b"\x06\0\0\0\xff\xffxx")
    with pytest.raises(ValueError, match="no model of CTranslate2"):
        network_kind(tmp_path / "model.bin")
