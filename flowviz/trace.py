"""One pass of one model on one prompt, recorded: everything that the flow is computed from.

TransformerLens hooks record the residual stream, the attention patterns, values and outputs of
the heads and the activations of the neurons; the norms' scales follow from the states. What
experts do is computed again from what their router read. A trace of T tokens holds about

    T * layers * (3 d_model + d_kv + 2 d_mlp + heads * T) + T * (4 d_model + d_vocab)

floats, so that its size is known before it is made (`trace_bytes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.graph.types import STATES, NodeKind
from flowviz.interventions.changes import Affine, Changes
from flowviz.interventions.hooks import hooks_of
from flowviz.models.block import Block, Firing, Mlp
from flowviz.models.loaded import LoadedModel
from flowviz.models.parts import exact

INNER = frozenset(
    {"pattern", "v", "z", "pre", "linear", "post", "cos", "sin", "ln1_post_scale",
     "ln2_post_scale"}
)  # fmt: skip
STREAM = frozenset(
    {"embed", "pos_embed", "resid_pre", "resid_mid", "mlp_in", "resid_final", "logits"}
)


@dataclass(frozen=True, eq=False)
class BlockTrace:
    """What one block did.

    Args:
        resid_mid: the state between attention and MLP; None where they stand side by side.
        ln1_scale, ln2_scale: of the norms that attention and MLP read the stream through.
        ln1_post_scale, ln2_post_scale: of the norms behind them, where there are some.
        gate: the frozen factor of each neuron: act(z)/z, or act(g) for a gated MLP.
        post: each neuron's output.
        router: the weight of each expert, where there are some.
        cos, sin: what queries and keys are rotated by, as the model laid it out; None where they
            are not, or where the block holds it itself.
        set_z, set_post: as much of z and post as an intervention put in; None where it did not.
        mid, after: how interventions changed the state between and the one behind the block.
        bias_factors: by name, what interventions multiply a written bias with.
    """

    resid_pre: Float[Tensor, "pos d_model"]
    resid_mid: Float[Tensor, "pos d_model"] | None
    ln1_scale: Float[Tensor, "pos 1"]
    ln2_scale: Float[Tensor, "pos 1"]
    ln1_post_scale: Float[Tensor, "pos 1"] | None
    ln2_post_scale: Float[Tensor, "pos 1"] | None
    pattern: Float[Tensor, "head pos pos"]
    v: Float[Tensor, "pos kv_head d_head"]
    z: Float[Tensor, "pos head d_head"]
    gate: Float[Tensor, "pos d_mlp"]
    post: Float[Tensor, "pos d_mlp"]
    router: Float[Tensor, "pos expert"] | None = None
    cos: Float[Tensor, "pos d_rotary"] | None = None
    sin: Float[Tensor, "pos d_rotary"] | None = None
    set_z: Float[Tensor, "pos head d_head"] | None = None
    set_post: Float[Tensor, "pos d_mlp"] | None = None
    mid: Affine | None = None
    after: Affine | None = None
    bias_factors: Mapping[str, Float[Tensor, "pos 1"]] = field(default_factory=dict)

    def factor(self, bias: str) -> Tensor | float:
        """What a written bias is multiplied with: at each position [pos 1], or at all."""
        found = self.bias_factors.get(bias)
        return 1.0 if found is None else found

    @property
    def mlp_state(self) -> Float[Tensor, "pos d_model"]:
        """The state that the MLP reads."""
        return self.resid_pre if self.resid_mid is None else self.resid_mid


@dataclass(frozen=True, eq=False)
class Trace:
    """Everything recorded of one pass, in float32 or better.

    Args:
        embed: the token embeddings as they enter the first block, without a norm's bias.
        logits: what the unembedding gave, with every linear scale, before a soft cap.
        head_error: the model's own output against these logits, capped; relative.
        first: how interventions changed the state in front of the first block.
        changes: the interventions; None in a clean pass.
    """

    ids: tuple[int, ...]
    blocks: tuple[BlockTrace, ...]
    embed: Float[Tensor, "pos d_model"]
    pos_embed: Float[Tensor, "pos d_model"] | None
    resid_final: Float[Tensor, "pos d_model"]
    final_scale: Float[Tensor, "pos 1"]
    logits: Float[Tensor, "pos d_vocab"]
    head_error: float
    first: Affine | None = None
    changes: Changes | None = None

    @property
    def changes_states(self) -> bool:
        """Whether an intervention changed a hidden state."""
        return self.changes is not None and any(kind in STATES for kind, _ in self.changes.vectors)

    def resid_post(self, layer: int) -> Float[Tensor, "pos d_model"]:
        """The residual stream after a block."""
        last = layer + 1 == len(self.blocks)
        return self.resid_final if last else self.blocks[layer + 1].resid_pre

    @property
    def bytes(self) -> int:
        """The memory that it holds."""
        parts = [part for block in self.blocks for part in vars(block).values()]
        held = [part for part in (*parts, *vars(self).values()) if isinstance(part, Tensor)]
        return sum(part.numel() * part.element_size() for part in held)


@runtime_checkable
class Pass(Protocol):
    """A recorded pass up to a position: what components wrote in it needs no target."""

    @property
    def model(self) -> LoadedModel:
        """The model that was run."""
        ...

    @property
    def trace(self) -> Trace:
        """What was recorded."""
        ...

    @property
    def positions(self) -> int:
        """How many of its positions count."""
        ...


def trace_bytes(model: LoadedModel, tokens: int) -> int:
    """The memory that a trace of so many tokens takes in float32."""
    shape, attention = model.shape, model.blocks[0].attention
    kv, heads = (n * attention.d_head for n in (attention.value_heads, attention.heads))
    states = 1 if shape.parallel else 2
    per_layer = states * shape.d_model + heads + kv + 2 * shape.neurons + shape.heads * tokens + 4
    if any(part == "cos" for part, _ in model.hooks.values()):
        per_layer += 2 * attention.d_head
    return 4 * tokens * (shape.layers * per_layer + 4 * shape.d_model + shape.vocabulary)


def record(model: LoadedModel, ids: list[int], changes: Changes | None = None) -> Trace:
    """Runs the model once on these ids and records the pass.

    Args:
        changes: what interventions change in it. What the heads and neurons of a block give is
            recorded before its change, and then changed alike; states are recorded behind it.
    """
    parts: dict[tuple[str, int], Tensor] = {}

    def keep(place: tuple[str, int]) -> Any:
        def hook(value: Tensor, hook: Any = None) -> Tensor:
            parts[place] = _kept(value, model.device)
            return value

        return hook

    def kept(names: frozenset[str]) -> list[tuple[str, Any]]:
        return [(name, keep(place)) for name, place in model.hooks.items() if place[0] in names]

    hooks = [*kept(INNER), *(hooks_of(changes) if changes else ()), *kept(STREAM)]
    tokens = torch.tensor([ids], device=model.device)
    with model.lock, torch.inference_mode():
        output = model.bridge.run_with_hooks(tokens, fwd_hooks=hooks, prepend_bos=False)
        model.forget_pass()
        logits = parts["logits", -1]
        logits = logits if model.logit_scale == 1 else logits * model.logit_scale
        blocks = [_block(parts, layer, block) for layer, block in enumerate(model.blocks)]
        if changes is not None:
            blocks = [_changed(block, layer, changes) for layer, block in enumerate(blocks)]
        return Trace(
            ids=tuple(ids),
            blocks=tuple(blocks),
            embed=_embed(model, parts["embed", -1]),
            pos_embed=parts.get(("pos_embed", -1)),
            resid_final=parts["resid_final", -1],
            final_scale=model.ln_final.scale_of(parts["resid_final", -1]),
            logits=logits,
            head_error=_head_error(model, logits, output[0]),
            first=None if changes is None else changes.vectors.get((NodeKind.RESID_PRE, 0)),
            changes=changes,
        )


def _changed(part: BlockTrace, layer: int, changes: Changes) -> BlockTrace:
    """What a block did, with its heads and neurons as they were changed."""
    if layer in changes.heads:
        part = replace(
            part,
            pattern=changes.pattern(layer, part.pattern),
            z=changes.z(layer, part.z),
            set_z=changes.add_z[layer],
        )
    if layer in changes.neurons:
        gate = part.gate * changes.neurons[layer].to(part.gate)
        set_post = changes.add_post[layer]
        part = replace(part, gate=gate, post=changes.post(layer, part.post), set_post=set_post)
    last = layer + 1 == len(changes.model.blocks)
    behind = (NodeKind.RESID_FINAL if last else NodeKind.RESID_PRE, layer + 1)
    mid = changes.vectors.get((NodeKind.RESID_MID, layer))
    factors = {name: factor for (name, where), factor in changes.biases.items() if where == layer}
    return replace(part, mid=mid, after=changes.vectors.get(behind), bias_factors=factors)


def _kept(value: Tensor, device: torch.device) -> Tensor:
    value = value.detach()
    value = value[0] if value.dim() > 2 else value  # some hooks stand where positions are rows
    return (value if value.dtype == torch.float64 else value.float()).to(device)


def _embed(model: LoadedModel, embed: Tensor) -> Tensor:
    return embed if model.embed_bias is None else embed - exact(model.embed_bias, embed)


def _head_error(model: LoadedModel, logits: Tensor, output: Tensor) -> float:
    """In pieces, because all at once would take the memory of the logits three times."""
    pieces = zip(logits.split(64), output.split(64), strict=True)
    errors = [(model.capped(ours) - own.to(ours)).abs().max() for ours, own in pieces]
    return float(torch.stack(errors).max() / logits.abs().max())


def _block(parts: dict[tuple[str, int], Tensor], layer: int, block: Block) -> BlockTrace:
    def part(name: str) -> Tensor | None:
        return parts.pop((name, layer), None)

    def part_or_nothing(name: str, *sizes: int) -> Tensor:
        shown = part(name)
        return pre.new_zeros(sizes) if shown is None or shown.shape != sizes else shown

    pre, mid = parts.pop(("resid_pre", layer)), part("resid_mid")
    firing = _firing(block.mlp, part("pre"), part("linear"), part("post"), part("mlp_in"))
    attention, positions = block.attention, pre.shape[0]
    heads, d_head = attention.heads, attention.d_head
    return BlockTrace(
        resid_pre=pre,
        resid_mid=mid,
        ln1_scale=attention.norm.scale_of(pre),
        ln2_scale=block.mlp.norm.scale_of(pre if mid is None else mid),
        ln1_post_scale=part("ln1_post_scale"),
        ln2_post_scale=part("ln2_post_scale"),
        pattern=part_or_nothing("pattern", heads, positions, positions),
        v=part_or_nothing("v", positions, attention.value_heads, d_head),
        z=part_or_nothing("z", positions, heads, d_head),
        cos=part("cos"),
        sin=part("sin"),
        **(_silent(block.mlp, pre) if firing is None else firing)._asdict(),
    )


def _firing(
    mlp: Mlp, pre: Tensor | None, linear: Tensor | None, post: Tensor | None, inputs: Tensor | None
) -> Firing | None:
    """What the neurons did; None where the bridge does not show it."""
    if mlp.router is not None and inputs is not None:
        return mlp.router.fire(inputs)
    if pre is None or post is None or post.shape[-1] != mlp.neurons:
        return None
    return Firing(mlp.act(pre) if linear is not None else _ratio(mlp, pre, post), post)


def _silent(mlp: Mlp, like: Tensor) -> Firing:
    nothing = like.new_zeros(like.shape[0], mlp.neurons)
    return Firing(nothing, nothing)


def _ratio(mlp: Mlp, pre: Tensor, post: Tensor) -> Tensor:
    """act(z) / z, and the derivative where z is near zero."""
    near = 1e-6
    step = torch.tensor([-1e-3, 1e-3], dtype=pre.dtype, device=pre.device)
    low, high = mlp.act(step)
    return torch.where(pre.abs() > near, post / pre, (high - low) / 2e-3)
