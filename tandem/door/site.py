"""The page and its files, and what the page shows of the server: statistics, and the planner's curve."""

from __future__ import annotations

import asyncio
import time
from importlib.resources import files
from typing import Any

import msgspec
from fastapi import FastAPI
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from tandem_triton import TandemError

from tandem.door.errors import NotHereError
from tandem.door.frame import House, record_of
from tandem.door.models import Models

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "jpg": "image/jpeg",
}
_PAGES = {"/": "index.html", "/docs": "docs.html"}
_CURVE_AGE_S = 3.0  # solving takes a second of a core: not for each who asks
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src blob:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add_site(app: FastAPI, house: House, models: Models) -> None:
    """The page, its files, and what it asks."""
    folder = files("tandem.door").joinpath("page")
    held = {
        each.name: each.read_bytes() for each in folder.iterdir() if each.name.rsplit(".", 1)[-1] in _TYPES
    }

    curves: dict[str, tuple[float, dict[str, Any]]] = {}

    def file(name: str) -> Response:
        headers = {"Content-Security-Policy": _POLICY}
        return Response(held[name], headers=headers, media_type=_TYPES[name.rsplit(".", 1)[-1]])

    async def page(request: HttpRequest) -> Response:
        record_of(request).path = request.url.path
        return file(_PAGES[request.url.path])

    async def static(request: HttpRequest) -> Response:
        record_of(request).path = "/page/*"
        name = request.path_params["name"]
        if name not in held:
            raise NotHereError("there is no such file")
        return file(name)

    async def services(request: HttpRequest) -> Response:
        record_of(request).path = "/page/services.json"
        return _json(await _told(house, models))

    async def planner(request: HttpRequest) -> Response:
        record_of(request).path = "/page/curve.json"
        house.callers.key_of(request.headers)
        name = house.asker.service(request.query_params.get("service", "")).name
        solved_s, told = curves.get(name, (-_CURVE_AGE_S, {}))
        if time.monotonic() - solved_s >= _CURVE_AGE_S:
            told = await _curve(models, name)
            curves[name] = (time.monotonic(), told)
        return _json(told)

    app.add_route("/page/curve.json", planner, methods=["GET"])
    for path in _PAGES:
        app.add_route(path, page, methods=["GET"])
    app.add_route("/page/services.json", services, methods=["GET"])
    app.add_route("/page/{name}", static, methods=["GET"])


async def _told(house: House, models: Models) -> dict[str, Any]:
    """What the page knows of the door and its services."""
    services = [
        {
            "name": service.name,
            "summary": service.summary,
            "input": service.input,
            "content_types": service.content_types,
            "options": _options(service),
            "steps": await _steps(models, service.name),
        }
        for service in house.asker.services.values()
    ]
    return {"keys": house.callers.need_keys, "services": services}


async def _curve(models: Models, name: str) -> dict[str, Any]:
    """The planner's curve for a service, as the page draws it."""
    try:
        from tandem.door.curve import curve  # noqa: PLC0415 - the planner's packages may not be installed
    except ImportError:
        return {"state": "absent"}
    steps = await models.steps(name)
    told = {each.name: each for each in (await models.statistics()).model_stats if each.name in steps}
    return await asyncio.to_thread(curve, told)


def _options(service: Any) -> list[dict[str, Any]]:
    if service.options is None:
        return []
    (_,), schemas = msgspec.json.schema_components([service.options])
    properties = schemas[service.options.__name__].get("properties", {})
    return [
        {"name": name, "type": each.get("type"), "default": each.get("default")}
        for name, each in properties.items()
    ]


async def _steps(models: Models, service: str) -> tuple[str, ...] | None:
    """The service's models; None where Triton doesn't serve it."""
    try:
        return await models.steps(service)
    except TandemError:
        return None


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
