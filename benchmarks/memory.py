"""Prompt to graph JSON: the memory that it takes beyond the loaded model.

Each length and wiring runs in a process of its own, so that peaks do not mix; so does the floor of
`benchmarks.graph`. The model is loaded and has run on a few tokens before the measurement, so that
its weights are in memory. `peak` is the kernel's own high-water mark of resident memory (VmHWM,
which writing 5 to clear_refs sets back), `kept` what stays when the graph is built and all that is
free is given back; `trace` is what the trace holds by `flowviz.trace.trace_bytes`.
"""

from __future__ import annotations

import ctypes
import gc
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.graph import LENGTHS

FLOOR = "floor"
WARM_TOKENS = 4
DRAWN = 60
MEGABYTE = 2**20
PROCESS = Path("/proc/self")


def run(rounds: int) -> None:
    """Prints the peaks; one process of each is enough, memory hardly varies."""
    from flowviz.request import Wiring

    if not PROCESS.exists():
        print("\nMemory: only measured on Linux")
        return
    print("\nMemory beyond the loaded model (MB), GPT-2 small's shape")
    print(f"{'tokens':>6}  {'wiring':8}{'floor peak':>11}{'peak':>8}{'kept':>8}{'trace':>8}")
    for tokens in LENGTHS:
        floor_peak = measured(tokens, FLOOR)["peak"]
        for wiring in Wiring:
            took = measured(tokens, wiring)
            figures = f"{took['peak']:>8.0f}{took['kept']:>8.0f}{took['trace']:>8.0f}"
            print(f"{tokens:>6}  {wiring:8}{floor_peak:>11.0f}{figures}")


def measured(tokens: int, what: str) -> dict[str, float]:
    """The figures of one child process, in MB."""
    command = [sys.executable, "-m", "benchmarks.memory", str(tokens), what]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main(tokens: int, what: str) -> None:
    """The child: loads, warms up, measures one run, prints its figures as JSON."""
    from benchmarks.subject import gpt2_small
    from flowviz.trace import trace_bytes

    model = gpt2_small()
    _work(WARM_TOKENS, what)()
    work = _work(tokens, what)
    before = _settled()
    (PROCESS / "clear_refs").write_text("5")
    kept = work()
    peak, after = _resident("VmHWM"), _settled()
    del kept
    figures = {
        "peak": (peak - before) / MEGABYTE,
        "kept": (after - before) / MEGABYTE,
        "trace": trace_bytes(model, tokens) / MEGABYTE,
    }
    print(json.dumps(figures))


def _work(tokens: int, what: str) -> Callable[[], object]:
    from benchmarks.graph import floor
    from benchmarks.subject import gpt2_small, prompt_of
    from flowviz.explanation import explain_request
    from flowviz.request import ExplainRequest, GraphSettings, Wiring

    model = gpt2_small()
    if what == FLOOR:
        return floor(model, tokens, DRAWN)
    settings = GraphSettings(wiring=Wiring(what))
    request = ExplainRequest(prompt_of(model, tokens), settings=settings)

    def graph() -> object:
        explanation = explain_request(model, request)
        return explanation, explanation.to_json()

    return graph


def _settled() -> int:
    """Resident bytes, after what is free has been given back to the system."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return _resident("VmRSS")


def _resident(figure: str) -> int:
    found = re.search(rf"{figure}:\s+(\d+) kB", (PROCESS / "status").read_text())
    return 1024 * int(found.group(1)) if found else 0


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
