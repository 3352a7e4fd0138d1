"""flowviz: one forward pass of a GPT as an exact, interactive flow graph.

    import flowviz
    explanation = flowviz.explain("The capital of Japan is the city of")
    explanation.graph.predictions[0].token      # ' Tokyo'
    explanation.nodes()                         # a table of the drawn nodes
    explanation.inspect("head:5:7:2")           # a closer look at one of them
    flowviz.open_block("The capital of Japan is the city of", layers=3).nodes()  # one block's parts
    flowviz.compare_passes("Mary said that", "John said that").changes()    # two passes compared
    flowviz.attention_maps("When Mary and John went to the store").weights  # of all heads
    flowviz.why("The capital of Japan is the city of", 3, 3).query_parts  # why one looks there
    flowviz.similar_contexts("The bank of the river", position=1).hits      # the model was so here
    flowviz.prompt_factors("The bank of the river").table()     # states as sums of learned factors
    print(explanation.to_json())

Names are imported when they are first used, because torch takes seconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowviz.alone import HtmlPage, attention_page, head_page
    from flowviz.app import create_app
    from flowviz.attended import attention_maps, find_heads
    from flowviz.attention.head_json import read_head
    from flowviz.attention.json import read_attention
    from flowviz.attention.types import AttentionMaps
    from flowviz.compare.json import read_comparison
    from flowviz.compared import ComparedPasses, compare_passes
    from flowviz.contexts.json import read_contexts
    from flowviz.contexts.store import open_store
    from flowviz.encoders.loading import load_encoder
    from flowviz.errors import FlowvizError, ModelError, RequestError
    from flowviz.explanation import Explanation, explain
    from flowviz.factored import FactoredPrompt, loss_recovered, open_dictionary, prompt_factors
    from flowviz.graph.json import read_graph
    from flowviz.inside.json import read_block
    from flowviz.models.in_memory import wrap_model
    from flowviz.models.loading import load_model
    from flowviz.one_head import distance_decay, neuron_view, why
    from flowviz.opened import OpenedBlock, open_block
    from flowviz.session import Session
    from flowviz.similar import build_store, similar_contexts

__version__ = "0.1.0"
__all__ = [
    "AttentionMaps",
    "ComparedPasses",
    "Explanation",
    "FactoredPrompt",
    "FlowvizError",
    "HtmlPage",
    "ModelError",
    "OpenedBlock",
    "RequestError",
    "Session",
    "attention_maps",
    "attention_page",
    "build_store",
    "compare_passes",
    "create_app",
    "distance_decay",
    "explain",
    "find_heads",
    "head_page",
    "load_encoder",
    "load_model",
    "loss_recovered",
    "neuron_view",
    "open_block",
    "open_dictionary",
    "open_store",
    "prompt_factors",
    "read_attention",
    "read_block",
    "read_comparison",
    "read_contexts",
    "read_graph",
    "read_head",
    "similar_contexts",
    "why",
    "wrap_model",
]

_HOMES = {
    "AttentionMaps": "flowviz.attention.types",
    "ComparedPasses": "flowviz.compared",
    "Explanation": "flowviz.explanation",
    "FactoredPrompt": "flowviz.factored",
    "FlowvizError": "flowviz.errors",
    "ModelError": "flowviz.errors",
    "HtmlPage": "flowviz.alone",
    "OpenedBlock": "flowviz.opened",
    "RequestError": "flowviz.errors",
    "Session": "flowviz.session",
    "attention_maps": "flowviz.attended",
    "attention_page": "flowviz.alone",
    "build_store": "flowviz.similar",
    "compare_passes": "flowviz.compared",
    "create_app": "flowviz.app",
    "distance_decay": "flowviz.one_head",
    "explain": "flowviz.explanation",
    "find_heads": "flowviz.attended",
    "head_page": "flowviz.alone",
    "load_encoder": "flowviz.encoders.loading",
    "load_model": "flowviz.models.loading",
    "loss_recovered": "flowviz.factored",
    "neuron_view": "flowviz.one_head",
    "open_block": "flowviz.opened",
    "open_dictionary": "flowviz.factored",
    "open_store": "flowviz.contexts.store",
    "prompt_factors": "flowviz.factored",
    "read_attention": "flowviz.attention.json",
    "read_block": "flowviz.inside.json",
    "read_comparison": "flowviz.compare.json",
    "read_contexts": "flowviz.contexts.json",
    "read_graph": "flowviz.graph.json",
    "read_head": "flowviz.attention.head_json",
    "similar_contexts": "flowviz.similar",
    "why": "flowviz.one_head",
    "wrap_model": "flowviz.models.in_memory",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
