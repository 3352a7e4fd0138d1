"""A pass up to one attention, with everything frozen that is not linear.

What a head compares is read from the stream, and the stream is a sum of what was written into it.
On the way stand norms alone, whose scales are frozen at the values of this pass, so that a query
(and a key) is a sum of parts, whatever the order of norms and sums in the family:

    q_i = Σ_c J_c(i) c(i)

with c over the embeddings, the heads, the neurons and the biases that were added at position i; in
a decoder also over what its cross attentions wrote. The pass is run once, cut at what was written
(`Leaf`); J comes by going backwards from q through what is left: sums, frozen norms and the
projection. Nothing of one position reaches another that way, so that one step backwards serves all
positions at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from flowviz.attention.kinds import Part
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.read import Text, inputs
from flowviz.encoders.record import Call, recording
from flowviz.encoders.run import part_of
from flowviz.models.kind import ModelKind

POSITIONS = "PositionalEmbedding"  # what modules are called that write fixed positions


class Wrote(StrEnum):
    """What wrote into the stream."""

    TOKENS = "tokens"  # the embedding of tokens
    POSITIONS = "positions"  # that of positions
    SENTENCES = "sentences"  # that of which sentence a token is of
    HEADS = "heads"
    ACROSS = "across"  # all heads of a cross attention, in a decoder
    NEURONS = "neurons"
    NORM = "norm"  # the bias of a norm, or of a projection of the embeddings
    PROJECTION = "projection"  # that of W_Q, or of W_K


@dataclass(frozen=True, eq=False)
class Leaf:
    """What one sublayer wrote, at every position.

    Args:
        layer: its block; of embeddings 0.
        cut: what it wrote, as the graph holds it.
        inside: of heads what they mix, [pos, head * d_head]; of neurons what they are; else None.
        out: the matrix that reads `inside`; its bias is part of what was written.
    """

    wrote: Wrote
    layer: int
    cut: Tensor
    inside: Float[Tensor, "pos inside"] | None = None
    out: nn.Linear | None = None

    @property
    def values(self) -> Float[Tensor, "pos width"]:
        """What it wrote; an embedding may be narrower than the stream."""
        return self.cut.detach().flatten(0, -2)


@dataclass(eq=False)
class Frozen:
    """The pass up to one attention: what was written, and what is compared there."""

    leaves: list[Leaf] = field(default_factory=list)
    call: Call | None = None


class _Reached(Exception):
    """The attention that was asked for has been computed."""


def frozen_pass(model: LoadedEncoder, text: Text, part: Part, layer: int) -> Frozen:
    """Runs the model up to the attention of a layer; the graph behind q and k is kept.

    Gradients must be on.
    """
    found, cutting = Frozen(), _Cutting(model, part)

    def sink(call: Call) -> None:
        computed = cutting.part_of(call.module)
        if computed is part and cutting.counts[part] == layer:
            found.call = call
            raise _Reached
        cutting.counts[computed] += 1

    with model.lock, cutting.cut(found.leaves):
        try:
            with recording(sink):
                cutting.module(**cutting.given(text))
        except _Reached:
            pass
    return found


Hook = Callable[[nn.Module, tuple[Any, ...], Any], Any]
Layer = Callable[[], int]  # which block a pass has come to


class _Cutting:
    """How far a pass has come, and where it is cut.

    Of an encoder's own attention the encoder alone is run.
    """

    def __init__(self, model: LoadedEncoder, part: Part) -> None:
        self.model, self.counts = model, Counter[Part]()
        alone = model.kind is ModelKind.BOTH and part is Part.ENCODER
        self.module = model.weights.get_encoder() if alone else model.weights
        self._kind = ModelKind.ENCODER if alone else model.kind
        self._names = {inner: name for name, inner in self.module.named_modules()}

    def given(self, text: Text) -> dict[str, Any]:
        """What the module takes."""
        whole = inputs(self.model, text)
        if self._kind is ModelKind.BOTH:
            return {**whole, "use_cache": False}
        return {name: value for name, value in whole.items() if "decoder" not in name}

    def part_of(self, module: nn.Module) -> Part:
        """Which attention a module computes."""
        return part_of(self._names[module], self._kind)

    def side_of(self, module: nn.Module) -> Part:
        """Whose stream a module works on."""
        return Part.ENCODER if self.part_of(module) is Part.ENCODER else Part.DECODER

    @contextmanager
    def cut(self, leaves: list[Leaf]) -> Iterator[None]:
        """While it lasts, what is written is cut off from what it was made of, and norms are
        frozen."""
        handles = [
            inner.register_forward_hook(hook)
            for name, inner in self.module.named_modules()
            if (hook := self._hook(name, inner, leaves)) is not None
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _hook(self, name: str, inner: nn.Module, leaves: list[Leaf]) -> Hook | None:
        model, side = self.model, self.side_of(inner)
        written = {
            output: part
            for part, layers in zip(model.parts, model.outputs, strict=True)
            for output in layers
        }
        if isinstance(inner, nn.Embedding) or type(inner).__name__.endswith(POSITIONS):
            rows = model.weights.get_input_embeddings().num_embeddings
            return _embedding(name, getattr(inner, "num_embeddings", 0) == rows, leaves)
        if isinstance(inner, nn.Linear) and inner in written:
            across = written[inner] is Part.CROSS
            wrote = Wrote.ACROSS if across else Wrote.HEADS
            return _written(wrote, lambda: self.counts[written[inner]] - 1, leaves)
        if isinstance(inner, nn.Linear) and _leaves_mlp(inner, model.shape_of(side).d_model):
            return _written(Wrote.NEURONS, lambda: self.counts[side] - 1, leaves)
        if isinstance(inner, nn.Linear) and inner.bias is not None:
            return _projected(lambda: self.counts[side], leaves)
        return _frozen_norm(lambda: self.counts[side] - 1, leaves) if is_norm(inner) else None


def _leaves_mlp(linear: nn.Linear, width: int) -> bool:
    return linear.out_features == width != linear.in_features


def is_norm(module: nn.Module) -> bool:
    """Whether it is a LayerNorm or an RMSNorm, of torch or of a family's own."""
    return isinstance(module, nn.LayerNorm) or type(module).__name__.endswith(
        ("LayerNorm", "RMSNorm")
    )


def _embedding(name: str, of_tokens: bool, leaves: list[Leaf]) -> Hook:
    last = name.rpartition(".")[2].lower()
    wrote = Wrote.TOKENS if of_tokens else Wrote.SENTENCES if "type" in last else Wrote.POSITIONS

    def hook(_module: nn.Module, _given: tuple[Any, ...], output: Tensor) -> Tensor:
        leaf = output.detach().requires_grad_()
        leaves.append(Leaf(wrote, 0, leaf))
        return leaf

    return hook


def _written(wrote: Wrote, at: Layer, leaves: list[Leaf]) -> Hook:
    def hook(module: Any, given: tuple[Any, ...], output: Tensor) -> Tensor | None:
        layer = at()
        if layer < 0:  # a projection between the embeddings and the first block
            bias = module.bias
            return None if bias is None else _with_bias(Wrote.NORM, bias, output, 0, leaves)
        leaf = output.detach().requires_grad_()
        inside = given[0].detach()
        leaves.append(Leaf(wrote, layer, leaf, inside.reshape(inside.shape[-2:]), module))
        return leaf

    return hook


def _frozen_norm(at: Layer, leaves: list[Leaf]) -> Hook:
    def hook(module: nn.Module, given: tuple[Any, ...], output: Tensor) -> Tensor:
        x, bias = given[0], getattr(module, "bias", None)
        made = _normed(module, x)
        if bias is None:
            return made
        return _with_bias(Wrote.NORM, bias, made + bias, max(at(), 0), leaves)

    return hook


def _projected(at: Layer, leaves: list[Leaf]) -> Hook:
    def hook(module: Any, _given: tuple[Any, ...], output: Tensor) -> Tensor:
        return _with_bias(Wrote.PROJECTION, module.bias, output, at(), leaves)

    return hook


def _with_bias(
    wrote: Wrote, bias: Tensor, output: Tensor, layer: int, leaves: list[Leaf]
) -> Tensor:
    """The same output, its bias a leaf of its own."""
    leaf = bias.detach().expand_as(output).clone().requires_grad_()
    leaves.append(Leaf(wrote, layer, leaf))
    return output - bias + leaf


def _normed(module: Any, x: Tensor) -> Tensor:
    """A norm without its bias, its scale frozen."""
    eps = next((e for n in ("eps", "variance_epsilon") if (e := getattr(module, n, None))), 1e-6)
    if isinstance(module, nn.LayerNorm):
        x = x - x.mean(-1, keepdim=True)
    scale = (x.detach().pow(2).mean(-1, keepdim=True) + eps).rsqrt()
    weight = getattr(module, "weight", None)
    return x * scale if weight is None else x * scale * weight
