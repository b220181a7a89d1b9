"""An address that is refused again and again waits; whoever is let in never does. No websocket gets near the API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from core.api.http.rate_limits import Limits
from dashboard import metrics, server
from dashboard.address_limits import ENTRY_POINTS, AddressLimits, EntryPoint
from dashboard.request_context import COOKIE
from tests.dashboard.desk_fixtures import ORIGIN, Office, browser_of, sign_in

Ask = Callable[[TestClient], Any]
ASK: dict[str, Ask] = {
    "sign-in": lambda http: http.post("/sign-in", data={"staff": "0"}, headers=ORIGIN),
    "api-key": lambda http: http.get("/api/v1/projects/1", headers={"authorization": "Bearer ed_guessed"}),
    "webhook": lambda http: http.post(
        "/webhooks/stripe", content=b"{}", headers={"stripe-signature": "t=1,v1=00"}
    ),
}


def narrow(entry_point: EntryPoint) -> EntryPoint:
    return EntryPoint(
        entry_point.name, entry_point.beginning, entry_point.refused, Limits(rate=0.01, burst=2)
    )


def served(office: Office, address: str = "127.0.0.1") -> TestClient:
    """The programs' part and the sign-in behind the limits, as the server puts them together, with small shares."""
    entry_points = tuple(map(narrow, ENTRY_POINTS))
    settings = office.desk.settings.model_copy(update={"stripe_webhook_secret": "whsec_test"})
    desk = replace(office.desk, settings=settings)
    app = Starlette(
        routes=server.routes(desk),
        middleware=[Middleware(AddressLimits, desk=desk, entry_points=entry_points)],
    )
    return TestClient(app, base_url="http://127.0.0.1:8501", client=(address, 4_000), follow_redirects=False)


@pytest.mark.parametrize("entry_point", ASK)
def test_an_address_that_is_refused_again_and_again_waits(office: Office, entry_point: str) -> None:
    http, ask = served(office), ASK[entry_point]
    first = [ask(http).status_code for _ in range(3)]
    assert set(first) <= next(each.refused for each in ENTRY_POINTS if each.name == entry_point)
    waits = ask(http)
    assert waits.status_code == 429
    assert 0 < int(waits.headers["retry-after"]) <= 100
    counted = f'escrow_desk_addresses_refused{{entry_point="{entry_point}"}}'
    assert counted in metrics.render(office.desk).decode()
    # The share is the address's, in every process, and each entry point's own.
    assert ask(served(office, "203.0.113.9")).status_code in first
    other = served(office)
    assert [ask(other).status_code for _ in range(2)][1] == 429
    for name, another in ASK.items():
        assert name == entry_point or another(http).status_code != 429


def test_what_a_stranger_says_of_their_address_is_not_believed(office: Office) -> None:
    http = served(office)
    for number in range(3):
        http.post(
            "/sign-in", data={"staff": "0"}, headers=ORIGIN | {"x-forwarded-for": f"198.51.100.{number}"}
        )
    told = http.post("/sign-in", data={"staff": "0"}, headers=ORIGIN | {"x-forwarded-for": "198.51.100.9"})
    assert told.status_code == 429


def test_whoever_is_let_in_is_never_slowed_down(office: Office) -> None:
    http = served(office)
    for _ in range(8):
        assert sign_in(http, office).status_code == 303
    assert COOKIE in http.cookies


@pytest.mark.parametrize("path", ["/api/v1/projects/1", "/api/v1/", "/webhooks/stripe"])
def test_a_websocket_to_what_is_for_programs_is_refused(office: Office, path: str) -> None:
    """Asked as a stranger and as a colleague, of the whole server and of the API alone."""
    with browser_of(office) as http:
        for _ in range(2):
            with pytest.raises(WebSocketDisconnect), http.websocket_connect(path, headers=dict(ORIGIN)):
                pass
            sign_in(http, office)
    alone = TestClient(server.api_only(office.desk), base_url="http://127.0.0.1:8501")
    with pytest.raises(WebSocketDisconnect), alone.websocket_connect(path):
        pass


def test_a_page_talks_to_nobody_but_this_desk(http: TestClient) -> None:
    said = http.get("/sign-in").headers["content-security-policy"]
    assert "connect-src 'self';" in said
