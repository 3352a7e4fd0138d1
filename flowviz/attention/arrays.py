"""Arrays in JSON: base64 of their bytes, little-endian, the last index fastest."""

from __future__ import annotations

import binascii
import math
from base64 import b64decode, b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowviz.graph.fields import Fields, fault


def array_text(array: NDArray[Any], kind: str) -> str:
    """An array as text, its numbers in a kind of NumPy's, such as `<f4`."""
    return b64encode(np.ascontiguousarray(array.astype(kind)).tobytes()).decode()


def read_array(item: Fields, name: str, kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Reads `array_text` back; infinity is a number here, what is not a number is refused.

    Raises:
        RequestError: it is no base64, has not as many bytes as the shape says, or holds what is
            no number.
    """
    try:
        data = b64decode(item.text(name), validate=True)
    except (binascii.Error, ValueError):
        raise fault(f"{_path(item, name)} is no base64") from None
    dtype = np.dtype(kind)
    if len(data) != math.prod(shape) * dtype.itemsize:
        sizes = " x ".join(map(str, shape))
        raise fault(f"{_path(item, name)} has {len(data):,} bytes, which is not {sizes}")
    array = np.frombuffer(data, dtype).astype(dtype.newbyteorder("=")).reshape(shape)
    if np.isnan(array).any():
        raise fault(f"{_path(item, name)} holds what is no number")
    return array


def _path(item: Fields, name: str) -> str:
    return f"{item.where}.{name}" if item.where else name
