"""What the worked example on a pronoun and its occupation measures, on both shipped models."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from flowviz import AttentionMaps, attention_maps, load_model
from flowviz.demo import ENCODER_FOLDER, MODEL_FOLDER
from flowviz.demo.evaluate import load
from flowviz.demo.evaluate import she_shares as gpt_she_shares
from flowviz.demo.lexicon.people import P_SHE
from flowviz.demo.masked.evaluate import BIAS_PAIR, BIAS_TEXT, load_masked, she_shares
from flowviz.encoders.loaded import LoadedEncoder
from flowviz.encoders.loading import load_encoder
from flowviz.models.loaded import LoadedModel

OCCUPATIONS = tuple(P_SHE)
STATED = np.array(list(P_SHE.values()))
TWO = ("The {} asked the {} a question.", "{} answered at once.")
PEOPLE = tuple((one, other) for one in OCCUPATIONS for other in OCCUPATIONS if one != other)[::27]
"""25 of the 650 ordered pairs of the 26 occupations, nobody twice as the first."""


@cache
def bert() -> LoadedEncoder:
    return load_encoder("demo-bert")


@cache
def gpt() -> LoadedModel:
    return load_model("demo")


def weights(maps: AttentionMaps) -> NDArray[np.float32]:
    return np.asarray(maps.weights, dtype=np.float32) * maps.unit


def words(maps: AttentionMaps) -> list[str]:
    return [token.text.strip() for token in maps.queries.tokens]


def looks(text: str, at: str, to: str, second: str = "") -> NDArray[np.float32]:
    """How much each head of the BERT takes, at one word, from another [layer, head]."""
    maps = attention_maps(text, bert(), second=second)
    read = words(maps)
    return weights(maps)[:, :, read.index(at), read.index(to)]


def gpt_looks(text: str, to: str, **choices: object) -> NDArray[np.float32]:
    """How much each head of the GPT takes, at the last token, from a word [layer, head]."""
    maps = attention_maps(text, gpt(), **choices)
    return weights(maps)[:, :, -1, words(maps).index(to)]


def from_the_mask() -> NDArray[np.float32]:
    """From the mask to the occupation, of every occupation [occupation, layer, head]."""
    return np.stack([looks(BIAS_TEXT.format(name), "[MASK]", name) for name in OCCUPATIONS])


def from_the_second_text() -> NDArray[np.float32]:
    """The same where the mask stands in the second text."""
    first, second = BIAS_PAIR
    return np.stack([looks(first.format(x), "[MASK]", x, second) for x in OCCUPATIONS])


def from_the_pronoun(pronoun: str) -> NDArray[np.float32]:
    """The same where the pronoun is not masked."""
    texts = [BIAS_TEXT.format(name).replace("[MASK]", pronoun) for name in OCCUPATIONS]
    return np.stack([looks(t, pronoun, x) for t, x in zip(texts, OCCUPATIONS, strict=True)])


def gpt_from_the_end() -> NDArray[np.float32]:
    """From "that" to the occupation, of every occupation."""
    return np.stack([gpt_looks(f"The {name} said that", name) for name in OCCUPATIONS])


def gpt_to_two() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """From the full stop to the first and to the second of two people [pair, layer, head]."""
    return _to_both([attention_maps(TWO[0].format(*pair), gpt()) for pair in PEOPLE], ".")


def to_two() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The same from a mask in the second text."""
    asked = TWO[1].format("[MASK]")
    texts = [TWO[0].format(*pair) for pair in PEOPLE]
    return _to_both([attention_maps(text, bert(), second=asked) for text in texts], "[MASK]")


def _to_both(maps: list[AttentionMaps], at: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    found = []
    for each, pair in zip(maps, PEOPLE, strict=True):
        read = words(each)
        found.append(weights(each)[:, :, read.index(at), [read.index(name) for name in pair]])
    both = np.stack(found)
    return both[..., 0], both[..., 1]


def at_the_mask(text: str, second: str = "") -> dict[str, float]:
    """The chances of the strongest words at the mask."""
    maps = attention_maps(text, bert(), second=second)
    found = maps.readings[words(maps).index("[MASK]")]
    return {each.token.strip(): each.probability for each in found}


def shares_of_two() -> list[float]:
    """The share of She for each of PEOPLE."""
    asked = TWO[1].format("[MASK]")
    found = [at_the_mask(TWO[0].format(*pair), asked) for pair in PEOPLE]
    return [chances["She"] / (chances["She"] + chances["He"]) for chances in found]


def gpt_shares_of_two() -> list[float]:
    """The same of the GPT, after the first sentence."""
    from flowviz.demo.evaluate import next_logits
    from flowviz.demo.tokenizer import end_of_text

    model, tokenizer = load(MODEL_FOLDER)
    end = end_of_text(tokenizer)
    prompts = [(end, *tokenizer.encode(TWO[0].format(*pair)).ids) for pair in PEOPLE]
    she, he = (tokenizer.encode(form).ids[0] for form in (" She", " He"))
    logits = next_logits(model, prompts)
    return torch.sigmoid(logits[:, she] - logits[:, he]).tolist()


def stated_of_two() -> list[float]:
    """The mean of the two stated chances: the corpus speaks of either as often."""
    return [(P_SHE[one] + P_SHE[other]) / 2 for one, other in PEOPLE]


def all_shares() -> dict[str, list[float]]:
    """P(she) for every occupation, by where it was read."""
    masked = load_masked(ENCODER_FOLDER)
    return {
        "stated": STATED.tolist(),
        "gpt": gpt_she_shares(*load(MODEL_FOLDER)),
        "bert": she_shares(*masked),
        "pair": she_shares(*masked, BIAS_PAIR),
    }
