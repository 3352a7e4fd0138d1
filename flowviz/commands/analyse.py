"""`flowviz analyse`: measures a model over one prompt or a set, as text, CSV or JSON."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from flowviz.analyses.prompts import MOST_CHARACTERS, write_prompts
from flowviz.analyses.request import Analysis, AnalysisRequest
from flowviz.analyses.tables import TABLES, tables
from flowviz.analyses.types import Prompt, Result
from flowviz.checked import check_prompt
from flowviz.commands.options import add_model, chosen_model, standard_input
from flowviz.errors import RequestError

SET = "phenomena"
MOST_BYTES = 4 * MOST_CHARACTERS  # no character of UTF-8 takes more
OPTIONS = (
    ("--group", "NAME", "only the set's prompts of this group"),
    ("--answer", "TOKEN", "the token that should come after --prompt"),
    ("--k", "N", "tokens that are compared and listed (default: 50)"),
    ("--n", "N", "neurons of a layer that count as active on a prompt (default: 100)"),
    ("--threshold", "SHARE", "of prompts, from which on a neuron is always active (default: 0.85)"),
)


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declares the command."""
    command = commands.add_parser("analyse", help="measure a model over one prompt or a set")
    command.add_argument("analysis", choices=list(Analysis), type=str, help="what to measure")
    command.add_argument("token", nargs="?", help="for search: the token to look for")
    add_model(command)
    over = command.add_mutually_exclusive_group()
    over.add_argument("--set", metavar="NAME", help=f"a set that ships (default: {SET})")
    over.add_argument("--prompts", metavar="FILE", help="one prompt a line; - reads standard input")
    over.add_argument("--prompt", metavar="TEXT", help="one prompt")
    for option, value, words in OPTIONS:
        command.add_argument(option, metavar=value, help=words)
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the whole result as JSON")
    form.add_argument("--csv", action="store_true", help="print a table as CSV")
    form.add_argument("--text", action="store_true", help="print a report to read (the default)")
    command.add_argument(
        "--table", metavar="NAME", help="which table --csv prints (default: the main one)"
    )
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Runs the analysis; only its result goes to standard output."""
    request = _request(chosen)  # refused before torch is imported
    _check_table(chosen)
    entry = chosen_model(chosen)

    from flowviz.analyses.run import analyse
    from flowviz.models.loading import load_model

    watched = _Watched(sys.stderr.isatty())
    try:
        result = analyse(load_model(entry), request, watched)
    finally:
        watched.end()
    print(_written(result, chosen), end="")
    return 0


def _request(chosen: argparse.Namespace) -> AnalysisRequest:
    searches = chosen.analysis == Analysis.SEARCH
    if chosen.token is not None and not searches:
        raise RequestError(
            f"{chosen.analysis} takes no token, but got {chosen.token[:40]!r}. Only search does; "
            "give a prompt as --prompt."
        )
    given = {name: getattr(chosen, name) for name in ("group", "k", "n", "threshold", "token")}
    over = {} if searches else {"set": _set(chosen), "text": _text(chosen)}
    return AnalysisRequest.from_mapping(
        {**given, **over, "analysis": chosen.analysis, "model": chosen.model}
    )


def _set(chosen: argparse.Namespace) -> str:
    own = chosen.prompts is not None or chosen.prompt is not None
    return "" if own else SET if chosen.set is None else chosen.set


def _text(chosen: argparse.Namespace) -> str:
    if chosen.prompt is None and chosen.answer is not None:
        raise RequestError("--answer belongs to --prompt. In a file it stands behind a tab.")
    if chosen.prompt is not None:
        return write_prompts([Prompt(check_prompt(chosen.prompt), chosen.answer)])
    if chosen.prompts is None:
        return ""
    return standard_input() if chosen.prompts == "-" else _file(Path(chosen.prompts))


def _file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start >= MOST_BYTES - 3:
            raise RequestError(f"The file {path} is too long. Give fewer prompts.") from None
        raise RequestError(
            f"The file {path} is no UTF-8 text ({error.reason} at byte {error.start}). Convert it."
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RequestError(
            f"The file {path} cannot be read: {reason}. Give a text file with one prompt a line."
        ) from None


def _check_table(chosen: argparse.Namespace) -> None:
    names = TABLES[chosen.analysis]
    if chosen.table is None:
        return
    if not chosen.csv:
        raise RequestError("--table belongs to --csv.")
    if chosen.table not in names:
        raise RequestError(
            f"{chosen.analysis} has no table {chosen.table[:40]!r}; it has {', '.join(names)}."
        )


def _written(result: Result, chosen: argparse.Namespace) -> str:
    if chosen.json:
        from flowviz.analyses.tables import result_json

        return result_json(result) + "\n"
    if chosen.csv:
        from flowviz.views.files import table_csv

        name = chosen.table or TABLES[chosen.analysis][0]
        found = next((table for table in tables(result) if table.name == name), None)
        return "" if found is None else table_csv(found.columns, found.rows)
    from flowviz.views.analyses.report import text

    return text(result)


class _Watched:
    """Progress on standard error, in one line that is written over; nothing where none looks."""

    def __init__(self, seen: bool) -> None:
        self._seen = seen
        self._wide = 0

    def __call__(self, stage: str, fraction: float) -> None:
        if self._seen:
            words = f"{fraction:4.0%}  {stage}"
            print(f"\r{words:{self._wide}}", end="", file=sys.stderr, flush=True)
            self._wide = max(self._wide, len(words))

    def end(self) -> None:
        """Clears the line."""
        if self._seen and self._wide:
            print(f"\r{'':{self._wide}}\r", end="", file=sys.stderr, flush=True)
