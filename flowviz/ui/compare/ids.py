"""The ids of the page that compares two passes."""

from __future__ import annotations

from enum import StrEnum


class Compare(StrEnum):
    """Ids of that page. `assets/names.js` repeats those that scripts use."""

    # what is asked for; what has a SECOND_ is of the second side alone
    PROMPT = "compare-prompt"
    SECOND = "compare-second"
    MODEL = "compare-model"
    SECOND_MODEL = "compare-second-model"
    CHANGES = "compare-changes"  # interventions, in their text form
    SECOND_CHANGES = "compare-second-changes"
    DONOR = "compare-donor"
    SECOND_DONOR = "compare-second-donor"
    TARGET = "compare-target"
    CONTRAST = "compare-contrast"
    OWN = "compare-own"  # whether the second explains a token of its own
    SECOND_TARGET = "compare-second-target"
    SECOND_CONTRAST = "compare-second-contrast"
    POSITION = "compare-position"  # store: [first, second], the positions that are explained
    RUN = "compare-run"
    SWAP = "compare-swap"
    MORE = "compare-more"  # the fold with another checkpoint and changed passes
    EXAMPLE = "compare-example"  # the type of the examples' pattern ids
    EXAMPLES = "compare-examples"  # store: the examples' forms
    TYPED = "compare-typed"  # store: {prompt, model, characters} while typing, a moment late
    COUNT = "compare-count"
    SECOND_TYPED = "compare-second-typed"
    SECOND_COUNT = "compare-second-count"
    PICKING = "compare-picking"  # store: counts how often a model box was opened
    VALUE = "compare-value"
    LOOK_FOR = "compare-look-for"
    # settings
    WIRING = "compare-wiring"
    SCORE = "compare-score"
    COVERAGE = "compare-coverage"
    BUDGET = "compare-budget"
    EDGE_COVERAGE = "compare-edge-coverage"
    KINDS = "compare-kinds"
    REST = "compare-rest"
    KEPT = "compare-kept"  # store: the settings of a link that have no control here
    KEPT_WORDS = "compare-kept-words"
    RESET = "compare-reset"
    # the job
    ASKED = "compare-asked"  # store: both sides of the last run asked for, and its count
    AGAIN = "compare-again"  # store: {request, count} of a picture to run again
    JOB = "compare-job"  # store: {id, state, stage, fraction, error, request} as submitted
    STANDING = "compare-standing"  # store: the same without request, as last polled
    POLL = "compare-poll"
    PROGRESS = "compare-progress"
    STAGE = "compare-stage"
    BAR = "compare-bar"
    CANCEL = "compare-cancel"
    # the picture
    SHOWN = "compare-shown"  # store: the request that is drawn
    SELECTED = "compare-selected"  # store: {key, via} of the inspected node, or None
    FAULT = "compare-fault"  # store: what is wrong with the link, as a notice
    OPENED = "compare-opened"  # store: that the page has opened
    CANVAS = "compare-canvas"
    DRAWN = "compare-drawn"  # store: a figure or two that scripts need of the drawn graph
    GRAPH = "compare-graph"
    STYLES = "compare-styles"  # store: Cytoscape's stylesheets by theme
    STRIP = "compare-strip"  # store: the columns of tokens, which differ, which is explained
    TOKENS = "compare-tokens"
    ALIGNMENT = "compare-alignment"  # how the tokens were aligned
    STATUS = "compare-status"
    BANNER = "compare-banner"  # over the picture: which law failed
    NOTE = "compare-note"  # under it: that the sides explain different numbers
    SAME = "compare-same"  # in the picture's place where nothing differs
    LEGEND = "compare-legend"
    INSPECTOR = "compare-inspector"
    INFLOWS = "compare-inflows"
    OUTFLOWS = "compare-outflows"
    TABLE = "compare-table"  # where the table of what changed stands
    STATES = "compare-states"  # whether hidden states are listed in it
    ROWS = "compare-rows"  # the table itself
    # what to do with it
    FIT = "compare-fit"
    ZOOM_IN = "compare-zoom-in"
    ZOOM_OUT = "compare-zoom-out"
    FOLD = "compare-fold"
    LINK = "compare-link"
    OPEN_FIRST = "compare-open-first"  # leads to the first side on the flow page
    OPEN_SECOND = "compare-open-second"
    SAVE_JSON = "compare-save-json"
    SAVE_CHANGES = "compare-save-changes"
    SAVE_EDGES = "compare-save-edges"
    SAVE_PREDICTIONS = "compare-save-predictions"
    SAVE_TABLE = "compare-save-table"  # of what changed, at the table itself
    SAVE_PNG = "compare-save-png"
    SAVE_SVG = "compare-save-svg"
    DOWNLOAD = "compare-download"
