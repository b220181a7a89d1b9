"""What the marketplace is told: written with the change, signed, delivered at least once."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy.exc import ProgrammingError

from core.api.http import api_keys
from core.api.webhooks import delivery, endpoints
from core.api.webhooks.endpoints import EndpointKnown
from core.db import Database
from core.records import OutgoingEvent, WebhookEndpoint
from core.rules.permissions import NotYours
from core.rules.web_addresses import EndpointUnfit
from tests.api import conformity
from tests.api.api_client import ApiClient
from tests.api.test_flows import accepted, funded
from tests.parties import OPERATOR
from tests.sandbox_desk import Market


class Listener:
    """The marketplace's own endpoint: answers with `status` and what it `says`, remembers what it heard."""

    def __init__(self) -> None:
        self.status, self.says, self.heard = 200, b"", list[tuple[dict[str, str], bytes]]()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                listener.heard.append((dict(self.headers), body))
                self.send_response(listener.status)
                self.send_header("content-length", str(len(listener.says)))
                self.end_headers()
                self.wfile.write(listener.says)

            def log_message(self, *words: Any) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/events"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def events(self) -> list[dict[str, Any]]:
        events = [json.loads(body) for _, body in self.heard]
        for each in events:
            conformity.require_event(each)
        return events


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.server.shutdown()
    listener.server.server_close()


def listening(market: Market, url: str, platform: str = "home_services") -> tuple[WebhookEndpoint, str]:
    master = api_keys.master_key(market.desk.settings)
    return market.database.run(
        lambda session: endpoints.add_endpoint(
            session,
            OPERATOR,
            now=market.now,
            platform=platform,
            url=url,
            master=master,
            allowed=market.desk.settings.private_networks,
        )
    )


def told(listener: Listener, kind: str) -> list[str]:
    return [each["data"]["to"] for each in listener.events() if each["kind"] == kind]


def test_a_milestones_road_is_told_as_it_happens(home: ApiClient, listener: Listener) -> None:
    listening(home.market, listener.url)
    _, path = funded(home)
    home.post(f"{path}/complete", {"party": home.payee})
    home.post(f"{path}/dispute", {"party": home.payer, "reason": "DEFECTIVE"})
    home.post(f"{path}/resubmit", {"party": home.payee})
    home.post(f"{path}/approve", {"party": home.payer})
    home.market.work()
    while delivery.deliver_due(home.market.desk):
        pass
    first = [each for each in listener.events() if f"/milestones/{each['data'].get('milestone')}" == path]
    statuses = [each["data"]["to"] for each in first if each["kind"] == "milestone.status_changed"]
    assert statuses == [
        "AWAITING_FUNDING",
        "FUNDED",
        "PENDING_VERIFICATION",
        "DISPUTED",
        "PENDING_VERIFICATION",
        "VERIFIED",
        "COMPLETED",
    ]
    assert told(listener, "payment.state_changed")[:2] == ["PENDING_PAYMENT", "PAID_HELD"]
    assert told(listener, "payment.state_changed")[-1] == "RELEASED"
    causes = [each["data"]["cause"] for each in listener.events() if each["kind"] == "payment.state_changed"]
    assert [each["kind"] for each in causes][:3] == ["CHARGE_REQUESTED", "CHARGE_SETTLED", "APPROVAL"]
    assert told(listener, "dispute.status_changed") == ["OPEN", "RESOLVED"]
    assert told(listener, "payout.status_changed")[0] == "REQUESTED"
    assert {each["data"]["bid_reference"] for each in first} == {"bid-over-http"}


def test_an_event_is_signed_with_the_endpoints_own_secret(home: ApiClient, listener: Listener) -> None:
    _, secret = listening(home.market, listener.url)
    accepted(home)
    delivery.deliver_due(home.market.desk)
    headers, body = listener.heard[0]
    at, v1 = (part.partition("=")[2] for part in headers["Desk-Signature"].split(","))
    assert hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest() == v1
    assert int(at) == int(home.market.now.timestamp())


def test_a_refused_action_tells_nobody(home: ApiClient, listener: Listener) -> None:
    listening(home.market, listener.url)
    _, path = funded(home)
    before = home.market.count(OutgoingEvent)
    assert home.post(f"{path}/complete", {"party": home.payer}).json()["code"] == NotYours.code
    assert home.market.count(OutgoingEvent) == before


def test_what_was_not_heard_is_said_again(home: ApiClient, listener: Listener) -> None:
    listening(home.market, listener.url)
    accepted(home)
    listener.status = 500
    assert delivery.deliver_due(home.market.desk) == 0
    event, waiting = home.market.all(OutgoingEvent)
    assert (event.status, event.tries, event.error) == ("QUEUED", 1, "It answered 500.")
    assert (waiting.status, waiting.tries) == ("QUEUED", 0)
    home.market.wait(minutes=1)
    listener.status = 204
    assert delivery.deliver_due(home.market.desk) == 2
    assert listener.heard[0][1] == listener.heard[1][1]
    assert delivery.deliver_due(home.market.desk) == 0


def test_a_silent_endpoint_costs_one_event_a_try(home: ApiClient, listener: Listener) -> None:
    listening(home.market, listener.url)
    listener.status = 302
    funded(home)
    delivery.deliver_due(home.market.desk)
    tries = [each.tries for each in home.market.all(OutgoingEvent)]
    assert len(tries) > 2
    assert sum(tries) == len(listener.heard) == 1


def test_nobody_listens_nothing_is_written(home: ApiClient, law: ApiClient, listener: Listener) -> None:
    endpoint, _ = listening(home.market, listener.url, "legal_services")
    funded(home)
    assert home.market.count(OutgoingEvent) == 0
    listening(home.market, listener.url)
    funded(home, "second")
    assert home.market.count(OutgoingEvent, OutgoingEvent.endpoint_id == endpoint.id) == 0
    assert home.market.count(OutgoingEvent) > 0


def test_a_removed_endpoint_hears_nothing_more(home: ApiClient, listener: Listener) -> None:
    endpoint, _ = listening(home.market, listener.url)
    accepted(home)
    home.market.database.run(
        lambda session: endpoints.remove_endpoint(
            session, OPERATOR, now=home.market.now, endpoint_id=endpoint.id
        )
    )
    assert delivery.deliver_due(home.market.desk) == 0
    assert [each.status for each in home.market.all(OutgoingEvent)] == ["DROPPED", "DROPPED"]
    accepted(home, "second")
    assert home.market.count(OutgoingEvent) == 2


@pytest.mark.parametrize(
    "url", ["http://market.example/", "ftp://a/b", "https://u:p@a/", "https://", "file:///etc/passwd", "x"]
)
def test_events_go_nowhere_unsafe(market: Market, url: str) -> None:
    with pytest.raises(EndpointUnfit):
        listening(market, url)


def test_one_address_is_told_once(market: Market) -> None:
    listening(market, "https://market.example/events")
    with pytest.raises(EndpointKnown):
        listening(market, "https://market.example/events")


def test_the_application_cannot_make_up_an_event_or_change_one(home: ApiClient, listener: Listener) -> None:
    listening(home.market, listener.url)
    accepted(home)
    for statement in (
        "insert into outgoing_events (endpoint_id, kind, milestone_id, data) values (1, 'x', 1, '{}')",
        "select announce('x', 1, '{}')",
        "delete from outgoing_events",
        "update api_keys set platform = 'legal_services'",
        "update webhook_endpoints set url = 'https://elsewhere.example'",
    ):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            home.market.database.transaction() as s,
        ):
            s.connection().exec_driver_sql(statement)


def test_the_data_of_an_event_stays_as_it_was(home: ApiClient, listener: Listener, owner: Database) -> None:
    listening(home.market, listener.url)
    accepted(home)
    with pytest.raises(Exception, match="stays as it was written"), owner.transaction() as session:
        session.connection().exec_driver_sql("update outgoing_events set data = '{}'")
