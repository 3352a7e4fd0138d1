"""Where a block is looked at: one layer and one position of one flow."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from flowviz.flow import BlockFlow, Flow
from flowviz.graph.types import BIAS_NAMES
from flowviz.inside.types import PartKey, PartKind
from flowviz.models.block import Block
from flowviz.models.parts import Norm
from flowviz.trace import BlockTrace


@dataclass(frozen=True, eq=False)
class Place:
    """One block at one position, with its weights, its trace and its flow gradient."""

    flow: Flow
    layer: int
    at: int

    @property
    def block(self) -> Block:
        """The block's weights."""
        return self.flow.model.blocks[self.layer]

    @property
    def trace(self) -> BlockTrace:
        """What the block did."""
        return self.flow.trace.blocks[self.layer]

    @property
    def gradient(self) -> BlockFlow:
        """The flow gradient in the block."""
        return self.flow.blocks[self.layer]

    @property
    def shares_norm(self) -> bool:
        """Whether attention and MLP stand side by side behind one norm (GPT-J, Phi)."""
        return self.block.parallel and self.block.mlp.norm is self.block.attention.norm

    def key(self, kind: PartKind, index: int = 0, source: int = 0) -> PartKey:
        """A part of this block."""
        return PartKey(kind, self.layer, index, source)

    def bias(self, name: str) -> PartKey:
        """A bias of this block by its name."""
        return self.key(PartKind.BIAS, BIAS_NAMES.index(name))

    def onto_stream(
        self, post: Norm, vectors: Float[Tensor, "... d_model"], scale: Tensor | None
    ) -> Float[Tensor, "... d_model"]:
        """What parts of a sublayer's output become in the stream, here."""
        return self.block.onto_stream(post, vectors, None if scale is None else scale[self.at])

    def attention_onto_stream(
        self, vectors: Float[Tensor, "... d_model"]
    ) -> Float[Tensor, "... d_model"]:
        """What parts of attention's output become in the stream, here."""
        return self.onto_stream(self.block.attention.post, vectors, self.trace.ln1_post_scale)

    def mlp_onto_stream(
        self, vectors: Float[Tensor, "... d_model"]
    ) -> Float[Tensor, "... d_model"]:
        """What parts of the MLP's output become in the stream, here."""
        return self.onto_stream(self.block.mlp.post, vectors, self.trace.ln2_post_scale)
