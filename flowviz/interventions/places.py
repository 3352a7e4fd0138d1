"""Which parts of a pass interventions mean, checked against the model, in the order of the pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from flowviz.errors import RequestError
from flowviz.graph.types import BIAS_NAMES, INDEXED, OUTPUTS, NodeKey, NodeKind
from flowviz.interventions.types import Clamp, How, Instead, Intervention, Site
from flowviz.models.loaded import LoadedModel

MOST_PLACES = 20_000  # parts at single positions
MOST_EDGES = 50  # each computes its reader again
FIXED = {
    "ln1": "Queries and keys read it as well, so that no part of its own can be taken out",
    "ln2": "It is one with what the neurons read, and with their gates",
    "ln_final": "It reaches the logit as it is on every prompt",
    "b_U": "It reaches the logit as it is on every prompt",
}
INNER = ("b_V", "b_in")
BEHIND_ATTENTION, BEHIND_MLP = ("b_V", "b_O", "ln1_post"), ("b_in", "b_out", "ln2_post")


@dataclass(frozen=True)
class Place:
    """One part at one position, and what happens to it.

    Args:
        depth: where the model computes it; more is later.
        source: of a head: only what it reads from there.
        reader: only what this node reads of it.
        dictionary: of a factor or an error, by which dictionary.
    """

    depth: int
    key: NodeKey
    how: How
    source: int | None = None
    reader: NodeKey | None = None
    dictionary: str | None = None

    @property
    def factor(self) -> float:
        """What it is multiplied with: 0 where something takes its place."""
        return self.how if isinstance(self.how, float | int) else 0.0

    @property
    def needs_pass(self) -> bool:
        """Whether the change follows only from what the pass has come to."""
        inner = self.key.kind is NodeKind.BIAS and BIAS_NAMES[self.key.index] in INNER
        is_part = self.key.part_of is not None
        return self.source is not None or self.reader is not None or inner or is_part


def expand(
    model: LoadedModel, positions: int, interventions: Sequence[Intervention]
) -> list[Place]:
    """Every part that is meant, once; the last word on each counts.

    Raises:
        RequestError: the pass has no such part, or it cannot be changed.
    """
    found: dict[tuple[NodeKey, int | None, NodeKey | None], Place] = {}
    for intervention in interventions:
        for site in intervention.sites:
            for key in _at_positions(site, positions):
                _check(model, positions, site, key)
                _check_how(key, intervention.how)
                depth = _depth(model, site.reader or key)
                place = Place(
                    depth, key, intervention.how, site.source, site.reader, site.dictionary
                )
                found.pop((key, site.source, site.reader), None)
                found[key, site.source, site.reader] = place
            if len(found) > MOST_PLACES:
                raise RequestError(
                    f"Interventions name more than {MOST_PLACES:,} parts of this pass. Take fewer."
                )
    edges = sum(place.reader is not None for place in found.values())
    if edges > MOST_EDGES:
        raise RequestError(f"There are {edges} edges to change; at most {MOST_EDGES} are taken.")
    return sorted(found.values(), key=lambda place: place.depth)


def _at_positions(site: Site, positions: int) -> Iterator[NodeKey]:
    if not site.everywhere:
        yield site.key
        return
    key = site.key
    for position in range(site.source or 0, positions):
        yield replace(key, position=position)


def _check(model: LoadedModel, positions: int, site: Site, key: NodeKey) -> None:
    for each in filter(None, (key, site.reader)):
        _check_node(model, positions, each.whole() if each.part_of else each)
    if site.source is not None and site.source > key.position:
        raise RequestError(f"{site}: a head reads positions up to its own, {key.position}.")


def _check_how(key: NodeKey, how: How) -> None:
    if isinstance(how, Clamp) and key.kind is not NodeKind.FACTOR:
        raise RequestError(f"{key} has no activation that it could be clamped to: only factors do.")
    if key.kind is NodeKind.BIAS and isinstance(how, Instead):
        raise RequestError(f"{key} is a bias, the same everywhere: only a factor changes it.")


def _absent(key: NodeKey, has: str) -> RequestError:
    return RequestError(
        f"{key} cannot be changed, because this pass has no such part: {has}. Undo that change, or "
        "choose another part."
    )


def _check_node(model: LoadedModel, positions: int, key: NodeKey) -> None:
    """Whether the pass has that node; the message says what it has instead."""
    layers = len(model.blocks)
    behind_last = key.kind in (NodeKind.RESID_FINAL, NodeKind.TARGET)
    known = key.kind is NodeKind.BIAS and key.index < len(BIAS_NAMES)
    name = BIAS_NAMES[key.index] if known else ""
    if behind_last != (key.layer == layers) and name not in ("ln_final", "b_U"):
        raise _absent(key, f"{model.shape.name} has blocks 0 to {layers - 1}")
    if key.layer > layers:
        raise _absent(key, f"{model.shape.name} has blocks 0 to {layers - 1}")
    if key.position >= positions:
        raise _absent(key, f"the prompt has positions 0 to {positions - 1}")
    count = _count(model, key)
    if key.kind in INDEXED and key.index >= count:
        raise _absent(key, f"the last {key.kind} there is number {count - 1}")
    _check_exists(model, key, name)


def _count(model: LoadedModel, key: NodeKey) -> int:
    if key.kind is NodeKind.HEAD:
        return model.blocks[key.layer].attention.heads
    if key.kind is NodeKind.NEURON:
        return model.blocks[key.layer].mlp.neurons
    return len(BIAS_NAMES)


def _check_exists(model: LoadedModel, key: NodeKey, name: str) -> None:
    if key.kind in (NodeKind.EMBED, NodeKind.POS_EMBED) and key.layer != 0:
        raise _absent(key, "embeddings stand at layer 0")
    if key.kind is NodeKind.POS_EMBED and ("pos_embed", -1) not in model.hooks.values():
        raise _absent(key, f"{model.shape.name} has no position embeddings")
    if key.kind in OUTPUTS and model.blocks[key.layer].norms_stream:
        raise _absent(key, "a norm on the stream stands behind it. Change a hidden state instead")
    if key.kind is NodeKind.RESID_MID and model.blocks[key.layer].parallel:
        raise _absent(key, "attention and MLP of this block read the same state")
    if not name:
        return
    if name.startswith("set_"):
        raise RequestError(f"{key} is what an intervention put in. Change that intervention.")
    if name == "b_in" and model.blocks[key.layer].mlp.router is not None:
        raise RequestError(f"{key}: the bias inside experts cannot be changed on its own.")
    if name in FIXED:
        raise RequestError(f"The bias {name} cannot be changed on its own. {FIXED[name]}.")
    if not _has_bias(model, name, key.layer):
        raise _absent(key, f"{model.shape.name} has no bias {name} there")


def _has_bias(model: LoadedModel, name: str, layer: int) -> bool:
    if name == "ln_embed":
        return layer == 0 and model.embed_bias is not None
    block = model.blocks[layer]
    bias = {
        "b_V": block.attention.b_V,
        "b_O": block.attention.b_O,
        "ln1_post": block.attention.post.bias,
        "b_in": block.mlp.b_in,
        "b_out": block.mlp.b_out,
        "ln2_post": block.mlp.post.bias,
    }[name]
    return bias is not None


def _depth(model: LoadedModel, key: NodeKey) -> int:
    """Eight steps a block: attention, the factors of what it adds, the state behind it (its factors
    first), the MLP, the factors of what that adds, the state behind that."""
    key = key.whole() if key.part_of else key
    name = BIAS_NAMES[key.index] if key.kind is NodeKind.BIAS else ""
    if key.kind in (NodeKind.EMBED, NodeKind.POS_EMBED) or name == "ln_embed":
        return -4
    if key.kind is NodeKind.HEAD or name in BEHIND_ATTENTION:
        return 8 * key.layer
    if key.kind is NodeKind.ATTN_OUT:
        return 8 * key.layer + 1
    if key.kind is NodeKind.RESID_MID:
        return 8 * key.layer + 2
    if key.kind is NodeKind.NEURON or name in BEHIND_MLP:
        return 8 * key.layer + 4
    if key.kind is NodeKind.MLP_OUT:
        return 8 * key.layer + 5
    return 8 * key.layer - 2  # the state in front of a block, or behind the last
