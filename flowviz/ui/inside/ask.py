"""The ids of this page's question and of its canvas."""

from flowviz.ui.ask_panel import AskIds
from flowviz.ui.canvas import CanvasIds
from flowviz.ui.inside.ids import Inside

ASK = AskIds(
    model=Inside.MODEL,
    prompt=Inside.PROMPT,
    count=Inside.COUNT,
    example=Inside.EXAMPLE,
    run=Inside.RUN,
    tokens=Inside.TOKENS,
    predictions=Inside.PREDICTIONS,
    target=Inside.TARGET,
    contrast=Inside.CONTRAST,
    value=Inside.VALUE,
    look_for=Inside.LOOK_FOR,
)
CANVAS = CanvasIds(
    canvas=Inside.CANVAS,
    graph=Inside.GRAPH,
    fold=Inside.FOLD,
    zoom_out=Inside.ZOOM_OUT,
    zoom_in=Inside.ZOOM_IN,
    fit=Inside.FIT,
    link=Inside.LINK,
    progress=Inside.PROGRESS,
    stage=Inside.STAGE,
    bar=Inside.BAR,
    cancel=Inside.CANCEL,
    poll=Inside.POLL,
)
