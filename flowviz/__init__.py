"""flowviz: one forward pass of a GPT as an exact, interactive flow graph.

    import flowviz
    explanation = flowviz.explain("The capital of Japan is the city of")
    explanation.graph.predictions[0].token      # ' Tokyo'
    explanation.nodes()                         # a table of the drawn nodes
    explanation.inspect("head:5:7:2")           # a closer look at one of them
    flowviz.open_block("The capital of Japan is the city of", layers=3).nodes()  # one block's parts
    flowviz.compare_passes("Mary said that", "John said that").changes()    # two passes compared
    print(explanation.to_json())

Names are imported when they are first used, because torch takes seconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowviz.app import create_app
    from flowviz.compare.json import read_comparison
    from flowviz.compared import ComparedPasses, compare_passes
    from flowviz.errors import FlowvizError, ModelError, RequestError
    from flowviz.explanation import Explanation, explain
    from flowviz.graph.json import read_graph
    from flowviz.inside.json import read_block
    from flowviz.models.in_memory import wrap_model
    from flowviz.models.loading import load_model
    from flowviz.opened import OpenedBlock, open_block
    from flowviz.session import Session

__version__ = "0.1.0"
__all__ = [
    "ComparedPasses",
    "Explanation",
    "FlowvizError",
    "ModelError",
    "OpenedBlock",
    "RequestError",
    "Session",
    "compare_passes",
    "create_app",
    "explain",
    "load_model",
    "open_block",
    "read_block",
    "read_comparison",
    "read_graph",
    "wrap_model",
]

_HOMES = {
    "ComparedPasses": "flowviz.compared",
    "Explanation": "flowviz.explanation",
    "FlowvizError": "flowviz.errors",
    "ModelError": "flowviz.errors",
    "OpenedBlock": "flowviz.opened",
    "RequestError": "flowviz.errors",
    "Session": "flowviz.session",
    "compare_passes": "flowviz.compared",
    "create_app": "flowviz.app",
    "explain": "flowviz.explanation",
    "load_model": "flowviz.models.loading",
    "open_block": "flowviz.opened",
    "read_block": "flowviz.inside.json",
    "read_comparison": "flowviz.compare.json",
    "read_graph": "flowviz.graph.json",
    "wrap_model": "flowviz.models.in_memory",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
