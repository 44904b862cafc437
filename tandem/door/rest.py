"""`POST /v1/<service>`: items in by plain HTTP, the service's JSON out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from fastapi import FastAPI
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from tandem_triton import Service

from tandem.door.errors import BadRequestError, MediaTypeError
from tandem.door.extras import Extras, extras_of
from tandem.door.frame import House, record_of
from tandem.door.items import Sent, body_limit, converted_options, is_wrapped, sent_items
from tandem.door.openapi import operation
from tandem.door.options import item_limit
from tandem.door.pages import to_pictures

Endpoint = Callable[[HttpRequest], Awaitable[Response]]
_JSON = "application/json"


def add_rest(app: FastAPI, house: House) -> None:
    """A path a service."""
    for name, service in house.asker.services.items():
        app.add_api_route(
            f"/v1/{name}",
            _endpoint(house, service, extras_of(name)),
            methods=["POST"],
            summary=service.summary,
            operation_id=name,
            openapi_extra=operation(service, extras_of(name)),
            response_class=Response,
        )


def _endpoint(house: House, service: Service[Any], extras: Extras) -> Endpoint:
    path = f"/v1/{service.name}"

    async def endpoint(request: HttpRequest) -> Response:
        record = record_of(request)
        record.path, record.service = path, service.name
        key = house.callers.key_of(request.headers)
        if key is not None:
            record.caller = key.name
        with house.callers.admit(key):
            _refuse_encodings(request)
            kind = request.headers.get("content-type", "")
            body = house.body(body_limit(service) if is_wrapped(kind) else item_limit(service.input))
            try:
                sent = sent_items(service, kind, await house.read(request, body))
                flags, options = _options(service, extras, request, sent)
                items = await to_pictures(sent.items) if service.input == "IMAGE" else sent.items
                requests = house.asker.requests(service, items, options)
                texts = await house.asker.answers_or_raise(requests, record)
            finally:
                body.close()
        return Response(_answer(texts, extras, flags), media_type=_JSON)

    return endpoint


def _refuse_encodings(request: HttpRequest) -> None:
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.strip().lower() not in ("", "identity"):
        raise MediaTypeError("bodies are taken as they are, without Content-Encoding")


def _options(
    service: Service[Any], extras: Extras, request: HttpRequest, sent: Sent
) -> tuple[frozenset[str], dict[str, Any]]:
    """The door's own flags that are set, and the service's options.

    Raises:
        BadRequestError: one is unknown, of another type, or given twice.
    """
    given: dict[str, Any] = dict(sent.options)
    for name, value in request.query_params.multi_items():
        if name in given:
            raise BadRequestError("an option is given twice")
        given[name] = value
    flags = {name: _flag(name, given.pop(name)) for name in extras.flags if name in given}
    return frozenset(name for name, is_set in flags.items() if is_set), converted_options(service, given)


def _flag(name: str, value: Any) -> bool:
    if value in (True, "true", "1"):
        return True
    if value in (False, "false", "0"):
        return False
    raise BadRequestError(f"{name} is true or false")


def _answer(texts: list[bytes], extras: Extras, flags: frozenset[str]) -> bytes:
    """One item's answer as it is; of several a list, and what they say together."""
    if len(texts) == 1 and not flags:
        return texts[0]
    answers = [extras.extend(msgspec.json.decode(text), flags) for text in texts]
    if len(answers) == 1:
        return msgspec.json.encode(answers[0])
    return msgspec.json.encode({"answers": answers, **extras.join(answers, flags)})
