"""What scripts in the browser need to know of the comparison that was drawn."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from flowviz.compare.request import CompareRequest
from flowviz.compare.types import Column, Comparison
from flowviz.graph.types import Prediction
from flowviz.session import Session
from flowviz.ui.tokens import token_value
from flowviz.views.compare.words import column_words, where_words
from flowviz.views.tokens import visible


def drawing(request: CompareRequest, comparison: Comparison, elements: int) -> dict[str, Any]:
    """A few small figures: how many elements to wait for, what is explained."""
    token = comparison.first.target.token
    about = zlib.crc32(request.to_query().encode())
    sides = zlib.crc32(f"{comparison.second.prompt}{request.second.model}".encode())
    return {
        "run": f"{about:08x}-{elements}",
        "wiring": f"{request.first.settings.wiring} {sides:08x}",
        "elements": elements,
        "token": token_value(token.token, token.id),
    }


def column_strip(comparison: Comparison) -> dict[str, Any]:
    """What a script makes the columns of: both tokens, whether they are the same, the target's."""
    columns = comparison.columns
    explained = comparison.first.target.position, comparison.second.target.position
    return {
        "columns": [_column(column, *explained) for column in columns],
        "drawn": sorted({node.key.position for node in comparison.graph.nodes}),
        "differing": sum(not column.same for column in columns),
    }


def _column(column: Column, first: int, second: int) -> dict[str, Any]:
    texts = (column.first_text, column.second_text)
    return {
        "texts": [None if text is None else visible(text) for text in texts],
        "at": [column.first, column.second],
        "same": column.same,
        "explained": [column.first == first, column.second == second],
        "words": column_words(column),
        "tip": where_words(column),
    }


def shown_predictions(session: Session, shown: Mapping[str, str] | None) -> tuple[Prediction, ...]:
    """What either side predicts, each token as the side has it that gives it more."""
    if not shown:
        return ()
    comparison = session.answer(CompareRequest.from_mapping(shown))
    pairs = [(pair.first, pair.second) for pair in comparison.predictions]
    return tuple(max(pair, key=lambda each: each.probability) for pair in pairs)
