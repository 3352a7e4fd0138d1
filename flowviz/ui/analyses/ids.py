"""The ids of the analyses page."""

from __future__ import annotations

from enum import StrEnum


class Analyses(StrEnum):
    """Ids of the analyses page. `assets/analyses.js` repeats those that scripts use."""

    ROOT = "analyses-root"  # its class says which analysis is chosen
    # what is asked for
    ANALYSIS = "analyses-analysis"
    QUESTION = "analyses-question"
    MODEL = "analyses-model"
    PICKING = "analyses-picking"  # store: counts how often the model box was opened
    SOURCE = "analyses-source"  # "set" or "own"
    SET = "analyses-set"
    GROUP = "analyses-group"
    LOOK = "analyses-look"  # the chosen prompts of a set, to look at
    COPY_SET = "analyses-copy-set"
    TEXT = "analyses-text"
    FILE = "analyses-file"
    TYPED = "analyses-typed"  # store: {source, set, group, text, characters}, a moment late
    COUNT = "analyses-count"
    TOKEN = "analyses-token"
    OPEN_IN = "analyses-open-in"  # the prompt in which what a search finds is opened
    K = "analyses-k"
    N = "analyses-n"
    THRESHOLD = "analyses-threshold"
    RUN = "analyses-run"
    # the job
    START = "analyses-start"  # store: whether the link is run when the page opens
    AGAIN = "analyses-again"  # store: {request, count} of a result to run again
    ASKED = "analyses-asked"  # store: the request as submitted
    JOB = "analyses-job"  # store: {id, state, stage, fraction, error} as submitted
    STANDING = "analyses-standing"  # store: the same, as last polled
    POLL = "analyses-poll"
    PROGRESS = "analyses-progress"
    STAGE = "analyses-stage"
    BAR = "analyses-bar"
    CANCEL = "analyses-cancel"
    # the result
    SHOWN = "analyses-shown"  # store: the request whose result is shown, or None
    FAULT = "analyses-fault"  # store: what is wrong with the link, as a notice
    OPENED = "analyses-opened"  # store: that the page has opened
    RESULT = "analyses-result"
    TABLE = "analyses-table"  # the type of the tables' pattern ids
    OVERVIEW = "analyses-overview"  # the type of the pattern ids of the charts over all norms
    NORM = "analyses-norm"
    NORM_CHOSEN = "analyses-norm-chosen"  # store: the norm that is looked at
    NORM_DETAIL = "analyses-norm-detail"
    # what to do with it
    LINK = "analyses-link"
    LINK_NOTE = "analyses-link-note"
    SAVE_CSV = "analyses-save-csv"
    SAVE_JSON = "analyses-save-json"
    DOWNLOAD = "analyses-download"
