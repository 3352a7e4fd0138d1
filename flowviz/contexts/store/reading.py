"""The first half of a build: a corpus becomes shards of sentences, words and tokens.

After each shard the manifest says how far it is, so that a build that was stopped skips what it has
and goes on at the same sentence.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice

from flowviz.contexts.corpus.types import Corpus, Fault, Sentence
from flowviz.contexts.encode.types import Reader
from flowviz.contexts.kinds import ANNOTATIONS, Feature
from flowviz.contexts.store.layout import Layout
from flowviz.contexts.store.manifest import FAULTS_KEPT, Manifest, Shard, save
from flowviz.contexts.store.pieces import as_read
from flowviz.contexts.store.tables import write_shard
from flowviz.contexts.store.types import Stored
from flowviz.errors import RequestError
from flowviz.jobs import Progress

SHARE = 0.1  # of a build's progress
MOST_CHARACTERS = 2**22  # of a shard's texts and annotations: its memory is bounded with them
MOST_IN_A_SENTENCE = 2**20


def read_corpus(
    corpus: Corpus, reader: Reader, layout: Layout, manifest: Manifest, progress: Progress
) -> Manifest:
    """Writes what is not there yet of the text, and gives the manifest that says that all is.

    Raises:
        RequestError: the corpus has no sentence, or changed meanwhile.
    """
    if manifest.read:
        return manifest
    items = sum(shard.items for shard in manifest.shards)
    shard, most = _Open(), max(corpus.bytes, 1)
    for item, done in islice(corpus.read(), items, None):
        shard.add(item, reader, manifest.options.most_tokens)
        progress(_said(manifest, shard), SHARE * min(done / most, 1))
        if shard.full(manifest.options.shard_tokens):
            manifest, shard = _kept(layout, manifest, shard), _Open()
    manifest = _kept(layout, manifest, shard)
    if not manifest.sentences:
        first = f" The first fault: {manifest.first_faults[0]}" if manifest.faults else ""
        raise RequestError(f"The corpus {corpus.name} has no sentence.{first} Choose another.")
    if corpus.fingerprint() != manifest.fingerprint:
        raise RequestError(
            f"The corpus {corpus.name} changed while it was read. Delete {layout.folder} and build "
            "again."
        )
    manifest = replace(manifest, read=True)
    save(layout, manifest)
    return manifest


def _said(manifest: Manifest, shard: _Open) -> str:
    return f"Reading the corpus: {manifest.sentences + len(shard.sentences):,} sentences"


@dataclass
class _Open:
    """A shard that is being filled."""

    items: int = 0
    sentences: list[Stored] = field(default_factory=list)
    tokens: int = 0
    characters: int = 0
    faults: list[str] = field(default_factory=list)
    cut: int = 0
    pieces: int = 0

    def add(self, item: Sentence | Fault, reader: Reader, most_tokens: int) -> None:
        """A sentence or a fault of the corpus. A sentence that cannot be kept is a fault."""
        self.items += 1
        if isinstance(item, Fault):
            self.faults.append(str(item))
            return
        try:
            pieces, characters = pieces_of(item, reader, most_tokens)
        except RequestError as error:
            self.faults.append(str(Fault(item.place, 0, str(error), "the sentence")))
            return
        self.sentences += pieces
        self.tokens += sum(len(piece.tokens) for piece in pieces)
        self.characters += characters
        if len(pieces) > 1:
            self.cut, self.pieces = self.cut + 1, self.pieces + len(pieces)

    def full(self, tokens: int) -> bool:
        """Whether it is written now; one with faults alone is, too, so that they take no room."""
        crowded = max(len(self.sentences), len(self.faults)) >= tokens
        return crowded or self.tokens >= tokens or self.characters >= MOST_CHARACTERS


def pieces_of(sentence: Sentence, reader: Reader, most_tokens: int) -> tuple[list[Stored], int]:
    """A sentence as it is stored, and how many characters it has, annotations included.

    Raises:
        RequestError: it cannot be stored.
    """
    texts = _texts(sentence)
    if len(texts) > MOST_IN_A_SENTENCE:
        raise RequestError(
            f"It has {len(texts):,} characters, annotations included; at most "
            f"{MOST_IN_A_SENTENCE:,} are taken."
        )
    try:
        texts.encode()
    except UnicodeEncodeError:
        raise RequestError("It holds half of a surrogate pair.") from None
    return list(as_read(reader, sentence, most_tokens)), len(texts)


def _texts(sentence: Sentence) -> str:
    """All that is written of a sentence."""
    words = [
        f"{w.form}{w.lemma}{w.upos}{w.xpos}{w.feats}{w.deprel}{w.entity}" for w in sentence.words
    ]
    return "".join((sentence.text, sentence.part, sentence.place, *words))


def _kept(layout: Layout, manifest: Manifest, shard: _Open) -> Manifest:
    """Writes a shard, and the manifest with it."""
    if not shard.items:
        return manifest
    number, first = len(manifest.shards), manifest.sentences
    lengths = write_shard(layout, number, shard.sentences, first)
    rows = sum(not special for one in shard.sentences for special in one.tokens.special)
    parts = dict.fromkeys((*manifest.parts, *(one.sentence.part for one in shard.sentences)))
    manifest = replace(
        manifest,
        shards=(*manifest.shards, Shard(items=shard.items, **lengths, rows=rows)),
        parts=tuple(parts),
        annotations=_annotations(manifest, shard),
        faults=manifest.faults + len(shard.faults),
        first_faults=(*manifest.first_faults, *shard.faults)[:FAULTS_KEPT],
        cut=(manifest.cut[0] + shard.cut, manifest.cut[1] + shard.pieces),
    )
    save(layout, manifest)
    return manifest


def _annotations(manifest: Manifest, shard: _Open) -> tuple[Feature, ...]:
    """Those that any word had until now."""
    words = [word for one in shard.sentences for word in one.sentence.words]
    return tuple(
        each
        for each in ANNOTATIONS
        if each in manifest.annotations or any(word.value(each) for word in words)
    )
