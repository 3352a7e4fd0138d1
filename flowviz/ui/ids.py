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
    HELP = "shell-help"
    HELP_BUTTON = "shell-help-button"
