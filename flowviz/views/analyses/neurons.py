"""Always-active neurons as charts: how many there are in each layer, and how they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plotly import graph_objects as go

from flowviz.analyses.types import ActiveNeuron, ActiveNeurons, LayerOfNeurons
from flowviz.views.analyses.chart import blank, figure_of, shade, upright, with_legend
from flowviz.views.figures import escaped
from flowviz.views.palette import palette
from flowviz.views.tokens import visible
from flowviz.views.words import percent

STEP = 5  # percent of prompts between two of a layer's shares
MOST_NAMED = 12  # layers that a legend names; of more, some
TOKENS = 5


def shares_chart(result: ActiveNeurons, theme: str) -> go.Figure:
    """How many neurons of each layer are active on at least so many of the prompts."""
    figure = blank(theme)
    for layer in result.layers:
        figure.add_trace(_shares(layer, result, theme))
    c = palette(theme)
    upright(figure, 100 * result.threshold, f"threshold {percent(result.threshold)}", c)
    if result.layers:
        expected = result.layers[0].expected
        upright(figure, 100 * expected, f"by chance {percent(expected)}", c)
    with_legend(figure.update_layout(hovermode="closest"))
    figure.update_xaxes(title_text="Active on at least so many of the prompts", ticksuffix="%",
                        range=[-1, 101], dtick=20)  # fmt: skip
    return figure.update_yaxes(title_text="Neurons", type="log", dtick=1, tickformat=",~r")


def _shares(layer: LayerOfNeurons, result: ActiveNeurons, theme: str) -> go.Scatter:
    x = [STEP * i for i in range(len(layer.shares))]
    colour = shade(_depth(layer.layer, result), theme)
    named = layer.layer % (-(-len(result.layers) // MOST_NAMED) or 1) == 0
    return go.Scatter(
        x=x,
        y=[count or None for count in layer.shares],
        name=f"layer {layer.layer}",
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"color": colour, "size": 5},
        text=[
            f"<b>layer {layer.layer}</b><br>{count:,} of {layer.neurons:,} neurons are among the "
            f"{result.n} most active<br>on at least {share}% of the prompts"
            for share, count in zip(x, layer.shares, strict=True)
        ],
        hovertemplate="%{text}<extra></extra>",
        showlegend=named,
    )


def difference_chart(result: ActiveNeurons, theme: str) -> go.Figure:
    """Norm and entropy of each listed neuron, in deviations from the mean of its layer."""
    figure = blank(theme)
    layers = {layer.layer: layer for layer in result.layers}
    for number in sorted({neuron.layer for neuron in result.neurons}):
        listed = [neuron for neuron in result.neurons if neuron.layer == number]
        figure.add_trace(_differences(listed, layers[number], result, theme))
    _ordinary(figure, theme)
    with_legend(figure.update_layout(hovermode="closest"))
    axis: dict[str, Any] = {
        "zeroline": True,
        "zerolinecolor": palette(theme).muted,
        "autorangeoptions": {"include": [-1.25, 1.25]},
    }
    figure.update_xaxes(title_text="Norm of its value, in deviations from its layer's mean", **axis)
    return figure.update_yaxes(title_text="Entropy of its tokens, likewise", **axis)


def _differences(
    listed: Sequence[ActiveNeuron], layer: LayerOfNeurons, result: ActiveNeurons, theme: str
) -> go.Scatter:
    return go.Scatter(
        x=[_deviations(n.norm, layer.norm, layer.norm_deviation) for n in listed],
        y=[_deviations(n.entropy, layer.entropy, layer.entropy_deviation) for n in listed],
        name=f"layer {layer.layer}",
        mode="markers",
        marker={"color": shade(_depth(layer.layer, result), theme), "size": 9,
                "line": {"color": palette(theme).text, "width": 0.7}},
        text=[_neuron_words(neuron, layer) for neuron in listed],
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def _ordinary(figure: go.Figure, theme: str) -> None:
    """The field of one deviation, in which two of three neurons would lie along each axis."""
    c = palette(theme)
    figure.add_shape(
        type="rect", x0=-1, x1=1, y0=-1, y1=1, layer="below",
        line={"color": c.muted, "width": 1, "dash": "dot"}, fillcolor=c.stripe,
    )  # fmt: skip


def _deviations(value: float, mean: float, deviation: float) -> float | None:
    return (value - mean) / deviation if deviation > 0 else None


def _neuron_words(neuron: ActiveNeuron, layer: LayerOfNeurons) -> str:
    return (
        f"<b>L{neuron.layer} N{neuron.index}</b>, active on {percent(neuron.share)} of the prompts"
        f"<br>norm {figure_of(neuron.norm)}; its layer {figure_of(layer.norm)} "
        f"± {figure_of(layer.norm_deviation)}"
        f"<br>entropy {figure_of(neuron.entropy)} bits; its layer {figure_of(layer.entropy)} "
        f"± {figure_of(layer.entropy_deviation)}"
        f"<br>reads as {escaped(top_tokens(neuron))}"
    )


def top_tokens(neuron: ActiveNeuron) -> str:
    """What a neuron's value reads as most, times the sign of its activation."""
    return "  ".join(visible(token.text) for token in neuron.projection.top[:TOKENS])


def _depth(layer: int, result: ActiveNeurons) -> float:
    last = max((each.layer for each in result.layers), default=0)
    return layer / last if last else 1.0
