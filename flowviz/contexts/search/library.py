"""What is asked of faiss, and nothing else: two kinds of index over float16 numbers.

    flat      every row is compared. Numbers are kept as float16, half the memory of float32, and
              compared at two to three times its speed; the query stays float32.
    inverted  rows lie in lists around centres (k-means); a search opens those nearest to the query.

Both are mapped from their file into memory, not read. A search of one query runs in the thread that
asks, so that nothing of OpenMP is at work beside torch's own threads; only k-means uses several.
How many that are is one setting of faiss and torch together: it is put back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowviz.jobs import Progress

Index = Any  # of faiss, whose types do not say what its Python classes take
ROUNDS = 10  # of k-means
MOST_THREADS = 8
EVERY = {"max_points_per_centroid": 10**6}  # k-means takes the whole sample as it is


def _faiss() -> Any:
    import faiss

    return faiss


@contextmanager
def _many_threads(faiss: Any) -> Iterator[None]:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(min(MOST_THREADS, len(os.sched_getaffinity(0))))
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def flat(width: int) -> Index:
    """An empty index that compares every row."""
    faiss = _faiss()
    kind = faiss.ScalarQuantizer.QT_fp16
    return faiss.IndexScalarQuantizer(width, kind, faiss.METRIC_INNER_PRODUCT)


def inverted(sample: NDArray[np.float32], lists: int, progress: Progress) -> Index:
    """An empty index of so many lists, their centres found by k-means on a sample of rows."""
    faiss = _faiss()
    width, centres = sample.shape[1], None
    with _many_threads(faiss):
        for done in range(ROUNDS):  # one at a time, so that a cancel is heard
            progress("Finding the index's centres", done / ROUNDS)
            means = faiss.Kmeans(width, lists, niter=1, seed=0, spherical=True, **EVERY)
            means.train(sample, init_centroids=centres)
            centres = means.centroids
    quantizer = faiss.IndexFlatIP(width)
    quantizer.add(centres)
    index = faiss.IndexIVFScalarQuantizer(
        quantizer, width, lists, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT, False
    )
    index.own_fields = True
    quantizer.this.disown()
    index.train(sample[:1])  # float16 has nothing to learn
    return index


def add(index: Index, rows: NDArray[np.float32]) -> None:
    """Adds rows behind those that it has."""
    index.add(np.ascontiguousarray(rows))


def search(
    index: Index,
    queries: NDArray[np.float32],
    count: int,
    mask: NDArray[np.uint8] | None = None,
    lists: int | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The best rows of each query, best first, [queries, count]; row -1 where there are no more.

    Args:
        mask: the rows that may be found, as bits, the first row in the lowest (`packed`).
        lists: how many lists an inverted index opens.
    """
    faiss = _faiss()
    chosen = None if mask is None else faiss.IDSelectorBitmap(mask)
    if lists is None:
        options = faiss.SearchParameters(sel=chosen)
    else:
        options = faiss.SearchParametersIVF(sel=chosen, nprobe=lists)
    return index.search(np.atleast_2d(queries), count, params=options)


def packed(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A mask as bits, as `search` takes it."""
    return np.packbits(mask, bitorder="little")


def write(index: Index, file: Path) -> None:
    """Writes an index. Raises OSError where that fails."""
    faiss = _faiss()
    try:
        faiss.write_index(index, str(file))
    except RuntimeError as error:
        raise OSError(f"faiss could not write {file.name}") from error


def read(file: Path, inverted: bool) -> Index:
    """Maps an index's file into memory. Raises OSError where it is none."""
    faiss = _faiss()
    try:
        return faiss.read_index(
            str(file), faiss.IO_FLAG_MMAP if inverted else faiss.IO_FLAG_MMAP_IFC
        )
    except RuntimeError as error:
        raise OSError(f"{file.name} is no index that faiss can read") from error
