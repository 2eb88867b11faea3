"""Tables in files: those of this machine, and those at any URL of fsspec, S3 above all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from mlpipeline.data import table_files
from mlpipeline.errors import DataFault
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.data import DataConnector


class LocalDataConnector(DataConnector):
    """Files of this machine: `train.csv`, `.tsv`, `.json`, `.jsonl`, `.parquet`, `.orc`, or `.csv.gz` and the like.

    Attributes:
        data_dir: where relative paths begin; by default the working directory.
        file_format: the ending of names that have none: with `csv`, `train` is `train.csv`.
    """

    WRITES: ClassVar[frozenset[str]] = DataConnector.WRITES | {"data_dir"}
    """What is read there tells calls apart by `files_meant`; what else lies there does not."""

    data_dir: str = ""
    file_format: str | None = None

    def get_data(self, source: str, sql: str | None = None) -> pd.DataFrame:
        """Returns the rows of a file."""
        _refuse(sql)
        return table_files.read(self._path(source))

    @side_effects
    def save_data(self, data: pd.DataFrame, target: str) -> str:
        """Writes a file, whole, in the place of what was there."""
        return table_files.write(data, self._path(target))

    def files_meant(self, name: str) -> Iterable[str]:
        """Returns the file that a source's name stands for."""
        path = str(self._path(name))
        return () if path == name or not name.strip("./") else (path,)

    def _path(self, name: str) -> Path:
        has_ending = "." in Path(name).name
        return Path(self.data_dir, name if has_ending or self.file_format is None else f"{name}.{self.file_format}")


class S3DataConnector(DataConnector):
    """Files at URLs of fsspec: `s3://bucket/key.parquet`, and `gs://…` or `https://…` where their libraries are there.

    Attributes:
        bucket: before a source that is no URL: with `s3://sales`, `2026/train.csv` is `s3://sales/2026/train.csv`.
        endpoint_url: of another server than Amazon's; the variable AWS_ENDPOINT_URL says it as well.
        storage_options: further options of the file system. Credentials are its library's variables
            (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, …), or options given as `${env:NAME}`.
    """

    CHANGES_UNSEEN: ClassVar[bool] = True

    bucket: str = ""
    endpoint_url: str | None = None
    storage_options: Mapping[str, Any] | None = None

    def get_data(self, source: str, sql: str | None = None) -> pd.DataFrame:
        """Returns the rows of a file."""
        _refuse(sql)
        return table_files.read(self._url(source), **self._options)

    @side_effects
    def save_data(self, data: pd.DataFrame, target: str) -> str:
        """Writes a file, whole, in the place of what was there."""
        return table_files.write(data, self._url(target), **self._options)

    def _url(self, name: str) -> str:
        if "://" in name:
            return name
        if not self.bucket:
            raise DataFault(f"{name!r} is no URL: write s3://bucket/key, or set bucket")
        start = self.bucket if "://" in self.bucket else f"s3://{self.bucket}"
        return f"{start.rstrip('/')}/{name.lstrip('/')}"

    @property
    def _options(self) -> dict[str, Any]:
        own = {} if self.endpoint_url is None else {"endpoint_url": self.endpoint_url}
        return {**own, **(self.storage_options or {})}


def _refuse(sql: str | None) -> None:
    if sql is not None:
        raise DataFault("files answer no SQL: use DuckDBDataConnector, which reads files too, or leave sql out")
