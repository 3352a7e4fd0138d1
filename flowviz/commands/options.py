"""Options that several commands take."""

from __future__ import annotations

import argparse


def add_placement(command: argparse.ArgumentParser) -> None:
    """Declares where a model's weights are held, and how precisely."""
    command.add_argument(
        "--device", metavar="NAME", help="cpu, cuda, cuda:N, mps, or auto (default: cpu)"
    )
    command.add_argument(
        "--dtype",
        metavar="PRECISION",
        help="float32, float64 (both exact), bfloat16, float16, int8 (8-bit weights; needs "
        "torchao), or auto for the checkpoint's own (default: float32)",
    )
