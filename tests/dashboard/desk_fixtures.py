"""What the dashboard's tests stand on: a desk with staff, a clock set by hand, its HTTP stack alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from core.clock import SimulatedClock
from core.db import Database
from core.desk import Desk
from core.records.people import Installation, Staff, StaffRole
from core.rules.permissions import Role
from dashboard import request_context, server
from tests.desk_fixtures import a_desk

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ORIGIN = {"origin": "http://127.0.0.1:8501"}
HTML = {"accept": "text/html"}


@dataclass(frozen=True)
class Office:
    """A demo desk and one person of each role."""

    desk: Desk
    clock: SimulatedClock
    staff: dict[Role, int]


@pytest.fixture
def office(owner: Database, database: Database, tmp_path: Path) -> Office:
    clock = SimulatedClock(NOW)
    with owner.transaction() as session:
        session.add(Installation(id=1, name="test", demo=True, created_at=NOW))
        staff = {role: hire(session, role) for role in Role}
    desk = a_desk(database, tmp_path, clock=clock, demo=True, stripe_api_key="sk_test_x")
    request_context.use(desk)
    return Office(desk, clock, staff)


def hire(session, role: Role, name: str = "") -> int:
    person = Staff(
        issuer="demo",
        subject=f"{role.value}{name}",
        name=name or f"Some {role.value.capitalize()}",
        email=f"{role.value}@desk.example",
        title=f"{role.value.capitalize()} at the desk",
        skills=[],
        created_at=NOW,
    )
    session.add(person)
    session.flush()
    session.add(StaffRole(staff_id=person.id, role=role.value))
    return person.id


@pytest.fixture
def http(office: Office) -> Iterator[TestClient]:
    """The desk's routes and middleware around an application that answers `inside` to everything that gets in."""
    with browser_of(office) as client:
        yield client


def application(office: Office) -> Starlette:
    """The desk's routes and middleware; where Streamlit would answer, the word `inside` does."""
    return Starlette(
        routes=[
            *server.routes(office.desk),
            WebSocketRoute("/_stcore/stream", _stream),
            Route("/{path:path}", _inside, methods=["GET", "POST", "PUT", "DELETE"]),
        ],
        middleware=server.middleware(office.desk),
    )


def browser_of(office: Office, host: str = "127.0.0.1") -> TestClient:
    app = application(office)
    return TestClient(app, base_url="http://127.0.0.1:8501", client=(host, 50_000), follow_redirects=False)


def sign_in(client: TestClient, office: Office, role: Role = Role.MEDIATOR, wanted: str = "/") -> Response:
    return client.post("/sign-in", data={"staff": str(office.staff[role]), "next": wanted}, headers=ORIGIN)


async def _inside(request: Request) -> Response:
    return PlainTextResponse("inside")


async def _stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("inside")
    await socket.close()
