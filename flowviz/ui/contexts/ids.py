"""The ids of the page of contexts."""

from __future__ import annotations

from enum import StrEnum


class Contexts(StrEnum):
    """Ids of that page. `assets/names.js` repeats those that scripts use."""

    ROOT = "contexts-root"
    # what is asked for
    PROMPT = "contexts-prompt"
    MODEL = "contexts-model"
    RUN = "contexts-run"
    EXAMPLE = "contexts-example"  # the type of the examples' pattern ids
    EXAMPLES = "contexts-examples"  # store: the examples' links
    SECOND = "contexts-second"  # what is said of the second text
    LEAVE_OUT = "contexts-leave-out"
    TYPED = "contexts-typed"  # store: {prompt, model, characters} while typing, a moment late
    COUNT = "contexts-count"
    PICKING = "contexts-picking"  # store: counts how often the model box was opened
    LOOK_FOR = "contexts-look-for"
    POSITION = "contexts-position"  # store: the token that was clicked in the strip
    MASK_ONE = "contexts-mask-one"
    QUESTION = "contexts-question"  # what is asked, in words
    # the controls
    CORPUS = "contexts-corpus"
    KIND = "contexts-kind"
    LAYER = "contexts-layer"
    LAYER_WORDS = "contexts-layer-words"
    SQUARES = "contexts-squares"  # the heads of the site
    NEURON = "contexts-neuron"
    METRIC = "contexts-metric"
    MOST = "contexts-most"
    GRID = "contexts-grid"  # all heads: whose attention is shown
    GRID_OWN = "contexts-grid-own"  # the site's own again
    PART = "contexts-part"
    LEAST = "contexts-least"
    OTHER = "contexts-other"
    ONE_EACH = "contexts-one-each"
    FIRST = "contexts-first"
    ROLE = "contexts-role"  # of a filter to add, as the next four
    FEATURE = "contexts-feature"
    SIGN = "contexts-sign"
    VALUE = "contexts-value"
    ADD = "contexts-add"
    COLOUR = "contexts-colour"
    OFFSETS = "contexts-offsets"
    FITTED = "contexts-fitted"  # store: the model's sizes, and what controls show of what
    # the job
    ASKED = "contexts-asked"  # store: {flat, again, idle}: the question as a link has it
    AGAIN = "contexts-again"  # store: {request, count} of an answer to compute again
    JOB = "contexts-job"  # store: {id, state, stage, fraction, error, request} as submitted
    STANDING = "contexts-standing"  # store: the same without request, as last polled
    POLL = "contexts-poll"
    PROGRESS = "contexts-progress"
    STAGE = "contexts-stage"
    BAR = "contexts-bar"
    CANCEL = "contexts-cancel"
    # what was found
    SHOWN = "contexts-shown"  # store: what is shown, as a link has it
    FAULT = "contexts-fault"  # store: what is wrong with the link, as a notice
    OPENED = "contexts-opened"  # store: that the page has opened
    LIMIT = "contexts-limit"  # store: how many hits are listed
    DATA = "contexts-data"  # store: the hits that are listed, packed
    SUMMARY = "contexts-summary"  # store: the summaries, packed
    STRIP = "contexts-strip"  # store: the prompt's tokens
    TOKENS = "contexts-tokens"
    FILTERS = "contexts-filters"  # the filters as chips
    LEGEND = "contexts-legend"
    RESULTS = "contexts-results"
    CHARTS = "contexts-charts"
    SELECTED = "contexts-selected"  # store: the row of the hit whose ways are open
    TAB = "contexts-tab"  # store: the role whose summaries are open
    SPOKEN = "contexts-spoken"  # what is pointed at, for who does not see it
    STATUS = "contexts-status"
    # what to do with it
    LINK = "contexts-link"
    SAVE_HITS = "contexts-save-hits"
    SAVE_SUMMARY = "contexts-save-summary"
    SAVE_JSON = "contexts-save-json"
    DOWNLOAD = "contexts-download"
