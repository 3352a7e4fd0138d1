"""The ids of this page's canvas."""

from flowviz.ui.canvas import CanvasIds
from flowviz.ui.compare.ids import Compare

CANVAS = CanvasIds(
    canvas=Compare.CANVAS,
    graph=Compare.GRAPH,
    fold=Compare.FOLD,
    zoom_out=Compare.ZOOM_OUT,
    zoom_in=Compare.ZOOM_IN,
    fit=Compare.FIT,
    link=Compare.LINK,
    progress=Compare.PROGRESS,
    stage=Compare.STAGE,
    bar=Compare.BAR,
    cancel=Compare.CANCEL,
    poll=Compare.POLL,
)
