"""From a prompt to a block opened: the Python way to one block's own flow."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from flowviz.errors import RequestError
from flowviz.explanation import Explanation, resolve_target
from flowviz.flow import flow_of
from flowviz.graph.scored import Scored
from flowviz.inside.build import open_blocks
from flowviz.inside.json import inside_json
from flowviz.inside.request import InsideRequest
from flowviz.inside.types import InsideGraph
from flowviz.models.catalogue import ModelEntry
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model
from flowviz.request import TargetSpec
from flowviz.trace import record

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class OpenedBlock:
    """One block, or several, opened at a position; and the flow that it is a part of."""

    request: InsideRequest
    scored: Scored
    graph: InsideGraph

    def to_json(self) -> str:
        """The picture as versioned JSON (docs/inside-json.md)."""
        return inside_json(self.graph)

    def nodes(self) -> pd.DataFrame:
        """The parts as a table, from the block's input to its output."""
        import pandas as pd

        from flowviz.views.inside.tables import NODE_COLUMNS, node_row

        rows = [node_row(node, self.graph) for node in self.graph.nodes]
        return pd.DataFrame(rows, columns=list(NODE_COLUMNS))

    def edges(self) -> pd.DataFrame:
        """What goes from one part into the next, as a table."""
        import pandas as pd

        from flowviz.views.inside.tables import EDGE_COLUMNS, edge_row

        rows = [edge_row(edge, self.graph) for edge in self.graph.edges]
        return pd.DataFrame(rows, columns=list(EDGE_COLUMNS))


def open_block(
    prompt: str,
    model: LoadedModel | ModelEntry | str = "demo",
    *,
    layers: int | str | tuple[int, int] = 0,
    **choices: object,
) -> OpenedBlock:
    """Opens one block, or several consecutive ones, at one position of one pass.

    Args:
        prompt: the text to run.
        model: a loaded model (`load_model`, or `wrap_model` for one in memory), or what
            `load_model` takes.
        layers: a block, or the first and the last, as numbers or as text (`"3-4"`).
        choices: any other field of `InsideRequest`, `TargetSpec` and `InsideSettings`: `at` (the
            prompt position; the target's where it is not given), `target` (a token) or `token`,
            `contrast`, `position`, `heads`, `memories`, `rows`, `high`, `low`, `rank`, `rotary`.

    Raises:
        RequestError: the prompt, the target, the place or a setting cannot be shown as asked.
        ModelError: the model cannot be loaded.

    Example:
        >>> open_block("The capital of Japan is the city of", layers=3).graph.checks.exact
        True
    """
    if "target" in choices:
        choices["token"] = choices.pop("target")
    _check_names("open_block", choices, InsideRequest.fields() | {"target"})
    asked = {**choices, "prompt": prompt, "layers": layers}
    InsideRequest.from_mapping(asked)  # refused before anything is loaded
    loaded = model if isinstance(model, LoadedModel) else load_model(model)
    return open_request(loaded, InsideRequest.from_mapping({**asked, "model": loaded.shape.name}))


def open_explained(explanation: Explanation, choices: dict[str, object]) -> OpenedBlock:
    """Opens blocks of a pass that is explained already; see `Explanation.inside`."""
    target = {item.name for item in fields(TargetSpec)}
    _check_names("inside", choices, InsideRequest.fields() - target)
    asked, scored = explanation.request, explanation.scored
    flat = {**choices, "prompt": asked.prompt, "model": asked.model}
    request = replace(InsideRequest.from_mapping(flat), target=asked.target)
    return OpenedBlock(request, scored, open_blocks(scored.flow.model, scored, request))


def _check_names(function: str, choices: dict[str, object], known: frozenset[str]) -> None:
    unknown = sorted(set(choices) - known)
    if unknown:
        raise RequestError(
            f"{function} takes no {unknown[0]!r}; it takes {', '.join(sorted(known))}."
        )


def open_request(model: LoadedModel, request: InsideRequest) -> OpenedBlock:
    """Walks the whole path for one request on a loaded model."""
    trace = record(model, model.vocabulary.encode(request.prompt, model.context))
    scored = Scored(flow_of(model, trace, resolve_target(model, trace, request.target)))
    return OpenedBlock(request, scored, open_blocks(model, scored, request))
