"""The ids of the line and the panel that say whether the drawn graph is right."""

from __future__ import annotations

from enum import StrEnum


class Check(StrEnum):
    """Ids of the check. `assets/names.js` repeats those that scripts use."""

    # what is asked for
    CHOSEN = "check-chosen"  # store: {against, other, smallest} as chosen, without the graph
    OPEN = "check-open"  # store: whether the panel is open
    ASKED = "check-asked"  # store: {explained, against, other, smallest, itself} to be checked
    # the job
    JOB = "check-job"  # store: {id, state, stage, fraction, error, request} as submitted
    STANDING = "check-standing"  # store: the same without request, as last polled
    POLL = "check-poll"
    STAGE = "check-stage"
    BAR = "check-bar"
    CANCEL = "check-cancel"
    FAULT = "check-fault"  # why there is no verdict
    RETRY = "check-retry"
    # the line
    ROOT = "check-root"
    TOGGLE = "check-toggle"
    LINE = "check-line"
    # the panel
    PANEL = "check-panel"
    AGAINST = "check-against"
    OTHER_FIELD = "check-other-field"
    OTHER = "check-other"
    OTHER_RUN = "check-other-run"
    SHOWN = "check-shown"  # store: the request whose verdict is shown
    RECOVERED = "check-recovered"
    CURVES = "check-curves"
    SCORE = "check-score"
    PLOT = "check-plot"  # holds the scatter plot, while the panel is open
    SCATTER = "check-scatter"
    EFFECTS = "check-effects"
    FIND = "check-find"
    SHARE = "check-share"
    SMALLEST_RUN = "check-smallest-run"
    SMALLEST = "check-smallest"
    SAVE_JSON = "check-save-json"
    SAVE_EFFECTS = "check-save-effects"
    SAVE_CURVES = "check-save-curves"
    DOWNLOAD = "check-download"
