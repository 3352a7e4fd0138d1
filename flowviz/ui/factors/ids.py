"""The ids of the page of factors."""

from __future__ import annotations

from enum import StrEnum


class Factors(StrEnum):
    """Ids of the page. `assets/names.js` repeats those that scripts use; a test compares."""

    ROOT = "factors-root"
    # the question
    MODEL = "factors-model"
    PICKING = "factors-picking"  # store: counts how often the box of models was opened
    PROMPT = "factors-prompt"
    COUNT = "factors-count"
    TYPED = "factors-typed"  # store: {prompt, model, characters} as it is typed
    RUN = "factors-run"
    EXAMPLE = "factors-example"  # pattern: an item of the examples
    EXAMPLES = "factors-examples"  # store: what each example asks
    LOOK_FOR = "factors-look-for"
    DICTIONARY = "factors-dictionary"
    CORPUS = "factors-corpus"
    CARD = "factors-card"
    # the list
    ORDER = "factors-order"
    LEVEL = "factors-level"
    SITE = "factors-site"
    TEXT = "factors-text"
    ROWS = "factors-rows"
    PAGES = "factors-pages"
    # the job
    ASKED = "factors-asked"  # store: {flat, again}: the question as a link has it
    AGAIN = "factors-again"  # store: {request, count} of an answer to compute again
    JOB = "factors-job"  # store: {id, state, stage, fraction, error, request} as submitted
    STANDING = "factors-standing"  # store: the same without request, as last polled
    POLL = "factors-poll"
    PROGRESS = "factors-progress"
    STAGE = "factors-stage"
    BAR = "factors-bar"
    CANCEL = "factors-cancel"
    # what is shown
    SHOWN = "factors-shown"  # store: what is shown, as a link has it
    FAULT = "factors-fault"  # store: what is wrong with the link, as a notice
    OPENED = "factors-opened"  # store: that the page has opened
    SELECTED = "factors-selected"  # store: nothing; every page with a prompt has one
    FITTED = "factors-fitted"  # store: what the controls show, and of what
    LISTED = "factors-listed"  # store: the list's page, packed
    TOLD = "factors-told"  # store: one factor, packed
    OF_PROMPT = "factors-of-prompt"  # store: the prompt's factors, packed
    SPLIT = "factors-split"  # store: which tokens an activation comes from, packed
    LAYER = "factors-layer"  # store: the site whose activations the prompt's table shows
    TAB = "factors-tab"  # store: which contexts of the factor are shown
    HEAT = "factors-heat"
    FACTOR = "factors-factor"
    CHARTS = "factors-charts"
    SPOKEN = "factors-spoken"  # what is gone to, for who does not see it
    STATUS = "factors-status"
    # what to do with it
    LINK = "factors-link"
    SAVE_LIST = "factors-save-list"
    SAVE_FACTOR = "factors-save-factor"
    SAVE_PROMPT = "factors-save-prompt"
    SAVE_JSON = "factors-save-json"
    DOWNLOAD = "factors-download"
