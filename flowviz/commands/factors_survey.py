"""`flowviz factors survey`: a dictionary over a corpus, kept beside it for the page of factors."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from flowviz.commands.options import add_placement, chosen_model
from flowviz.commands.progress_line import ProgressLine
from flowviz.contexts.kinds import DEMO
from flowviz.errors import RequestError

if TYPE_CHECKING:
    from flowviz.factors.look.surveyed import Survey

SURVEY = "survey"  # the folder beside a dictionary's files
MOST_CONTEXTS = 1000


def add_survey(command: argparse.ArgumentParser) -> None:
    """Declares the options."""
    command.add_argument("folder", type=Path, metavar="FOLDER",
                         help="of a dictionary, ours or one of SAELens")  # fmt: skip
    command.add_argument(
        "--corpus", default=DEMO, metavar="CORPUS",
        help="a CoNLL-U or text file, a folder of such files, or demo (default: demo)",
    )  # fmt: skip
    command.add_argument("--model", metavar="NAME_OR_FOLDER",
                         help="that it was learned on (default: as its card says)")  # fmt: skip
    command.add_argument("--base", metavar="NAME_OR_FOLDER",
                         help="the model to merge an adapter into")  # fmt: skip
    command.add_argument("--out", type=Path, metavar="FOLDER",
                         help="where the survey goes (default: survey/ in the folder)")  # fmt: skip
    command.add_argument("--contexts", type=int, default=20, metavar="N",
                         help="the strongest that are kept of each factor and site (default: "
                         "20)")  # fmt: skip
    command.add_argument("--no-levels", action="store_true",
                         help="do not measure how far back factors look")  # fmt: skip
    add_placement(command)
    command.set_defaults(run=run_survey)


def run_survey(chosen: argparse.Namespace) -> int:
    """Surveys, keeps it, and says what was found; progress goes to standard error."""
    if not 1 <= chosen.contexts <= MOST_CONTEXTS:
        raise RequestError(
            f"--contexts is {chosen.contexts}; it takes a number from 1 to {MOST_CONTEXTS:,}."
        )
    from flowviz.contexts.corpus import demo_corpus, open_corpus

    corpus = demo_corpus() if chosen.corpus == DEMO else open_corpus(Path(chosen.corpus))

    from flowviz.encoders.loading import load_any
    from flowviz.factors.dictionary.files import load_dictionary
    from flowviz.factors.look.files import save_survey
    from flowviz.factors.look.survey import Options, survey

    named = load_dictionary(chosen.folder).about.model
    chosen.model = chosen.model or named
    if not chosen.model:
        raise RequestError(f"{chosen.folder} does not say its model. Name it with --model.")
    model = load_any(chosen_model(chosen))
    dictionary = load_dictionary(chosen.folder, model.shape.layers)
    options = Options(contexts=chosen.contexts, levels=not chosen.no_levels)
    out = chosen.out or chosen.folder / SURVEY
    with ProgressLine() as line:
        found = survey(dictionary, model, corpus, options, line)
    save_survey(found, out)
    print(_said(found, out), end="")
    return 0


def _said(found: Survey, out: Path) -> str:
    from flowviz.factors.kinds import Level

    info = found.info
    dead = int((found.counts == 0).all(0).sum())
    levels = ", ".join(
        f"{int((found.level == place).sum()):,} {level}" for place, level in enumerate(Level)
    )
    lines = [
        f"{info.dictionary} over {info.corpus}: {info.sentences:,} sentences, {info.tokens:,} "
        f"tokens, {len(info.sites)} sites",
        f"  {found.factors:,} factors, {dead:,} of them active nowhere",
        *([f"  levels: {levels}"] if found.reached is not None else []),
        *(f"  {note}" for note in found.notes),
        f"  kept in {out}",
    ]
    return "\n".join(lines) + "\n"
