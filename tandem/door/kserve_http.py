"""KServe v2 over HTTP, for the services only: what `tritonclient.http` and perf_analyzer ask."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from tandem_triton.transport.wire import HEADER_LENGTH

from tandem.door.errors import ClosedMethodError, MediaTypeError
from tandem.door.frame import House, record_of
from tandem.door.kserve import check_version, requests_of, result_texts
from tandem.door.kserve_json import infer_answer, infer_limit, parse_infer
from tandem.door.models import Models, plain

_MODEL = "/v2/models/{model}"
_VERSIONED = "/v2/models/{model}/versions/{version}"


class KServeHttp:
    """The routes.

    Args:
        house: what every route needs.
        models: asks Triton about models.
    """

    def __init__(self, house: House, models: Models) -> None:
        self._house = house
        self._models = models

    def add_to(self, app: FastAPI) -> None:
        """Add them."""

        def add(path: str, endpoint: Any, *methods: str) -> None:
            app.add_api_route(
                path, endpoint, methods=list(methods), include_in_schema=False, response_class=Response
            )

        add("/v2", self.server, "GET")
        add("/v2/health/live", self.live, "GET")
        add("/v2/health/ready", self.ready, "GET")
        add("/v2/models/stats", self.all_statistics, "GET")
        for model in (_MODEL, _VERSIONED):
            add(model, self.metadata, "GET")
            add(f"{model}/ready", self.model_ready, "GET")
            add(f"{model}/config", self.config, "GET")
            add(f"{model}/stats", self.statistics, "GET")
            add(f"{model}/infer", self.infer, "POST")
        add("/v2/{rest:path}", self.closed, "GET", "POST", "PUT", "DELETE", "PATCH")

    async def live(self, request: HttpRequest) -> Response:
        """Whether the server is there."""
        record_of(request).path = "/v2/health/live"
        return Response(status_code=200 if await self._models.is_live() else 503)

    async def ready(self, request: HttpRequest) -> Response:
        """Whether the server is ready."""
        record_of(request).path = "/v2/health/ready"
        return Response(status_code=200 if await self._models.is_ready() else 503)

    async def model_ready(self, request: HttpRequest) -> Response:
        """Whether a model is ready."""
        name = self._begin(request, "ready")
        return Response(status_code=200 if await self._models.is_model_ready(name) else 400)

    async def server(self, request: HttpRequest) -> Response:
        """The server's metadata."""
        record_of(request).path = "/v2"
        self._know(request)
        return JSONResponse(plain(await self._models.server()))

    async def metadata(self, request: HttpRequest) -> Response:
        """A model's metadata."""
        name = self._begin(request, "")
        return JSONResponse(plain(await self._models.metadata(name)))

    async def config(self, request: HttpRequest) -> Response:
        """A model's configuration."""
        name = self._begin(request, "config")
        return JSONResponse(plain((await self._models.config(name)).config))

    async def statistics(self, request: HttpRequest) -> Response:
        """A model's statistics."""
        name = self._begin(request, "stats")
        return JSONResponse(plain(await self._models.statistics(name)))

    async def all_statistics(self, request: HttpRequest) -> Response:
        """The statistics of all models of the services."""
        record_of(request).path = "/v2/models/stats"
        self._know(request)
        return JSONResponse(plain(await self._models.statistics()))

    async def closed(self, request: HttpRequest) -> Response:
        """What Triton has and the door doesn't pass on."""
        record_of(request).path = "/v2/*"
        raise ClosedMethodError(
            "the door passes health, metadata, config, stats and infer of the services only"
        )

    async def infer(self, request: HttpRequest) -> Response:
        """Inference."""
        record, house = record_of(request), self._house
        record.path = f"{_MODEL}/infer"
        key = house.callers.key_of(request.headers)
        record.caller = key.name if key else record.caller
        with house.callers.admit(key):
            service = house.asker.service(request.path_params["model"])
            record.service = service.name
            check_version(request.path_params.get("version", ""))
            encoding = request.headers.get("content-encoding", "identity")
            if encoding.strip().lower() not in ("", "identity"):
                raise MediaTypeError("bodies are taken as they are, without Content-Encoding")
            body = house.body(infer_limit(service))
            try:
                content = await house.read(request, body)
                parsed = parse_infer(service, content, request.headers.get(HEADER_LENGTH))
                outcomes = await house.asker.answers(requests_of(service, parsed.tensors), record)
            finally:
                body.close()
        answer, headers = infer_answer(service.name, parsed, result_texts(outcomes))
        return Response(answer, headers=headers)

    def _begin(self, request: HttpRequest, what: str) -> str:
        """The model's name; its caller is known from here on."""
        record_of(request).path = f"{_MODEL}/{what}".rstrip("/")
        self._know(request)
        check_version(request.path_params.get("version", ""))
        return str(request.path_params["model"])

    def _know(self, request: HttpRequest) -> None:
        key = self._house.callers.key_of(request.headers)
        if key is not None:
            record_of(request).caller = key.name
