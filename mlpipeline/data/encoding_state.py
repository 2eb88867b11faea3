"""A fitted encoding as values that JSON can hold, and back: what was learnt, and the schema of what was read."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from mlpipeline.data.encoder import Encoder
from mlpipeline.data.encoders import stored
from mlpipeline.data.schema import Schema
from mlpipeline.errors import DataFault, NotFitted, require

if TYPE_CHECKING:
    from mlpipeline.data.encoding import Encoding, Read

FORMAT = 1
_KEYS = {"format", "encoders", "output_encoder", "index", "as_of", "read", "schema", "feature_names"}
_DIGEST = "digest"
_TABLE = "table"
# What stands below it are parameters by their names, which are no tags; a transformer keeps no tables.
_TRANSFORMER = "transformer"
_DAMAGED = "a saved encoding is damaged"

_Walk = Callable[[Any], Any]


def state(encoding: Encoding, tables: MutableMapping[str, Any] | None = None) -> dict[str, Any]:
    """Returns what JSON can hold: encoders and what they learnt, index, moment, schema, and a digest of it all.

    Args:
        encoding: it is fitted.
        tables: takes the Arrow tables that encoders keep, as that of Static, under names that the state mentions. By
            default they stand in the state as text.

    Raises:
        NotFitted: nothing was learnt yet.
        DataFault: an encoder, or a parameter of one, cannot be kept in a file.
    """
    if not encoding.schema.columns:
        raise NotFitted("the encoding has learnt nothing yet: fit it before you save it")
    pack = _packer(tables)
    output = encoding.output_encoder
    told = {
        "format": FORMAT,
        "encoders": [_state_of(encoder, pack) for encoder in encoding.encoders],
        "output_encoder": None if output is None else _state_of(output, pack),
        "index": [stored.dump(name) for name in encoding.index],
        "as_of": stored.dump(encoding.as_of),
        "read": encoding.own_read,
        "schema": encoding.schema.to_dict(),
        "feature_names": list(encoding.feature_names),
    }
    return {**told, _DIGEST: digest(told)}


def parts(
    state: Mapping[str, Any], tables: Mapping[str, Any] | None = None, read: Read | None = None
) -> dict[str, Any]:
    """Returns what an encoding was made of: encoders, output_encoder, index, as_of, schema.

    Args:
        state: as `state` gave it, be it through JSON.
        tables: those that were taken out of it.
        read: takes columns out of frames, where the encoding was fitted on what such a function gave.

    Raises:
        DataFault: the state is damaged, of another format, or of classes that are not known or have changed since.
    """
    _check(state, read)
    unpack = _unpacker({} if tables is None else tables)
    try:
        output = state["output_encoder"]
        found = {
            "encoders": [_encoder_of(each, unpack) for each in state["encoders"]],
            "output_encoder": None if output is None else _encoder_of(output, unpack),
            "index": tuple(stored.load(name) for name in state["index"]),
            "as_of": stored.load(state["as_of"]),
            "schema": Schema.from_dict(state["schema"]),
        }
        gives, gave = [name for each in found["encoders"] for name in each.feature_names], list(state["feature_names"])
    except DataFault:
        raise
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise DataFault(f"{_DAMAGED} ({type(error).__name__}: {error}): save it again") from error
    if gives != gave:
        unlike = ", ".join(sorted(set(gives) ^ set(gave))) or "the same, in another order"
        raise DataFault(f"encoders give other features than when they were saved ({unlike}): fit again")
    return found


def digest(state: Mapping[str, Any]) -> str:
    """Returns a SHA-256 over everything in a state but the digest itself."""
    told = {name: value for name, value in state.items() if name != _DIGEST}
    return hashlib.sha256(json.dumps(told, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _check(state: Any, read: Read | None) -> None:
    if not isinstance(state, Mapping):
        raise DataFault(f"a saved encoding is a mapping, and this is {type(state).__name__}: give what state() gave")
    if state.get("format") != FORMAT:
        raise DataFault(f"an encoding of format {state.get('format')!r}: load it with the release that saved it")
    if missing := _KEYS - state.keys():
        raise DataFault(f"a saved encoding without {', '.join(sorted(missing))}: it is damaged, save it again")
    try:
        is_whole = state.get(_DIGEST) == digest(state)
    except (TypeError, ValueError) as error:
        raise DataFault(f"{_DAMAGED} ({error}): save it again") from error
    if not is_whole:
        raise DataFault(f"{_DAMAGED}: it is not what its digest was made of, save it again")
    if state["read"] is not None and read is None:
        raise DataFault(f"this encoding was fitted on columns that {state['read']} took: give it, as read=...")


def _state_of(encoder: Any, pack: _Walk) -> dict[str, Any]:
    if not isinstance(encoder, Encoder):
        raise DataFault(f"{encoder!r} cannot be saved: derive its class from mlpipeline.data.Encoder")
    return _walked(encoder.state(), pack)


def _encoder_of(state: Any, unpack: _Walk) -> Encoder:
    return Encoder.from_state(_walked(state, unpack))


def _walked(state: Any, change: _Walk) -> dict[str, Any]:
    """Returns the state of an encoder, in which each parameter, and all that was learnt, was changed."""
    changed = {part: {name: change(each) for name, each in state[part].items()} for part in ("parameters", "learnt")}
    return {**state, **changed}


def _packer(tables: MutableMapping[str, Any] | None) -> _Walk:
    """Returns a function that replaces the Arrow tables within a value."""

    def pack(value: Any) -> Any:
        if isinstance(value, dict):
            return value if _TRANSFORMER in value else {tag: pack(content) for tag, content in value.items()}
        if isinstance(value, list):
            return [pack(each) for each in value]
        if not stored.is_table(value):
            return value
        if tables is None:
            return {_TABLE: _text_of(value)}
        name = f"table-{len(tables)}"
        tables[name] = value
        return {_TABLE: {"name": name}}

    return pack


def _unpacker(tables: Mapping[str, Any]) -> _Walk:
    """Returns a function that puts the tables in their places again."""

    def unpack(value: Any) -> Any:
        if isinstance(value, list):
            return [unpack(each) for each in value]
        if not isinstance(value, dict) or _TRANSFORMER in value:
            return value
        if value.keys() != {_TABLE}:
            return {tag: unpack(content) for tag, content in value.items()}
        content = value[_TABLE]
        if isinstance(content, str):
            return _table_of(content)
        if content["name"] not in tables:
            raise DataFault(f"the table {content['name']!r} of a saved encoding is missing: give it, in tables=...")
        return tables[content["name"]]

    return unpack


def _text_of(table: Any) -> str:
    arrow = require("pyarrow", extra="data")
    sink = arrow.BufferOutputStream()
    with arrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return base64.b64encode(sink.getvalue()).decode()


def _table_of(text: str) -> Any:
    arrow = require("pyarrow", extra="data")
    try:
        with arrow.ipc.open_stream(base64.b64decode(text, validate=True)) as reader:
            return reader.read_all()
    except (arrow.ArrowException, ValueError, OSError) as error:
        raise DataFault(f"{_DAMAGED}: a table cannot be read ({error}), save it again") from error
