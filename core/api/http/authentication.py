"""What every request passes before it is looked at: its key, its share of requests, its size, its signature, its form.

Pure ASGI. The key is checked before a byte of the body is read, and the body is read no further than is allowed; then
it is handed on as it was.
"""

from __future__ import annotations

import hashlib

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.api.http import api_keys, signing
from core.api.http.api_keys import Caller
from core.api.http.problem_details import BUSY, ReadOnlyKey, RequestUnreadable, Unavailable, problem
from core.api.http.rate_limits import Limits, TooManyRequests
from core.api.http.strict_json import require_form, require_json
from core.clock import wall_time
from core.desk import Desk
from core.errors import DeskError
from core.request_body import read_body
from core.rules import evidence

log = structlog.get_logger("api")

OPEN = frozenset({"/openapi.json", "/docs"})
READING = frozenset({"GET", "HEAD", "OPTIONS"})
WRITING = frozenset({"POST", "PUT", "PATCH"})
UPLOADS = "/evidence"
LARGEST = 256 * 1024
LARGEST_UPLOAD = evidence.MAX_BYTES + 64 * 1024


def methods_at(scope: Scope) -> frozenset[str]:
    """What can be done at this address; nothing where there is none."""
    matching = (each for each in scope["app"].state.addresses if each.matches(scope)[0] is not Match.NONE)
    return frozenset(method for each in matching for method in each.methods)


class Guard:
    """Lets through what is proved, with the caller in `request.state.caller`."""

    def __init__(self, app: ASGIApp, *, desk: Desk, limits: Limits) -> None:
        self.app = app
        self.desk = desk
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "There is no websocket here."})
        if scope["type"] != "http":
            return
        answer = _guarded(send)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path in OPEN and scope["method"] in READING:
            await self.app(scope, receive, answer)
            return
        try:
            caller, secret = await run_in_threadpool(self._caller, scope)
            body = await _read(scope, receive, LARGEST_UPLOAD if path.endswith(UPLOADS) else LARGEST)
            digest = await _sha256(body)
            self._require_signed(scope, secret, digest)
            if scope["method"] in WRITING and scope["method"] in methods_at(scope):
                content_type = Headers(scope=scope).get("content-type", "")
                if path.endswith(UPLOADS):
                    require_form(content_type)
                else:
                    require_json(body, content_type)
        except ClientDisconnect:
            return
        except DeskError as refusal:
            log.info("api.refused", code=refusal.code, path=path)
            await problem(refusal)(scope, receive, answer)
            return
        scope.setdefault("state", {}).update(caller=caller, body_sha256=digest)
        await self.app(scope, _again(body, receive), answer)

    def _caller(self, scope: Scope) -> tuple[Caller, str]:
        """Who calls, and the secret that they sign with."""
        said = Headers(scope=scope).get("authorization", "")
        try:
            now = self.desk.clock()
            with self.desk.database.glance() as session:
                caller, wait = api_keys.recognise(session, said, self.limits, now=now)
        except (OperationalError, InterfaceError):
            raise Unavailable(why="its database is away") from None
        except PoolExhausted:
            raise Unavailable(why=BUSY) from None
        if wait:
            raise TooManyRequests(seconds=wait)
        if scope["method"] not in READING and not caller.may_write:
            raise ReadOnlyKey()
        master = api_keys.master_key(self.desk.settings)
        return caller, api_keys.signing_secret(master, "api-key", caller.prefix)

    def _require_signed(self, scope: Scope, secret: str, body_sha256: bytes) -> None:
        headers = Headers(scope=scope)
        given = headers.get(signing.HEADER, "")
        at = signing.signed_at(given, now=wall_time(self.desk.clock))
        expected = signing.sign_request(
            secret,
            at=at,
            method=scope["method"],
            target=target(scope),
            idempotency_key=headers.get("idempotency-key", ""),
            body_sha256=body_sha256.hex(),
        )
        signing.require_same(given, expected)


async def _sha256(body: bytes) -> bytes:
    """A file is hashed in a thread: nobody else waits for it."""
    found = hashlib.sha256(body) if len(body) <= LARGEST else await run_in_threadpool(hashlib.sha256, body)
    return found.digest()


def target(scope: Scope) -> str:
    """The path and query as they came over the wire."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    path = path.partition(b"?")[0]
    query: bytes = scope.get("query_string", b"")
    return (path + (b"?" + query if query else b"")).decode("latin-1")


async def _read(scope: Scope, receive: Receive, limit: int) -> bytes:
    announced = Headers(scope=scope).get("content-length", "0")
    if not announced.isascii() or not announced.isdigit():
        raise RequestUnreadable(why="its Content-Length is not a number.")
    return await read_body(Request(scope, receive), limit=limit)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more for whoever asks next."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return left.pop() if left else await receive()

    return replay


def _guarded(send: Send) -> Send:
    """Answers of the API are for the one who asked, and for nobody's cache."""

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Cache-Control"] = "no-store"
            headers["X-Content-Type-Options"] = "nosniff"
        await send(message)

    return with_headers
