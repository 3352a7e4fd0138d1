"""A dictionary's card for people: a few lines for the command line, and a README beside its files.

Plain: it needs what a dictionary says of itself, and nothing else.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from flowviz.contexts.kinds import WHOLE, Site
from flowviz.errors import RequestError
from flowviz.factors.kinds import Method
from flowviz.factors.types import About

NAMES = {
    Method.CODING: "non-negative sparse coding (Yun et al. 2021)",
    Method.TOPK: "TopK autoencoder (Gao et al. 2024)",
    Method.JUMPRELU: "JumpReLU autoencoder",
    Method.RELU: "ReLU autoencoder",
}
MEANS = """\
- **Explained variance** is 1 - Σ|x - x̂|² / Σ|x - mean|²: 1 where factors hold everything.
- **Factors a vector** (L0): how many factors are above zero, in the mean.
- **Dead factors** were active on none of the held-out vectors.
- **Loss recovered**: the model runs with a site's vectors replaced by their reconstructions, and
  by their mean; of the loss that the mean costs, the share that reconstructions do not. 1 is best.
"""


def card_of(about: About, folder: str) -> str:
    """Some lines of text."""
    rows = (("dictionary", f"{about.name} in {folder}"), *_rows(about))
    width = max(len(name) for name, _ in rows) + 2
    lines = [f"{name:{width}}{value}" for name, value in rows]
    return "\n".join([*lines, *(f"{'note':{width}}{note}" for note in about.notes), ""])


def write_card(about: About, folder: Path, command: str) -> None:
    """Writes README.md: how it was made, its figures and what they mean. Raises RequestError."""
    table = "\n".join(f"| {name} | {value} |" for name, value in _rows(about))
    notes = "".join(f"\n{note}\n" for note in about.notes)
    text = (
        f"# The dictionary {about.name}\n\nMade by\n\n    {command}\n\n| | |\n|---|---|\n{table}\n"
        f"{notes}\n{MEANS}"
    )
    try:
        (folder / "README.md").write_text(text, encoding="utf-8")
    except OSError as error:
        raise RequestError(f"{folder} cannot be written ({error.strerror or error}).") from None


def _rows(about: About) -> tuple[tuple[str, str], ...]:
    learned = f"{about.corpus or 'unknown'}, {about.tokens:,} tokens; {about.steps:,} steps"
    return (
        ("method", NAMES[about.method]),
        ("model", about.model or "unknown"),
        ("sites", sites_text(about.sites)),
        ("factors", f"{about.factors:,} directions of {about.width:,} numbers"),
        ("learned from", f"{learned}, seed {about.seed}" if about.steps else "not said"),
        ("explained variance", _number(about.explained, ".4f")),
        ("factors a vector", _number(about.l0, ".1f")),
        ("dead factors", _number(about.dead, ",d")),
        ("loss recovered", _number(about.recovered, ".4f")),
    )


def sites_text(sites: tuple[Site, ...]) -> str:
    """Sites in few words: `resid_mid:1-5, resid_final`."""
    found = list[str]()
    for kind, group in groupby(sorted(sites), key=lambda site: site.kind):
        layers = [site.layer for site in group]
        runs = groupby(enumerate(layers), key=lambda pair: pair[1] - pair[0])
        for _, run in runs:
            first, *_, last = [layer for _, layer in run] * 2
            told = f"{first}" if first == last else f"{first}-{last}"
            found.append(kind.value if first == WHOLE else f"{kind.value}:{told}")
    return ", ".join(found)


def _number(value: float | int | None, form: str) -> str:
    return "not measured" if value is None else format(value, form)
