"""Features that are kept: published by key and time, imported by version, joined to rows as they were known then."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from mlpipeline.config_text import near_miss, near_or_known
from mlpipeline.data import feature_rows
from mlpipeline.data.feature_rows import TIME
from mlpipeline.data.row_hash import hash_rows
from mlpipeline.data.schema import check_columns
from mlpipeline.data.store import Store, open_store
from mlpipeline.errors import DataFault

_MANIFEST = "manifest.json"


class FeatureStore:
    """Features of entities (users, shops), in versions.

    What is published stays; publishing again adds to it. Of rows with the same key and time, the one published last
    counts.

    Args:
        store: a directory, any URL that `open_store` knows, or a Store; one that keeps everything.
    """

    def __init__(self, store: str | Path | Store) -> None:
        self.store = open_store(str(store)) if isinstance(store, str | Path) else store

    def publish(
        self,
        entity: str,
        frame: pd.DataFrame,
        *,
        key: str | Sequence[str],
        time: str | datetime,
        version: str = "v1",
    ) -> str:
        """Adds rows to a version of an entity's features.

        Args:
            entity: what has the features; letters, digits, `-` and `_`.
            frame: the key columns, and a column for each feature.
            key: the columns that tell entities apart.
            time: the column of when a row was known, or one moment for all rows; without a time zone it is UTC.
            version: another one when a feature means something else.

        Returns:
            the name of what was written; the same rows published twice are written once.

        Raises:
            DataFault: a key or a time is missing, two rows have the same key and time, or the columns are others than
                those that the version has.
        """
        names = feature_rows.checked_name("entity", entity), feature_rows.checked_name("version", version)
        keys = (key,) if isinstance(key, str) else tuple(key)
        rows = feature_rows.dated(frame, keys, time)
        told = self._manifest(*names) or feature_rows.told(rows, keys)
        feature_rows.check_same(told, rows, keys, f"{entity} {version}")
        rows = rows[[TIME, *keys, *told["features"]]].sort_values(TIME, kind="stable", ignore_index=True)
        digest = hashlib.sha256(hash_rows(rows).tobytes()).hexdigest()[:16]
        known = [name for name in self._files(*names) if name.endswith(f"-{digest}.parquet")]
        if known:
            return known[0]
        name = f"{entity}/{version}/{len(self._files(*names)):06d}-{uuid.uuid4().hex[:8]}-{digest}.parquet"
        self.store.put(name, feature_rows.to_parquet(rows))
        self.store.put(f"{entity}/{version}/{_MANIFEST}", json.dumps(told, indent=1).encode())
        return name

    def entities(self) -> list[str]:
        """Returns what has features."""
        return sorted({name.split("/")[0] for name in self.store.keys("") if name.endswith(f"/{_MANIFEST}")})

    def versions(self, entity: str) -> list[str]:
        """Returns the versions of an entity's features; v2 comes before v10."""
        found = {name.split("/")[1] for name in self.store.keys(f"{entity}/") if name.endswith(f"/{_MANIFEST}")}
        return sorted(found, key=_natural)

    def describe(self) -> pd.DataFrame:
        """Returns a row for each feature: entity, version, feature, kind, dtype, key."""
        rows = []
        for entity in self.entities():
            for version in self.versions(entity):
                told = self._required(entity, version)
                for column in told["columns"]:
                    if column["name"] in told["features"]:
                        said = {"feature": column["name"], "kind": column["kind"], "dtype": column["dtype"]}
                        rows.append({"entity": entity, "version": version, **said, "key": ", ".join(told["key"])})
        return pd.DataFrame(rows, columns=["entity", "version", "feature", "kind", "dtype", "key"])

    def read(
        self,
        entity: str,
        features: Sequence[str] | None = None,
        *,
        version: str | None = None,
        start: str | datetime | None = None,
        end: str | datetime | None = None,
    ) -> pd.DataFrame:
        """Returns rows: `time`, the key, and features, in order of time; of one key and time, what was published last.

        Args:
            entity: what has the features.
            features: those that are wanted; all by default.
            version: the last one by default.
            start: rows of this moment and later.
            end: rows before this moment.

        Raises:
            DataFault: the entity, version or feature is not known; the message names the nearest.
        """
        version = self._version(entity, version)
        told = self._required(entity, version)
        wanted = _wanted(told, features, entity)
        columns = [TIME, *told["key"], *wanted]
        parts = [feature_rows.from_parquet(self.store.get(name), columns) for name in self._files(entity, version)]
        rows = pd.concat(parts, ignore_index=True)
        rows = rows.drop_duplicates([TIME, *told["key"]], keep="last")
        begins = pd.Series(True, index=rows.index) if start is None else rows[TIME] >= feature_rows.moment(start)
        ends = pd.Series(True, index=rows.index) if end is None else rows[TIME] < feature_rows.moment(end)
        return rows[begins & ends].sort_values(TIME, kind="stable", ignore_index=True)[columns]

    def join(
        self,
        rows: pd.DataFrame,
        entity: str,
        features: Sequence[str] | None = None,
        *,
        time: str,
        version: str | None = None,
        max_age: str | timedelta | None = None,
        strictly_before: bool = False,
    ) -> pd.DataFrame:
        """Returns rows with features as they were known at each row's time: never what came to be known later.

        Args:
            rows: with the key columns and a column of times; their order and index are kept.
            entity: what has the features.
            features: those that are wanted; all by default.
            time: the column of times; without a time zone they are UTC.
            version: the last one by default.
            max_age: what is older at a row's time is missing.
            strictly_before: leave out what became known at the very time of a row.

        Raises:
            DataFault: a column is missing, or is there already; a row has no time; a key is of another type than
                published.
        """
        version = self._version(entity, version)
        told = self._required(entity, version)
        wanted = _wanted(told, features, entity)
        check_columns(rows, (time, *told["key"]), f"rows to join with {entity}")
        if taken := [name for name in wanted if name in rows.columns]:
            raise DataFault(f"the rows have a column {taken[0]!r} already: rename it, or leave the feature out")
        known = self.read(entity, wanted, version=version)
        joined = feature_rows.as_of(rows, known, tuple(told["key"]), time, max_age, strictly_before)
        return rows.assign(**{name: joined[name].array for name in wanted})

    def distribute(self, entity: str, store: Store, *, version: str | None = None) -> int:
        """Puts the newest features of each key into a store for serving, as JSON; `lookup` finds them there.

        Returns:
            how many keys there are.
        """
        version = self._version(entity, version)
        told = self._required(entity, version)
        newest = self.read(entity, version=version).drop_duplicates(told["key"], keep="last")
        texts = newest[told["features"]].to_json(orient="records", lines=True, date_format="iso").splitlines()
        for key, text in zip(newest[told["key"]].to_dict("records"), texts, strict=True):
            store.put(f"{entity}/{version}/{serving_key(key)}", text.encode())
        return len(newest)

    def lookup(
        self, entity: str, store: Store, key: Mapping[str, Any], *, version: str | None = None
    ) -> dict[str, Any] | None:
        """Returns the features that `distribute` put for a key; None where there are none."""
        version = self._version(entity, version)
        self._required(entity, version)
        try:
            found = store.get(f"{entity}/{version}/{serving_key(key)}")
        except KeyError:
            return None
        features: dict[str, Any] = json.loads(found)
        return features

    def _files(self, entity: str, version: str) -> list[str]:
        return sorted(name for name in self.store.keys(f"{entity}/{version}/") if name.endswith(".parquet"))

    def _manifest(self, entity: str, version: str) -> dict[str, Any] | None:
        try:
            told: dict[str, Any] = json.loads(self.store.get(f"{entity}/{version}/{_MANIFEST}"))
        except KeyError:
            return None
        return told

    def _version(self, entity: str, version: str | None) -> str:
        known = self.versions(entity)
        if not known:
            entities = self.entities()
            raise DataFault(f"no features of {entity!r} are published.{near_or_known(entity, entities)}")
        if version is not None and version not in known:
            raise DataFault(f"{entity} has no version {version!r}: it has {', '.join(known)}")
        return known[-1] if version is None else version

    def _required(self, entity: str, version: str) -> dict[str, Any]:
        told = self._manifest(entity, version)
        if told is None:
            raise DataFault(f"{entity} has no version {version!r}: publish it first")
        return told


def serving_key(key: Mapping[str, Any]) -> str:
    """Returns what a key is called in a store for serving: `user_id=1#warehouse_id=2`, columns by name."""
    return "#".join(f"{name}={key[name]}" for name in sorted(key))


def _wanted(told: Mapping[str, Any], features: Sequence[str] | None, entity: str) -> list[str]:
    known = list(told["features"])
    wanted = known if features is None else [features] if isinstance(features, str) else list(features)
    for name in wanted:
        if name not in known:
            raise DataFault(f"{entity} has no feature {name!r}.{near_miss(name, known)} Known: {', '.join(known)}")
    return wanted


def _natural(version: str) -> tuple[Any, ...]:
    """Orders v2 before v10."""
    parts = re.split(r"(\d+)", version)
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)
