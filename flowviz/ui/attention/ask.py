"""The ids of this page's question."""

from flowviz.ui.ask_panel import AskIds
from flowviz.ui.attention.ids import Attention

ASK = AskIds(
    model=Attention.MODEL,
    prompt=Attention.PROMPT,
    count=Attention.COUNT,
    example=Attention.EXAMPLE,
    run=Attention.RUN,
    tokens=Attention.TOKENS,
    predictions=Attention.PREDICTIONS,
    target=Attention.TARGET,
    contrast=Attention.CONTRAST,
    value=Attention.VALUE,
    look_for=Attention.LOOK_FOR,
)
