"""The blend: the score that foresees single ablations best, a mean of three gradients.

    r = 0.2 r_flow + 0.6 r_gradient + 0.2 mean over steps t of r_gradient(t)

r_flow holds norms, patterns and gates fixed (`flow`), r_gradient holds nothing (`scores`), and
r_gradient(t) is taken in a pass in which every token's embedding e has gone part of the way from
the prompt's mean embedding ē, to ē + t (e - ē): integrated gradients. Each is right about
what the others miss: the gradient about a small change, the last about a token that goes away
altogether, the flow about many components that go together. `docs/causal.md` has the figures.

Like the gradient, and other than the flow, it is conserved only with constants: where a
nonlinearity y(x) is taken for its linear part J x, the rest y - J x flows in there from nowhere.
What they hold of the target together is `constants`; the flow's own J is such that they are zero.

Sources: integrated gradients, Sundararajan et al. 2017; for components, Hanna et al. 2024 (EAP-IG).
"""

from __future__ import annotations

from torch import Tensor

from flowviz.flow import Flow
from flowviz.graph.types import NodeKind
from flowviz.scores import Gradients, by_gradient, gradients_of
from flowviz.values import NodeValues

FLOW, GRADIENT, ALONG = 0.2, 0.6, 0.2
STEPS = 5


def blend_scores(flow: Flow) -> NodeValues:
    """The blend for every node, from six forward and backward passes."""
    return blended(flow.values, by_gradient(flow, blend_gradients(flow, gradients_of(flow))))


def blended(by_flow: NodeValues, by_gradients: NodeValues) -> NodeValues:
    """The flow's part and the part of `blend_gradients` together."""
    pairs = zip(by_flow.parts(), by_gradients.parts(), strict=True)
    return NodeValues(*(blend(one, other) for one, other in pairs))


def blend(by_flow: Tensor, by_gradients: Tensor) -> Tensor:
    """The same of some values."""
    return FLOW * by_flow + (1 - FLOW) * by_gradients


def blend_gradients(flow: Flow, here: Gradients) -> Gradients:
    """The mean of the pass's own gradients and those along the way, by their shares.

    Args:
        here: `gradients_of` the pass itself.
    """
    own = GRADIENT / (1 - FLOW)
    found = {place: own * gradient for place, gradient in here.items()}
    for step in range(STEPS):
        for place, gradient in gradients_of(flow, _moved(flow, (step + 0.5) / STEPS)).items():
            found[place] += (1 - own) / STEPS * gradient
    return found


def _moved(flow: Flow, share: float) -> Tensor:
    """What is added to the tokens' embeddings so that only a share of their difference stays."""
    embed = flow.trace.embed[: flow.positions]
    return (share - 1) * (embed - embed.mean(0))


def constants(flow: Flow, values: NodeValues) -> float:
    """What no embedding and no bias holds of the target, by a score's own values."""
    held = values.total((NodeKind.EMBED, NodeKind.POS_EMBED, NodeKind.BIAS))
    return flow.value - held
