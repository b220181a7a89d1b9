"""The wire: HTTP, form-encoded parameters, JSON answers and Stripe's headers; a dropped connection is really cut."""

from __future__ import annotations

import asyncio
import contextlib
import json
from asyncio import Transport
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from core.gateways.stripe_sandbox import account_links, bank_page
from core.gateways.stripe_sandbox.control import COMMANDS
from core.gateways.stripe_sandbox.courier import Courier
from core.gateways.stripe_sandbox.engine import TEST_KEYS, Call, Engine
from core.gateways.stripe_sandbox.errors import ApiError, unauthorized
from core.gateways.stripe_sandbox.forms import nested
from core.gateways.stripe_sandbox.world import API_VERSION

TICK = 0.25
_METHODS = ["GET", "POST", "DELETE"]
_open: dict[Any, Transport] = {}


class Droppable(H11Protocol):
    """HTTP over a connection that a fault can cut."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        _open[transport.get_extra_info("peername")] = transport
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        _open.pop(self.transport.get_extra_info("peername"), None)
        super().connection_lost(exc)


class Cut(Response):
    """No answer: the connection ends after so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.seconds:
            await asyncio.sleep(self.seconds)
        if transport := _open.get(tuple(scope["client"])):
            transport.abort()


def application(engine: Engine) -> Starlette:
    courier = Courier(engine)

    async def stripe(request: Request) -> Response:
        answer = engine.answer(await _call(request))
        if answer.silent is not None:
            return Cut(answer.silent)
        headers = {"Request-Id": answer.request_id, "Stripe-Version": API_VERSION}
        if answer.replayed:
            headers["Idempotent-Replayed"] = "true"
        return Response(answer.text, answer.status, headers, media_type="application/json")

    async def onboarding(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode())) if request.method == "POST" else None
        return account_links.visit(engine, request.path_params["token"], form)

    async def bank(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode())) if request.method == "POST" else None
        return bank_page.visit(engine, request.path_params["intent"], form)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(_tick(engine, courier))
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    routes = [
        Route("/_sandbox/{command:path}", _controls(engine, courier), methods=_METHODS),
        Route("/setup/c/{account}/{token}", onboarding, methods=["GET", "POST"]),
        Route("/3d_secure/{intent}", bank, methods=["GET", "POST"]),
        Route("/{path:path}", stripe, methods=_METHODS),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def _tick(engine: Engine, courier: Courier) -> None:
    while True:
        engine.tick()
        if courier.habits()["auto"]:
            await courier.deliver()
        await asyncio.sleep(TICK)


async def _call(request: Request) -> Call:
    headers = request.headers
    return Call(
        method=request.method,
        path=request.url.path,
        query=nested(request.query_params.multi_items()),
        body=nested(await _pairs(request)),
        authorization=headers.get("authorization", ""),
        key=headers.get("idempotency-key"),
        account=headers.get("stripe-account", ""),
        base=str(request.base_url).rstrip("/"),
    )


async def _pairs(request: Request) -> list[tuple[str, Any]]:
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form() as form:
            return [(name, await _part(value)) for name, value in form.multi_items()]
    return list(parse_qsl((await request.body()).decode(), keep_blank_values=True))


async def _part(value: UploadFile | str) -> Any:
    return value if isinstance(value, str) else (value.filename or "file", await value.read())


def _controls(engine: Engine, courier: Courier) -> Callable[[Request], Awaitable[Response]]:
    async def control(request: Request) -> Response:
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not key.startswith(TEST_KEYS):
            return _json(unauthorized("The sandbox takes only test keys (sk_test_…).").body, 401)
        command = cast(str, request.path_params["command"])
        body = json.loads(await request.body() or b"{}")
        try:
            if command == "deliver":
                return _json({**await courier.deliver(everything=True)})
            if command in courier.commands:
                return _json(courier.commands[command](body))
            return _json(COMMANDS[command](engine, body))
        except ApiError as refusal:
            return _json(refusal.body, refusal.status)
        except (KeyError, TypeError, ValueError) as error:
            return _json(
                {"error": {"type": "invalid_request_error", "message": f"{command}: {error!r}"}}, 400
            )

    return control


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status, media_type="application/json")
