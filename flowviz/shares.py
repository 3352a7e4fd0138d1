"""How the memory that is free at the start is shared out where no setting says it.

It is the memory of the device that the default model runs on: weights and passes are both there.
Results take half of it, at most 4 GB; models two thirds of what is left; the rest is for what a
pass takes at its peak and for what a load takes beside the weights.
"""

from __future__ import annotations

from flowviz.models.memory import free_memory
from flowviz.models.place import torch_device

MEGABYTE = 2**20
MOST_CACHE_BYTES = 4096 * MEGABYTE
LEAST_MODELS_BYTES = 256 * MEGABYTE  # a small model must fit, whatever else is running
UNKNOWN = 8192 * MEGABYTE  # taken as free where the system does not tell


def default_cache_bytes(device: str) -> int:
    """What results may take."""
    return min(MOST_CACHE_BYTES, _free(device) // 2)


def default_models_bytes(device: str, cache_bytes: int) -> int:
    """What the weights of models may take beside results of so many bytes."""
    return max(LEAST_MODELS_BYTES, 2 * (_free(device) - cache_bytes) // 3)


def _free(device: str) -> int:
    free = free_memory(torch_device(device))
    return UNKNOWN if free is None else free
