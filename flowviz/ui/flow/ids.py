"""The ids of the flow page."""

from __future__ import annotations

from enum import StrEnum


class Flow(StrEnum):
    """Ids of the flow page. `assets/names.js` repeats those that scripts use."""

    # what is asked for
    PROMPT = "flow-prompt"
    MODEL = "flow-model"
    RUN = "flow-run"
    EXAMPLE = "flow-example"  # the type of the examples' pattern ids
    EXAMPLES = "flow-examples"  # store: the examples' requests
    TARGET = "flow-target"
    CONTRAST = "flow-contrast"
    POSITION = "flow-position"  # store: the target's position, or None for the last
    VALUE = "flow-value"  # the number that is explained
    TYPED = "flow-typed"  # store: {prompt, model, characters} while typing, a moment late
    COUNT = "flow-count"
    PICKING = "flow-picking"  # store: counts how often the model box was opened
    # settings
    WIRING = "flow-wiring"
    SCORE = "flow-score"
    COVERAGE = "flow-coverage"
    BUDGET = "flow-budget"
    EDGE_COVERAGE = "flow-edge-coverage"
    LAYERS = "flow-layers"
    POSITIONS = "flow-positions"
    FIRST = "flow-first"  # the ends of the positions, as numbers
    LAST = "flow-last"
    KINDS = "flow-kinds"
    HEADS = "flow-heads"
    POSITIVE = "flow-positive"
    NEGATIVE = "flow-negative"
    REST = "flow-rest"
    RESET = "flow-reset"
    # the job
    ASKED = "flow-asked"  # store: {prompt, model, count} of the last run asked for
    AGAIN = "flow-again"  # store: {request, count} of a picture to run again
    JOB = "flow-job"  # store: {id, state, stage, fraction, error, request} as submitted
    STANDING = "flow-standing"  # store: the same without request, as last polled
    POLL = "flow-poll"
    PROGRESS = "flow-progress"
    STAGE = "flow-stage"
    BAR = "flow-bar"
    CANCEL = "flow-cancel"
    # the picture
    SHOWN = "flow-shown"  # store: the request that is drawn
    SELECTED = "flow-selected"  # store: {key, via} of the inspected node, or None
    FAULT = "flow-fault"  # store: what is wrong with the link, as a notice
    OPENED = "flow-opened"  # store: that the page has opened
    CANVAS = "flow-canvas"
    DRAWN = "flow-drawn"  # store: a figure or two that scripts need of the drawn graph
    STAGE_AREA = "flow-stage-area"
    GRAPH = "flow-graph"
    STYLES = "flow-styles"  # store: Cytoscape's stylesheets by theme
    STRIP = "flow-strip"  # store: the prompt's tokens, which are drawn, which is the target's
    TOKENS = "flow-tokens"
    PREDICTIONS = "flow-predictions"
    LOOK_FOR = "flow-look-for"
    STATUS = "flow-status"
    BANNER = "flow-banner"  # over the picture: which law failed
    PART = "flow-part"  # over the picture: which positions and layers are drawn, where not all
    LEGEND = "flow-legend"
    INSPECTOR = "flow-inspector"
    INFLOWS = "flow-inflows"
    OUTFLOWS = "flow-outflows"
    # what to do with it
    FIT = "flow-fit"
    ZOOM_IN = "flow-zoom-in"
    ZOOM_OUT = "flow-zoom-out"
    FOLD = "flow-fold"
    LINK = "flow-link"
    ANALYSE = "flow-analyse"  # leads to the analyses of this prompt
    SAVE_JSON = "flow-save-json"
    SAVE_NODES = "flow-save-nodes"
    SAVE_EDGES = "flow-save-edges"
    SAVE_PNG = "flow-save-png"
    SAVE_SVG = "flow-save-svg"
    DOWNLOAD = "flow-download"
