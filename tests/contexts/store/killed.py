"""A build in a process of its own, that can be killed in its middle.

`python -m tests.contexts.store.killed FOLDER` says each of its steps on a line before it, waits for
a line on its standard input, and ends by itself when the store is whole.
"""

from __future__ import annotations

import sys
import time

from flowviz.contexts.store import build
from tests.contexts.store.fakes import FakeCorpus, FakeReader, sentences

CORPUS = FakeCorpus(sentences(300))
SHARD_TOKENS = 500


def slow(_stage: str, _fraction: float) -> None:
    """Progress that takes its time."""
    time.sleep(0.002)


def told(stage: str, _fraction: float) -> None:
    """Progress that waits for an answer, or for the end of them."""
    print(stage, flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    build(CORPUS, FakeReader(), sys.argv[1], shard_tokens=SHARD_TOKENS, progress=told)
