"""What a server answers, as an OpenAPI document: made of the schema of each model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from mlpipeline import __version__
from mlpipeline.learning.serving.served import OUTPUTS, Served

_FAULTS = {
    "400": "A row is not as the schema says, the body is no JSON, or the rows cannot be predicted.",
    "401": "A token is needed.",
    "404": "There is no such model.",
    "405": "The method is not for this path.",
    "408": "The body came too slowly.",
    "413": "The body, or the number of rows, is too large.",
    "415": "The body is not declared as JSON.",
    "421": "The server has no token, and was addressed by a name that is not this machine's.",
    "500": "The prediction failed.",
    "503": "Too much waits already: ask again after as many seconds as Retry-After says.",
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["status", "reason", "message", "row", "column"],
            "properties": {
                "status": {"type": "integer"},
                "reason": {"type": "string"},
                "message": {"type": "string"},
                "row": {"type": ["integer", "null"], "description": "The first row is 1."},
                "column": {"type": ["string", "null"]},
            },
        }
    },
}


def document(models: Sequence[Served]) -> dict[str, Any]:
    """Returns the document."""
    paths: dict[str, Any] = {
        "/healthz": {"get": _plain("Whether the server answers.", "application/json")},
        "/metrics": {"get": _plain("Counts, as Prometheus reads them.", "text/plain", "401", "421")},
    }
    schemas: dict[str, Any] = {"Error": _ERROR}
    for served in models:
        schemas[f"{served.key}.Row"] = row_schema(served)
        paths[f"/{quote(served.name)}/predict"] = {"post": _post(served), "get": _get(served)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Predictions", "version": __version__, "description": "Models saved by mlpipeline."},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {status: _fault(text) for status, text in _FAULTS.items()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }


def row_schema(served: Served) -> dict[str, Any]:
    """Returns the JSON schema of a row."""
    reader = served.reader
    return {
        "type": "object",
        "required": list(reader.names),
        "additionalProperties": False,
        "properties": {
            column.name: {**reader.forms[column.name].schema, "description": _described(column)}
            for column in reader.columns
        },
    }


def _described(column: Any) -> str:
    share = f"{column.missing:.0%} missing" if column.missing else "never missing"
    return f"{column.kind}, fitted on {column.dtype}, {share}"


def _post(served: Served) -> dict[str, Any]:
    rows = {
        "type": "array",
        "minItems": 1,
        # No maxItems: what is beyond it is refused by another status than what is no row.
        "description": f"At most {served.reader.limit:,} rows.",
        "items": {"$ref": f"#/components/schemas/{served.key}.Row"},
    }
    wrapped = {"type": "object", "required": ["rows"], "properties": {"rows": rows}, "additionalProperties": False}
    body = {"required": True, "content": {"application/json": {"schema": {"oneOf": [rows, wrapped]}}}}
    return {
        "operationId": f"{served.key}_predict",
        "summary": f"Predictions of model '{served.name}' for rows.",
        "x-model-digest": served.saved.stamp,
        "parameters": [_output(served)],
        "requestBody": body,
        "responses": _responses(served, *_FAULTS),
    }


def _get(served: Served) -> dict[str, Any]:
    columns = [
        {
            "name": column.name,
            "in": "query",
            "required": True,
            "description": f"{_described(column)}; repeated, a value for each row; empty is missing",
            "schema": {"type": "array", "minItems": 1, "items": _query_schema(served, column.name)},
            "style": "form",
            "explode": True,
        }
        for column in served.reader.columns
    ]
    has_own = "output" in served.reader.names
    return {
        "operationId": f"{served.key}_predict_query",
        "summary": f"Predictions of model '{served.name}' for the rows of a query.",
        "parameters": columns if has_own else [*columns, _output(served)],
        "responses": _responses(served, *(status for status in _FAULTS if status not in ("408", "415"))),
    }


def _query_schema(served: Served, name: str) -> dict[str, Any]:
    """Returns the schema of a value in a query, where null is an empty text."""
    schema: dict[str, Any] = served.reader.forms[name].schema
    kinds = [kind for kind in schema["type"] if kind != "null"]
    if "array" in kinds:
        return {"type": "string", "description": "a list, as JSON"}
    return {**schema, "type": kinds[0] if len(kinds) == 1 else kinds}


def _output(served: Served) -> dict[str, Any]:
    known = OUTPUTS if served.has_proba else OUTPUTS[:1]
    return {"name": "output", "in": "query", "schema": {"type": "string", "enum": list(known), "default": OUTPUTS[0]}}


def _responses(served: Served, *faults: str) -> dict[str, Any]:
    predicted = {
        "type": "object",
        "required": ["model", "run"],
        "properties": {
            "model": {"type": "string"},
            "run": {"type": ["string", "null"]},
            "predictions": {"type": "array"},
            "classes": {"type": "array"},
            "probabilities": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
        },
    }
    answer = {"description": "A prediction for each row.", "content": {"application/json": {"schema": predicted}}}
    return {"200": answer, **{each: {"$ref": f"#/components/responses/{each}"} for each in faults}}


def _plain(summary: str, kind: str, *faults: str) -> dict[str, Any]:
    return {
        "summary": summary,
        "responses": {
            "200": {"description": summary, "content": {kind: {}}},
            **{each: {"$ref": f"#/components/responses/{each}"} for each in faults},
        },
    }


def _fault(text: str) -> dict[str, Any]:
    return {
        "description": text,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
