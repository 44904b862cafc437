"""A Qwen2 model in GGUF → CTranslate2's 8-bit format with a `tokenizer.json`, in a minute, without torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.converters import utils
from ctranslate2.specs import common_spec, transformer_spec
from gguf import GGUFReader
from gguf.quants import dequantize
from numpy.typing import NDArray
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from export.errors import ExportError

QUANTIZATION = "int8"
_ARCHITECTURE = "qwen2"
#: How Qwen2 cuts a text before it joins bytes to tokens (its `tokenizer.json`; GPT-4's, one digit at a time).
_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
#: GGUF's kinds of token that are no text: control, user-defined.
_SPECIAL_KINDS = (3, 4)
_ATTENTION = ("q", "k", "v")


def convert(source: Path, target: Path) -> None:
    """Write the model's files into the folder `target`, which must be there.

    Args:
        source: a GGUF file of a Qwen2 model, in any quantisation that the `gguf` package can undo.
        target: gets `model.bin`, `config.json`, `vocabulary.json` and `tokenizer.json`.

    Raises:
        ExportError: it is no GGUF file, or of another architecture.
    """
    try:
        reader = GGUFReader(str(source))
        found = _value(reader, "general.architecture")
    except (ValueError, KeyError, IndexError, OSError) as error:
        raise ExportError(f"{source.name} is no GGUF file: {error}") from error
    if found != _ARCHITECTURE:
        raise ExportError(f"{source.name} is a {found} model; only {_ARCHITECTURE} can be converted")
    spec = _spec(reader)
    spec.validate()
    spec.optimize(quantization=QUANTIZATION)
    spec.save(str(target))
    _tokenizer(reader).save(str(target / "tokenizer.json"))


def _value(reader: GGUFReader, key: str) -> Any:
    return reader.fields[key].contents()


def _spec(reader: GGUFReader) -> Any:
    """CTranslate2's description of the network, weights filled in."""
    spec = transformer_spec.TransformerDecoderModelSpec.from_config(
        _value(reader, "qwen2.block_count"),
        _value(reader, "qwen2.attention.head_count"),
        activation=common_spec.Activation.SWISH,
        pre_norm=True,
        ffn_glu=True,
        rms_norm=True,
        rotary_dim=0,
        rotary_interleave=False,
        rotary_base=_value(reader, "qwen2.rope.freq_base"),
        num_heads_kv=_value(reader, "qwen2.attention.head_count_kv"),
    )
    weight = _weights(reader)
    decoder = spec.decoder
    decoder.scale_embeddings = False
    decoder.embeddings.weight = weight("token_embd.weight")
    decoder.layer_norm.gamma = weight("output_norm.weight")
    tied = "output.weight" not in {tensor.name for tensor in reader.tensors}
    decoder.projection.weight = decoder.embeddings.weight if tied else weight("output.weight")
    for number, layer in enumerate(decoder.layer):
        _fill_layer(layer, f"blk.{number}", weight)
    _register_vocabulary(spec, reader, len(decoder.embeddings.weight))
    return spec


def _weights(reader: GGUFReader) -> Callable[[str], NDArray[np.float32]]:
    """Gives a tensor by name, in float32, rows first."""
    tensors = {tensor.name: tensor for tensor in reader.tensors}

    def weight(name: str) -> NDArray[np.float32]:
        tensor = tensors[name]
        values = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        return np.asarray(values.reshape([int(side) for side in reversed(tensor.shape)]))

    return weight


def _fill_layer(layer: Any, block: str, weight: Callable[[str], NDArray[np.float32]]) -> None:
    attention, feed = layer.self_attention, layer.ffn
    attention.layer_norm.gamma = weight(f"{block}.attn_norm.weight")
    feed.layer_norm.gamma = weight(f"{block}.ffn_norm.weight")
    parts = []
    for name in _ATTENTION:
        part = common_spec.LinearSpec()
        part.weight, part.bias = weight(f"{block}.attn_{name}.weight"), weight(f"{block}.attn_{name}.bias")
        parts.append(part)
    utils.fuse_linear(attention.linear[0], parts)
    attention.linear[1].weight = weight(f"{block}.attn_output.weight")
    feed.linear_0.weight = weight(f"{block}.ffn_gate.weight")
    feed.linear_0_noact.weight = weight(f"{block}.ffn_up.weight")
    feed.linear_1.weight = weight(f"{block}.ffn_down.weight")


def _register_vocabulary(spec: Any, reader: GGUFReader, rows: int) -> None:
    tokens = _tokens(reader)
    # The word table has more rows than there are tokens: every row needs a name.
    spec.register_vocabulary(tokens + [f"<unused_{row}>" for row in range(rows - len(tokens))])
    spec.config.bos_token = tokens[_value(reader, "tokenizer.ggml.bos_token_id")]
    spec.config.eos_token = tokens[_value(reader, "tokenizer.ggml.eos_token_id")]
    spec.config.unk_token = ""
    spec.config.layer_norm_epsilon = float(_value(reader, "qwen2.attention.layer_norm_rms_epsilon"))


def _tokens(reader: GGUFReader) -> list[str]:
    return list(_value(reader, "tokenizer.ggml.tokens"))


def _tokenizer(reader: GGUFReader) -> Tokenizer:
    """A byte-level BPE tokenizer with the file's vocabulary and merges."""
    tokens = _tokens(reader)
    merges = [tuple(merge.split(" ")) for merge in _value(reader, "tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    tokenizer.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(_PATTERN), "isolated")
    to_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, to_bytes])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(_special(tokens, list(_value(reader, "tokenizer.ggml.token_type"))))
    return tokenizer


def _special(tokens: Sequence[str], kinds: Sequence[int]) -> list[AddedToken]:
    pairs = zip(tokens, kinds, strict=True)
    names = [token for token, kind in pairs if kind in _SPECIAL_KINDS and token.startswith("<")]
    return [AddedToken(name, special=True, normalized=False) for name in names]
