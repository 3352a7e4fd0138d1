"""A store's parquet tables: sentences, their words and their tokens, written and read.

What is read was perhaps written by somebody else: a table is held against the size that the
manifest says before it is unpacked, and texts stay numbers into a table of values, so that a small
file does not become a large one in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from flowviz.contexts.store.layout import TABLES, Layout, sync, written
from flowviz.contexts.store.manifest import Shard
from flowviz.contexts.store.types import Stored
from flowviz.errors import RequestError

_NUMBER, _TEXT = pa.int32(), pa.string()
SCHEMAS = {
    "sentences": {
        "text": _TEXT, "part": _TEXT, "place": _TEXT, "words": _NUMBER, "tokens": _NUMBER,
    },
    "words": {
        "sentence": _NUMBER, "form": _TEXT, "start": _NUMBER, "end": _NUMBER, "lemma": _TEXT,
        "upos": _TEXT, "xpos": _TEXT, "feats": _TEXT, "deprel": _TEXT, "head": _NUMBER,
        "entity": _TEXT,
    },
    "tokens": {
        "sentence": _NUMBER, "id": _NUMBER, "text": _TEXT, "start": _NUMBER, "end": _NUMBER,
        "special": pa.bool_(), "word": _NUMBER,
    },
}  # fmt: skip
MOST_UNPACKED = 2**28  # bytes of one table
MOST_FOOTER = 2**22


def write_shard(
    layout: Layout, shard: int, sentences: Sequence[Stored], first: int
) -> dict[str, int]:
    """Writes the three tables of a shard and gives their lengths; `first` numbers its sentences."""
    columns = columns_of(sentences, first)
    for name, each in columns.items():
        with written(layout.table(name, shard)) as file:
            write(each, file, name)
        sync(layout.folder / name)
    return {name: len(next(iter(each.values()))) for name, each in columns.items()}


def write(columns: dict[str, Any], file: Any, name: str) -> None:
    """One table, as parquet."""
    table = pa.Table.from_pydict(columns, schema=_schema(name))
    pq.write_table(table, file, compression="zstd")


def columns_of(sentences: Sequence[Stored], first: int) -> dict[str, dict[str, Any]]:
    """The columns of the three tables."""
    numbers = np.arange(first, first + len(sentences), dtype=np.int32)
    counts = {
        "words": [len(one.sentence.words) for one in sentences],
        "tokens": [len(one.tokens) for one in sentences],
    }
    words = [word for one in sentences for word in one.sentence.words]
    tokens = [one.tokens for one in sentences]
    spans = np.array([span for each in tokens for span in each.spans], np.int32).reshape(-1, 2)
    return {
        "sentences": {
            "text": [one.sentence.text for one in sentences],
            "part": [one.sentence.part for one in sentences],
            "place": [one.sentence.place for one in sentences],
            **counts,
        },
        "words": {
            "sentence": np.repeat(numbers, counts["words"]),
            **{
                name: list(map(attrgetter(name), words))
                for name in SCHEMAS["words"]
                if name != "sentence"
            },
        },
        "tokens": {
            "sentence": np.repeat(numbers, counts["tokens"]),
            "id": list(chain.from_iterable(each.ids for each in tokens)),
            "text": list(chain.from_iterable(each.texts for each in tokens)),
            "start": spans[:, 0],
            "end": spans[:, 1],
            "special": list(chain.from_iterable(each.special for each in tokens)),
            "word": list(chain.from_iterable(one.words for one in sentences)),
        },
    }


@dataclass(frozen=True, eq=False)
class Texts:
    """A column of texts: numbers into a table of values."""

    values: tuple[str, ...]
    codes: NDArray[np.int32]

    def __getitem__(self, place: int) -> str:
        return self.values[self.codes[place]]


Column = Texts | NDArray[np.int32] | NDArray[np.bool_]


def read(layout: Layout, name: str, shard: int, about: Shard, only: Sequence[str] = ()) -> Any:
    """A table of a shard, or some of its columns, by name. Raises RequestError where it is broken.

    Texts come as `Texts`, numbers as int32 and truths as bool arrays.
    """
    path = layout.table(name, shard)
    try:
        with _opened(path, name, getattr(about, name)) as file:
            table = file.read(list(only) or None, use_threads=False)
            return {column: _column(table[column]) for column in only or SCHEMAS[name]}
    except (OSError, ValueError, TypeError, OverflowError, pa.ArrowException) as error:
        raise broken(path, error) from None


def check(layout: Layout, name: str, shard: int, about: Shard) -> None:
    """Raises RequestError where a table is broken, as far as its footer says."""
    path = layout.table(name, shard)
    try:
        _opened(path, name, getattr(about, name)).close()
    except (OSError, ValueError, TypeError, OverflowError, pa.ArrowException) as error:
        raise broken(path, error) from None


def broken(path: Path, reason: object) -> RequestError:
    """What is said of a file that is not as it was written."""
    said = " ".join(str(reason).split())[:200].rstrip(".")
    return RequestError(
        f"The store's file {path} is broken: {said}. Delete the store's folder and build it again."
    )


def _opened(path: Path, name: str, rows: int) -> Any:
    if not path.is_file():
        raise ValueError("it is not there")
    texts = [column for column, kind in SCHEMAS[name].items() if kind == _TEXT]
    file = pq.ParquetFile(
        path, read_dictionary=texts, thrift_string_size_limit=MOST_FOOTER,
        thrift_container_size_limit=MOST_FOOTER,
    )  # fmt: skip
    try:
        _check(file, name, rows)
    except BaseException:
        file.close()
        raise
    return file


def _check(file: Any, name: str, rows: int) -> None:
    said = file.metadata
    if said.num_rows != rows:
        raise ValueError(f"it has {said.num_rows:,} rows where the manifest says {rows:,}")
    groups = [said.row_group(number) for number in range(said.num_row_groups)]
    if sum(group.total_byte_size for group in groups) > MOST_UNPACKED:
        raise ValueError(f"it unpacks to more than {MOST_UNPACKED // 2**20} MB")
    found = {each.name: _value(each.type) for each in file.schema_arrow}
    if found != SCHEMAS[name]:
        raise ValueError(f"its columns are {', '.join(found)}")


def _value(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _column(chunked: Any) -> Column:
    if chunked.null_count:
        raise ValueError("a value is missing")
    if pa.types.is_dictionary(chunked.type):
        one = chunked.unify_dictionaries().combine_chunks()
        one = one.chunk(0) if isinstance(one, pa.ChunkedArray) else one
        codes = one.indices.to_numpy().astype(np.int32)
        return Texts(tuple(one.dictionary.to_pylist()), codes)
    return chunked.to_numpy()


def _schema(name: str) -> pa.Schema:
    return pa.schema([pa.field(column, kind, False) for column, kind in SCHEMAS[name].items()])


assert tuple(SCHEMAS) == TABLES
