"""Brackets and quotation marks that must be closed by their own kind, also when nested."""

from __future__ import annotations

from flowviz.demo.document import Document
from flowviz.demo.draw import Draw
from flowviz.demo.lexicon import people, places, words
from flowviz.demo.lexicon.entry import adjective, noun
from flowviz.demo.lexicon.index import city, number, occupation, person
from flowviz.demo.template import render

_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))
_QUOTES = (('"', '"'), ("'", "'"), ("“", "”"), ("«", "»"))
_IN_BRACKETS = (
    "The {n}|nsubj OPEN a~ {adj}|amod {m}|appos@n CLOSE! was|AUX.cop {adj2}|root .",
    "{x}|nsubj OPEN the {occ}|appos@x CLOSE! went|root home|ADV.advmod .",
    "We|PRON.nsubj saw|root the {n}|obj OPEN see|VERB.parataxis@n page|obj@see {num}|nummod@page "
    "CLOSE! .",
    "The {n}|nsubj OPEN in {city}|nmod@n CLOSE! is|AUX.cop {adj}|root .",
    "The {n}|nsubj OPEN the {m}|appos@n OPEN2 in {city}|nmod@m CLOSE2! CLOSE! was|AUX.cop "
    "{adj2}|root .",
)
_IN_QUOTES = (
    "{x}|nsubj said|root , OPEN I|PRON.nsubj@like like|VERB.ccomp the {n}|obj@like . CLOSE!",
    "{x}|nsubj said|root : OPEN The {n}|nsubj@adj is|AUX.cop@adj {adj}|ccomp . CLOSE!",
    "OPEN The {n}|nsubj@adj is|AUX.cop@adj {adj}|ccomp , CLOSE! said|root {x}|nsubj .",
    "{x}|nsubj asked|root , OPEN Where|ADV.ccomp is|AUX.cop@Where the {n}|nsubj@Where ? CLOSE!",
    "The word|nsubj OPEN {adj}|appos@word CLOSE! is|AUX.cop new|ADJ.root .",
    "They|PRON.nsubj call|root it|PRON.obj OPEN the {adj}|amod {n}|xcomp CLOSE! .",
)


def brackets(draw: Draw) -> Document:
    """A remark in one or two kinds of brackets."""
    outer, inner = draw.sample(_BRACKETS, 2)
    return _marked(draw, "closing brackets", _IN_BRACKETS, (outer, inner))


def quotes(draw: Draw) -> Document:
    """Something said, or a word named."""
    style = draw.pick(_QUOTES)
    return _marked(draw, "closing quotes", _IN_QUOTES, (style, style))


def _marked(
    draw: Draw, name: str, templates: tuple[str, ...], marks: tuple[tuple[str, str], ...]
) -> Document:
    (opening, closing), (opening2, closing2) = marks
    number_, n = draw.until(
        lambda: draw.fact(name, templates, tuple(words.PLURAL)),
        lambda case: "{n}" in templates[case[0]] or not draw.held,  # n names the held-out case
    )
    template = templates[number_].replace("OPEN2", opening2).replace("CLOSE2", closing2)
    template = template.replace("OPEN", opening).replace("CLOSE", closing)
    return render(template, _fills(draw, n), name)


def _fills(draw: Draw, n: str) -> dict:
    return {
        "n": noun(n),
        "m": noun(draw.pick(tuple(words.PLURAL))),
        "adj": adjective(draw.pick(words.ADJECTIVES)),
        "adj2": adjective(draw.pick(words.ADJECTIVES)),
        "x": person(draw.pick((*people.WOMEN, *people.MEN))),
        "occ": occupation(draw.pick(tuple(people.P_SHE))),
        "num": number(draw.pick(words.SERIES["digits"])),
        "city": city(draw.pick(places.CITIES)),
    }
