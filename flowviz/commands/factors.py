"""`flowviz factors`: dictionaries of a model's hidden states, learned and listed."""

from __future__ import annotations

import argparse
import re
import shlex
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowviz.checked import shown
from flowviz.commands.contexts import SITES, read_sites, sites_of
from flowviz.commands.factors_survey import add_survey
from flowviz.commands.options import add_placement, chosen_model
from flowviz.commands.progress_line import ProgressLine
from flowviz.contexts.kinds import DEMO, Site, SiteKind
from flowviz.errors import RequestError
from flowviz.factors.kinds import Method
from flowviz.factors.learn.settings import LEARNED, LearnSettings

if TYPE_CHECKING:
    from flowviz.contexts.corpus.types import Corpus
    from flowviz.factors.learn.training import Training

USUAL = (SiteKind.RESID_PRE, SiteKind.RESID_MID)
NUMBERS = (
    ("--factors", int, "how many atoms"),
    ("--penalty", float, "with coding: λ, as a share of the vectors' length; more is sparser"),
    ("--k", int, "with topk: how many factors a vector has"),
    ("--steps", int, "batches to learn from"),
    ("--batch", int, "vectors in a batch"),
    ("--seed", int, "of all that is drawn"),
    ("--rate", float, "with topk: Adam's learning rate"),
    ("--held", float, "the share of the sentences that is held out, to measure on"),
)


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declares the commands."""
    top = commands.add_parser("factors", help="learn dictionaries of a model's hidden states")
    below = top.add_subparsers(required=True, metavar="COMMAND")
    _add_train(below.add_parser("train", help="learn a dictionary; goes on where it was stopped"))
    listed = below.add_parser("list", help="say what dictionaries are, and how good")
    listed.add_argument("folders", type=Path, nargs="+", metavar="FOLDER",
                        help="of a dictionary, ours or one of SAELens")  # fmt: skip
    listed.set_defaults(run=run_list)
    add_survey(below.add_parser("survey", help="look where in a corpus factors are active"))


def _add_train(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "model", nargs="?", default="demo", metavar="MODEL",
        help="a known name, a hub name, a folder, or ADAPTER@BASE (default: demo)",
    )  # fmt: skip
    command.add_argument("--base", metavar="NAME_OR_FOLDER",
                         help="the model to merge an adapter into")  # fmt: skip
    command.add_argument(
        "--corpus", default=DEMO, metavar="CORPUS",
        help="a CoNLL-U or text file, a folder of such files, demo, or demo:SENTENCES:SEED for "
        "another draw of as many sentences of each kind (default: demo)",
    )  # fmt: skip
    command.add_argument(
        "--sites", metavar="SITE,…",
        help=f"whose vectors are learned from: {SITES}; a kind alone for all blocks (default: "
        "resid_pre and resid_mid of all blocks but the first)",
    )  # fmt: skip
    command.add_argument("--layers", metavar="A-B", help="of these sites only those of such blocks")
    command.add_argument("--each", action="store_true",
                         help="a dictionary for each site, not one for all")  # fmt: skip
    command.add_argument("--method", choices=[each.value for each in LEARNED],
                         default=LearnSettings.method.value,
                         help="sparse coding as Yun et al. 2021, or a TopK autoencoder as Gao et "
                         "al. 2024 (default: coding)")  # fmt: skip
    for option, kind, words in NUMBERS:
        usual = getattr(LearnSettings, option[2:])
        command.add_argument(option, type=kind, default=usual, metavar="N",
                             help=f"{words} (default: {usual:g})")  # fmt: skip
    command.add_argument("--out", required=True, type=Path, metavar="FOLDER",
                         help="where it goes; with --each, a folder for each")  # fmt: skip
    command.add_argument("--vectors", type=Path, metavar="STORE",
                         help="a store of `contexts build` of the same corpus and model, or where "
                         "one is to stay (default: made, and deleted at the end)")  # fmt: skip
    command.add_argument("--fresh", action="store_true",
                         help="begin anew, over what is there")  # fmt: skip
    command.add_argument("--save-every", type=float, default=30.0, metavar="SECONDS",
                         help="between two checkpoints (default: 30)")  # fmt: skip
    command.add_argument("--threads", type=int, metavar="N",
                         help="of the processor (default: as torch chooses); 1 gives the same to "
                         "the bit wherever it is run again")  # fmt: skip
    add_placement(command)
    command.set_defaults(run=run_train)


@dataclass(frozen=True)
class _Asked:
    """What is known before torch is imported."""

    settings: LearnSettings
    kinds: list[Site | str] | None
    layers: range | None
    corpus: Corpus


def run_train(chosen: argparse.Namespace) -> int:
    """Learns, and prints the card of each dictionary; all else goes to standard error."""
    asked = _asked(chosen)
    entry = chosen_model(chosen)

    import torch

    from flowviz.encoders.loading import load_any

    if chosen.threads:
        torch.set_num_threads(max(1, chosen.threads))
    trainings = _trainings(chosen, asked, load_any(entry))
    for training in trainings:
        print(_trained(chosen, training), end="")
    return 0


def _asked(chosen: argparse.Namespace) -> _Asked:
    given = {option[2:]: getattr(chosen, option[2:]) for option, *_ in NUMBERS}
    settings = LearnSettings(Method(chosen.method), **given)
    return _Asked(settings, read_sites(chosen.sites), read_layers(chosen.layers),
                  _corpus(chosen.corpus))  # fmt: skip


def _corpus(text: str) -> Corpus:
    from flowviz.contexts.corpus import demo_corpus, drawn_corpus, open_corpus

    if text == DEMO:
        return demo_corpus()
    drawn = re.fullmatch(rf"{DEMO}:(\d{{1,6}}):(\d{{1,9}})", text, re.ASCII)
    if drawn and int(drawn[1]):
        return drawn_corpus(int(drawn[1]), int(drawn[2]))
    return open_corpus(Path(text))


def read_layers(text: str | None) -> range | None:
    """`A-B` or `A` as layers, both ends with them; None for all. Raises RequestError."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", text, re.ASCII)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if first > last:
        raise RequestError(f"--layers is {shown(text)}; it takes blocks, as in 0-5 or 3.")
    return range(first, last + 1)


def _trainings(chosen: argparse.Namespace, asked: _Asked, model: Any) -> list[Training]:
    from flowviz.contexts.encode import open_reader
    from flowviz.factors.learn.training import Training

    reader = open_reader(model)
    if asked.kinds is None:
        later = [site for site in reader.sites if site.kind in USUAL and site.layer > 0]
        sites = later or [site for site in reader.sites if site.kind in USUAL]
    else:
        sites = sites_of(reader, asked.kinds)
    sites = [each for each in sites if asked.layers is None or each.layer in asked.layers]
    if not sites:
        raise RequestError(
            f"{reader.shape.name} has no such site: it has {reader.shape.layers} blocks, and the "
            f"sites {', '.join(dict.fromkeys(each.kind.value for each in reader.sites))}."
        )
    groups = [(each,) for each in sites] if chosen.each else [tuple(sites)]
    return [
        Training(
            asked.corpus, model, group, asked.settings,
            chosen.out / str(group[0]).replace(":", "-") if chosen.each else chosen.out,
            chosen.vectors, str(model.device),
        )
        for group in groups
    ]  # fmt: skip


def _trained(chosen: argparse.Namespace, training: Training) -> str:
    from flowviz.factors.card import card_of, write_card
    from flowviz.factors.learn.training import train

    try:
        with ProgressLine() as line, _BetweenSteps(line) as line:
            dictionary = train(
                training, line, fresh=chosen.fresh, saved_every=max(0.0, chosen.save_every)
            )
    except KeyboardInterrupt:
        print(
            "Stopped. Run the same again, without --fresh: it goes on where it was.",
            file=sys.stderr,
        )
        raise
    write_card(dictionary.about, training.folder, _command(chosen))
    return card_of(dictionary.about, str(training.folder))


class _BetweenSteps:
    """A `Progress` that lets Ctrl-C stop the work when it is told next, and not within a step.

    A second Ctrl-C stops it at once.
    """

    def __init__(self, line: ProgressLine) -> None:
        self._line, self._asked = line, False

    def __call__(self, stage: str, fraction: float) -> None:
        """Shows it. Raises KeyboardInterrupt where the user has asked for it."""
        self._line(stage, fraction)
        if self._asked:
            raise KeyboardInterrupt

    def __enter__(self) -> _BetweenSteps:
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _note(self, *_: object) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True


def _command(chosen: argparse.Namespace) -> str:
    """The command as it can be given again, without what has its default."""
    words = ["python", "-m", "flowviz", "factors", "train", chosen.model]
    usual = {option[2:]: getattr(LearnSettings, option[2:]) for option, *_ in NUMBERS}
    usual |= {"corpus": DEMO, "method": LearnSettings.method.value}
    for name in ("base", "corpus", "sites", "layers", "method", *(o[2:] for o, *_ in NUMBERS),
                 "device", "dtype", "threads", "out"):  # fmt: skip
        value = getattr(chosen, name)
        if value is not None and value != usual.get(name):
            words += [f"--{name}", f"{value}"]
    return shlex.join(words + ["--each"] * chosen.each)


def run_list(chosen: argparse.Namespace) -> int:
    """Prints the card of each dictionary."""
    from flowviz.factors.card import card_of
    from flowviz.factors.dictionary.files import load_dictionary

    for folder in chosen.folders:
        print(card_of(load_dictionary(folder).about, str(folder)), end="")
    return 0
