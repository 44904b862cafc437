"""The door's HTTP application: `/v1` for everybody, `/v2` for KServe's clients, the page."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from tandem_triton import TandemError

from tandem.door.errors import DoorError
from tandem.door.frame import Frame, House, SenderGone, on_error, record_of
from tandem.door.kserve_http import KServeHttp
from tandem.door.models import Models
from tandem.door.openapi import components
from tandem.door.records import Records
from tandem.door.rest import add_rest
from tandem.door.site import add_site

_TITLE = "Tandem"
_ABOUT = (
    "Send an item, get its answer. A failed request answers a problem document (RFC 9457) whose code says"
    " what it was. Nothing that is sent is kept."
)


def door_app(house: House, models: Models, records: Records) -> Frame:
    """The application.

    Args:
        house: what every route needs.
        models: asks Triton about models.
        records: take note of each request.
    """
    app = FastAPI(title=_TITLE, description=_ABOUT, docs_url=None, redoc_url=None, openapi_url=None)
    add_rest(app, house)
    KServeHttp(house, models).add_to(app)
    document = _openapi(app, house)

    async def openapi(request: HttpRequest) -> Response:
        record_of(request).path = "/openapi.json"
        return Response(document, media_type="application/json")

    app.add_route("/openapi.json", openapi, methods=["GET"])
    add_site(app, house, models)
    for kind in (HTTPException, DoorError, TandemError, SenderGone):
        app.add_exception_handler(kind, on_error)
    return Frame(_Answering(app), records)


class _Answering:
    """The application, whose unexpected errors are answered here instead of being raised once more."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        started = False

        async def noted(message: Any) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            if not started:
                response = await on_error(HttpRequest(scope, receive), error)
                await response(scope, receive, send)


def _openapi(app: FastAPI, house: House) -> bytes:
    told = get_openapi(title=app.title, version="1", description=app.description, routes=app.routes)
    told["components"] = components(house.asker.services)
    for path in told["paths"].values():
        for each in path.values():
            each["responses"].pop("422", None)  # FastAPI's own way to refuse, which isn't ours
    return msgspec.json.encode(told)
