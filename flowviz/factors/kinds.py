"""The words of factors: methods, levels, orders. Plain values."""

from __future__ import annotations

from enum import StrEnum

DEFAULT = "coding"
"""The dictionary that is shown where nobody says."""


class Method(StrEnum):
    """How a dictionary was learned, and so how a vector's factors are found."""

    CODING = "coding"  # non-negative sparse coding: FISTA over the atoms (Yun et al. 2021)
    TOPK = "topk"  # a sparse autoencoder that keeps the k largest (Gao et al. 2024)
    JUMPRELU = "jumprelu"  # one with a threshold for each factor (Rajamanoharan et al. 2024)
    RELU = "relu"  # one with none, as the first that were published


class Order(StrEnum):
    """By what factors are listed."""

    IMPORTANCE = "importance"  # the mean of a factor's strongest activations at a layer
    DENSITY = "density"  # the share of tokens at which it is active
    LEVEL = "level"  # how far back its activation depends on the context
    NUMBER = "number"


class Level(StrEnum):
    """How far a factor looks, by how much context its activation needs (`levels.py`)."""

    WORD = "word"  # the word alone gives it
    PATTERN = "pattern"  # some words around
    LONG = "long"  # words that stand far back
