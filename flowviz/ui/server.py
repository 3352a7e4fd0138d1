"""What the running server holds for its pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from flask import Flask, current_app

from flowviz.session import Session

_SESSION = "FLOWVIZ_SESSION"
_EXAMPLES = "FLOWVIZ_EXAMPLES"


@runtime_checkable
class Example(Protocol):
    """A prompt that shows one phenomenon, with a sentence on what to look for."""

    @property
    def phenomenon(self) -> str: ...  # noqa: D102
    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def prompt(self) -> str: ...  # noqa: D102
    @property
    def target(self) -> str | None: ...  # noqa: D102
    @property
    def contrast(self) -> str | None: ...  # noqa: D102
    @property
    def look_for(self) -> str: ...  # noqa: D102


def provide(server: Flask, session: Session, examples: Sequence[Example]) -> None:
    """Gives a server what its pages ask for."""
    server.config[_SESSION] = session
    server.config[_EXAMPLES] = tuple(examples)


def current_session() -> Session:
    """The session of the server that answers this call."""
    return current_app.config[_SESSION]


def current_examples() -> tuple[Example, ...]:
    """The example prompts of the server that answers this call."""
    return current_app.config[_EXAMPLES]
