"""The ids of this page's question."""

from flowviz.ui.ask_panel import AskIds
from flowviz.ui.flow.ids import Flow

ASK = AskIds(
    model=Flow.MODEL,
    prompt=Flow.PROMPT,
    count=Flow.COUNT,
    example=Flow.EXAMPLE,
    run=Flow.RUN,
    tokens=Flow.TOKENS,
    predictions=Flow.PREDICTIONS,
    target=Flow.TARGET,
    contrast=Flow.CONTRAST,
    value=Flow.VALUE,
    look_for=Flow.LOOK_FOR,
)
