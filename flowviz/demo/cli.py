"""The commands of the little English: ``demo train``, ``evaluate``, ``generate``, ``prompts``."""

from __future__ import annotations

import argparse
from pathlib import Path

from flowviz.demo.folder import MODEL_FOLDER
from flowviz.errors import ModelError, RequestError

MOST_CASES = 1000


def add_commands(subparsers: argparse._SubParsersAction) -> None:
    """Add the four commands to the parser of ``flowviz demo``."""
    _add_train(subparsers.add_parser("train", help="train the shipped model from nothing"))
    _add_evaluate(subparsers.add_parser("evaluate", help="held-out accuracy of each phenomenon"))
    _add_generate(subparsers.add_parser("generate", help="print documents of the little English"))
    _add_prompts(subparsers.add_parser("prompts", help="print held-out prompts with their answers"))


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, help="checkpoints go here (default: runs/demo, or runs/demo-bert)"
    )
    parser.add_argument("--model", type=Path, help="the finished folder (default: OUT/model)")
    parser.add_argument("--encoder", action="store_true", help="the demo BERT, not the demo GPT")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, help="processor threads to use")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on where it stopped (default)")
    again.add_argument("--fresh", action="store_true", help="begin anew, over what is there")
    parser.add_argument("--eager", action="store_true", help="do not compile (no C++ compiler)")
    parser.set_defaults(run=run_train)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, help="a model's folder (default: the shipped one)")
    parser.add_argument("--encoder", action="store_true", help="the demo BERT, not the demo GPT")
    parser.add_argument("--cases", type=int, default=200, help="cases for each phenomenon")
    parser.add_argument("--json", action="store_true", help="print JSON, not a table")
    parser.set_defaults(run=run_evaluate)


def _add_generate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--documents", type=int, default=10, help="how many")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", help="only this kind of document, such as stories")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--conllu", action="store_true", help="with annotations")
    shape.add_argument("--text", action="store_true", help="one document a line (default)")
    parser.set_defaults(run=run_generate)


def _add_prompts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cases", type=int, default=15, help="the most of each phenomenon")
    parser.add_argument("--seed", default="prompts", help="any text; another draws other prompts")
    parser.set_defaults(run=run_prompts)


def run_train(args: argparse.Namespace) -> int:
    """Train, export, and print the table."""
    import torch

    from flowviz.demo.export import export
    from flowviz.demo.shipped import BERT, GPT
    from flowviz.demo.train import Settings, train

    if args.threads:
        torch.set_num_threads(args.threads)
    one = BERT if args.encoder else GPT
    out = args.out or Path("runs/demo-bert" if args.encoder else "runs/demo")
    folder = args.model or out / "model"
    trained = train(one.recipe(not args.eager), Settings(out, args.seed, args.fresh))
    one.save_tokenizer(folder)
    export(trained, folder)
    print(f"written to {folder}")
    report = one.evaluate(*one.load(folder))
    one.write_card(report, folder)
    print(one.as_text(report))
    return 0


def run_evaluate(args: argparse.Namespace) -> int:
    """Print the table of a model's accuracy."""
    import json
    from dataclasses import asdict

    from flowviz.demo.shipped import BERT, GPT

    one = BERT if args.encoder else GPT
    folder = args.model or one.folder
    if not (folder / "config.json").exists():
        raise ModelError(
            f"There is no model in {folder}: no config.json. "
            "Give --model the folder that `demo train` wrote."
        )
    report = one.evaluate(*one.load(folder), cases=args.cases)
    print(json.dumps(asdict(report), indent=2) if args.json else one.as_text(report))
    return 0


def run_generate(args: argparse.Namespace) -> int:
    """Print documents, as text or as CoNLL-U."""
    from itertools import islice

    from flowviz.demo.conllu import to_conllu
    from flowviz.demo.draw import Draw
    from flowviz.demo.mixture import MAKERS, STAGES, documents

    if args.kind and args.kind not in MAKERS:
        raise ModelError(f"No kind {args.kind!r} of documents; there are: {', '.join(MAKERS)}.")
    draw = Draw(args.seed)
    source = (
        iter(lambda: MAKERS[args.kind](draw), None) if args.kind else documents(STAGES[-1], draw)
    )
    for number, document in enumerate(islice(source, args.documents), 1):
        text = to_conllu(document, f"{args.seed}-{number}") if args.conllu else document.text + "\n"
        print(text, end="")
    return 0


def run_prompts(args: argparse.Namespace) -> int:
    """Print a set of prompts, as `flowviz analyse --prompts` reads it."""
    if not 1 <= args.cases <= MOST_CASES:
        raise RequestError(
            f"--cases is {args.cases}; it takes a whole number from 1 to {MOST_CASES}."
        )

    from tokenizers import Tokenizer

    from flowviz.demo.prompts import as_text

    tokenizer = Tokenizer.from_file(str(MODEL_FOLDER / "tokenizer.json"))
    print(as_text(tokenizer, args.cases, args.seed), end="")
    return 0
