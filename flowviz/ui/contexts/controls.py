"""What is searched for, where, and among what: the panel on the left."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from flowviz.contexts.kinds import Feature, Metric, Role, SiteKind
from flowviz.contexts.request import MOST_HITS
from flowviz.session import CorpusChoice
from flowviz.ui.contexts.ids import Contexts
from flowviz.ui.contexts.opening import Opening
from flowviz.ui.dom import attributes
from flowviz.ui.graph_controls import field
from flowviz.views.contexts.look import COLOURED, OFFSETS, PLAIN
from flowviz.views.contexts.words import FEATURE_WORDS, METRIC_WORDS, ROLE_WORDS, SITE_WORDS

LAYER_LABEL: Any = {"function": "flowvizLayer"}  # a function of assets/ask.js
READING = (
    "Each line is a sentence of the corpus, its matched token filled, the token that the heads "
    "look at most from there framed. Point at a token to see where they look from it. The bars "
    "count what the hits have in common; the upright mark is how often it would be anyway."
)
FIRST_TIP = (
    "Heads of a GPT rest on a sentence's first token when they look for nothing (an attention "
    "sink), so that it does not count as most attended unless this is on"
)


def controls(opening: Opening, corpora: Sequence[CorpusChoice]) -> html.Aside:
    """The whole panel."""
    return html.Aside(
        [
            _corpus(opening, corpora),
            _kind(opening),
            _layer(opening),
            _squares(),
            _neuron(opening),
            _metric(opening),
            _most(opening),
            _grid(opening),
            _colours(opening),
            _limits(opening),
            _new_filter(),
            html.P(READING, className="reading"),
        ],
        className="controls",
        **attributes(aria_label="Settings"),
    )


def select(box: StrEnum, name: str, value: str, data: list[Any], **more: Any) -> dmc.Select:
    """A box to choose one of some."""
    return dmc.Select(
        id=box, value=value, data=data, size="xs", allowDeselect=False,
        attributes={"input": {"aria-label": name}}, **more,
    )  # fmt: skip


def number(box: Contexts, name: str, value: int | float | str, **more: Any) -> dmc.NumberInput:
    """A box for a number; what is typed counts after a moment."""
    return dmc.NumberInput(
        id=box, value=value, size="xs", debounce=600,
        attributes={"input": {"aria-label": name}}, **more,
    )  # fmt: skip


def corpus_options(corpora: Sequence[CorpusChoice]) -> list[dict[str, str]]:
    """The corpora to choose from."""
    return [{"value": each.name, "label": _corpus_words(each)} for each in corpora]


def _corpus_words(corpus: CorpusChoice) -> str:
    size = "" if corpus.sentences is None else f", {corpus.sentences:,} sentences"
    return f"{corpus.title}{size}"


def part_options(parts: Sequence[str]) -> list[dict[str, str]]:
    """The parts of a corpus to choose from."""
    return [{"value": "", "label": "all"}, *({"value": p, "label": p} for p in parts if p)]


def _corpus(opening: Opening, corpora: Sequence[CorpusChoice]) -> html.Div:
    box = select(Contexts.CORPUS, "Corpus", opening.request.corpus, corpus_options(corpora))
    return field("Corpus", box, "Where contexts are searched; whoever starts the server adds more")


def _kind(opening: Opening) -> html.Div:
    site = opening.request.site
    options = [{"value": str(kind), "label": words} for kind, words in SITE_WORDS.items()]
    value = str(site.kind if site else SiteKind.RESID_PRE)
    tip = "Which vector of the token is compared with those of all tokens of the corpus"
    return field("Compare", select(Contexts.KIND, "Compare", value, options), tip)


def _layer(opening: Opening) -> html.Div:
    site = opening.request.site
    layer = max(0, site.layer) if site else 0
    slider = dmc.Slider(
        id=Contexts.LAYER,
        value=layer,
        min=0,
        max=max(1, layer),
        step=1,
        size="sm",
        updatemode="mouseup",
        thumbLabel="Block",
        label=LAYER_LABEL,
    )
    words = html.Small(id=Contexts.LAYER_WORDS)
    box = html.Div([slider, words], className="layer-choice")
    return _only("layers", field("Block", box, "Keys [ and ] go to the block below and above"))


def _only(what: str, part: Component) -> html.Div:
    return html.Div(part, className=f"of-{what}")


def _squares() -> html.Div:
    squares = html.Div(id=Contexts.SQUARES, className="squares", role="group",
                       **attributes(aria_label="Heads that are compared"))  # fmt: skip
    tip = "Click heads to compare only what these write; none chosen: all of the block"
    return _only("heads", field("Heads", squares, tip))


def _neuron(opening: Opening) -> html.Div:
    request = opening.request
    neuron = request.chosen[0] if request.chosen else 0
    box = number(Contexts.NEURON, "Neuron", neuron, min=0, allowDecimal=False, clampBehavior="none")
    return _only("neurons", field("Neuron", box, "Contexts in which it is most active come first"))


def _metric(opening: Opening) -> html.Div:
    control = dmc.SegmentedControl(
        id=Contexts.METRIC,
        value=str(opening.request.metric),
        data=[{"value": str(each), "label": METRIC_WORDS[each]} for each in Metric],
        fullWidth=True,
        size="xs",
    )
    tip = "Cosine compares directions alone; the inner product favours long vectors, too"
    return _only("metric", field("By", control, tip))


def _most(opening: Opening) -> html.Div:
    count = opening.request.count
    box = number(Contexts.MOST, "Hits", count, min=1, max=MOST_HITS, allowDecimal=False,
                 clampBehavior="none")  # fmt: skip
    return field("Hits", box, f"How many contexts are found, 1 to {MOST_HITS}")


def _grid(opening: Opening) -> html.Div:
    grid = html.Div(id=Contexts.GRID, className="head-grid", role="group",
                    **attributes(aria_label="Heads whose attention is shown"))  # fmt: skip
    own = html.Button("The compared ones", id=Contexts.GRID_OWN, className="plain",
                      type="button", hidden=True)  # fmt: skip
    tip = (
        "Whose mean attention marks the most attended token. Rows are blocks, columns heads; "
        "click to choose. Without a choice: the compared heads, or all of the compared block"
    )
    first = dmc.Switch(
        id=Contexts.FIRST, checked=opening.request.first, label="Count the first token", size="xs"
    )
    rests = html.Div(first, title=FIRST_TIP, className="first-token")
    return field("Attention of", html.Div([grid, own, rests]), tip)


def _colours(opening: Opening) -> html.Div:
    look = opening.look
    options = [{"value": str(each), "label": FEATURE_WORDS[each]} for each in COLOURED]
    options.append({"value": PLAIN, "label": "Nothing"})
    box = select(Contexts.COLOUR, "Colour words by", str(look.colour or PLAIN), options)
    chips = [
        dmc.Chip(_signed(each), value=str(each), size="xs", variant="outline") for each in OFFSETS
    ]
    group = dmc.ChipGroup(
        html.Div(chips, className="offset-chips"),
        id=Contexts.OFFSETS,
        value=[str(each) for each in look.offsets],
        multiple=True,
    )
    tip = "Annotations of the words around the matched one, 0, as colours"
    words = html.Small("words before and behind the matched one", className="dim")
    return field("Colour words by", html.Div([box, group, words], className="colouring"), tip)


def _signed(number: int) -> str:
    return f"{number:+d}".replace("-", "−") if number else "0"


def _limits(opening: Opening) -> html.Div:
    request = opening.request
    part = select(Contexts.PART, "Part of the corpus", request.part, part_options([request.part]),
                  searchable=True, limit=100)  # fmt: skip
    least = number(Contexts.LEAST, "Score at least", "" if request.least is None else request.least,
                   step=0.05, decimalScale=4, placeholder="any")  # fmt: skip
    other = dmc.Switch(
        id=Contexts.OTHER, checked=request.other_word, label="Not the same word", size="xs"
    )
    one = dmc.Switch(
        id=Contexts.ONE_EACH, checked=request.one_each, label="One hit a sentence", size="xs"
    )
    return html.Div(
        [
            field("Part", part, "Only in this part of the corpus"),
            field("Score at least", least, "Hits with a lower score are left out"),
            other,
            one,
        ],
        className="group limits",
    )


def _new_filter() -> html.Div:
    roles = [{"value": str(each), "label": words} for each, words in ROLE_WORDS.items()]
    features = [{"value": str(each), "label": words} for each, words in FEATURE_WORDS.items()]
    signs = [{"value": "=", "label": "is"}, {"value": "!=", "label": "is not"}]
    row = [
        select(Contexts.ROLE, "Word that is filtered", str(Role.MATCHED), roles),
        select(Contexts.FEATURE, "What is filtered", str(Feature.UPOS), features),
        select(Contexts.SIGN, "Is or is not", "=", signs),
        dmc.Autocomplete(id=Contexts.VALUE, value="", data=[], placeholder="value", size="xs",
                         limit=50, attributes={"input": {"aria-label": "Value"}}),
        html.Button("Add", id=Contexts.ADD, className="small", type="button"),
    ]  # fmt: skip
    tip = "Keeps only hits whose word has this value; a click on a bar does the same"
    return field("Filter", html.Div(row, className="new-filter"), tip)
