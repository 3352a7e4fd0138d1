"""exBERT's own study (Hoover, Strobelt and Gehrmann 2020) on the models that ship, by the search.

    python -m docs.contexts_study [--write | --check]

The sentences of the demo corpus are dealt in turn into three parts: `asked`, whose words are asked
about, `choosing`, on which heads are chosen, and `reporting`, on which what was chosen is measured,
with other words. Every share is of the hits of a search (`flowviz.contexts.find`), and its interval
is a percentile bootstrap over questions, for the hits of one question are no independent draws.

`--write` puts the tables into `docs/contexts.md`; `--check` measures what is reported of chosen
heads and of masked verbs again and says where the page has other numbers.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from docs.contexts_dealt import ASKED, CHOOSING, REPORTING, conllu, dealt
from docs.contexts_tables import Row, held, table
from flowviz.attended import loaded_model
from flowviz.contexts.corpus import open_corpus
from flowviz.contexts.corpus.align import word_of
from flowviz.contexts.corpus.types import Sentence, Word
from flowviz.contexts.encode import open_reader
from flowviz.contexts.find import find_contexts
from flowviz.contexts.kinds import Feature, Role, Site, SiteKind
from flowviz.contexts.request import ContextRequest
from flowviz.contexts.store import build

PAGE = Path(__file__).parent / "contexts.md"
MARKS = ("<!-- measured -->", "<!-- end of measured -->")
QUESTIONS = 16  # of each figure that is reported
FEW = 4  # of each head and relation, where heads are chosen
HITS = 20
RELATIONS = ("obj", "obl", "nsubj", "amod", "conj", "case", "root")
BERT, GPT = "demo-bert", "demo"
NAMES = {BERT: "BERT", GPT: "GPT"}
Wanted = Callable[[Word], bool]
Shares = NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """A token of a text that is asked about."""

    text: str
    position: int


@dataclass(frozen=True)
class Look:
    """Where a search looks, and which word of its hits is counted."""

    site: Site
    role: Role
    feature: Feature
    chosen: tuple[int, ...] = ()
    mask: bool = False


@dataclass(frozen=True)
class Measured:
    """A share among hits: its mean over questions, the interval of that, and the base rate."""

    share: float
    low: float
    high: float
    base: float

    @classmethod
    def of(cls, shares: Shares, base: float) -> Measured:
        """The mean over questions; its interval is a percentile bootstrap with a fixed seed."""
        drawn = np.random.default_rng(0).integers(len(shares), size=(2_000, len(shares)))
        low, high = np.percentile(shares[drawn].mean(axis=1), (2.5, 97.5))
        return cls(float(shares.mean()), float(low), float(high), base)

    @property
    def cells(self) -> Row:
        """As the tables have it."""
        return f"{self.share:.2f}", f"{self.low:.2f} to {self.high:.2f}", f"{self.base:.2f}"


class Study:
    """One model with a store of some parts of the dealt corpus."""

    def __init__(self, model: str, folder: Path, parts: Sequence[str]) -> None:
        self.reader = open_reader(loaded_model(model))
        path = folder / f"{model}.conllu"
        path.write_text("".join(conllu(part, each) for part, each in dealt() if part in parts))
        self.layers = tuple(s for s in sorted(self.reader.sites) if s.kind is SiteKind.RESID_PRE)
        self.layers += (Site(SiteKind.RESID_FINAL),)
        heads = [s for s in sorted(self.reader.sites) if s.kind is SiteKind.HEADS]
        self.heads = [
            (site, head)
            for site in heads
            for head in range(self.reader.sites[site] // self.reader.head_width(site.layer))
        ]
        sites = [*self.layers, *heads]
        self.store = build(open_corpus(path), self.reader, folder / model, sites)
        self.model = model

    @cached_property
    def sentences(self) -> list[Sentence]:
        """Those that are asked about, in an order without a meaning."""
        asked = [sentence for part, sentence in dealt() if part == ASKED]
        return [asked[index] for index in np.random.default_rng(0).permutation(len(asked))]

    def places(self, wanted: Wanted, count: int, skip: int = 0) -> list[Place]:
        """One word of each of so many sentences, the first that is wanted; some are passed over."""
        found = list[Place]()
        for sentence in self.sentences:
            word = next((i for i, word in enumerate(sentence.words) if wanted(word)), None)
            if word is not None and len(found) < skip + count:
                found.append(self.place(sentence, word))
        return found[skip:]

    def place(self, sentence: Sentence, word: int) -> Place:
        """The last token of a word."""
        owners = word_of(sentence.words, self.reader.tokens(sentence.text).spans)
        return Place(sentence.text, max(i for i, owner in enumerate(owners) if owner == word))

    def bars(self, place: Place, look: Look, part: str) -> dict[str, tuple[float, float]]:
        """What the hits have in common: of each value its share and its base rate."""
        request = ContextRequest(
            prompt=place.text, model=self.reader.shape.name, corpus=self.store.info.name,
            position=place.position, mask=(place.position,) if look.mask else (), site=look.site,
            chosen=look.chosen, count=HITS, part=part,
            heads=tuple((look.site.layer, head) for head in look.chosen),
        )  # fmt: skip
        found = find_contexts(self.reader, self.store, request, lambda _stage, _share: None)
        summary = next(
            s for s in found.summaries if (s.role, s.feature) == (look.role, look.feature)
        )
        return {bar.value: (bar.share, bar.base) for bar in summary.bars}

    def shares(
        self, places: Sequence[Place], look: Look, value: str, part: str
    ) -> tuple[Shares, float]:
        """Of each question the share of a value among its hits; and the value's base rate."""
        bars = [self.bars(place, look, part) for place in places]
        base = next((each[value][1] for each in bars if value in each), 0.0)
        return np.array([each[value][0] if value in each else 0.0 for each in bars]), base

    def measure(self, places: Sequence[Place], look: Look, value: str, part: str) -> Measured:
        """The share of a value among the hits of all questions."""
        return Measured.of(*self.shares(places, look, value, part))

    def depth(
        self, name: str, places: Sequence[Place], look: Callable[[Site], Look]
    ) -> Iterator[Row]:
        """The share of verbs at each layer, and how much more it is at the last than at the first:
        of each question, so that what questions differ in is not counted."""
        found = [self.shares(places, look(site), "VERB", REPORTING) for site in self.layers]
        for site, (shares, base) in zip(self.layers, found, strict=True):
            yield name, f"`{site}`", *Measured.of(shares, base).cells
        rise = Measured.of(found[-1][0] - found[0][0], 0.0)
        yield name, "last less first", *rise.cells[:2], ""


def masked(study: Study, upos: str) -> Iterator[Row]:
    """The share of verbs around a masked word of this kind, layer by layer."""
    places = study.places(lambda word: word.upos == upos, QUESTIONS)
    return study.depth(
        f"masked {upos}", places, lambda site: Look(site, Role.MATCHED, Feature.UPOS, mask=True)
    )


def before_verbs(study: Study) -> Iterator[Row]:
    """The share of hits before a verb, asked at the last word before a verb."""
    places = list[Place]()
    for sentence in study.sentences:
        verbs = [i for i, word in enumerate(sentence.words) if word.upos == "VERB" and i > 1]
        if verbs and len(places) < QUESTIONS:
            places.append(study.place(sentence, verbs[0] - 1))
    return study.depth("before a verb", places, lambda site: Look(site, Role.NEXT, Feature.UPOS))


def head_look(site: Site, head: int, role: Role) -> Look:
    """What hits of one head are, or look at."""
    return Look(site, role, Feature.DEPREL, (head,))


def related(relation: str) -> Wanted:
    """Words that stand in a relation; roots are asked at where they are verbs."""
    return lambda word: word.deprel == relation and (relation != "root" or word.upos == "VERB")


def objects_chosen(study: Study) -> tuple[Site, int, float, float]:
    """The head whose hits are objects most often, its share, and the mean over all heads."""
    places = study.places(related("obj"), FEW)
    shares = {
        (site, head): fmean(
            study.bars(place, head_look(site, head, Role.MATCHED), CHOOSING).get("obj", (0.0, 0))[0]
            for place in places
        )
        for site, head in study.heads
    }
    best = max(shares, key=lambda each: (shares[each], each))
    return *best, shares[best], fmean(shares.values())


def objects_reported(study: Study, site: Site, head: int) -> Row:
    """What that head's hits are, of other questions on other sentences."""
    places = study.places(related("obj"), QUESTIONS, skip=FEW)
    return study.measure(places, head_look(site, head, Role.MATCHED), "obj", REPORTING).cells


@dataclass(frozen=True)
class Link:
    """From words of one relation a head looks at words of another."""

    site: Site
    head: int
    asked: str
    attended: str
    lift: float


def link_chosen(study: Study) -> Link:
    """The head, and relations, for which what hits look at lies furthest above its base rate."""
    links = list[Link]()
    for relation in RELATIONS:
        places = study.places(related(relation), FEW)
        for site, head in study.heads:
            lifts = defaultdict[str, float](float)
            for place in places:
                bars = study.bars(place, head_look(site, head, Role.ATTENDED), CHOOSING)
                for value, (share, base) in bars.items():
                    lifts[value] += (share - base) / len(places)
            links += [
                Link(site, head, relation, v, lift) for v, lift in lifts.items() if v != relation
            ]
    return max(links, key=lambda link: (link.lift, str(link)))


def link_reported(study: Study, link: Link) -> Row:
    """The same of other questions on other sentences."""
    places = study.places(related(link.asked), QUESTIONS, skip=FEW)
    look = head_look(link.site, link.head, Role.ATTENDED)
    return study.measure(places, look, link.attended, REPORTING).cells


def named(site: Site, head: int) -> str:
    """A head as the pages name it."""
    return f"L{site.layer} H{head}"


def whole(studies: dict[str, Study]) -> str:
    """All tables."""
    bert, gpt = studies[BERT], studies[GPT]
    depth = [*masked(bert, "VERB"), *masked(bert, "NOUN"), *before_verbs(gpt)]
    objects, links = list[Row](), list[Row]()
    for study in studies.values():
        site, head, share, mean = objects_chosen(study)
        first = (NAMES[study.model], named(site, head), f"{share:.2f}", f"{mean:.2f}")
        objects.append((*first, *objects_reported(study, site, head)))
        link = link_chosen(study)
        names = (NAMES[study.model], named(link.site, link.head), f"`{link.asked}`")
        links.append((*names, f"`{link.attended}`", *link_reported(study, link)))
    return "\n\n".join((
        "**A masked verb, layer by layer**: verbs among the hits (for the GPT: hits before a verb)",
        table("asked at | site | share | 95% interval | base rate", depth),
        "**Heads whose hits are objects**: objects among the hits of a search from an object",
        table("model | head | chosen at | mean of all heads | share | 95% interval | base rate",
              objects),
        "**Heads that look at one relation**: words of it among those that hits look at most",
        table("model | head | asked at | looks at | share | 95% interval | base rate", links),
    ))  # fmt: skip


def again(studies: dict[str, Study], page: str) -> Iterator[tuple[Row, Row]]:
    """Rows of the page beside what is measured now: masked verbs, and the heads that it names."""
    rows = [tuple(c.strip() for c in row.split("|")[1:-1]) for row in page.splitlines()
            if row.startswith("|")]  # fmt: skip
    told = {row[:2]: row for row in rows if row[0] == "masked VERB"}
    for row in masked(studies[BERT], "VERB"):
        yield told[row[:2]], row
    models = {name: studies[model] for model, name in NAMES.items()}
    for row in rows:
        found = re.fullmatch(r"L(\d+) H(\d+)", row[1]) if row[0] in models else None
        if not found:
            continue
        study, site = models[row[0]], Site(SiteKind.HEADS, int(found[1]))
        if "`" in row[2]:
            link = Link(site, int(found[2]), row[2].strip("`"), row[3].strip("`"), 0.0)
            yield row, (*row[:4], *link_reported(study, link))
        else:
            yield row, (*row[:4], *objects_reported(study, site, int(found[2])))


def main() -> int:
    """Measures, and prints, writes or checks."""
    parser = argparse.ArgumentParser(description="exBERT's study on the models that ship.")
    parser.add_argument("--write", action="store_true", help="put the tables into contexts.md")
    parser.add_argument("--check", action="store_true", help="hold the page against the models")
    chosen = parser.parse_args()
    page = PAGE.read_text()
    before, rest = page.split(MARKS[0])
    told, behind = rest.split(MARKS[1])
    with tempfile.TemporaryDirectory() as folder:
        parts = (REPORTING,) if chosen.check else (CHOOSING, REPORTING)
        studies = {model: Study(model, Path(folder), parts) for model in (BERT, GPT)}
        if chosen.check:
            return held(list(again(studies, told)))
        text = whole(studies)
    print(text)
    if chosen.write:
        PAGE.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{behind}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
