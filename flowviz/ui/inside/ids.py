"""The ids of the page of an opened block."""

from __future__ import annotations

from enum import StrEnum


class Inside(StrEnum):
    """Ids of that page. `assets/names.js` repeats those that scripts use."""

    # what is asked for
    PROMPT = "inside-prompt"
    MODEL = "inside-model"
    RUN = "inside-run"
    EXAMPLE = "inside-example"  # the type of the examples' pattern ids
    EXAMPLES = "inside-examples"  # store: the examples' requests
    TARGET = "inside-target"
    CONTRAST = "inside-contrast"
    EXPLAINED = "inside-explained"  # store: the target's position, or None for the last
    POSITION = "inside-position"  # store: the position that is opened, or None for the target's
    BLOCKS = "inside-blocks"  # store: [first, last] block that is opened
    VALUE = "inside-value"
    TYPED = "inside-typed"  # store: {prompt, model, characters} while typing, a moment late
    COUNT = "inside-count"
    PICKING = "inside-picking"  # store: counts how often the model box was opened
    LOOK_FOR = "inside-look-for"
    # which block
    FIRST = "inside-first"
    LAST = "inside-last"
    DOWN = "inside-down"
    UP = "inside-up"
    WHERE = "inside-where"
    BACK = "inside-back"
    # settings
    HEADS = "inside-heads"
    MEMORIES = "inside-memories"
    ROWS = "inside-rows"
    HIGH = "inside-high"
    LOW = "inside-low"
    RANK = "inside-rank"
    ROTARY = "inside-rotary"
    ROTARY_FIELD = "inside-rotary-field"
    ROTARY_WORDS = "inside-rotary-words"
    COLOUR = "inside-colour"
    WIDTH = "inside-width"
    RESET = "inside-reset"
    # the job
    ASKED = "inside-asked"  # store: {prompt, model, count} of the last run asked for
    AGAIN = "inside-again"  # store: {request, count} of a picture to run again
    JOB = "inside-job"  # store: {id, state, stage, fraction, error, request} as submitted
    STANDING = "inside-standing"  # store: the same without request, as last polled
    POLL = "inside-poll"
    PROGRESS = "inside-progress"
    STAGE = "inside-stage"
    BAR = "inside-bar"
    CANCEL = "inside-cancel"
    # the picture
    SHOWN = "inside-shown"  # store: the request that is drawn
    SELECTED = "inside-selected"  # store: {key, via} of the inspected part, or None
    FAULT = "inside-fault"  # store: what is wrong with the link, as a notice
    OPENED = "inside-opened"  # store: that the page has opened
    CANVAS = "inside-canvas"
    DRAWN = "inside-drawn"  # store: a figure or two that scripts need of the drawn graph
    GRAPH = "inside-graph"
    STYLES = "inside-styles"  # store: Cytoscape's stylesheets by theme
    STRIP = "inside-strip"  # store: the prompt's tokens and which is opened
    TOKENS = "inside-tokens"
    PREDICTIONS = "inside-predictions"
    STATUS = "inside-status"
    BANNER = "inside-banner"  # over the picture: what is not exact
    LEGEND = "inside-legend"
    KEYS = "inside-keys"  # what the legend says
    INSPECTOR = "inside-inspector"
    INFLOWS = "inside-inflows"
    OUTFLOWS = "inside-outflows"
    # what to do with it
    FIT = "inside-fit"
    ZOOM_IN = "inside-zoom-in"
    ZOOM_OUT = "inside-zoom-out"
    FOLD = "inside-fold"
    LINK = "inside-link"
    SAVE_JSON = "inside-save-json"
    SAVE_NODES = "inside-save-nodes"
    SAVE_EDGES = "inside-save-edges"
    SAVE_PNG = "inside-save-png"
    SAVE_SVG = "inside-save-svg"
    DOWNLOAD = "inside-download"
