"""`flowviz contexts`: corpora that a model reads once, and where in them it was as it is here."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flowviz.commands.options import add_model, chosen_model, standard_input
from flowviz.commands.progress_line import ProgressLine
from flowviz.contexts.kinds import DEMO, IN_A_BLOCK, Site
from flowviz.errors import RequestError

if TYPE_CHECKING:
    from flowviz.contexts.corpus.types import Corpus
    from flowviz.contexts.encode.types import Reader
    from flowviz.contexts.store.opening import OpenedStore
    from flowviz.contexts.store.types import Plan
    from flowviz.contexts.types import ContextsFound

ALL = "all"
TABLES = ("hits", "summaries")
SITES = f"{', '.join(IN_A_BLOCK)} with a layer, or resid_final"
ASKED = (
    ("--position", "N", "the token that is asked about (default: the last)"),
    ("--second", "TEXT", "a second text, for encoders"),
    ("--mask", "N,…", "positions of tokens to hide from an encoder, as in 3,5"),
    ("--site", "SITE", f"which vector of it is compared: {SITES} (default: resid_pre of the "
     "middle block)"),
    ("--chosen", "N,…", "with heads which of the block (default: all), with neurons which one"),
    ("--metric", "NAME", "cosine (the default) or inner"),
    ("--count", "N", "how many hits at most (default: 50)"),
    ("--part", "PART", "only this part of the corpus"),
    ("--least", "SCORE", "only hits with at least this score"),
    ("--heads", "L.H,…", "whose attention marks the most attended token, as in 3.1,4.0"),
)  # fmt: skip


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declares the commands."""
    top = commands.add_parser("contexts", help="find where else a model was in the state it is in")
    below = top.add_subparsers(required=True, metavar="COMMAND")
    _add_build(below.add_parser("build", help="read a corpus with a model and keep the vectors"))
    _add_list(below.add_parser("list", help="say what a store holds"))
    _add_search(below.add_parser("search", help="print the contexts most like a prompt's token"))


def _add_build(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "corpus", help="a CoNLL-U or text file, a folder of such files, or demo for what ships"
    )
    command.add_argument(
        "--out", required=True, type=Path, metavar="STORE",
        help="the store's folder; a build that was stopped goes on there",
    )  # fmt: skip
    add_model(command)
    command.add_argument(
        "--sites", metavar="SITE,…",
        help=f"which vectors to keep: {SITES}; a kind alone for all blocks; or {ALL} (default: "
        "hidden states and heads of all blocks)",
    )  # fmt: skip
    command.add_argument("--spacy", metavar="PIPELINE",
                         help="annotate plain text with an installed spaCy pipeline")  # fmt: skip
    command.add_argument("--vectors", choices=("float16", "float32"),
                         help="how vectors are kept (default: float16)")  # fmt: skip
    command.add_argument("--plan", action="store_true", help="only say what it will take")
    command.set_defaults(run=run_build)


def _add_list(command: argparse.ArgumentParser) -> None:
    command.add_argument("store", type=Path, help="the store's folder")
    command.set_defaults(run=run_list)


def _add_search(command: argparse.ArgumentParser) -> None:
    command.add_argument("prompt", help="the text to run; - reads standard input")
    command.add_argument(
        "--store", type=Path, help="the store's folder (default: the demo corpus, read now)"
    )
    add_model(command)
    command.set_defaults(model=None)
    for option, value, words in ASKED:
        command.add_argument(option, metavar=value, help=words)
    command.add_argument(
        "--where", action="append", metavar="FILTER", default=[],
        help="only such hits, as in matched.upos=VERB or next.form!=the; may be given again",
    )  # fmt: skip
    command.add_argument("--other-word", action="store_true",
                         help="only other words than the one that is asked about")  # fmt: skip
    command.add_argument("--every", action="store_true",
                         help="every hit of a sentence, not the best alone")  # fmt: skip
    command.add_argument(
        "--first", action="store_true",
        help="count the first token as attended, too, where a GPT's heads rest",
    )  # fmt: skip
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the answer as JSON")
    form.add_argument("--csv", nargs="?", const=TABLES[0], choices=TABLES,
                      help="print the hits, or the summaries, as CSV")  # fmt: skip
    command.set_defaults(run=run_search)


def run_build(chosen: argparse.Namespace) -> int:
    """Says what it will take, builds, and says what is there; the last on standard output."""
    from flowviz.contexts.corpus import demo_corpus, open_corpus

    kinds = read_sites(chosen.sites)
    if chosen.corpus == DEMO and chosen.spacy:
        raise RequestError("The demo corpus has annotations of its own. Leave --spacy out.")
    entry = chosen_model(chosen)
    corpus = (
        demo_corpus() if chosen.corpus == DEMO else open_corpus(Path(chosen.corpus), chosen.spacy)
    )

    from flowviz.contexts.encode import open_reader
    from flowviz.encoders.loading import load_any
    from flowviz.views.contexts.report import of_plan

    reader = open_reader(load_any(entry))
    sites = None if kinds is None else sites_of(reader, kinds)
    from flowviz.contexts.store import check_space, plan

    with ProgressLine() as line:
        line("Reading a sample", 0.0)
        planned = plan(corpus, reader, chosen.out, sites, dtype=chosen.vectors)
    print(of_plan(planned), end="", file=sys.stdout if chosen.plan else sys.stderr, flush=True)
    check_space(chosen.out, planned.bytes)
    if not chosen.plan:
        print(_said(_built(chosen, corpus, reader, planned)), end="")
    return 0


def _built(
    chosen: argparse.Namespace, corpus: Corpus, reader: Reader, planned: Plan
) -> OpenedStore:
    from flowviz.contexts.store import build

    try:
        with ProgressLine() as line:
            return build(
                corpus, reader, chosen.out, planned.sites, dtype=chosen.vectors, progress=line
            )
    except KeyboardInterrupt:
        print("Stopped. Run the same again: it goes on where it was.", file=sys.stderr)
        raise


def read_sites(text: str | None) -> list[Site | str] | None:
    """What `--sites` names: sites, or kinds of all blocks, or all; None for what nobody names.

    Raises:
        RequestError: one is none.
    """
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise RequestError(f"--sites names none. Name some, as in resid_pre:3,heads, or {ALL}.")
    return [name if name in (ALL, *IN_A_BLOCK) else Site.parse(name) for name in names]


def sites_of(reader: Reader, asked: list[Site | str]) -> list[Site]:
    """The sites of a model that `read_sites` means; `build` refuses those that it has not."""
    found = list[Site]()
    for each in asked:
        if isinstance(each, Site):
            found.append(each)
        else:
            found += [site for site in reader.sites if each in (ALL, site.kind.value)]
    return found


def run_list(chosen: argparse.Namespace) -> int:
    """Prints what a store holds."""
    from flowviz.contexts.store import open_store

    print(_said(open_store(chosen.store)), end="")
    return 0


def _said(store: OpenedStore) -> str:
    from flowviz.views.contexts.report import of_store

    made = store.manifest
    return of_store(store.info, store.folder(), made.options.dtype, made.first_faults)


def run_search(chosen: argparse.Namespace) -> int:
    """Searches; only the result goes to standard output."""
    from flowviz.contexts.request import ContextRequest

    prompt = standard_input() if chosen.prompt == "-" else chosen.prompt
    given = {option[2:]: getattr(chosen, option[2:]) for option, *_ in ASKED}
    given |= {"filters": chosen.where, "other_word": chosen.other_word, "first": chosen.first}
    given = {name: value for name, value in given.items() if value} | {"one_each": not chosen.every}
    ContextRequest.from_mapping({**given, "prompt": prompt})  # refused before torch is imported
    store = None
    if chosen.store is not None:
        from flowviz.contexts.store import open_store

        store = open_store(chosen.store)
    chosen.model = chosen.model or ("demo" if store is None else store.info.model)
    entry = chosen_model(chosen)

    from flowviz.similar import similar_contexts

    found = similar_contexts(prompt, entry, store, **given)
    print(_written(found, chosen), end="")
    return 0


def _written(found: ContextsFound, chosen: argparse.Namespace) -> str:
    if chosen.json:
        from flowviz.contexts.json import to_json

        return to_json(found) + "\n"
    if chosen.csv:
        from flowviz.contexts.tables import hits_table, summary_table
        from flowviz.views.files import table_csv

        table = (hits_table if chosen.csv == TABLES[0] else summary_table)(found)
        return table_csv(table.columns, table.rows)
    from flowviz.views.contexts.report import of_found

    return of_found(found)
