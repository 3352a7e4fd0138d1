"""What an analysis found as a report in plain text, in 100 columns of a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from flowviz.analyses.types import (
    ActiveNeurons,
    HeadMatch,
    NeuronMatch,
    NormFilter,
    NormFilters,
    Overlap,
    Result,
    Series,
    TargetCourse,
    TokenSearch,
)
from flowviz.views.tokens import clip, visible, width

COLUMNS = 100
NAME = 52  # columns for what a row is
CELL = 8
MOST_WRONG = 20
MOST_LISTED = 30
TOKENS = 5


def text(result: Result) -> str:
    """The report; tables and JSON hold what is left out here."""
    report = {
        Overlap: _overlap,
        TargetCourse: _target,
        NormFilters: _norms,
        ActiveNeurons: _neurons,
        TokenSearch: _search,
    }[type(result)]
    return "\n".join(clip(line.rstrip(), COLUMNS) for line in report(result)) + "\n"


def _tokens(texts: Iterable[str], most: int = TOKENS) -> str:
    return " ".join(visible(text) for text in list(texts)[:most])


def _padded(words: str, room: int) -> str:
    words = clip(words, room - 1)
    return words + " " * (room - width(words))


def _row(name: str, cells: Iterable[str]) -> str:
    return _padded(name, NAME) + "".join(f"{cell:>{CELL}}" for cell in cells)


def _notes(notes: Sequence[str]) -> Iterator[str]:
    for note in notes:
        yield ""
        yield from _wrapped(note)


def _wrapped(words: str) -> Iterator[str]:
    line = ""
    for word in words.split(" "):
        if line and len(line) + 1 + len(word) > COLUMNS:
            yield line
            line = word
        else:
            line = f"{line} {word}".lstrip()
    yield line


def _prompts(count: int) -> str:
    return f"{count:,} prompt{'s' * (count != 1)}"


# ---- overlap -----------------------------------------------------------------------------------


def _overlap(result: Overlap) -> Iterator[str]:
    yield (
        f"Overlap of the top {result.k} tokens in {visible(result.model)}, mean over "
        f"{_prompts(result.prompts)}; by chance {result.chance:.1%}"
    )
    panels = (
        ("Layer", result.by_layer),
        ("Rank by norm", result.by_norm_rank),
        ("Rank by attention weight", result.by_attention_rank),
        ("Layer", result.among),
    )
    for title, series in panels:
        yield from _lines(title, series)
    yield from _notes(result.notes)


def _lines(title: str, series: Sequence[Series]) -> Iterator[str]:
    at_once = (COLUMNS - NAME) // CELL
    xs = sorted({x for one in series for x in one.x})
    for begin in range(0, len(xs), at_once):
        some = xs[begin : begin + at_once]
        yield ""
        yield _row(title, map(str, some))
        for one in series:
            means = dict(zip(one.x, one.mean, strict=True))
            yield _row(one.title, (f"{means[x]:.1%}" if x in means else "–" for x in some))


# ---- target ------------------------------------------------------------------------------------


def _target(result: TargetCourse) -> Iterator[str]:
    yield f"The target's course in {visible(result.model)}, {_prompts(len(result.outcomes))}"
    yield "mean probability and median rank under the lens, by layer and stage"
    yield ""
    named = [f"{group.name} ({group.prompts:,})" for group in result.groups]
    yield "Stage    " + "".join(f"{name:>28}" for name in named)
    for place, stage in enumerate(result.stages):
        cells = (
            f"{group.probability[place]:>16.2%}{group.median_rank[place]:>12,.1f}"
            for group in result.groups
        )
        yield f"{stage:9}" + "".join(cells)
    wrong = [outcome for outcome in result.outcomes if outcome.right is False]
    for outcome in wrong[:MOST_WRONG]:
        if outcome is wrong[0]:
            yield ""
            yield "Wrong: prompt, answer with its rank, and what the model says"
        said = f"{visible(outcome.target)} {outcome.rank:,}"
        yield (
            f"  {_padded(visible(outcome.prompt.text), 64)}{_padded(said, 18)}"
            f"{visible(outcome.prediction)}"
        )
    if len(wrong) > MOST_WRONG:
        yield f"  … and {len(wrong) - MOST_WRONG:,} more"


# ---- norms -------------------------------------------------------------------------------------


def _norms(result: NormFilters) -> Iterator[str]:
    yield (
        f"What the norms of {visible(result.model)} filter, {_prompts(result.prompts)}, "
        f"{result.positions:,} positions"
    )
    yield from _wrapped(
        f"overlap of the top {result.k} before and after, shift of probability and change of "
        f"entropy in bits, each beside that of {result.draws} random vectors a vector"
    )
    yield ""
    yield "Norm              overlap  random      shift  random    entropy  random"
    for norm in result.norms:
        yield from _norm(norm)
    yield from _notes(result.notes)


def _norm(norm: NormFilter) -> Iterator[str]:
    yield (
        f"{norm.layer:>3} {norm.name:12}{norm.overlap:>9.1%}{norm.control_overlap:>8.1%}"
        f"{norm.shift:>11.1%}{norm.control_shift:>8.1%}"
        f"{norm.entropy_change:>+11.2f}{norm.control_entropy_change:>+8.2f}"
    )
    for side, tokens in (("lose", norm.losers), ("gain", norm.gainers)):
        shown = (f"{visible(token.text)} {token.change:+.2%}" for token in tokens[:TOKENS])
        yield f"      {side}  {'  '.join(shown)}"


# ---- neurons -----------------------------------------------------------------------------------


def _neurons(result: ActiveNeurons) -> Iterator[str]:
    yield (
        f"Neurons of {visible(result.model)} that are among the {result.n:,} most active of their "
        "layer"
    )
    yield f"on at least {result.threshold:.0%} of {_prompts(result.prompts)}: {result.found:,}"
    yield ""
    yield "Layer   neurons   by chance   value's norm          its entropy in bits"
    for layer in result.layers:
        yield (
            f"{layer.layer:>5}{layer.neurons:>10,}{layer.expected:>12.1%}"
            f"{layer.norm:>10.3f} ± {layer.norm_deviation:.3f}"
            f"{layer.entropy:>12.2f} ± {layer.entropy_deviation:.2f}"
        )
    if result.neurons:
        yield ""
        yield "Neuron        share  activation    norm  entropy  promotes"
    for neuron in result.neurons[:MOST_LISTED]:
        yield (
            f"{f'L{neuron.layer} N{neuron.index}':12}{neuron.share:>7.1%}"
            f"{neuron.activation:>+12.3f}{neuron.norm:>8.3f}{neuron.entropy:>9.2f}  "
            f"{_tokens(token.text for token in neuron.projection.top)}"
        )
    if result.found > MOST_LISTED:
        yield f"… and {result.found - MOST_LISTED:,} more"


# ---- search ------------------------------------------------------------------------------------


def _search(result: TokenSearch) -> Iterator[str]:
    yield f"Who promotes or suppresses {visible(result.token)} in {visible(result.model)}"
    sides = (
        ("promote", result.promoting_neurons, result.promoting_heads),
        ("suppress", result.suppressing_neurons, result.suppressing_heads),
    )
    for verb, neurons, heads in sides:
        yield ""
        yield f"Neurons that {verb} it      logit   cosine   its rank among what they {verb}"
        yield from map(_neuron_match, neurons[:MOST_LISTED])
        yield ""
        yield f"Heads that {verb} it        logit   at the source tokens"
        yield from map(_head_match, heads[:MOST_LISTED])


def _neuron_match(match: NeuronMatch) -> str:
    name = f"L{match.layer} N{match.index}"
    return f"  {name:22}{match.logit:>+9.3f}{match.cosine:>+9.3f}{match.rank:>11,}"


def _head_match(match: HeadMatch) -> str:
    name = f"L{match.layer} H{match.index}"
    return f"  {name:22}{match.logit:>+9.3f}   {_tokens(source.text for source in match.sources)}"
