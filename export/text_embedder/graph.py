"""The embedder as an ONNX graph over lanes: rows of tokens that hold several texts side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from export.text_embedder.blob import Embedder
from tandem.services.text_keywords.lanes import MAX_TEXTS

TOKENS, SEGMENTS, POSITIONS, OUTPUT = "TOKENS", "SEGMENTS", "POSITIONS", "EMBEDDINGS"
INPUTS = (TOKENS, SEGMENTS, POSITIONS)
_OPSET, _IR = 17, 9
_BLOCK = 32
#: Added to the scores of filling before the softmax: e^-10000 is 0 in float32, and float16 still holds it.
_MASKED = -1e4


def build_graph(model: Embedder) -> onnx.ModelProto:
    """TOKENS, SEGMENTS, POSITIONS (batch, length) int32 → EMBEDDINGS (batch, `MAX_TEXTS`, hidden) float32.

    A lane holds several texts one behind the other. SEGMENTS says which token belongs to which, 1 to
    `MAX_TEXTS`, 0 = filling; POSITIONS counts each text's tokens from 0. Tokens see only those of their own
    text, so each text gets the unit vector that it would get alone (`reference.embeddings`); a place without
    a text gets zeros. The word table keeps the file's integers and scales, in a quarter of float32's room.
    """
    graph = _Graph(model)
    graph.embed()
    state = graph.norm("summed", "emb.ln", "state0")
    for layer in range(model.shape.layers):
        state = graph.layer(state, layer)
    graph.pool(state)
    shape_out = ["batch", MAX_TEXTS, model.shape.hidden]
    body = helper.make_graph(
        graph.nodes,
        "multilingual-e5-small",
        [helper.make_tensor_value_info(name, TensorProto.INT32, ["batch", "length"]) for name in INPUTS],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, shape_out)],
        graph.constants,
    )
    built = helper.make_model(body, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
    onnx.checker.check_model(built)
    return built


class _Graph:
    """Nodes and constants as they are added."""

    def __init__(self, model: Embedder) -> None:
        self.model = model
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        hidden, heads = model.shape.hidden, model.shape.heads
        self.constant("one", np.float32(1))
        self.constant("masked", np.float32(_MASKED))
        self.constant("half", np.float32(0.5))
        self.constant("root_half", np.float32(0.5**0.5))
        self.constant("scale", np.float32((hidden // heads) ** -0.5))
        self.constant("by_head", np.array([0, 0, heads, hidden // heads]))
        self.constant("flat", np.array([0, 0, hidden]))

    def constant(self, name: str, values: Any) -> str:
        kept: NDArray[Any] = np.ascontiguousarray(values).reshape(np.shape(values))
        self.constants.append(numpy_helper.from_array(kept, name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def embed(self) -> None:
        """The inputs → `summed` (batch, length, hidden), and `bias_of_scores` (batch, 1, length, length)."""
        self.constant("rows_axis", np.array([1]))
        self.constant("columns_axis", np.array([2]))
        self.node("Unsqueeze", [SEGMENTS, "rows_axis"], "segments_across")
        self.node("Unsqueeze", [SEGMENTS, "columns_axis"], "segments_down")
        self.node("Equal", ["segments_down", "segments_across"], "is_same_text")
        self.node("Not", ["is_same_text"], "is_other_text")
        self.node("Cast", ["is_other_text"], "other_text", to=TensorProto.FLOAT)
        self.node("Mul", ["other_text", "masked"], "bias")
        self.node("Unsqueeze", ["bias", "rows_axis"], "bias_of_scores")
        self._words(self.model.shape.hidden // _BLOCK)
        self.constant("places_table", self.model.tensors["emb.pos"])
        self.node("Gather", ["places_table", POSITIONS], "places")
        self.constant("type", self.model.tensors["emb.type"][0])
        self.node("Add", ["words", "places"], "words_in_place")
        self.node("Add", ["words_in_place", "type"], "summed")

    def _words(self, blocks: int) -> None:
        self.constant("word_values", self.model.word_values)
        self.constant("word_scales", self.model.word_scales)
        self.constant("in_blocks", np.array([0, 0, blocks, _BLOCK]))
        self.constant("a_scale_each", np.array([0, 0, blocks, 1]))
        self.node("Gather", ["word_values", TOKENS], "values8")
        self.node("Cast", ["values8"], "values32", to=TensorProto.FLOAT)
        self.node("Reshape", ["values32", "in_blocks"], "values")
        self.node("Gather", ["word_scales", TOKENS], "scales16")
        self.node("Cast", ["scales16"], "scales32", to=TensorProto.FLOAT)
        self.node("Reshape", ["scales32", "a_scale_each"], "scales")
        self.node("Mul", ["values", "scales"], "words_in_blocks")
        self.node("Reshape", ["words_in_blocks", "flat"], "words")

    def norm(self, state: str, weights: str, output: str) -> str:
        scale = self.constant(f"{output}_scale", self.model.tensors[f"{weights}.w"])
        bias = self.constant(f"{output}_bias", self.model.tensors[f"{weights}.b"])
        epsilon = self.model.epsilon
        return self.node("LayerNormalization", [state, scale, bias], output, axis=-1, epsilon=epsilon)

    def linear(self, state: str, weights: str, output: str) -> str:
        matrix = self.constant(f"{output}_matrix", self.model.tensors[f"{weights}.w"].T)
        bias = self.constant(f"{output}_bias", self.model.tensors[f"{weights}.b"])
        product = self.node("MatMul", [state, matrix], f"{output}_product")
        return self.node("Add", [product, bias], output)

    def layer(self, state: str, number: int) -> str:
        name, out = f"l{number}", f"layer{number}"
        attended = self.linear(self.attention(state, name, out), f"{name}.ao", f"{out}_attended")
        added = self.node("Add", [attended, state], f"{out}_added")
        middle = self.norm(added, f"{name}.aln", f"{out}_middle")
        inner = self.gelu(self.linear(middle, f"{name}.fi", f"{out}_inner"), out)
        outer = self.linear(inner, f"{name}.fo", f"{out}_outer")
        total = self.node("Add", [outer, middle], f"{out}_total")
        return self.norm(total, f"{name}.oln", f"state{number + 1}")

    def attention(self, state: str, name: str, out: str) -> str:
        turned = {}
        for part, order in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])):
            own = self.linear(state, f"{name}.{part}", f"{out}_{part}")
            heads = self.node("Reshape", [own, "by_head"], f"{own}_heads")
            turned[part] = self.node("Transpose", [heads], f"{own}_turned", perm=order)
        scores = self.node("MatMul", [turned["q"], turned["k"]], f"{out}_scores")
        scaled = self.node("Mul", [scores, "scale"], f"{out}_scaled")
        biased = self.node("Add", [scaled, "bias_of_scores"], f"{out}_biased")
        shares = self.node("Softmax", [biased], f"{out}_shares", axis=-1)
        mixed = self.node("MatMul", [shares, turned["v"]], f"{out}_mixed")
        back = self.node("Transpose", [mixed], f"{out}_back", perm=[0, 2, 1, 3])
        return self.node("Reshape", [back, "flat"], f"{out}_joined")

    def gelu(self, inner: str, out: str) -> str:
        """Gives x · ½ · (1 + erf(x / √2)), as ONNX Runtime recognises it and runs it as one operator."""
        divided = self.node("Mul", [inner, "root_half"], f"{out}_divided")
        curve = self.node("Erf", [divided], f"{out}_erf")
        lifted = self.node("Add", [curve, "one"], f"{out}_lifted")
        product = self.node("Mul", [inner, lifted], f"{out}_gated")
        return self.node("Mul", [product, "half"], f"{out}_gelu")

    def pool(self, state: str) -> None:
        """Each text's mean, scaled to length 1 (the scale of the sum is the same)."""
        numbers = np.arange(1, MAX_TEXTS + 1, dtype=np.int32).reshape(1, MAX_TEXTS, 1)
        self.constant("numbers", numbers)
        self.node("Equal", ["segments_across", "numbers"], "is_of_text")
        self.node("Cast", ["is_of_text"], "of_text", to=TensorProto.FLOAT)
        self.node("MatMul", ["of_text", state], "sums")
        self.node("ReduceL2", ["sums"], "sizes", axes=[2], keepdims=1)
        self.constant("least", np.float32(1e-12))
        self.node("Max", ["sizes", "least"], "safe_sizes")
        self.node("Div", ["sums", "safe_sizes"], OUTPUT)
