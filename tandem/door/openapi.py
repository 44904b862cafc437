"""What `/openapi.json` says of each service: bodies, options, answers, problems; by `Service` values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from tandem_triton import Service

from tandem.door.extras import Extras
from tandem.door.items import JsonBody, is_wrapped
from tandem.door.options import MAX_ITEMS
from tandem.door.problems import PROBLEM_TYPE, Problem

_REF = "#/components/schemas/{name}"
_PROBLEMS: Mapping[str, str] = {
    "400": "The item or an option can't be used.",
    "401": "A key is needed.",
    "413": "Too large.",
    "415": "This content type is not taken.",
    "429": "Over a limit: ask again after Retry-After seconds.",
    "503": "The server is away for the moment.",
    "504": "No answer in time.",
}


def operation(service: Service[Any], extras: Extras) -> dict[str, Any]:
    """The service's operation, beside what FastAPI knows."""
    return {
        "tags": ["services"],
        "parameters": _parameters(service, extras),
        "requestBody": {"required": True, "content": _bodies(service)},
        "responses": {
            "200": {
                "description": "One item's answer; of several items, `answers` in their order.",
                "content": {"application/json": {"schema": _answer_schema(service)}},
            },
            **{
                status: {"description": text, "content": {PROBLEM_TYPE: {"schema": _ref(Problem)}}}
                for status, text in _PROBLEMS.items()
            },
        },
        "security": [{}, {"bearer": []}, {"header": []}],
    }


def components(services: Mapping[str, Service[Any]]) -> dict[str, Any]:
    """The schemas that operations refer to, and how keys are sent."""
    options = [service.options for service in services.values() if service.options is not None]
    types = [JsonBody, Problem, *(service.answer for service in services.values()), *options]
    _, schemas = msgspec.json.schema_components(types, ref_template=_REF)
    return {
        "schemas": schemas,
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"},
            "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        },
    }


def _ref(kind: Any) -> Any:
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=_REF)
    return schema


def _answer_schema(service: Service[Any]) -> dict[str, Any]:
    one = _ref(service.answer)
    several = {
        "type": "object",
        "required": ["answers"],
        "properties": {"answers": {"type": "array", "items": one, "minItems": 2, "maxItems": MAX_ITEMS}},
    }
    return {"anyOf": [one, several]}


def _bodies(service: Service[Any]) -> dict[str, Any]:
    raw = {"schema": {"type": "string", "format": "binary"}}
    plain = {
        kind + "*" if kind.endswith("/") else kind: raw
        for kind in service.content_types
        if not is_wrapped(kind)
    }
    form = {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "array", "items": raw["schema"], "maxItems": MAX_ITEMS}},
    }
    return {
        **plain,
        "application/octet-stream": raw,
        "multipart/form-data": {"schema": form},
        "application/json": {"schema": _ref(JsonBody)},
    }


def _parameters(service: Service[Any], extras: Extras) -> list[dict[str, Any]]:
    flags = [
        {"name": name, "in": "query", "description": text, "schema": {"type": "boolean", "default": False}}
        for name, text in extras.flags.items()
    ]
    if service.options is None:
        return flags
    (schema,), schemas = msgspec.json.schema_components([service.options], ref_template=_REF)
    del schema
    properties = schemas[service.options.__name__].get("properties", {})
    return flags + [
        {"name": name, "in": "query", "schema": {key: value for key, value in each.items() if key != "title"}}
        for name, each in properties.items()
    ]
