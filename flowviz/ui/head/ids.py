"""The ids of the page of one head."""

from __future__ import annotations

from enum import StrEnum


class Head(StrEnum):
    """Ids of that page. `assets/names.js` repeats those that scripts use."""

    ROOT = "head-root"  # its class says which view is open
    # what is asked for
    PROMPT = "head-prompt"
    MODEL = "head-model"
    RUN = "head-run"
    EXAMPLE = "head-example"  # the type of the examples' pattern ids
    EXAMPLES = "head-examples"  # store: the examples' links
    PASSED = "head-passed"  # store: second text and mask, as the link has them
    SECOND = "head-second"  # what is said of the second text
    LEAVE_OUT = "head-leave-out"  # leaves second text and mask out
    TYPED = "head-typed"  # store: {prompt, model, characters} while typing, a moment late
    COUNT = "head-count"
    PICKING = "head-picking"  # store: counts how often the model box was opened
    LOOK_FOR = "head-look-for"
    # which head and places
    VIEW = "head-view"
    PART = "head-part"
    PARTS = "head-parts"  # the box around it, hidden where a model has one part
    LAYER = "head-layer"
    LAYER_WORDS = "head-layer-words"
    HEAD = "head-head"  # store: the head's number
    SQUARES = "head-squares"  # the heads as squares
    POSITION = "head-query"  # store: the position that looks, clicked in the strip; None: the last
    EXPLAINED = "head-key"  # store: the one that is looked at, Shift+click there; None: the most
    # how it is looked at
    DIMS = "head-dims"
    ORDER = "head-order"
    START = "head-start"  # store: where the window of sources begins
    WINDOW = "head-window"
    WINDOW_WORDS = "head-window-words"
    EARLIER = "head-earlier"
    LATER = "head-later"
    RANK = "head-rank"
    OVER = "head-over"
    GROUP = "head-group"
    SELECTED = "head-dim"  # store: the marked dimension
    # the job
    ASKED = "head-asked"  # store: {prompt, model, count} of the last run asked for
    AGAIN = "head-again"  # store: {request, count} of an answer to compute again
    JOB = "head-job"  # store: {id, state, stage, fraction, error, request} as submitted
    STANDING = "head-standing"  # store: the same without request, as last polled
    POLL = "head-poll"
    PROGRESS = "head-progress"
    STAGE = "head-stage"
    BAR = "head-bar"
    CANCEL = "head-cancel"
    # the picture
    SHOWN = "head-shown"  # store: what is drawn, as a link has it
    FAULT = "head-fault"  # store: what is wrong with the link, as a notice
    OPENED = "head-opened"  # store: that the page has opened
    DATA = "head-data"  # store: the answer, packed
    SIZES = "head-sizes"  # store: {layers, heads} of the model
    PICTURE = "head-picture"
    SPOKEN = "head-spoken"  # what is marked, for who does not see it
    STRIP = "head-strip"  # store: the tokens that look
    TOKENS = "head-tokens"
    STATUS = "head-status"
    BANNER = "head-banner"
    DETAIL = "head-detail"
    # what to do with it
    LINK = "head-link"
    SAVE_PNG = "head-save-png"
    SAVE_SVG = "head-save-svg"
    SAVE_JSON = "head-save-json"
    SAVE_HTML = "head-save-html"
    SAVE_FIRST = "head-save-first"  # the view's first table as CSV
    SAVE_SECOND = "head-save-second"
    DOWNLOAD = "head-download"
