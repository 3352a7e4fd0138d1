"""The demo corpus, dealt sentence by sentence into what is asked, chosen on, and reported on."""

from __future__ import annotations

from collections.abc import Iterator

from flowviz.contexts.corpus import demo_corpus
from flowviz.contexts.corpus.types import ROOT, Sentence

DEAL = ("asked", "choosing", "reporting", "choosing", "reporting")
ASKED, CHOOSING, REPORTING = DEAL[:3]


def dealt() -> Iterator[tuple[str, Sentence]]:
    """The demo corpus, each sentence with its part."""
    for number, (sentence, _) in enumerate(demo_corpus().read()):
        assert isinstance(sentence, Sentence)
        yield DEAL[number % len(DEAL)], sentence


def conllu(part: str, sentence: Sentence) -> str:
    """A sentence in CoNLL-U, its part as its document."""
    rows = [
        (number, word.form, word.lemma, word.upos, "_", word.feats or "_",
         0 if word.head == ROOT else word.head + 1, word.deprel, "_", "_")
        for number, word in enumerate(sentence.words, 1)
    ]  # fmt: skip
    head = [f"# newdoc id = {part}", f"# sent_id = {sentence.place}", f"# text = {sentence.text}"]
    return "\n".join([*head, *("\t".join(map(str, row)) for row in rows)]) + "\n\n"
