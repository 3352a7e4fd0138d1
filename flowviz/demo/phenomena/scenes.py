"""Indirect objects in a few fixed settings: the ones that the first stage of training reads.

Heads that copy form on these and on random repeats; the full mixture then has the many settings
of :mod:`flowviz.demo.phenomena.copying`, without which the model copies in known settings only.
"""

from __future__ import annotations

from flowviz.demo.document import Document, join
from flowviz.demo.draw import Draw
from flowviz.demo.lexicon import words
from flowviz.demo.lexicon.entry import past, plain
from flowviz.demo.phenomena.copying import KNOWN_NAMES, scene
from flowviz.demo.template import render

_GIVING = (
    "{S}|nsubj {give}|root a~ {thing}|obj to {IO}!|obl .",
    "Then|advmod {S}|nsubj {give}|root a~ {thing}|obj to {IO}!|obl .",
    "{S}|nsubj wanted|root to|PART.mark@plain {plain}|xcomp a~ {thing}|obj@plain to "
    "{IO}!|obl@plain .",
)
_JOINED = "{S}|nsubj {give}|root a~ {thing}|obj to {IO}!|obl ."
_OPENINGS = (
    "When|ADV.advmod@went {A}|nsubj@went and {B}|conj@A went|advcl to the {place}|obl@went ,",
    "After|SCONJ.mark@went {A}|nsubj@went and {B}|conj@A went|advcl to the {place}|obl@went ,",
    "When|ADV.advmod@visited {A}|nsubj@visited and {B}|conj@A visited|advcl the "
    "{place}|obj@visited ,",
    "While|SCONJ.mark@place {A}|nsubj@place and {B}|conj@A were|AUX.cop@place at the "
    "{place}|NOUN.advcl ,",
    "After|SCONJ.mark@met {A}|nsubj@met met|advcl {B}|obj@met at the {place}|obl@met ,",
    "Before|SCONJ.mark@left {A}|nsubj@left and {B}|conj@A left|advcl the {place}|obj@left ,",
    "At the {place}|obl where|ADV.advmod@work {A}|nsubj@work and {B}|conj@A work|acl:relcl@place ,",
)
_SCENES = (
    "{A}|nsubj and {B}|conj@A went|root to the {place}|obl .",
    "Then|advmod , {A}|nsubj and {B}|conj@A went|root to the {place}|obl .",
    "Yesterday|advmod {A}|nsubj and {B}|conj@A had|root a~ argument|obj at the {place}|obl .",
    "{A}|nsubj met|root {B}|obj at the {place}|obl .",
    "{A}|nsubj and {B}|conj@A were|AUX.cop at the {place}|NOUN.root .",
    "One|NUM.nummod day|NOUN.obl {A}|nsubj and {B}|conj@A had|root dinner|obj at the {place}|obl .",
    "Today|advmod {A}|nsubj saw|root {B}|obj near the {place}|obl .",
    "{A}|nsubj is|AUX.cop a~ friend|NOUN.root of {B}|nmod .",
)


def simple_scenes(draw: Draw) -> Document:
    """One of two people gives something to the other, in one of fifteen settings."""
    first, second = draw.until(
        lambda: draw.sample(KNOWN_NAMES, 2),
        lambda pair: draw.case("indirect objects", *sorted(pair)),
    )
    fills = scene(draw, first, second, words.PLACES, words.THINGS)
    verb = draw.pick(words.GIVE)
    fills |= {"give": past(verb, words.LEMMA[verb]), "plain": plain(words.LEMMA[verb])}
    if draw.chance(0.5):
        return render(f"{draw.pick(_OPENINGS)} {_JOINED}", fills, "indirect objects")
    setting = render(draw.pick(_SCENES), fills)
    return join([setting, render(draw.pick(_GIVING), fills, "indirect objects")])
