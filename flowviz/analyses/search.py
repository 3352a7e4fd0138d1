"""Neurons and heads by text: who promotes or suppresses a token, over the whole model at once.

The token's direction in the stream is its column of the unembedding through the transpose of the
final norm, with the norm's scale set aside: d = centre(w_ln_final * W_U[:, token]). Then

    neuron    logit = v · d                           v: its row of W_out
    head      logit(s) = ln1(e_s) · W_V · W_O · d     e_s: the embedding of a source token s

for all neurons in one product a block, and for all heads of a model in one product over all source
tokens: ln1 is taken with each embedding's own scale, and without biases, which are the same for
every source. Where a norm stands behind a sublayer, v and W_O go through its weights. A neuron's
`logit` is for each unit of activation, a head's for full attention.

What stands between a part and the end (later blocks, and on the stream later norms, where a model
has those) is passed over, as direct logit attribution does.

Sources: Geva et al. 2022 (FF values promote tokens); Dar et al. 2022 (parameters in the embedding
space); OV circuit: Elhage et al. 2021.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from flowviz.analyses.passes import silent
from flowviz.analyses.sources import Sources, head_readers
from flowviz.analyses.top import component_logits
from flowviz.analyses.types import HeadMatch, NeuronMatch, TokenSearch
from flowviz.analyses.written import through
from flowviz.jobs import Progress
from flowviz.models.block import Block
from flowviz.models.embeddings import token_embeddings
from flowviz.models.loaded import LoadedModel
from flowviz.models.parts import Norm, exact


@torch.inference_mode()
def search_token(
    model: LoadedModel, token: str, most: int = 50, progress: Progress = silent
) -> TokenSearch:
    """The neurons and heads that promote or suppress a token most; see the head of this module.

    Args:
        token: its text, or `#` and its id.
        most: how many of each are listed, the strongest first.
        progress: told a few times; what it raises ends the work.

    Raises:
        RequestError: the text is not one token of this model.

    Example:
        >>> search_token(flowviz.load_model("demo"), " Tokyo").promoting_neurons[0].rank
        1
    """
    wanted = model.vocabulary.resolve(token)
    progress("Neurons", 0.0)
    aim = _direction(model, wanted)
    promoting, suppressing = _neurons(model, wanted, aim, most)
    progress("Heads", 0.3)
    sources = Sources(head_readers(model, aim))
    for start, embeddings in token_embeddings(model):
        sources.take(start, embeddings)
        progress("Heads", 0.3 + 0.7 * (start + len(embeddings)) / model.shape.vocabulary)
    return TokenSearch(
        model=model.shape.name,
        token=model.vocabulary.text(wanted),
        id=wanted,
        promoting_neurons=promoting,
        suppressing_neurons=suppressing,
        promoting_heads=_heads(model, sources, 1, most),
        suppressing_heads=_heads(model, sources, -1, most),
    )


def _direction(model: LoadedModel, token: int) -> Float[Tensor, " d_model"]:
    return model.ln_final.pull(exact(model.W_U[:, token])) * model.logit_scale


def at_output(
    block: Block, post: Norm, aim: Float[Tensor, " d_model"]
) -> Float[Tensor, " d_model"]:
    """The token's direction at a sublayer's output, the scale of a norm behind it set aside."""
    return block.to_output(post, aim, None if post.eps is None else torch.ones_like(aim[:1]))


Matches = tuple[NeuronMatch, ...]


def _neurons(
    model: LoadedModel, token: int, aim: Float[Tensor, " d_model"], most: int
) -> tuple[Matches, Matches]:
    logits = torch.cat([_logits(block, aim) for block in model.blocks])
    most = min(most, len(logits))
    high, low = logits.topk(most), logits.topk(most, largest=False)
    return (
        _listed(model, token, aim, high.indices[high.values > 0], 1),
        _listed(model, token, aim, low.indices[low.values < 0], -1),
    )


def _logits(block: Block, aim: Float[Tensor, " d_model"]) -> Float[Tensor, " d_mlp"]:
    """The logit of every neuron of a block."""
    return block.mlp.to_neurons(at_output(block, block.mlp.post, aim)[None])[0]


def _listed(
    model: LoadedModel, token: int, aim: Float[Tensor, " d_model"], found: Tensor, sign: int
) -> Matches:
    """Neurons by their place in the whole model; the token's rank among all is read for these."""
    if not len(found):
        return ()
    places = _places(model, found)
    values = torch.stack([_value(model.blocks[layer], index, aim) for layer, index in places])
    ranks = [
        (logits > logits[:, token, None]).sum(-1) + 1
        for logits in component_logits(model, values * sign)
    ]
    logits = values @ aim
    cosines = logits / (values.norm(dim=-1) * aim.norm()).clamp(min=1e-30)
    rows = zip(places, logits.tolist(), cosines.tolist(), torch.cat(ranks).tolist(), strict=True)
    return tuple(NeuronMatch(*place, *numbers) for place, *numbers in rows)


def _places(model: LoadedModel, found: Tensor) -> list[tuple[int, int]]:
    """Places in the whole model → layer and index; layers may have different numbers of neurons."""
    sizes = torch.tensor([block.mlp.neurons for block in model.blocks], device="cpu")
    ends, found = sizes.cumsum(0), found.cpu()
    layers = torch.bucketize(found, ends, right=True)
    return list(zip(layers.tolist(), (found - (ends - sizes)[layers]).tolist(), strict=True))


def _value(block: Block, index: int, like: Tensor) -> Float[Tensor, " d_model"]:
    neuron = torch.tensor([index], device=block.mlp.W_out.device)
    value = through(block, block.mlp.post, block.mlp.writes(neuron))[0]
    return value.to(like.device)


def _heads(model: LoadedModel, sources: Sources, sign: int, most: int) -> tuple[HeadMatch, ...]:
    found = sources.heads(sign, model.vocabulary.text)
    heads = [
        HeadMatch(*divmod(place, model.shape.heads), read[0].logit, read)
        for place, read in enumerate(found)
        if read and read[0].logit * sign > 0
    ]
    return tuple(sorted(heads, key=lambda head: -head.logit * sign)[:most])
