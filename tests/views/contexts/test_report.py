"""Stores, plans and hits as text: what a person sees, line by line."""

from __future__ import annotations

from dataclasses import replace

from flowviz.contexts.kinds import ANNOTATIONS, Site
from flowviz.contexts.request import ContextRequest, Filter
from flowviz.contexts.store.types import Plan, StoreInfo
from flowviz.views.contexts.report import (
    of_found,
    of_plan,
    of_store,
    sites_words,
    size_words,
    time_words,
)
from flowviz.views.tokens import width
from tests.contexts_found import found

SITES = tuple(map(Site.parse, ("resid_pre:0", "resid_pre:1", "resid_pre:3", "resid_final")))
INFO = StoreInfo(
    "news.conllu", "demo", "1", 2000, 30_000, ("a", "", "\x1b[31mb"), ANNOTATIONS, SITES, 25,
    ("A note.",), 12_345_678,
)  # fmt: skip
PLAN = Plan("store", SITES, "float16", 1700, 23_430, 171_355_538, 75 * 10**9, 10.6, known=False)


def test_a_store() -> None:
    faults = tuple(f"a.conllu, line {number}: bad." for number in range(1, 26))
    lines = of_store(INFO, "some/store", "float16", faults).splitlines()
    assert lines[:9] == [
        "Store        some/store, 12.3 MB",
        "Corpus       news.conllu: 2,000 sentences, 30,000 tokens",
        "Parts        3: a, none, <0x1B>[31mb",
        "Annotations  upos, deprel, entity, lemma",
        "Model        demo",
        "Sites        resid_final, resid_pre:0-1+3 (float16)",
        "Note         A note.",
        "Faults       25; the first 20:",
        "             a.conllu, line 1: bad.",
    ]
    assert len(lines) == 28


def test_a_store_without_annotations_or_faults() -> None:
    text = of_store(replace(INFO, annotations=(), faults=0), "x", "float32", ())
    assert "Annotations  none; words and offsets alone are counted\n" in text
    assert "Faults" not in text
    many = replace(INFO, parts=tuple(f"part {number}" for number in range(1000)))
    assert "part 11, and 988 more" in " ".join(of_store(many, "x", "float16", ()).split())


def test_a_plan() -> None:
    assert of_plan(PLAN).splitlines() == [
        "Corpus       about 1,700 sentences, 23,430 tokens",
        "Sites        resid_final, resid_pre:0-1+3 (float16)",
        "Takes        about 171.4 MB on disk (75.0 GB are free), about 11 s",
    ]
    assert of_plan(replace(PLAN, known=True)).startswith("Corpus       1,700 sentences")
    done = of_plan(replace(PLAN, done=True))
    assert done == "Plan         nothing is left to do: store has all of it\n"


def test_sizes_times_and_sites() -> None:
    assert [size_words(n) for n in (0, 999, 1000, 2_500_000, 7 * 10**9)] == [
        "0 bytes", "999 bytes", "1.0 kB", "2.5 MB", "7.0 GB",
    ]  # fmt: skip
    assert [time_words(n) for n in (0.2, 89.0, 90.0, 3600.0, 9000.0)] == [
        "0 s", "89 s", "2 min", "60 min", "2.5 h",
    ]  # fmt: skip
    heads = tuple(Site.parse(f"heads:{layer}") for layer in (11, 2, 3, 4, 9))
    assert sites_words(heads) == "heads:2-4+9+11"


def test_what_was_found() -> None:
    answer = found(ContextRequest("The nurse met Mary", position=2))
    lines = of_found(answer).splitlines()
    assert lines[:10] == [
        "Prompt       The nurse met Mary",
        "Question     Where else is the hidden state before block 1 as at 2 ␣met?",
        "Found        12 hits of 9,000 tokens compared; scores 0.990 to 0.979; exact; "
        "Made by hand: 300",
        "             sentences, 9,000 tokens.",
        "",
        "  1   0.990  The nurse[ saw] Mary in Rome.",
        "             saw VERB/root; looks at rse; sentence 0",
        "  2   0.989  A <b>cat[ ⟨U+202E⟩saw]⁨ שלום⁩",
        "             ⟨U+202E⟩saw VERB/root; looks at >cat; sentence 1",
        "  3   0.988  The nurse[ saw] Mary in Rome. The nurse saw Mary in Rom…",
    ]
    common = lines.index("Base         all 9,000 tokens of the corpus")
    assert lines[common - 1 : common + 6] == [
        "",
        "Base         all 9,000 tokens of the corpus",
        "Matched, part of speech (12 known)",
        "  VERB                   12  100% (90-100%) base 12.0% ×8.3      more than by chance",
        "Matched, word (12 known)",
        "  saw                    11   92% (82-100%) base 0.1% ×917       more than by chance",
        "  ⟨U+202E⟩saw             1    8% (0-18%)   base 0.0%",
    ]
    assert "  −2                      1    8% (0-18%)   base 10.0% ×0.8" in lines
    assert all(width(line) <= 100 for line in lines)


def test_nothing_found_says_why() -> None:
    request = ContextRequest("The nurse", filters=(Filter.parse("matched.upos=X"),))
    assert "Note         No token of the corpus passes the filter matched.upos=X.\n" in of_found(
        found(request)
    )
