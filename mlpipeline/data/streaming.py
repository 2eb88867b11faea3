"""Datasets larger than memory: chunks of rows go to disk once, and come back as batches, encoded on the way."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from mlpipeline.data import data_settings
from mlpipeline.data.batches import ahead, at_groups, ordered, resized, shuffled
from mlpipeline.data.encoded_file import EncodedFile
from mlpipeline.data.encoding import Encoding, Observations
from mlpipeline.data.holdout import Divided
from mlpipeline.data.schema import check_columns
from mlpipeline.data.split import PARTS
from mlpipeline.data.spool import PartFile, Spool
from mlpipeline.data.spooler import spool
from mlpipeline.data.spools import VERSION, Spools
from mlpipeline.errors import DataFault, WrongType
from mlpipeline.project import Project

BATCH = 65_536

_log = logging.getLogger(__name__)


class Stream:
    """Frames, or observations, of a part. Each walk over it begins anew.

    Args:
        make: begins a walk.
        rows: how many it gives in all.
    """

    def __init__(self, make: Callable[[], Iterator[Any]], rows: int) -> None:
        self._make, self._rows = make, rows

    def __iter__(self) -> Iterator[Any]:
        return self._make()

    def __len__(self) -> int:
        """The number of rows, not of batches."""
        return self._rows


class Streaming(Divided):
    """Rows that come in chunks: `get_data` yields frames, and all that is asked of the dataset is a stream.

    The chunks are written to disk and divided there, by the same rule as in memory. Encoders are fitted column by
    column on the training split, so that what must fit into memory is the columns of one encoder, and sixteen bytes a
    row for the split. Categorical columns come back as what their categories are.

    Attributes:
        batch_size: rows of a batch where none is asked for.
        spool_dir: where rows are kept; by default what `[DATA]` of mlp.config says, or `spools` in the project's
            outputs. What was used least lately is removed beyond `spool_limit`, or after `spool_unused`.
        data_version: names the state of the data. With it, rows that are on disk under this name are used, and
            `get_data` is not called; without it, it is called in each process.
    """

    OPTIONS: ClassVar[tuple[str, ...]] = ("batch_size", "spool_dir", "data_version")

    batch_size: int = BATCH
    spool_dir: str | Path | None = None
    data_version: str | None = None

    @cached_property
    def spool(self) -> Spool:
        """The rows on disk.

        Raises:
            WrongType: (a TypeError) `get_data` does not yield frames, or a column changes its type between chunks.
            DataFault: (a ValueError) there are no rows, or a chunk has other columns than those before it.
        """
        settings = data_settings.read(Project.load())
        root = Path(self.spool_dir) if self.spool_dir is not None else settings.spool_dir
        known = None if self.data_version is None else root / f"{self._version_digest}{VERSION}"
        if known is not None and known.exists() and (found := Spool.open(root / known.read_text("utf-8"))):
            return found
        made = spool(self._chunks(), self.division, root, self._whose)
        Spools(root, limit_bytes=settings.spool_limit, unused_seconds=settings.spool_unused).bound()
        if known is not None:
            beside = known.with_suffix(f".{os.getpid()}")
            beside.write_text(made.directory.name, "utf-8")
            beside.rename(known)
        return made

    def batches(
        self,
        part: str = "training",
        size: int | None = None,
        *,
        orient: str = "row",
        encoded: bool = True,
        whole_groups: bool = False,
        seed: int | None = None,
        tags: Iterable[str] = (),
    ) -> Stream:
        """Returns a part in pieces.

        Args:
            part: training, validation or test.
            size: rows of a piece; the last one may have fewer.
            orient: "row", or "column": one piece for each encoder, all rows of its features, without a target.
            encoded: whether pieces are observations, or frames as they were.
            whole_groups: pieces end where a group ends, so have `size` rows or more.
            seed: shuffles; the same seed gives the same order. Pieces are then drawn from within some hundred thousand
                rows.
            tags: use only encoders that have one of these.

        Raises:
            DataFault: (a ValueError) the arguments do not go together, or one of them cannot be.
        """
        size = self.batch_size if size is None else size
        _check(part, size, orient, encoded)
        if whole_groups and (self.group_by is None or seed is not None):
            raise DataFault("whole_groups needs group_by, and cannot be shuffled: set group_by, and leave seed out")
        tags = tuple(tags)
        self.encoding.tagged(tags) if encoded else ()
        rows = self.row_counts[part]
        if orient == "column":
            return Stream(lambda: self._by_encoder(part, tags), rows * len(self.encoding.tagged(tags)))
        if whole_groups:
            frames = partial(self._groups, part, size)
            return Stream(lambda: (self.observations(each, tags) if encoded else each for each in frames()), rows)
        make = self._encoded_blocks if encoded else self._blocks
        return Stream(
            lambda: resized(ahead(make(part, seed, tags)), size, keep_index=bool(self.index) and encoded), rows
        )

    @property
    def columns(self) -> list[str]:
        """The columns of the data."""
        return self.spool.columns

    @property
    def row_counts(self) -> dict[str, int]:
        """The number of rows of each part."""
        return self.spool.row_counts

    @cached_property
    def encoding(self) -> Encoding:
        """The encoders, each fitted on its own columns of the training split, and the schema of what they read."""
        encoding = self._unfitted()
        check_columns(pd.DataFrame(columns=self.columns), (*encoding.fit_inputs, *encoding.index), self._whose)
        encoding.fit(lambda names: self.spool.part("training").whole(names))
        self._look_at(encoding)
        return encoding

    @property
    def _frames(self) -> tuple[Stream, ...]:
        return tuple(self.batches(part, encoded=False) for part in PARTS)

    def _encoded(self, part: str) -> Stream:
        return self.batches(part)

    def _chunks(self) -> Iterable[pd.DataFrame]:
        chunks = self.get_data()
        if isinstance(chunks, pd.DataFrame | str) or not isinstance(chunks, Iterable):
            kind = type(chunks).__name__
            raise WrongType(
                f"{self._whose} gave {kind}: it must yield DataFrames, as dataframe(..., chunksize=...) does"
            )
        return chunks

    def _groups(self, part: str, size: int) -> Iterator[pd.DataFrame]:
        return at_groups(self._blocks(part, None, ()), size, str(self.group_by))

    def _blocks(self, part: str, seed: int | None, tags: Sequence[str]) -> Iterator[pd.DataFrame]:
        file = self.spool.part(part)
        for number, random in ordered(len(file), seed):
            frame = file.group(number)
            yield frame if random is None else shuffled(frame, random)

    def _encoded_blocks(self, part: str, seed: int | None, tags: Sequence[str]) -> Iterator[Observations]:
        file = self.spool.part(part)
        for number, random in ordered(len(file), seed):
            block = self._encoded_block(part, file, number, tags)
            yield block if random is None else shuffled(block, random)

    def _encoded_block(self, part: str, file: PartFile, number: int, tags: Sequence[str]) -> Observations:
        kept = self._kept.get(part)
        if kept is not None and kept.is_complete:
            block = kept.get(number)
            return Observations(block.x[list(self.encoding.names_tagged(tags))], block.y) if tags else block
        wanted = {*self.encoding.inputs, *self.encoding.output_inputs, *self.encoding.index}
        block = self.observations(file.group(number, [name for name in self.columns if name in wanted]), tags)
        if not tags and not self.index:
            self._keep(part, len(file), number, block)
        return block

    def _keep(self, part: str, groups: int, number: int, block: Observations) -> None:
        """Keeps what was encoded, so that later epochs only read. A full disk costs time, and nothing else."""
        try:
            if part not in self._kept:
                self._kept[part] = EncodedFile(self.spool.directory.parent, groups)
            if (kept := self._kept[part]) is not None:
                kept.put(number, block)
        except OSError as error:
            _log.warning("%s: encoded rows are not kept, so each epoch encodes anew: %s", self._whose, error)
            self._kept[part] = None

    @cached_property
    def _kept(self) -> dict[str, EncodedFile | None]:
        return {}

    def _by_encoder(self, part: str, tags: Sequence[str]) -> Iterator[Observations]:
        for encoder in self.encoding.tagged(tags):
            frame = self.spool.part(part).whole(encoder.inputs)
            yield Observations(self.encoding.features(encoder, frame), None)

    @property
    def _version_digest(self) -> str:
        kind = type(self)
        told = [kind.__module__, kind.__qualname__, str(self.data_version), repr(self.division)]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


def _check(part: str, size: Any, orient: str, encoded: bool) -> None:
    if part not in PARTS:
        raise DataFault(f"there is no part {part!r}: take one of {', '.join(PARTS)}")
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise DataFault(f"the size of a batch is {size!r}: it must be a whole number, 1 or more")
    if orient not in ("row", "column") or (orient == "column" and not encoded):
        raise DataFault(f"orient is {orient!r}: it must be 'row', or, for what is encoded, 'column'")
