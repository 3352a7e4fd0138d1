"""Ratios, times and memory: `python -m benchmarks [PART …]`, all parts where none is named."""

from __future__ import annotations

import argparse
import sys

PARTS = ("graph", "ablations", "memory", "inspector", "drawing", "attention", "contexts",
         "context_search", "factors")  # fmt: skip


def main() -> int:
    """Runs the parts that were asked for, or all."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("part", nargs="*", choices=[[], *PARTS], help="which to run (default: all)")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each; the median counts")
    parser.add_argument(
        "--busy", action="store_true",
        help="on a machine that others use: one thread, and its processor's time",
    )  # fmt: skip
    chosen = parser.parse_args()
    from importlib import import_module

    from benchmarks.subject import on_a_busy_machine

    if chosen.busy:
        on_a_busy_machine()

    for part in chosen.part or PARTS:
        import_module(f"benchmarks.{part}").run(chosen.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
