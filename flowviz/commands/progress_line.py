"""Progress of long work on standard error: one line that changes, or a line every few seconds."""

from __future__ import annotations

import sys
import time
from types import TracebackType

OFTEN, SELDOM = 0.2, 10.0  # seconds between two lines: on a terminal, and in a file
WIDTH = 98


class ProgressLine:
    """A `Progress` that is shown; the line is gone, or ended, when the block is left."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._told = -OFTEN if self._terminal else time.monotonic()
        self._said = False

    def __call__(self, stage: str, fraction: float) -> None:
        """Shows it, where the last time was not a moment ago."""
        now = time.monotonic()
        if now - self._told < (OFTEN if self._terminal else SELDOM):
            return
        self._told, self._said = now, True
        line = f"{100 * fraction:3.0f}%  {stage}"[:WIDTH]
        print(f"\r{line:{WIDTH}}" if self._terminal else line,
              end="" if self._terminal else "\n", file=sys.stderr, flush=True)  # fmt: skip

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._terminal and self._said:
            print(f"\r{'':{WIDTH}}\r", end="", file=sys.stderr, flush=True)
