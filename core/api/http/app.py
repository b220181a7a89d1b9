"""The API put together: the guard in front, the routes behind it, and every refusal as a problem."""

from __future__ import annotations

from http import HTTPStatus
from threading import Lock
from typing import Any

import psycopg
import structlog
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.security import APIKeyHeader, HTTPBearer
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from core.api.http.authentication import Guard, methods_at
from core.api.http.dependencies import turns
from core.api.http.field_problems import why
from core.api.http.problem_details import (
    BUSY,
    HTTP_CODES,
    Conflict,
    StillBusy,
    Unavailable,
    fault,
    problem,
    written,
)
from core.api.http.rate_limits import Limits
from core.api.http.signing import HEADER
from core.api.http.strict_names import only_known_names
from core.api.openapi import docs_page, webhooks
from core.api.openapi.descriptions import COMMON, described
from core.api.routes import (
    accounts,
    demo,
    endpoints,
    events,
    files,
    lists,
    messages,
    milestones,
    parties,
    payments,
    payouts,
    platform,
    practice_flags,
    projects,
    reports,
    reviews,
    settlement_proposals,
)
from core.desk import Desk
from core.errors import DeskError

log = structlog.get_logger("api")

ABOUT = """Every arrow of the milestone payment flow that comes from outside the desk.

Parties are named by the platform's own ids, projects, milestones and disputes by the desk's, which the answers carry.
Money is whole minor units with an ISO 4217 currency. Every POST carries an `Idempotency-Key`; every request carries the
key as `Authorization: Bearer edk_…` and a `Desk-Signature`."""

PARTS = (
    platform,
    parties,
    accounts,
    projects,
    milestones,
    messages,
    files,
    settlement_proposals,
    payments,
    payouts,
    reports,
    practice_flags,
    reviews,
    endpoints,
    events,
    lists,
)
PLACES = ("path", "query", "header", "cookie", "body")  # as a request is read


def application(desk: Desk, *, limits: Limits | None = None, demo_too: bool | None = None) -> FastAPI:
    """The ASGI application, to be mounted at `/api/v1`. `demo_too`: with what only a demo serves; else as it is one."""
    app = FastAPI(
        title="Escrow Desk",
        version="1",
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=COMMON,
        generate_unique_id_function=lambda route: route.name,
        middleware=[Middleware(Guard, desk=desk, limits=limits or Limits())],
        dependencies=[
            Depends(HTTPBearer(auto_error=False, scheme_name="Key")),
            Depends(APIKeyHeader(name=HEADER, auto_error=False, scheme_name="Signature")),
            Depends(only_known_names),
        ],
    )
    app.state.desk, app.state.turns = desk, turns()
    for part in PARTS:
        app.include_router(part.router)
    app.state.addresses = [route for part in (*PARTS, demo) for route in part.router.routes]
    if desk.settings.demo if demo_too is None else demo_too:
        app.include_router(demo.router)

    making = Lock()  # the first who ask, at once, are given one and the same

    def description() -> dict[str, Any]:
        with making:
            if not app.webhooks.routes:  # nobody is answered by them, so they are made when they are read
                webhooks.describe(app.webhooks)
            return described(app)

    app.openapi = description  # type: ignore[method-assign]

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(docs_page.render(app.openapi()))

    _answer_refusals(app)
    return app


def _answer_refusals(app: FastAPI) -> None:
    for error, handler in (
        (DeskError, _refused),
        (RequestValidationError, _invalid),
        (HTTPException, _http),
        (IntegrityError, _clash),
        (DataError, _unusable),
        (OperationalError, _database),
        (InterfaceError, _database),
        (PoolExhausted, _busy),
        (Exception, _fault),
    ):
        app.add_exception_handler(error, handler)


def _refused(request: Request, error: Any) -> Response:
    return problem(error)


def _invalid(request: Request, error: Any) -> Response:
    """Where and why, without what was sent: it may be anything, and it may be personal."""
    found = sorted(error.errors(), key=lambda each: PLACES.index(each["loc"][0]))
    fields = [{"where": [*map(str, each["loc"])], "why": why(each)} for each in found[:50]]
    detail = "; ".join(f"{'.'.join(each['where'])[:200]}: {each['why']}" for each in fields[:5])
    return written(422, "request_invalid", detail, {"fields": fields})


def _http(request: Request, error: Any) -> Response:
    code = HTTP_CODES.get(error.status_code)
    if code is None:
        return _fault(request, error)
    headers, detail = dict(error.headers or {}), str(error.detail)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and (methods := methods_at(request.scope)):
        headers["Allow"] = ", ".join(sorted(methods))  # all of them: each has a route of its own
        detail = f"This address takes {' and '.join(sorted(methods))} only."
    elif error.status_code == HTTPStatus.NOT_FOUND:
        detail = "There is no such address. The description has all of them: /api/v1/docs."
    return written(error.status_code, code, detail, headers=headers)


def _clash(request: Request, error: Any) -> Response:
    log.info("api.clash", path=request.url.path, constraint=getattr(error.orig.diag, "constraint_name", None))
    return problem(Conflict())


def _unusable(request: Request, error: Any) -> Response:
    log.warning("api.unusable", path=request.url.path, reason=type(error.orig).__name__)
    return written(422, "value_unusable", "A value in this request is beyond what the desk can keep.")


def _database(request: Request, error: Any) -> Response:
    if isinstance(getattr(error, "orig", None), psycopg.errors.LockNotAvailable):
        return problem(StillBusy())
    log.error("api.database_away", reason=type(error).__name__)
    return problem(Unavailable(why="its database is away"))


def _busy(request: Request, error: Any) -> Response:
    log.error("api.busy", reason=str(error))
    return problem(Unavailable(why=BUSY))


def _fault(request: Request, error: Any) -> Response:
    log.error("api.fault", path=request.url.path, exc_info=error)
    return fault()
