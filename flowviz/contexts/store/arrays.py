"""A store's arrays of vectors: `.npy` files, written row by row in any order, and mapped."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from flowviz.contexts.store.layout import written
from flowviz.contexts.store.tables import broken

HEAD = 128  # bytes of the header of all arrays of two dimensions
LARGEST = float(np.finfo(np.float16).max)
SMALLEST = 2.0**-10
"""Where all numbers of a vector are smaller, float16 would keep less than 11 digits of its length:
the numbers that it has below 2**-14 are all 2**-24 apart."""


class ArrayFile:
    """An array that is being written, float16 as long as that does for all that is put in.

    It appears under its name when it is closed, whole; see `written`.

    Raises:
        OSError: the disk is full; its space is taken before anything is written.
    """

    def __init__(self, path: Path, rows: int, width: int, dtype: str) -> None:
        self._path, self._shape = path, (rows, width)
        self._open(dtype)

    def _open(self, dtype: str) -> None:
        self._stack = ExitStack()
        file = self._stack.enter_context(written(self._path))
        try:
            self._data = _mapped(file, self._shape, np.dtype(dtype))
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise

    def put(self, rows: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Writes some rows. Raises ValueError where a number is not finite."""
        if vectors.size == 0:
            return
        most = np.abs(vectors).max(1)
        if not np.isfinite(most).all():
            raise ValueError("a number is not finite")
        small = ((most < SMALLEST) & (most > 0)).any()
        if self._data.dtype == np.float16 and (small or most.max() > LARGEST):
            self._widen()
        self._data[rows] = vectors

    def _widen(self) -> None:
        before = np.array(self._data, np.float32)
        self.drop()
        self._open("float32")
        self._data[:] = before

    def close(self) -> bool:
        """Ends it, and says whether it is float32."""
        wide = self._data.dtype == np.float32
        del self._data  # what was mapped is the file's now, and goes to the disk with it
        self._stack.close()
        return wide

    def drop(self) -> None:
        """Lets go of it; nothing is left."""
        error = Dropped()
        with suppress(Dropped):
            self._stack.__exit__(Dropped, error, None)


class Dropped(Exception):
    """What tells `written` that a file is not wanted."""


def _mapped(file: Any, shape: tuple[int, int], dtype: np.dtype) -> np.memmap:
    npy.write_array_header_1_0(
        file, {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    )
    file.flush()
    assert file.tell() == HEAD
    size = shape[0] * shape[1] * dtype.itemsize
    if hasattr(os, "posix_fallocate"):  # a full disk is an error now, not a crash on a page later
        os.posix_fallocate(file.fileno(), HEAD, size)
    else:
        file.truncate(HEAD + size)
    return np.memmap(file, dtype, "r+", HEAD, shape)


def size(rows: int, width: int, wide: bool) -> int:
    """How many bytes an array's file has."""
    return HEAD + rows * width * (4 if wide else 2)


def is_whole(path: Path, rows: int, width: int) -> bool | None:
    """Whether an array is there and float32 (True) or float16 (False); None where it is not.

    Files appear only when they are whole: their size tells which they are.
    """
    found = path.stat().st_size if path.is_file() else -1
    return {size(rows, width, wide): wide for wide in (True, False)}.get(found)


def mapped(path: Path, rows: int, width: int, wide: bool) -> np.memmap:
    """An array as a memory map, read only. Raises RequestError where it is not what it should be.

    Nothing is unpickled: the header must name plain floats in C order, of this shape.
    """
    try:
        if is_whole(path, rows, width) is not wide:
            raise ValueError("it is not there, or not as long as it should be")
        with path.open("rb") as file:
            if npy.read_magic(file) != (1, 0):
                raise ValueError("it is of another version of .npy")
            shape, fortran, dtype = npy.read_array_header_1_0(file)
            wanted = np.dtype("<f4" if wide else "<f2")
            if (shape, fortran, dtype, file.tell()) != ((rows, width), False, wanted, HEAD):
                raise ValueError(f"it holds {dtype} of shape {shape}, not {(rows, width)}")
        return np.memmap(path, wanted, "r", HEAD, (rows, width))
    except (OSError, ValueError, TypeError, SyntaxError, TokenError, OverflowError) as error:
        raise broken(path, error) from None
