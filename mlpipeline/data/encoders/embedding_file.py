"""Reads a file of words and their vectors."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np

from mlpipeline import errors


def read(path: Path) -> tuple[list[str], np.ndarray]:
    """Returns the words of a file, and their vectors as float32 (words, dimensions).

    Args:
        path: `.txt` or `.vec`, also with `.gz`: a word and its numbers on each line, in the way of GloVe and word2vec;
            `.npz`: arrays `words` and `vectors`; `.parquet`: columns `word` and `vector`.

    Raises:
        DataFault: the file cannot be read; the message names the line where there is one.
    """
    try:
        words, vectors = _FORMATS.get(path.suffix, _text)(path)
    except FileNotFoundError as error:
        raise errors.DataFault(f"there is no file of embeddings {path}: give the path of one that you have") from error
    except (OSError, KeyError, EOFError) as error:
        raise errors.DataFault(f"{path} cannot be read as embeddings: {error}") from error
    if vectors.ndim != 2 or len(vectors) != len(words) or not vectors.size:
        raise errors.DataFault(
            f"{path}: {len(words)} words and vectors of the shape {vectors.shape}: one for each is needed"
        )
    return words, vectors


def _text(path: Path) -> tuple[list[str], np.ndarray]:
    words: list[str] = []
    rows: list[np.ndarray] = []
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            word, *figures = line.rstrip().split(" ")
            if number == 1 and len(figures) == 1:
                continue  # word2vec begins with the number of words and dimensions
            words.append(word)
            try:
                rows.append(np.array(figures, dtype=np.float32))
            except ValueError as error:
                raise errors.DataFault(f"{path}, line {number}: {error}: a word and its numbers are needed") from error
            if len(rows[-1]) != len(rows[0]):
                raise errors.DataFault(
                    f"{path}, line {number}: {len(rows[-1])} numbers where {len(rows[0])} are needed"
                )
    return words, np.array(rows, dtype=np.float32)


def _npz(path: Path) -> tuple[list[str], np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return arrays["words"].astype(str).tolist(), arrays["vectors"].astype(np.float32)


def _parquet(path: Path) -> tuple[list[str], np.ndarray]:
    table = errors.require("pyarrow.parquet", extra="data").read_table(path, columns=["word", "vector"])
    return of_table(table)


def of_table(table: Any) -> tuple[list[str], np.ndarray]:
    """Returns the words and vectors of an Arrow table."""
    vectors = table["vector"].combine_chunks()
    flat = vectors.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    return table["word"].to_pylist(), flat.reshape(len(vectors), -1)


def as_table(words: list[str], vectors: np.ndarray) -> Any:
    """Returns words and vectors as an Arrow table."""
    pa = errors.require("pyarrow", extra="data")
    flat = pa.array(vectors.reshape(-1), pa.float32())
    listed = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    return pa.table({"word": pa.array(words, pa.string()), "vector": listed})


_FORMATS = {".npz": _npz, ".parquet": _parquet}
