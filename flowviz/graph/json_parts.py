"""What several kinds of graph have in common as JSON: their target, tokens and projections.

JSON has no number for infinity or for what is not a number, so those three travel as the texts
"inf", "-inf" and "nan". What comes from a file is checked field by field.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import orjson

from flowviz.graph.fields import Fields, fault
from flowviz.graph.types import (
    Checks,
    ModelShape,
    Prediction,
    Projection,
    PromptToken,
    Target,
    TokenScore,
)

MAX_CHARACTERS = 64 * 2**20


def writable(value: Any) -> Any:
    """A value with what JSON cannot write as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(name): writable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [writable(item) for item in value]
    return value


def parse(text: str) -> Any:
    """The values of a text. Raises RequestError for what is no JSON, or too long."""
    if len(text) > MAX_CHARACTERS:
        raise fault(f"it has {len(text):,} characters, and at most {MAX_CHARACTERS:,} are read")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise fault(f"it is not JSON, {str(error)[:80]}") from None


def read_projection(item: Fields) -> Projection:
    """A vector's reading."""
    return Projection(
        top=tuple(_read_score(score) for score in item.parts("top")),
        bottom=tuple(_read_score(score) for score in item.parts("bottom")),
        entropy=item.number("entropy"),
        target_logit=item.number("target_logit"),
        target_rank=item.whole("target_rank"),
        target_probability=item.number("target_probability"),
    )


def _read_score(item: Fields) -> TokenScore:
    numbers = item.number("logit"), item.number("probability")
    return TokenScore(item.whole("id"), item.text("text"), *numbers)


def read_token(item: Fields) -> PromptToken:
    """A token of the prompt."""
    return PromptToken(item.whole("position"), item.whole("id"), item.text("text"))


def read_prediction(item: Fields) -> Prediction:
    """One of the model's guesses."""
    numbers = item.number("probability"), item.number("logit")
    return Prediction(item.whole("id"), item.text("token"), *numbers, before(item))


def before(item: Fields) -> float | None:
    """What a number was without interventions; older files say nothing of it."""
    return item.number_or_none("before") if item.has("before") else None


def read_target(item: Fields) -> Target:
    """What is explained."""
    contrast = item.part_or_none("contrast")
    return Target(
        position=item.whole("position"),
        token=read_prediction(item.part("token")),
        token_rank=item.whole("token_rank"),
        contrast=read_prediction(contrast) if contrast else None,
        contrast_rank=item.whole_or_none("contrast_rank"),
        value=item.number("value"),
        before=before(item),
    )


def read_model(item: Fields) -> ModelShape:
    """The model's sizes; fields that were added later may be missing."""
    sizes = ("layers", "heads", "neurons", "d_model", "vocabulary")
    names = item.text("name"), item.text("architecture")
    return ModelShape(
        *names,
        *(item.whole(size) for size in sizes),
        parallel=item.flag("parallel") if item.has("parallel") else False,
        expert_neurons=item.wholes("expert_neurons") if item.has("expert_neurons") else (),
        logit_cap=item.number_or_none("logit_cap") if item.has("logit_cap") else None,
    )


def read_tokens(items: list[Fields]) -> tuple[PromptToken, ...]:
    """The prompt, its positions in order."""
    return in_order(tuple(read_token(item) for item in items))


def in_order(tokens: tuple[PromptToken, ...]) -> tuple[PromptToken, ...]:
    """The tokens, where they are numbered by position."""
    if [token.position for token in tokens] != list(range(len(tokens))):
        raise fault("tokens are not numbered 0, 1, 2 and so on by position")
    return tokens


def checks_dict(checks: Checks) -> dict[str, Any]:
    """How exact a run was, with what follows from the errors."""
    made = {"conservation_error": checks.conservation_error, "exact": checks.exact}
    return asdict(checks) | made


def read_checks(item: Fields) -> Checks:
    """How exact a run was."""
    names = ("node_error", "cut_error", "rest_error", "target_error", "block_error", "tolerance")
    return Checks(*(item.number(name) for name in names), dtype=item.text("dtype"))
