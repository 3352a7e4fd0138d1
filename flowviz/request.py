"""What a person asks for: model, prompt, target and settings, as one frozen value.

The same value travels as a URL's query, as JSON and as a cache key. Everything that comes from
outside is checked here, once; what is wrong raises RequestError with the way out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flowviz.checked import check_prompt, choice, model_name, plain, read_token, share, span, whole
from flowviz.errors import RequestError
from flowviz.factors.use.places import OpenAt, parse_opened, write_opened
from flowviz.graph.types import NodeKind
from flowviz.interventions.types import (
    Instead,
    Intervention,
    parse_interventions,
    write_interventions,
)

MAX_BUDGET = 400
CHOOSABLE_KINDS = (
    NodeKind.EMBED,
    NodeKind.POS_EMBED,
    NodeKind.HEAD,
    NodeKind.NEURON,
    NodeKind.BIAS,
)


class Wiring(StrEnum):
    """How the flow is drawn: along the residual stream, or from component to component."""

    STREAM = "stream"
    CIRCUIT = "circuit"


class Score(StrEnum):
    """What ranks the nodes: conserved flow, a blend of flow and gradients, attribution patching,
    direct logit attribution."""

    FLOW = "flow"
    BLEND = "blend"
    GRADIENT = "gradient"
    DIRECT = "direct"


@dataclass(frozen=True)
class TargetSpec:
    """Which number is explained.

    Args:
        token: a token's text (or `#` and its id); None for the model's top prediction.
        contrast: a second token, to explain the difference of the two logits.
        position: the prompt position whose prediction it is; None for the last.
    """

    token: str | None = None
    contrast: str | None = None
    position: int | None = None

    @classmethod
    def from_mapping(cls, flat: Mapping[str, Any]) -> TargetSpec:
        """Reads and checks text from outside. Raises RequestError on the first fault."""
        return cls(
            token=read_token("token", flat.get("token")),
            contrast=read_token("contrast", flat.get("contrast")),
            position=whole("position", flat.get("position"), 0, 10**6),
        )


@dataclass(frozen=True)
class GraphSettings:
    """How much of the flow is drawn.

    Args:
        coverage: share of the influence that the drawn nodes should hold, above 0 up to 1.
        budget: the most nodes to draw, rest nodes not counted.
        edge_coverage: share of the influence between drawn nodes that the edges should hold.
        layers: first and last block to draw, both included; None for all.
        positions: first and last prompt position to draw, both included; None for all.
        kinds: the kinds of component to draw.
        heads_per_layer: at most so many heads a block; None for no bound.
        positive_neurons, negative_neurons: at most so many neurons a block with positive and
            with negative flow; None for no bound.
    """

    wiring: Wiring = Wiring.STREAM
    score: Score = Score.FLOW
    coverage: float = 0.8
    budget: int = 60
    edge_coverage: float = 0.85
    layers: tuple[int, int] | None = None
    positions: tuple[int, int] | None = None
    kinds: frozenset[NodeKind] = frozenset(CHOOSABLE_KINDS)
    heads_per_layer: int | None = None
    positive_neurons: int | None = None
    negative_neurons: int | None = None


@dataclass(frozen=True)
class ExplainRequest:
    """One whole request. `from_mapping` is the way in for anything that was not made by us.

    Args:
        interventions: what is changed in the pass while it runs.
        donor: the prompt that values come from, where one of them says so; else None.
        opened: the nodes that are drawn as sums of a dictionary's factors.
    """

    prompt: str
    model: str = "demo"
    target: TargetSpec = field(default_factory=TargetSpec)
    settings: GraphSettings = field(default_factory=GraphSettings)
    interventions: tuple[Intervention, ...] = ()
    donor: str | None = None
    opened: tuple[OpenAt, ...] = ()

    @property
    def clean(self) -> ExplainRequest:
        """The same request without interventions."""
        return replace(self, interventions=(), donor=None)

    @property
    def needs_dictionary(self) -> bool:
        """Whether factors are drawn or changed."""
        sites = (site for one in self.interventions for site in one.sites)
        return bool(self.opened) or any(site.dictionary for site in sites)

    @property
    def closed(self) -> ExplainRequest:
        """The same request with no node opened."""
        return replace(self, opened=())

    def to_mapping(self) -> dict[str, str]:
        """Flat text form; what has its default value is left out, save model and prompt."""
        flat = {"model": self.model, "prompt": self.prompt}
        for part in (self.target, self.settings):
            for item in fields(part):
                value = getattr(part, item.name)
                if value != getattr(type(part)(), item.name):
                    flat[item.name] = write(value)
        if self.interventions:
            flat["interventions"] = write_interventions(self.interventions)
        if self.donor is not None:
            flat["donor"] = self.donor
        if self.opened:
            flat["opened"] = write_opened(self.opened)
        return flat

    def to_query(self) -> str:
        """The query of a link, without the question mark."""
        return urlencode(self.to_mapping())

    @staticmethod
    def fields() -> frozenset[str]:
        """The names of all choices beside model and prompt."""
        names = {item.name for part in (TargetSpec, GraphSettings) for item in fields(part)}
        return frozenset(names | {"interventions", "donor", "opened", "dictionary"})

    @classmethod
    def from_query(cls, query: str) -> ExplainRequest:
        """Reads a link's query; unknown keys are left to others."""
        return cls.from_mapping(dict(parse_qsl(query.lstrip("?"), keep_blank_values=True)))

    @classmethod
    def from_mapping(cls, flat: Mapping[str, Any]) -> ExplainRequest:
        """Reads and checks text from outside. Raises RequestError on the first fault."""
        interventions = parse_interventions(flat.get("interventions"))
        return cls(
            prompt=check_prompt(flat.get("prompt", "")),
            model=model_name(flat.get("model") or "demo"),
            target=TargetSpec.from_mapping(flat),
            settings=settings_from_mapping(flat),
            interventions=interventions,
            donor=_donor(flat.get("donor"), interventions),
            opened=parse_opened(flat.get("opened"), flat.get("dictionary")),
        )


def _donor(text: object, interventions: tuple[Intervention, ...]) -> str | None:
    """The prompt that values come from; a donor that nothing asks for is let go."""
    if not any(one.how is Instead.DONOR for one in interventions):
        return None
    if text is None or text == "":
        raise RequestError("Values of another prompt are asked for; give that prompt as the donor.")
    return check_prompt(text)


def settings_to_plain(settings: GraphSettings) -> dict[str, object]:
    """All settings as plain JSON values, in the form that `settings_from_mapping` reads."""

    def listed(value: object) -> object:
        if isinstance(value, frozenset):
            return sorted(value) or ["none"]
        return list(value) if isinstance(value, tuple) else value

    return {item.name: listed(getattr(settings, item.name)) for item in fields(settings)}


def settings_from_mapping(flat: Mapping[str, Any]) -> GraphSettings:
    """Reads and checks the graph's settings; what is absent has its default."""
    base = GraphSettings()
    budget = whole("budget", flat.get("budget"), 1, MAX_BUDGET)
    return GraphSettings(
        wiring=choice("wiring", flat.get("wiring"), Wiring) or base.wiring,
        score=choice("score", flat.get("score"), Score) or base.score,
        coverage=share("coverage", flat.get("coverage"), base.coverage),
        budget=base.budget if budget is None else budget,
        edge_coverage=share("edge_coverage", flat.get("edge_coverage"), base.edge_coverage),
        layers=span("layers", flat.get("layers")),
        positions=span("positions", flat.get("positions")),
        kinds=_kinds(flat.get("kinds")),
        heads_per_layer=whole("heads_per_layer", flat.get("heads_per_layer"), 0, 10**4),
        positive_neurons=whole("positive_neurons", flat.get("positive_neurons"), 0, 10**6),
        negative_neurons=whole("negative_neurons", flat.get("negative_neurons"), 0, 10**6),
    )


def write(value: object) -> str:
    """A setting as a link writes it."""
    if isinstance(value, frozenset):
        return ",".join(sorted(value)) or "none"
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    return str(value)


def _kinds(value: object) -> frozenset[NodeKind]:
    if value is None or value == "":
        return frozenset(CHOOSABLE_KINDS)
    many = isinstance(value, list | tuple | set | frozenset)
    names = [plain(item) for item in value] if many else plain(value).split(",")
    names = [] if names == ["none"] else names
    known = {str(kind): kind for kind in CHOOSABLE_KINDS}
    wrong = [name for name in names if name not in known]
    if wrong:
        raise RequestError(f"kinds holds {wrong[0][:40]!r}; it takes {', '.join(known)}, or none.")
    return frozenset(known[name] for name in names)
