"""How exact a run was, in words; and what is still right where a law of the flow failed.

Where `checks.exact` is false nothing that a graph says of flow may be believed: its views show no
edges, no rest and no scores. Readings through the lens and attention do not depend on the flow.
"""

from __future__ import annotations

import math

from flowviz.graph.types import Checks, FlowGraph

LAWS = {
    "node_error": (
        "what flows into a node misses what flows out",
        "what flows into a node is what flows out of it",
    ),
    "cut_error": (
        "the sum over a cut misses the target",
        "at every depth, all flow sums to the target",
    ),
    "rest_error": (
        "what is drawn and the rest miss a node's flow",
        "what is drawn and the rest are the whole of each node",
    ),
    "target_error": (
        "the target misses the model's own logits",
        "the target is the model's own number",
    ),
    "block_error": (
        "the blocks' parts miss their output",
        "each block's parts are what it writes",
    ),
}
PRECISIONS = {
    "float64": "about 16 digits",
    "float32": "about 7 digits",
    "float16": "about 3 digits",
    "bfloat16": "2 to 3 digits",
    "int8": "256 steps",
}
NO_FLOW = "no flow: a law failed on this run"


def flow_shown(graph: FlowGraph) -> bool:
    """Whether the flow may be shown: all laws held on this run."""
    return graph.checks.exact


def small(error: float) -> str:
    """An error with one digit."""
    if not math.isfinite(error):
        return "a number that is not finite"
    return f"{error:.1g}" if error >= 0.01 or error == 0 else f"{error:.0e}".replace("e-0", "e-")


def exactness_words(checks: Checks) -> str:
    """Whether the run was exact, or which law failed and by how much."""
    limit = f"limit {small(checks.tolerance)} for {checks.dtype}"
    worst = _worst(checks)
    error = getattr(checks, worst)
    if checks.exact:
        return f"Exact to {small(error)} ({limit})"
    return f"Not exact: {LAWS[worst][0]} by {small(error)} ({limit})"


def exactness_tip(checks: Checks) -> str:
    """Every law with its measured error, the precision and the limit."""
    lines = [f"{law}: {_off(getattr(checks, name))}" for name, (_, law) in LAWS.items()]
    return "\n".join(
        [
            "Five laws, measured on this run; each with its largest error, as a share of the "
            "largest number in it:",
            *lines,
            f"{_precision(checks)}, so that sums are off by their rounding. "
            f"Up to {small(checks.tolerance)} counts as exact.",
        ]
    )


def _off(error: float) -> str:
    return f"off by {small(error)}"


def _precision(checks: Checks) -> str:
    known = PRECISIONS.get(checks.dtype)
    return f"The weights are {checks.dtype} numbers" + (f" ({known})" if known else "")


def _worst(checks: Checks) -> str:
    """The law that failed most; what is no finite number fails more than anything."""
    errors = {name: getattr(checks, name) for name in LAWS}
    return max(errors, key=lambda name: errors[name] if math.isfinite(errors[name]) else math.inf)


def failure_words(graph: FlowGraph) -> tuple[str, str] | None:
    """Where a law failed: which and by how much, and what that means for what is on the page."""
    checks = graph.checks
    if checks.exact:
        return None
    worst = _worst(checks)
    title = (
        f"This run broke a law of the flow: {LAWS[worst][0]} by "
        f"{small(getattr(checks, worst))}; the limit for {checks.dtype} is "
        f"{small(checks.tolerance)}."
    )
    return title, (
        f"{graph.model.architecture} computes something that flowviz does not read. So the flow is "
        "not shown: no lines, no influence, no rest. What you see is still right: the predictions, "
        "what the hidden states read as, and where the heads attend."
    )
