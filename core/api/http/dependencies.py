"""What a route asks for: who calls, a session to read in, and the change that is made once."""

from __future__ import annotations

from asyncio import Semaphore
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import wraps
from inspect import iscoroutinefunction
from typing import Annotated, Any

from fastapi import Depends
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from core.api.http.api_keys import Caller
from core.api.http.idempotency import Do, fingerprint, once, stored_response
from core.api.models.requests import IdempotencyKey
from core.api.plain import SECRETS
from core.db import POOL_SIZE
from core.desk import Desk


async def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


async def _caller(request: Request) -> Caller:
    """As the guard has recognised them."""
    caller: Caller = request.state.caller
    return caller


CurrentDesk = Annotated[Desk, Depends(_desk)]
CurrentCaller = Annotated[Caller, Depends(_caller)]


def turns() -> Semaphore:
    """How many may hold a connection while they wait for one of the process's threads: fewer than there are
    connections, or threads that wait for a connection and connections that wait for a thread would stand still."""
    return Semaphore(POOL_SIZE)


async def _turn(request: Request) -> AsyncIterator[None]:
    async with request.app.state.turns:
        yield


Turn = Annotated[None, Depends(_turn, scope="function")]


async def _reading(desk: CurrentDesk, caller: CurrentCaller, _: Turn) -> AsyncIterator[Session]:
    """What is read with a key that only reads has no secrets in it (`plain.secret`)."""
    session = desk.database.reader()
    session.info[SECRETS] = caller.may_write
    try:
        yield session
    finally:
        if session.in_transaction():
            await run_in_threadpool(session.close)


# Closed before the answer is sent: whoever reads it slowly holds no connection meanwhile.
ReadSession = Annotated[Session, Depends(_reading, scope="function")]


class Route(APIRoute):
    """A route whose session, if it reads in one, is opened and closed in the thread in which it runs: going to another
    thread and back for either costs as much as a statement."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **how: Any) -> None:
        super().__init__(path, _closing(endpoint), **how)


def _closing(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    if iscoroutinefunction(endpoint):
        return endpoint

    @wraps(endpoint)
    def run(**given: Any) -> Any:
        try:
            return endpoint(**given)
        finally:
            for each in given.values():
                if isinstance(each, Session):
                    each.close()

    return run


@dataclass(frozen=True)
class ChangeRequest:
    """A request that changes something, under its idempotency key. It has no session of its own: the change and its
    answer are one transaction, which begins again after a deadlock."""

    request: Request
    desk: Desk
    caller: Caller
    key: str

    def once(self, do: Do, *, content: bytes | None = None) -> Response:
        """Do it and answer with the route's status, or give the answer that there is. `content`: see `fingerprint`."""
        status = self.request.scope["route"].status_code or 200
        return once(self.desk, fingerprint(self.request, self.key, content=content), do, status=status)

    def stored_response(self) -> Response | None:
        """The answer that there is already, for what cannot be done inside one transaction. Raises `KeyReused`."""
        return stored_response(self.desk, fingerprint(self.request, self.key))


async def _change(
    request: Request, desk: CurrentDesk, caller: CurrentCaller, key: IdempotencyKey
) -> ChangeRequest:
    return ChangeRequest(request, desk, caller, key)


Change = Annotated[ChangeRequest, Depends(_change)]
