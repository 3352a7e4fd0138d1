"""The table of docs/architectures.md, "Attention only": measured, and written by running this file.

python -m tests.encoders.test_table
"""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import mkdtemp

from flowviz.attention.why_request import NeuronRequest
from flowviz.encoders.loading import load_encoder
from flowviz.encoders.neurons import encoder_neurons
from flowviz.encoders.read import read_text
from flowviz.encoders.run import Seen, run
from tests.encoders.families import FAMILIES, Family
from tests.encoders.models import save_encoder
from tests.encoders.test_families import OUTPUTS, PROMPT, WRITTEN, output

PAGE = Path(__file__).parents[2] / "docs" / "architectures.md"
MARK = "| class |"
ALL, ALONE = "pattern, norm, neurons", "pattern"


def shown(family: Family) -> str:
    return ALL if family.whole else ALONE


def measured(name: str) -> tuple[float, float, float | None]:
    """The largest differences from Hugging Face's own: of a weight, of a logit (relative), and of
    the pattern that follows from queries and keys."""
    folder = save_encoder(name, Path(mkdtemp()) / name)
    model, both = load_encoder(str(folder)), FAMILIES[name].both
    plain, seen = output(name, model, folder), []

    def take(one: Seen) -> None:
        own = getattr(plain, OUTPUTS[one.part if both else None])[one.layer][0]
        seen.append(float((one.pattern - own).abs().max()))

    logits = run(model, read_text(model, PROMPT, WRITTEN if both else "", ()), take)
    assert logits is not None
    error = float((logits - plain.logits[0]).abs().max() / plain.logits.abs().max())
    return max(seen), error, _from_queries(name, model, both)


def _from_queries(name: str, model, both: bool) -> float | None:
    if not FAMILIES[name].whole:
        return None
    asked = [
        NeuronRequest(PROMPT, "x", layer, 0, second=WRITTEN if both else "", part=part)
        for part in model.parts
        for layer in range(model.shape_of(part).layers)
    ]
    return max(encoder_neurons(model, each).pattern_error for each in asked)


def row(name: str) -> str:
    family = FAMILIES[name]
    figures = ["–" if e is None else f"{e:.0e}".replace("0e+00", "0") for e in measured(name)]
    return f"| `{family.model}` | {family.models} | {shown(family)} | {' / '.join(figures)} |"


def rows() -> list[tuple[str, ...]]:
    """What the page states."""
    page = PAGE.read_text()
    table = page[page.index(MARK) :].partition("\n\n")[0]
    return re.findall(r"\| `(\w+)` \| (.+?) \| (.+?) \| (\S+) / (\S+) / (\S+) \|", table)


def test_the_page_states_every_family_and_no_other() -> None:
    expected = [(each.model, each.models, shown(each)) for each in FAMILIES.values()]
    assert [stated[:3] for stated in rows()] == expected


def test_what_the_page_states_is_small() -> None:
    for *_, patterns, logits, queries in rows():
        assert float(patterns) < 1e-6
        assert float(logits) < 1e-6
        assert queries == "–" or float(queries) < 1e-6


def test_one_row_measured_again() -> None:
    patterns, logits, queries = measured("bert")
    assert queries is not None
    assert max(patterns, logits, queries) < 1e-6


if __name__ == "__main__":
    page = PAGE.read_text()
    head = f"{MARK} models | what is shown | patterns / predictions / queries and keys |"
    start = page.index(MARK)
    end = page.index("\n\n", start)
    lines = [head, "|---|---|---|---|", *map(row, FAMILIES)]
    PAGE.write_text(page[:start] + "\n".join(lines) + page[end:])
