"""The embedder as an ONNX graph with a batch of items, rows of an item and tokens of a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from export.text_embedder.blob import Embedder

INPUT, OUTPUT = "TOKENS", "EMBEDDINGS"
_OPSET, _IR = 17, 9
_BLOCK = 32
#: Added to the scores of filling before the softmax: e^-10000 is 0 in float32, and float16 still holds it.
_MASKED = -1e4


def build_graph(model: Embedder) -> onnx.ModelProto:
    """TOKENS (batch, rows, length) int32 → EMBEDDINGS (batch, rows, hidden) float32.

    The same computation as `reference.embeddings`. The word table stays in 8-bit integers with a scale for
    each 32 values, which is exactly what the file holds, in a quarter of float32's room.
    """
    graph = _Graph(model)
    graph.embed()
    state = graph.norm("summed", "emb.ln", "state0")
    for layer in range(model.shape.layers):
        state = graph.layer(state, layer)
    graph.pool(state)
    body = helper.make_graph(
        graph.nodes,
        "multilingual-e5-small",
        [helper.make_tensor_value_info(INPUT, TensorProto.INT32, ["batch", "rows", "length"])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", "rows", model.shape.hidden])],
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
        """TOKENS → `summed` (all rows, length, hidden), and the masks."""
        blocks = self.model.shape.hidden // _BLOCK
        self.nodes.append(helper.make_node("Shape", [INPUT], ["lengths"], start=2, end=3))
        self.constant("any", np.array([-1]))
        self.node("Concat", ["any", "lengths"], "rows_shape", axis=0)
        self.node("Reshape", [INPUT, "rows_shape"], "tokens")
        self.constant("pad", np.int32(self.model.vocabulary.pad))
        self.node("Equal", ["tokens", "pad"], "is_pad")
        self.node("Not", ["is_pad"], "is_word")
        self.node("Cast", ["is_word"], "mask", to=TensorProto.FLOAT)
        self.node("Sub", ["one", "mask"], "filling")
        self.constant("axes_of_scores", np.array([1, 2]))
        self.node("Unsqueeze", ["filling", "axes_of_scores"], "filling_of_scores")
        self.node("Mul", ["filling_of_scores", "masked"], "bias_of_scores")
        self._words(blocks)
        self.constant("positions", self.model.tensors["emb.pos"])
        self.constant("first", np.array([0]))
        self.node("Slice", ["positions", "first", "lengths"], "places")
        self.constant("type", self.model.tensors["emb.type"][0])
        self.node("Add", ["words", "places"], "words_in_place")
        self.node("Add", ["words_in_place", "type"], "summed")

    def _words(self, blocks: int) -> None:
        self.constant("word_values", self.model.word_values)
        self.constant("word_scales", self.model.word_scales)
        self.constant("in_blocks", np.array([0, 0, blocks, _BLOCK]))
        self.constant("a_scale_each", np.array([0, 0, blocks, 1]))
        self.node("Gather", ["word_values", "tokens"], "values8")
        self.node("Cast", ["values8"], "values32", to=TensorProto.FLOAT)
        self.node("Reshape", ["values32", "in_blocks"], "values")
        self.node("Gather", ["word_scales", "tokens"], "scales16")
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
        """The mean over the words, scaled to length 1, in the caller's rows again."""
        self.constant("last_axis", np.array([2]))
        self.constant("word_axis", np.array([1]))
        self.node("Unsqueeze", ["mask", "last_axis"], "mask_of_words")
        self.node("Mul", [state, "mask_of_words"], "words_only")
        self.node("ReduceSum", ["words_only", "word_axis"], "sums", keepdims=0)
        self.node("ReduceL2", ["sums"], "sizes", axes=[1], keepdims=1)
        self.constant("least", np.float32(1e-12))
        self.node("Max", ["sizes", "least"], "safe_sizes")
        self.node("Div", ["sums", "safe_sizes"], "units")
        self.nodes.append(helper.make_node("Shape", [INPUT], ["items_and_rows"], start=0, end=2))
        self.constant("width", np.array([self.model.shape.hidden]))
        self.node("Concat", ["items_and_rows", "width"], "output_shape", axis=0)
        self.node("Reshape", ["units", "output_shape"], OUTPUT)
