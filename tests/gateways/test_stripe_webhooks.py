"""Webhooks: believed with a fresh signature of ours over the bytes that came, and with nothing less."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from core.gateways.stripe_sandbox import SandboxControl
from core.gateways.stripe_sandbox.courier import signature
from core.gateways.stripe_webhooks import (
    WebhookForged,
    WebhookNotText,
    WebhookOutOfTime,
    WebhookUnreadable,
    WebhookUnsigned,
    verify,
)
from tests import patience
from tests.gateways.conftest import NOON, Parties, usd

SECRET = "whsec_test"
BODY = b'{"id": "evt_1", "type": "payout.paid", "created": 1772452800, "account": "acct_1",' \
    b' "data": {"object": {"id": "po_1", "object": "payout"}}}'  # fmt: skip


class Mailbox:
    """An endpoint that keeps what it gets, and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, str]] = []
        self.status = 200
        box = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                box.got.append((body, self.headers["Stripe-Signature"]))
                self.send_response(box.status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhooks/stripe"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def types(self, secret: str, now: datetime) -> list[str]:
        return [verify(body, header, secret, now=now).type for body, header in self.got]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.server.shutdown()
    box.server.server_close()


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


# -- verifying -------------------------------------------------------------------------------------------


def test_a_signed_event_is_read() -> None:
    event = verify(BODY, signature(BODY, SECRET, 1000), SECRET, now=at(1000))
    assert (event.id, event.type, event.account) == ("evt_1", "payout.paid", "acct_1")
    assert (event.object_kind, event.object_id, event.created) == ("payout", "po_1", NOON)


def test_stripes_own_signatures_are_understood() -> None:
    header = stripe.WebhookSignature.generate_signature_header(BODY.decode(), SECRET, timestamp=1000)
    assert verify(BODY, header, SECRET, now=at(1000)).id == "evt_1"


@pytest.mark.parametrize("seconds", [700, 1300])
def test_five_minutes_are_tolerated_on_both_sides(seconds: int) -> None:
    assert verify(BODY, signature(BODY, SECRET, 1000), SECRET, now=at(seconds)).id == "evt_1"


@pytest.mark.parametrize("seconds", [699, 1301])
def test_more_is_not_tolerated_on_either_side(seconds: int) -> None:
    with pytest.raises(WebhookOutOfTime):
        verify(BODY, signature(BODY, SECRET, 1000), SECRET, now=at(seconds))


@given(place=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
def test_any_changed_bit_is_found(place: int, bit: int) -> None:
    changed = bytearray(BODY)
    changed[place] ^= 1 << bit
    with pytest.raises((WebhookForged, WebhookNotText)):
        verify(bytes(changed), signature(BODY, SECRET, 1000), SECRET, now=at(1000))


def test_another_secret_is_forged() -> None:
    with pytest.raises(WebhookForged):
        verify(BODY, signature(BODY, "whsec_other", 1000), SECRET, now=at(1000))


@pytest.mark.parametrize("secret", ["", " ", ","])
def test_no_secret_believes_nothing(secret: str) -> None:
    with pytest.raises(WebhookForged):
        verify(BODY, signature(BODY, secret, 1000), secret, now=at(1000))


def test_a_time_that_was_not_signed_is_forged() -> None:
    header = signature(BODY, SECRET, 1000).replace("t=1000", "t=5000")
    with pytest.raises(WebhookForged):
        verify(BODY, header, SECRET, now=at(5000))


def test_where_a_clock_was_moved_the_computers_own_counts_too() -> None:
    header = signature(BODY, SECRET, 1000)
    assert verify(BODY, header, SECRET, now=at(90_000), also=at(1010)).id == "evt_1"
    with pytest.raises(WebhookOutOfTime):
        verify(BODY, header, SECRET, now=at(90_000), also=at(5000))


def test_one_of_several_secrets_is_enough() -> None:
    assert verify(BODY, signature(BODY, SECRET, 1000), f"whsec_old, {SECRET}", now=at(1000)).id == "evt_1"


@pytest.mark.parametrize(
    "header", ["", "v1=00", "t=x,v1=00", "t=1000", "t=1000,v0=00", "t=1,t=2,v1=00", "t=1000,v1=é", "garbage"]
)
def test_a_header_that_is_no_signature_is_refused(header: str) -> None:
    with pytest.raises((WebhookUnsigned, WebhookForged)):
        verify(BODY, header, SECRET, now=at(1000))


@given(header=st.text(max_size=80), body=st.binary(max_size=80))
def test_garbage_is_refused_in_our_own_words(header: str, body: bytes) -> None:
    with pytest.raises((WebhookUnsigned, WebhookForged, WebhookNotText)):
        verify(body, header, SECRET, now=at(1000))


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"nonsense", b"[" * 100_000, b"\xff\xfe"])
def test_signed_nonsense_is_refused(body: bytes) -> None:
    with pytest.raises((WebhookUnreadable, WebhookForged, WebhookNotText)):
        verify(body, signature(body, SECRET, 1000), SECRET, now=at(1000))


# -- delivering -------------------------------------------------------------------------------------------


def test_events_arrive_signed(parties: Parties, control: SandboxControl, mailbox: Mailbox) -> None:
    secret = control.add_endpoint(mailbox.url)
    parties.paid(usd(5_000))
    assert control.deliver() == {"delivered": 4, "failed": 0}
    assert mailbox.types(secret, NOON) == [
        "customer.created",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]
    assert control.deliver() == {"delivered": 0, "failed": 0}


def test_an_endpoint_gets_what_it_asked_for(
    parties: Parties, control: SandboxControl, mailbox: Mailbox
) -> None:
    secret = control.add_endpoint(mailbox.url, enabled_events=["payment_intent.*", "charge.updated"])
    parties.paid(usd(5_000))
    control.deliver()
    assert mailbox.types(secret, NOON) == ["payment_intent.created", "payment_intent.succeeded"]


def test_events_of_connected_accounts_name_the_account(
    parties: Parties, control: SandboxControl, mailbox: Mailbox
) -> None:
    secret = control.add_endpoint(mailbox.url, scope="connect")
    payee = parties.funded_payee(usd(5_000))
    parties.payments.payout("p", "p:1", account=payee.id, amount=usd(5_000))
    control.deliver()
    events = [verify(body, header, secret, now=NOON) for body, header in mailbox.got]
    assert [(event.type, event.account) for event in events] == [("payout.created", payee.id)]


def test_a_refused_delivery_is_tried_again_later(
    parties: Parties, control: SandboxControl, mailbox: Mailbox
) -> None:
    control.add_endpoint(mailbox.url)
    control.webhooks(auto=True)
    mailbox.status = 503
    parties.payer()
    wait_for(lambda: len(mailbox.got) == 1)
    mailbox.status = 200
    control.advance(timedelta(seconds=59))
    assert len(mailbox.got) == 1
    control.advance(timedelta(seconds=1))
    wait_for(lambda: len(mailbox.got) == 2)
    assert mailbox.got[0][0] == mailbox.got[1][0]


def test_events_can_come_twice_and_out_of_order(
    parties: Parties, control: SandboxControl, mailbox: Mailbox
) -> None:
    secret = control.add_endpoint(mailbox.url)
    control.webhooks(duplicate=1, shuffle=True)
    for _ in range(3):
        parties.paid(usd(5_000))
    control.deliver()
    ids = [verify(body, header, secret, now=NOON).id for body, header in mailbox.got]
    assert len(ids) == 24
    assert len(set(ids)) == 12
    made = [event.id for event in parties.payments.events(NOON)][::-1]
    assert list(dict.fromkeys(ids)) != made


def test_webhooks_can_be_off_and_nothing_is_lost(
    parties: Parties, control: SandboxControl, mailbox: Mailbox
) -> None:
    control.add_endpoint(mailbox.url)
    control.webhooks(off=True)
    parties.payer()
    assert control.deliver() == {"delivered": 0, "failed": 0}
    assert [event.type for event in parties.payments.events(NOON)] == ["customer.created"]
    control.webhooks(off=False)
    assert control.deliver() == {"delivered": 1, "failed": 0}


def test_nothing_is_sent_to_other_machines(control: SandboxControl) -> None:
    with pytest.raises(Exception, match="this machine only"):
        control.add_endpoint("https://example.com/hook")


def wait_for(true: object, seconds: float = patience.SECONDS) -> None:
    import time

    assert callable(true)
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)
