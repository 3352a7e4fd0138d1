"""A prompt's factors, and the tokens of an activation, as plain values for scripts to draw."""

from __future__ import annotations

from typing import Any

from flowviz.contexts.kinds import WHOLE, Site
from flowviz.factors.look.types import Attributed, PromptFactors
from flowviz.factors.use.places import KINDS, OpenAt
from flowviz.views.factors.packed_told import piece
from flowviz.views.factors.words import depth, number, share, site_short, site_words
from flowviz.views.tokens import visible


def prompt_packed(
    prompt: PromptFactors, said: tuple[str, ...] = (), opens: str | None = None
) -> dict[str, Any]:
    """The table: a row for each factor, a column for each token, a layer of it for each site.

    Args:
        said: notes that stand elsewhere on the page.
        opens: the dictionary by which the flow's nodes can be opened; None where there is no flow.
    """
    order = sorted(range(len(prompt.sites)), key=lambda i: depth(prompt.sites[i]))
    most = float(prompt.activations.max(initial=0.0)) or 1.0
    return {
        "tokens": [piece(token.text, 0.0, 1.0)[:2] for token in prompt.tokens],
        "rows": [
            {"factor": factor, "word": visible(word) if word else ""}
            for factor, word in zip(prompt.factors, prompt.words, strict=True)
        ],
        "sites": [_site(prompt, i) | _way(prompt.sites[i], opens) for i in order],
        "cells": [_cells(prompt, i, most) for i in order],
        "notes": [note for note in prompt.notes if note not in said],
    }


def _site(prompt: PromptFactors, index: int) -> dict[str, Any]:
    """How well the factors hold the prompt there."""
    site, row = prompt.sites[index], prompt.explained[index]
    spliced = prompt.spliced[index] if index < len(prompt.spliced) else None
    change = None if spliced is None or prompt.loss is None else spliced - prompt.loss
    explained = float(row.mean()) if len(row) else 0.0
    words = site_words(site)
    tip = [words.capitalize(), f"factors explain {share(explained)} of the vectors, in the mean"]
    if spliced is not None and prompt.loss is not None:
        tip.append(f"loss {number(prompt.loss)} becomes {number(spliced)} nats with them alone")
    return {
        "site": str(site),
        "label": site_short(site),
        "words": words,
        "explained": share(explained),
        "bar": round(min(max(explained, 0.0), 1.0), 4),
        "loss": "" if change is None else _signed(change),
        "tip": tip,
        "held": [round(float(each), 3) for each in row],
        "others": [int(each) for each in prompt.others[index]],
    }


def _way(site: Site, dictionary: str | None) -> dict[str, Any]:
    """How the flow names a node there: what stands before its position and behind it."""
    if dictionary is None or site.kind not in KINDS:
        return {"opened": None, "node": None}
    first, last = str(OpenAt(site, 0, dictionary)).split("@0", 1)
    node = None if site.layer == WHOLE else f"{KINDS[site.kind]}:{site.layer}:"
    return {"opened": [f"{first}@", last], "node": node}


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def _cells(prompt: PromptFactors, index: int, most: float) -> list[list[list[Any]]]:
    """What is active: for each row its positions, with paint and number."""
    rows = prompt.activations[:, index, :]
    return [
        [
            [int(at), round(float(row[at]) / most, 3), number(float(row[at]))]
            for at in row.nonzero()[0]
        ]
        for row in rows
    ]


def split_packed(split: Attributed) -> dict[str, Any]:
    """The tokens of a sentence twice: painted by masking, and by flow."""
    return {
        "factor": split.request.factor,
        "sentence": split.request.sentence,
        "at": split.position,
        "activation": number(split.activation),
        "lines": [
            _line("Masking", split.masking, split, _masking_words(split)),
            *([_line("Flow", split.flow, split, _flow_words(split))] if split.flow else []),
        ],
        "notes": list(split.notes),
    }


def _line(name: str, values: tuple[float, ...], split: Attributed, words: str) -> dict[str, Any]:
    most = max((abs(value) for value in values), default=0.0) or 1.0
    texts = [token.text for token in split.tokens]
    pieces = [piece(text, value, most) for text, value in zip(texts, values, strict=True)]
    return {"name": name, "words": words, "tokens": pieces, "position": split.position}


def _masking_words(split: Attributed) -> str:
    return (
        "How much the activation loses when the token is masked, by a linear model that explains "
        f"{share(split.fit)} of what many maskings do."
    )


def _flow_words(split: Attributed) -> str:
    tokens = number(sum(split.flow))
    return (
        f"Exactly {tokens} of {number(split.activation)} comes from the tokens, "
        f"{number(split.biases)} from biases, {number(split.rest)} from positions."
    )
