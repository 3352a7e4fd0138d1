"""What can go wrong in a way that the person in front of the page can mend.

Each message says what happened, where, the value received, and the way out. Pages and the
command line show the message; they never show a stack trace of one of these.
"""

from __future__ import annotations


class FlowvizError(Exception):
    """The root of the errors that a user can mend."""


class RequestError(FlowvizError):
    """A prompt, a target or a setting that cannot be explained as it was asked."""


class ModelError(FlowvizError):
    """A model that cannot be loaded, or not be explained."""


class NotKept(FlowvizError):
    """A result that was there and is not any more, to make room; run its request again."""


class Cancelled(FlowvizError):
    """The user stopped the work."""
