"""The attention page: where heads look, the heads of a layer or all of the model at once.

The data's way is that of the flow page: the form → ASKED and weighting → `ask` → JOB → (polled
while it runs) → SHOWN. What is drawn then is fetched packed, one layer and one window of tokens at
a time, or all thumbnails; which heads, how many lines and which token are choices of the browser
alone (`assets/attention*.js`).
"""

from __future__ import annotations

from typing import Any

import dash
from dash import Input, Output, State, callback, ctx, html
from dash.exceptions import PreventUpdate

from flowviz.attention.request import AttentionRequest
from flowviz.attention.types import check_kind
from flowviz.ui.ask_panel import ask_panel
from flowviz.ui.attention.answers import shown_maps, shown_predictions, told, value, whole_or_none
from flowviz.ui.attention.ask import ASK
from flowviz.ui.attention.browser import answer_in_browser
from flowviz.ui.attention.controls import controls
from flowviz.ui.attention.examples import asked_by, look_for, offered
from flowviz.ui.attention.files import download, download_page
from flowviz.ui.attention.finder import finder, found
from flowviz.ui.attention.fitting import fitted
from flowviz.ui.attention.form import may_flow, request_from_form
from flowviz.ui.attention.ids import Attention, Finder
from flowviz.ui.attention.opening import open_page
from flowviz.ui.attention.picture import picture
from flowviz.ui.attention.second import reading, second_box, words_for
from flowviz.ui.attention.sets import connect_sets, scored
from flowviz.ui.attention.stores import stores
from flowviz.ui.attention.ways import ways
from flowviz.ui.connected import connect_ask, connect_job, connect_question
from flowviz.ui.predictions import prediction_chips
from flowviz.ui.server import current_examples, current_session
from flowviz.views.attention.look import Pin, View, read_heads
from flowviz.views.attention.packed import layer_packed, model_packed
from flowviz.views.attention.readings import readings_packed
from flowviz.views.attention.words import window_words

dash.register_page(
    __name__, path="/attention", name="Attention", title="Attention · flowviz", order=2
)


def layout(**query: object) -> html.Div:
    """The page as its link asks for it."""
    models = current_session().models()
    names = [model.name for model in models]
    examples = offered(current_examples(), names)
    opening = open_page(query, examples, names)
    second = second_box(opening.second, words_for(models, opening.model))
    look = opening.look
    flows = may_flow(models, opening.model)
    return html.Div(
        [
            *stores(opening, asked_by(examples, names)),
            ask_panel(ASK, opening.asked, models, examples, [second], [reading()]),
            html.Div([controls(opening, flows), picture(), finder(look, bool(opening.average))],
                     className="stage"),
        ],
        id=Attention.ROOT,
        className=f"workbench attention-page is-{look.view}{'' if flows else ' has-no-flow'}",
    )  # fmt: skip


# ---- from the form to a job -------------------------------------------------------------------


def question(asked: dict[str, Any], **controls: Any) -> AttentionRequest:
    """What the form asks of the model, which may be one without a flow."""
    flows = may_flow(current_session().models(), asked.get("model"))
    return request_from_form(asked, flows=flows, **controls)


connect_ask(
    Attention,
    AttentionRequest.from_mapping,
    question,
    target={
        "token": Input(Attention.TARGET, "value"),
        "contrast": Input(Attention.CONTRAST, "value"),
        "position": Input(Attention.EXPLAINED, "data"),
    },
    ways={
        "weighting": Input(Attention.WEIGHTING, "value"),
        "mask": Input(Attention.MASK, "data"),
        "part": Input(Attention.PART, "data"),
        "over": Input(Attention.OVER, "value"),
        "mean": Input(Attention.AVERAGE, "checked"),
    },
)


@callback(
    Output(Attention.SECOND_WORDS, "children"),
    Input(Attention.MODEL, "value"),
    Input(Attention.SHOWN, "data"),
)
def say_second(model: object, _shown: object) -> str:
    """What a second text is for the model."""
    return words_for(current_session().models(), model)


# ---- from a job to the picture ----------------------------------------------------------------


@callback(
    output={
        "most": Output(Attention.LAYER, "max"),
        "layer": Output(Attention.LAYER, "value"),
        "heads": Output(Attention.HEADS, "data"),
        "parts": Output(Attention.PARTS, "children"),
        "options": Output(Attention.WEIGHTING, "data"),
        "weighting": Output(Attention.WEIGHTING, "value"),
        "why": Output(Attention.WEIGHTING_WORDS, "children"),
        "banner": Output(Attention.BANNER, "children"),
        "traits": Output(Attention.TRAITS, "data"),
    },
    inputs=[
        Input(Attention.SHOWN, "data"),
        State(Attention.LAYER, "value"),
        State(Attention.HEADS, "data"),
        State(Attention.SELECTED, "data"),
        State(Attention.WEIGHTING, "value"),
    ],
    prevent_initial_call=True,
)
def fit(
    shown: object, layer: object, heads: object, pinned: object, weighting: object
) -> dict[str, Any]:
    """Sets the controls to what there is, and says what is not."""
    return fitted(*shown_maps(shown), whole_or_none("layer", layer), heads, pinned, weighting)


@callback(
    Output(Attention.LAYER_DATA, "data"),
    Output(Attention.WINDOW, "hidden"),
    Output(Attention.WINDOW_WORDS, "children"),
    Input(Attention.SHOWN, "data"),
    Input(Attention.LAYER, "value"),
    Input(Attention.START, "data"),
    prevent_initial_call=True,
)
def send_layer(shown: object, layer: object, start: object) -> tuple[Any, ...]:
    """One layer's window of tokens."""
    _, maps = shown_maps(shown)
    begin = whole_or_none("start", start)
    words = window_words(maps, begin)
    return layer_packed(maps, whole_or_none("layer", layer) or 0, begin), not words, words


@callback(
    Output(Attention.READING_DATA, "data"),
    Input(Attention.SHOWN, "data"),
    Input(Attention.START, "data"),
    prevent_initial_call=True,
)
def send_readings(shown: object, start: object) -> dict[str, Any] | None:
    """What is predicted at each token of the window."""
    return readings_packed(shown_maps(shown)[1], whole_or_none("start", start))


@callback(
    Output(Attention.MODEL_DATA, "data"),
    Input(Attention.SHOWN, "data"),
    Input(Attention.VIEW, "value"),
    prevent_initial_call=True,
)
def send_model(shown: object, view: object) -> dict[str, Any]:
    """All heads as thumbnails, where the model view is open."""
    if view != View.MODEL:
        raise PreventUpdate
    return model_packed(shown_maps(shown)[1])


@callback(
    Output(Attention.SCORES, "data"),
    Output(Attention.FOUND, "children"),
    Output(Attention.KIND_WORDS, "children"),
    Input(Attention.SHOWN, "data"),
    Input(Attention.KIND, "value"),
    Input(Finder.SHOWN, "data"),
    prevent_initial_call=True,
)
def find(shown: object, kind: object, over: object) -> tuple[Any, ...]:
    """The heads that do most of the chosen kind, on the prompt or over a set."""
    return found(scored(over, *shown_maps(shown)), check_kind(kind))


@callback(
    Output(Attention.STATUS, "children"),
    Output(Attention.READINGS_WORDS, "children"),
    Output(Attention.STRIP, "data"),
    Input(Attention.SHOWN, "data"),
    prevent_initial_call=True,
)
def tell(shown: object) -> tuple[Any, ...]:
    """What is said of the maps, and the prompt's tokens."""
    return told(shown_maps(shown)[1])


@callback(
    Output(Attention.PREDICTIONS, "children"),
    Output(Attention.LOOK_FOR, "children"),
    Output(Attention.VALUE, "children"),
    Input(Attention.SHOWN, "data"),
    prevent_initial_call=True,
)
def answer(shown: object) -> tuple[Any, ...]:
    """The model's predictions, what the example is about, the target."""
    request, maps = shown_maps(shown)
    chips = prediction_chips(maps.predictions, maps.target) if maps.target else []
    names = [model.name for model in current_session().models()]
    about = look_for(request, offered(current_examples(), names), names)
    return chips, about, value(maps)


@callback(
    Output(Attention.LINKS, "children"),
    Input(Attention.SHOWN, "data"),
    Input(Attention.LAYER, "value"),
    Input(Attention.HEADS, "data"),
    Input(Attention.SELECTED, "data"),
    prevent_initial_call=True,
)
def link(shown: object, layer: object, heads: object, pinned: object) -> list[Any]:
    """Ways from the chosen heads at the pinned token into the head and into the flow."""
    request, maps = shown_maps(shown)
    level = whole_or_none("layer", layer) or 0
    return ways(request, maps, level, read_heads(heads), Pin.read(pinned))


@callback(
    Output(Attention.DOWNLOAD, "data"),
    Input(Attention.SAVE_JSON, "n_clicks"),
    Input(Attention.SAVE_HTML, "n_clicks"),
    State(Attention.SHOWN, "data"),
    prevent_initial_call=True,
)
def save(json: int | None, page: int | None, shown: object) -> dict[str, Any]:
    """The maps as a file."""
    if not (json or page):
        raise PreventUpdate
    write = download_page if ctx.triggered_id == Attention.SAVE_HTML else download
    return write(shown_maps(shown)[1])


connect_job(Attention)
connect_sets()
connect_question(Attention, shown_predictions)
answer_in_browser()
