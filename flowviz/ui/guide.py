"""How to read the graph, and the keys: the help dialog."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import html

from flowviz.ui.ids import Shell

READING = (
    ("The question", "Why does the model say this token here? Its logit is one number."),
    (
        "The flow",
        "That number is split, without loss, backwards through everything that wrote "
        "into it: neurons, heads, hidden states, down to the prompt's tokens.",
    ),
    (
        "Up and across",
        "Columns are the prompt's tokens, rows the layers: embeddings at the "
        "bottom, the prediction on top.",
    ),
    (
        "Lines",
        "The width of a line is how much flows through it, its colour whether it speaks "
        "for the target or against it.",
    ),
    (
        "Nodes",
        "The size of a node is its influence on the answer. Its label is the token that "
        "it reads as most.",
    ),
    (
        "Rest ◇",
        "What is not drawn is not dropped: it enters as a diamond, so that what flows "
        "into a node is what flows out of it.",
    ),
    (
        "Is it right?",
        "The line under the graph says how much of the answer is recovered when the model runs "
        "with everything else ablated, beside random graphs of the same size; it opens a panel "
        "with other ablations, curves, and which score to trust.",
    ),
    (
        "Change the pass",
        "The inspector switches a node off, scales it, or gives it its mean or another prompt's "
        "value; edges of the circuit can be cut. All then shows before and after, and the link "
        "holds the changes.",
    ),
    (
        "Inside a block",
        "An opened block shows its norms, queries, keys, values, heads, rows of W_O and neurons. "
        "Dashed parts carry no flow: they say where a head looks, and how far a gate opens.",
    ),
    (
        "Attention",
        "Which tokens each head reads: the heads of a layer as lines, or all heads at once as "
        "thumbnails; heads are found by what they do, and lead back into the flow.",
    ),
    (
        "One head",
        "Its query, keys and their product, dimension by dimension; how that changes with "
        "distance; and why it looks where it does: the score split into what wrote both its ends.",
    ),
    (
        "Contexts",
        "Where else in a corpus the model is in the state of one token, or a head or a neuron does "
        "the same; what those places share is counted against how often it would be anyway.",
    ),
    (
        "Factors",
        "Hidden states as sums of a few learned directions: what each direction is, how far back "
        "it looks, and which are active at the tokens of a prompt, layer by layer.",
    ),
    (
        "Compare",
        "Two prompts, two checkpoints, or before and after a change: one graph of what differs. "
        "Blue is more in the second, orange less.",
    ),
    (
        "Analyses",
        "One question asked of many prompts: which parts read alike, where the answer appears, "
        "what norms filter, which neurons always fire, who speaks for a token.",
    ),
)
KEYS = (
    ("Enter", "run the prompt (Shift+Enter: a new line)"),
    ("/", "to the prompt"),
    ("↑ ↓ ← →", "from node to node along the edges"),
    ("Shift+Enter", "pick the selected node, to change several together"),
    ("Esc", "clear the selection and what is picked"),
    ("f", "fit the graph"),
    ("+ −", "zoom"),
    ("[", "fold the settings"),
    ("[ ]", "the layer below or above, on the pages of attention, one head, contexts, factors"),
    (", .", "the head before or after; ↑ ↓ the token that looks, with Shift the one looked at"),
    ("b", "the next of A→A, A→B, B→A, B→B, where there are two texts"),
    ("m", "mask the pinned token of an encoder, or show it again"),
    ("↑ ↓ ← →, Enter", "in found contexts: from one to the next, from token to token, its links"),
    ("↑ ↓, Enter", "in the list of factors: from one to the next, open it"),
    ("c", "is this graph right: open or close the panel"),
    ("x", "swap the two sides of a comparison, or the two texts of a pair"),
    ("Page Up, Page Down", "the block above or below, in an opened block"),
    ("?", "this help"),
)
MOUSE = (
    ("Click a prediction", "explain that token; with Shift: against it"),
    ("Click a prompt token", "explain the prediction that follows it"),
    ("Drag over prompt tokens", "draw only those; the rest ◇ keeps what flows in from the others"),
    ("Click a node or a line", "look at it closely"),
    ("Shift+click on nodes", "pick them, to switch off, scale or patch them together"),
    ("Hover", "follow its strongest paths"),
    ("Double-click a state, head, neuron or layer", "open its block: every part of it as a flow"),
)


def help_dialog() -> dmc.Modal:
    """The dialog; it opens by its button or the question mark."""
    return dmc.Modal(
        [
            _list("reading", READING),
            html.Div(
                [
                    html.Section([html.H3("Keys"), _list("keys", KEYS)]),
                    html.Section([html.H3("Mouse and touch"), _list("keys", MOUSE)]),
                ],
                className="columns",
            ),
        ],
        id=Shell.HELP,
        title="How to read the flow",
        size="lg",
        opened=False,
        className="help",
    )


def _list(name: str, pairs: tuple[tuple[str, str], ...]) -> html.Dl:
    rows = [html.Div([html.Dt(term), html.Dd(words)]) for term, words in pairs]
    return html.Dl(rows, className=name)
