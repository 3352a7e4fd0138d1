"""The ids of what surrounds every page."""

from __future__ import annotations

from enum import StrEnum


class Shell(StrEnum):
    """Ids of the frame. `assets/names.js` repeats those that scripts use; a test compares."""

    PROVIDER = "shell-provider"
    THEME = "shell-theme"  # store: "light" or "dark"
    THEME_BUTTON = "shell-theme-button"
    VISITOR = "shell-visitor"  # store: a random name of this opened page
    NOTICE = "shell-notice"  # store: {title, text} of what went wrong, or None
    NOTICE_BOX = "shell-notice-box"
    NOTICE_TITLE = "shell-notice-title"
    NOTICE_TEXT = "shell-notice-text"
    NOTICE_CLOSE = "shell-notice-close"
    NOT_KEPT = "shell-not-kept"  # store: counts what was asked of a result that made room
    HELP = "shell-help"
    HELP_BUTTON = "shell-help-button"
