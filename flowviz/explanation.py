"""From a prompt to a graph: the whole path of the data, in the order in which it is walked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, overload

from flowviz.analyses.prompts import shipped
from flowviz.causal.baselines import Baseline, mean, resample, zero
from flowviz.causal.check import check
from flowviz.causal.types import Ablation, Verdict
from flowviz.checked import check_prompt, choice
from flowviz.errors import RequestError
from flowviz.factors.use.split import Named, splitting
from flowviz.flow import FlowTarget, flow_of
from flowviz.graph.build import build_graph
from flowviz.graph.inspect import inspect_node
from flowviz.graph.inspection import Inspection
from flowviz.graph.json import graph_json
from flowviz.graph.opened import Opened
from flowviz.graph.scored import Changed, Scored
from flowviz.graph.types import FlowGraph, NodeKey
from flowviz.interventions.apply import Values, record_changed
from flowviz.interventions.parts import Split
from flowviz.interventions.types import Instead
from flowviz.models.catalogue import ModelEntry
from flowviz.models.in_memory import wrap_model
from flowviz.models.loaded import LoadedModel
from flowviz.models.loading import load_model
from flowviz.request import ExplainRequest, TargetSpec
from flowviz.trace import Trace, record

if TYPE_CHECKING:
    import pandas as pd

    from flowviz.attention.types import AttentionMaps
    from flowviz.attention.why_types import WhyThere
    from flowviz.compared import ComparedPasses
    from flowviz.opened import OpenedBlock


FORMS = "Give explain(prompt, model), or explain(model, tokenizer, prompt)."


@dataclass(frozen=True, eq=False)
class Explanation:
    """One explained pass: the graph, and what it was made from."""

    request: ExplainRequest
    scored: Scored
    graph: FlowGraph
    opened: Opened = field(default_factory=Opened)
    named: Named | None = None

    def inspect(self, node: NodeKey | str) -> Inspection:
        """A closer look at one node, given as its key or its text (`head:3:7:1`)."""
        key = NodeKey.parse(node) if isinstance(node, str) else node
        return inspect_node(self.scored, self.graph, self.request.settings, key, self.opened)

    def check(
        self,
        against: str = "zero",
        *,
        reference: Sequence[str] = (),
        other: str | None = None,
        share: float | None = None,
    ) -> Verdict:
        """What the model itself says of the graph, when the rest is ablated (docs/causal.md).

        Args:
            against: what takes the place of what is ablated: `zero`, `mean` or `resample`.
            reference: for `mean`, the prompts that it is over.
            other: for `resample`, the other prompt; at least as long as this one.
            share: what a small graph is to recover, where one is looked for.

        Raises:
            RequestError: a prompt that is needed is not given, or cannot be read.
        """
        baseline = self._baseline(against, reference, other)
        if not self.opened or self.named is None:
            return check(self.scored, self.graph, baseline, share=share)
        from flowviz.factors.use.checked import parts_to_check, scores_of_parts

        asked = self.scored, self.opened, self.request.opened, self.named, baseline
        parts = parts_to_check(*asked)
        said = scores_of_parts(self.scored, self.opened, parts)
        made = self.scored, self.graph, baseline
        return check(*made, share=share, opened=parts, of_parts=said)

    def _baseline(self, against: str, reference: Sequence[str], other: str | None) -> Baseline:
        model, positions = self.scored.flow.model, self.scored.flow.positions
        kind = choice("against", against, Ablation) or Ablation.ZERO
        if kind is Ablation.ZERO:
            return zero(model)
        texts = reference if kind is Ablation.MEAN else [check_prompt(other)]
        ids = (model.vocabulary.encode(check_prompt(text), model.context) for text in texts)
        if kind is Ablation.MEAN:
            return mean(model, ids)
        return resample(record(model, next(ids)), positions, "the values on another prompt")

    def inside(self, layers: int | str | tuple[int, int], **choices: object) -> OpenedBlock:
        """Opens blocks of this very pass; `choices` are those of `open_block`, save the target."""
        from flowviz.opened import open_explained

        return open_explained(self, {**choices, "layers": layers})

    def why(
        self, layer: int, head: int, query: int | None = None, key: int | None = None
    ) -> WhyThere:
        """Why a head of this very pass looks from one position at another.

        Args:
            query: the position that asks; the last where it is None.
            key: the position that it looks at; the most attended where it is None.

        Raises:
            RequestError: the pass has no such head or position, or the score cannot be split.
        """
        from flowviz.attention.split import why
        from flowviz.attention.why_request import WhyRequest

        asked = WhyRequest(self.request.prompt, self.request.model, layer, head, query, key=key)
        return why(self.scored.flow.model, self.scored.flow.trace, asked)

    def attention(self, weighting: str = "pattern") -> AttentionMaps:
        """What all heads of this very pass attend to, by `pattern`, `norm` or `flow`."""
        from flowviz.attended import explained_attention

        return explained_attention(self, weighting)

    def compare(self, other: Explanation) -> ComparedPasses:
        """What another pass differs by from this one, drawn with this one's settings.

        An `other` that was not told what to explain explains what this one does.
        """
        from flowviz.compared import compare_explained

        return compare_explained(self, other)

    def to_json(self) -> str:
        """The graph as versioned JSON (docs/graph-json.md)."""
        return graph_json(self.graph)

    def nodes(self) -> pd.DataFrame:
        """The drawn nodes as a table."""
        from flowviz.views.tables import nodes_frame

        return nodes_frame(self.graph)

    def edges(self) -> pd.DataFrame:
        """The drawn edges as a table."""
        from flowviz.views.tables import edges_frame

        return edges_frame(self.graph)


@overload
def explain(prompt: str, model: object = "demo", /, **choices: object) -> Explanation: ...
@overload
def explain(model: object, tokenizer: object, prompt: str, /, **choices: object) -> Explanation: ...
@overload
def explain(**choices: object) -> Explanation: ...
def explain(*given: object, **choices: object) -> Explanation:
    """Explains one prediction of a model.

    `explain(prompt, model="demo")` takes a loaded model, or what `load_model` takes.
    `explain(model, tokenizer, prompt)` takes a model of transformers (or a PeftModel) that is in
    memory, which is left as it is. Each may be given by its name too. Nothing is kept: to explain
    many prompts, call `load_model` or `wrap_model` once and give what it returns.

    Args:
        given: the prompt and the model; or the model, its tokenizer and the prompt.
        choices: any field of `TargetSpec` and `GraphSettings`: `target` (a token) or `token`,
            `contrast`, `position`, `wiring`, `score`, `coverage`, `budget`, `layers`, …;
            `interventions` (`"head:3:7:1=0"`, or a list of such texts; `interventions/types.py`
            has the form), the `donor` prompt that they take values from, and the `reference`
            prompts that means are over (those of the demo's phenomena where it is not given);
            `opened` (`"resid_mid:3@7"`, or a list of such texts), the nodes that are drawn as sums
            of factors, by the `dictionary` that is named: one that ships, NAME=FOLDER, or one in
            memory.

    Raises:
        RequestError: the prompt, the target or a setting cannot be explained as asked.
        ModelError: the model cannot be loaded.

    Example:
        >>> explain("The capital of Japan is the city of").graph.target.token.token
        ' Tokyo'
    """
    prompt, model, tokenizer = _three(given, choices)
    reference = _reference(choices.pop("reference", ()))
    dictionary, dictionaries = own_dictionary(choices.pop("dictionary", None))
    choices |= {"dictionary": dictionary} if dictionary else {}
    if "target" in choices:
        choices["token"] = choices.pop("target")
    known = ExplainRequest.fields()
    unknown = sorted(set(choices) - known)
    if unknown:
        raise RequestError(f"explain takes no {unknown[0]!r}; it takes {', '.join(sorted(known))}.")
    ExplainRequest.from_mapping({**choices, "prompt": prompt})  # refused before anything is loaded
    loaded = _loaded(model, tokenizer)
    request = ExplainRequest.from_mapping({**choices, "prompt": prompt, "model": loaded.shape.name})
    return explain_request(loaded, request, reference, dictionaries)


def _three(given: tuple[object, ...], choices: dict[str, object]) -> tuple[str, object, object]:
    """The prompt, the model and the tokenizer (or None), however they were given."""
    prompt_first = not given or isinstance(given[0], str)
    names = ("prompt", "model", "tokenizer") if prompt_first else ("model", "tokenizer", "prompt")
    if not prompt_first and len(given) == 2 and isinstance(given[1], str):
        names = ("model", "prompt")
    if len(given) > len(names):
        raise RequestError(
            f"explain takes {len(names)} arguments in order, not {len(given)}. {FORMS}"
        )
    found = dict(zip(names, given, strict=False))
    twice = sorted(found.keys() & choices.keys())
    if twice:
        raise RequestError(f"explain was given its {twice[0]} twice. {FORMS}")
    found |= {name: choices.pop(name) for name in names if name in choices}
    prompt = found.get("prompt")
    if not isinstance(prompt, str):
        what = "no prompt" if prompt is None else f"a {type(prompt).__name__} as its prompt"
        raise RequestError(f"explain was given {what}. {FORMS}")
    return prompt, found.get("model", "demo"), found.get("tokenizer")


def _reference(texts: object) -> list[str]:
    if isinstance(texts, str) or not isinstance(texts, Iterable):
        raise RequestError("reference takes a list of prompts, for the means that are put in.")
    return [check_prompt(text) for text in texts]


def _loaded(model: object, tokenizer: object) -> LoadedModel:
    """The model to explain, loaded or wrapped where it has to be."""
    if isinstance(model, LoadedModel | str | ModelEntry):
        if tokenizer is not None:
            raise RequestError(
                f"explain was given a tokenizer for {_words(model)}, which has its own. {FORMS}"
            )
        return model if isinstance(model, LoadedModel) else load_model(model)
    if tokenizer is None:
        raise RequestError(f"explain was given {_words(model)} without its tokenizer. {FORMS}")
    return wrap_model(model, tokenizer)


def _words(model: object) -> str:
    named = isinstance(model, str)
    return f"the model {model[:60]!r}" if named else f"a {type(model).__name__} as its model"


def explain_request(
    model: LoadedModel,
    request: ExplainRequest,
    reference: Sequence[str] = (),
    dictionaries: Callable[[LoadedModel], Named] | None = None,
) -> Explanation:
    """Walks the whole path for one request on a loaded model; see `scored_request`.

    Args:
        dictionaries: gives those of a model by name; None for those that ship.
    """
    named = None
    if request.needs_dictionary:
        from flowviz.factors.use.opened import shipped_on

        named = (dictionaries or shipped_on)(model)
    scored = scored_request(model, request, reference, named)
    opened = Opened()
    if request.opened and named:
        from flowviz.factors.use.opened import open_with_losses

        opened = open_with_losses(scored, request.opened, named)
    return Explanation(
        request, scored, build_graph(scored, request.settings, opened), opened, named
    )


def own_dictionary(
    given: object,
) -> tuple[str | None, Callable[[LoadedModel], Named] | None]:
    """The name of a dictionary, and who gives it: one that ships, NAME=FOLDER, or one in memory.

    Raises:
        RequestError: it is none.
    """
    if given is None or given == "":
        return None, None
    from flowviz.factors.use.opened import beside_shipped
    from flowviz.factors.use.places import dictionary_name

    if isinstance(given, str) and "=" not in given:
        return dictionary_name(given), None
    return beside_shipped(given)


def scored_request(
    model: LoadedModel,
    request: ExplainRequest,
    reference: Sequence[str] = (),
    named: Named | None = None,
) -> Scored:
    """The flow that a request asks for, before anything is drawn.

    Args:
        named: gives dictionaries by name, where factors are changed; None for those that ship.
        reference: the prompts that means are over, where an intervention puts one in; the
            prompts of the demo's phenomena where none are given.
    """
    trace = record(model, model.vocabulary.encode(request.prompt, model.context))
    scored = Scored(flow_of(model, trace, resolve_target(model, trace, request.target)))
    if not request.interventions:
        return scored

    def values(instead: Instead) -> Baseline:
        return values_instead(model, instead, request.donor, reference)

    if named is None and request.needs_dictionary:
        from flowviz.factors.use.opened import shipped_on

        named = shipped_on(model)
    return changed_flow(scored, request, values, split=splitting(model, named))


def changed_flow(
    scored: Scored,
    request: ExplainRequest,
    values: Values,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    split: Split | None = None,
) -> Scored:
    """The flow of the same target through the pass with the request's interventions.

    Args:
        scored: the flow through the clean pass.
        values: what is put in, where something is.
        progress: told how many of all parts are changed; may raise to stop.
        split: splits a vector into factors, where some are changed.

    Raises:
        RequestError: the pass has not what an intervention names.
    """
    clean = scored.flow
    ids = list(clean.trace.ids)
    trace = record_changed(clean.model, ids, request.interventions, values, progress, split)
    changed = Changed(scored, request.interventions, request.donor)
    return Scored(flow_of(clean.model, trace, clean.target), changed)


def values_instead(
    model: LoadedModel, instead: Instead, donor: str | None, reference: Sequence[str]
) -> Baseline:
    """What an intervention puts in: the donor's values, or the mean over a reference set."""
    encode, context = model.vocabulary.encode, model.context
    if instead is Instead.MEAN:
        if reference:
            return mean(model, (encode(check_prompt(text), context) for text in reference))
        return mean(model, (encode(text, None)[:context] for text in reference_prompts()))
    ids = encode(check_prompt(donor), context)
    return resample(record(model, ids), len(ids), "the values on another prompt")


def reference_prompts() -> list[str]:
    """What means are over where nobody says: the prompts of the demo's phenomena."""
    return [prompt.text for prompt in shipped("phenomena")]


def resolve_target(model: LoadedModel, trace: Trace, spec: TargetSpec) -> FlowTarget:
    """Finds the ids and the position that a request means.

    Raises:
        RequestError: the position is not in the prompt, a text is not one token, or token and
            contrast are the same.
    """
    last = len(trace.ids) - 1
    position = last if spec.position is None else spec.position
    if position > last:
        raise RequestError(
            f"The target's position is {position}, but the prompt has positions 0 to {last}. "
            "Choose one of the prompt's tokens."
        )
    vocabulary = model.vocabulary
    token = (
        int(trace.logits[position].argmax())
        if spec.token is None
        else vocabulary.resolve(spec.token)
    )
    contrast = None if spec.contrast is None else vocabulary.resolve(spec.contrast)
    if contrast == token:
        raise RequestError(
            f"The target and its contrast are the same token, {vocabulary.text(token)!r}. "
            "Choose another contrast, or none."
        )
    return FlowTarget(position, token, contrast)
