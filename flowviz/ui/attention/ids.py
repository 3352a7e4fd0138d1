"""The ids of the attention page."""

from __future__ import annotations

from enum import StrEnum


class Attention(StrEnum):
    """Ids of that page. `assets/names.js` repeats those that scripts use."""

    ROOT = "attention-root"  # its class says which view is open
    # what is asked for
    PROMPT = "attention-prompt"
    SECOND = "attention-second"
    SECOND_WORDS = "attention-second-words"
    SWAP = "attention-swap"
    MODEL = "attention-model"
    RUN = "attention-run"
    EXAMPLE = "attention-example"  # the type of the examples' pattern ids
    EXAMPLES = "attention-examples"  # store: the examples' requests
    TARGET = "attention-target"
    CONTRAST = "attention-contrast"
    EXPLAINED = "attention-explained"  # store: the target's position, or None for the last
    POSITION = "attention-position"  # store: the position clicked in the strip
    VALUE = "attention-value"
    TYPED = "attention-typed"  # store: {prompt, model, characters} while typing, a moment late
    COUNT = "attention-count"
    PICKING = "attention-picking"  # store: counts how often the model box was opened
    LOOK_FOR = "attention-look-for"
    # how it is looked at
    VIEW = "attention-view"
    PARTS = "attention-parts"  # which of the model's attentions, as buttons
    PART = "attention-part"  # store: the chosen one, or None for the model's first
    WEIGHTING = "attention-weighting"
    WEIGHTING_WORDS = "attention-weighting-words"  # why one of them is not there
    LAYER = "attention-layer"
    LAYER_WORDS = "attention-layer-words"
    HEADS = "attention-heads"  # store: the chosen heads, or None for all
    SQUARES = "attention-squares"  # the heads as coloured squares
    EVERY = "attention-every"  # chooses all heads, or none
    MASS = "attention-mass"
    HIDE = "attention-hide"
    TEXT_ONLY = "attention-text-only"
    PAIRS = "attention-pairs"
    MERGE = "attention-merge"
    HIDDEN = "attention-hidden"  # how much all of that hides, in words
    MASK = "attention-mask"  # store: the positions that are hidden from the model
    MASK_ONE = "attention-mask-one"
    UNMASK = "attention-unmask"
    START = "attention-start"  # store: where the window of tokens begins, or None for its end
    WINDOW = "attention-window"  # the window's buttons and words
    WINDOW_WORDS = "attention-window-words"
    EARLIER = "attention-earlier"
    LATER = "attention-later"
    SELECTED = "attention-selected"  # store: {side, position} of the pinned token, or None
    # finding heads
    OVER = "attention-over"
    AVERAGE = "attention-average"  # whether the mean over that set is drawn
    KIND = "attention-kind"
    KIND_WORDS = "attention-kind-words"
    FOUND = "attention-found"
    SCORES = "attention-scores"  # store: the kind's scores, packed
    # the job
    ASKED = "attention-asked"  # store: {prompt, model, count} of the last run asked for
    AGAIN = "attention-again"  # store: {request, count} of maps to compute again
    JOB = "attention-job"  # store: {id, state, stage, fraction, error, request} as submitted
    STANDING = "attention-standing"  # store: the same without request, as last polled
    POLL = "attention-poll"
    PROGRESS = "attention-progress"
    STAGE = "attention-stage"
    BAR = "attention-bar"
    CANCEL = "attention-cancel"
    # the picture
    SHOWN = "attention-shown"  # store: the request that is drawn
    TRAITS = "attention-traits"  # store: what there is of it: parts, masks, two texts, …
    FAULT = "attention-fault"  # store: what is wrong with the link, as a notice
    OPENED = "attention-opened"  # store: that the page has opened
    LAYER_DATA = "attention-layer-data"  # store: one layer, packed
    MODEL_DATA = "attention-model-data"  # store: all thumbnails, packed
    HEAD_VIEW = "attention-head-view"
    MODEL_VIEW = "attention-model-view"
    LENS = "attention-lens"  # an enlarged head beside the pointer
    SPOKEN = "attention-spoken"  # what is pinned, for who does not see it
    STRIP = "attention-strip"  # store: the prompt's tokens
    TOKENS = "attention-tokens"
    PREDICTIONS = "attention-predictions"
    READING_DATA = "attention-reading-data"  # store: what is predicted at each token, packed
    READING = "attention-reading"  # that of the token in sight
    READINGS = "attention-readings"  # that of all
    READINGS_WORDS = "attention-readings-words"
    STATUS = "attention-status"
    BANNER = "attention-banner"
    LINKS = "attention-links"  # ways into the flow and into the head
    # what to do with it
    LINK = "attention-link"
    SAVE_PNG = "attention-save-png"
    SAVE_SVG = "attention-save-svg"
    SAVE_JSON = "attention-save-json"
    SAVE_HTML = "attention-save-html"
    DOWNLOAD = "attention-download"


class Finder(StrEnum):
    """Ids of the finder's own job, which reads a set of prompts."""

    JOB = "finder-job"  # store: as the page's own
    STANDING = "finder-standing"
    POLL = "finder-poll"
    PROGRESS = "finder-progress"
    STAGE = "finder-stage"
    BAR = "finder-bar"
    CANCEL = "finder-cancel"
    FAULT = "finder-fault"  # why there are no scores
    SHOWN = "finder-shown"  # store: the set whose scores are shown, or None for the prompt's
