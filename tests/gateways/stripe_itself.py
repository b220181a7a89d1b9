"""Stripe itself in the sandbox's place: a test key, time that passes by itself, and a record of what was said."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from time import monotonic, sleep
from typing import Any, TypeVar
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import requests

from core.clock import system_clock
from core.gateways import stripe_calls
from core.gateways.payments import PayeeAccountSnapshot
from core.gateways.stripe_adapter import StripePayments
from core.gateways.stripe_sandbox.forms import nested
from tests.gateways.conftest import Parties

KEY = "STRIPE_API_KEY"
NO_KEY = "needs an account: make stripe-test STRIPE_API_KEY=sk_test_…"
PATIENCE = 180.0  # seconds that Stripe takes to verify a person, or a test card's bank to dispute
Found = TypeVar("Found")


class NoTestKey(Exception):
    """What was given is no key of Stripe's test mode."""


def key(environment: Mapping[str, str] = os.environ) -> str:
    """The key, or nothing where none was given. A key that moves real money, or no key at all, is refused."""
    given = environment.get(KEY, "").strip()
    if given and not given.startswith(("sk_test_", "rk_test_")):
        raise NoTestKey(
            f"{KEY} is no key of test mode. These tests charge, refund and pay out: give sk_test_…"
        )
    return given


def until(look: Callable[[], Found | None], *, within: float = PATIENCE) -> Found:
    """What is looked for, as soon as it is there."""
    end = monotonic() + within
    while (found := look()) is None:
        assert monotonic() < end, "Stripe did not get there in time"
        sleep(2.0)
    return found


@dataclass
class Ground:
    """Where the contract is tried: since when, how a payee comes to be paid, and how days pass."""

    payments: StripePayments
    parties: Parties
    since: datetime
    payee: Callable[[], PayeeAccountSnapshot]
    method: str
    pass_time: Callable[[timedelta], None]


@dataclass
class Recorder:
    """Every request and its answer, in the form of the sandbox's log; the key is in none of them."""

    entries: list[dict[str, Any]] = field(default_factory=list)

    def note(self, answer: requests.Response, *_: Any, **__: Any) -> None:
        request = answer.request
        address = urlsplit(str(request.url))
        sent = request.body or b""
        raw = sent if isinstance(sent, bytes) else str(sent).encode()
        self.entries.append(
            {
                "method": request.method,
                "path": address.path,
                "query": nested(parse_qsl(address.query, keep_blank_values=True)),
                "body": _body(raw, request.headers.get("Content-Type", "")),
                "idempotency_key": request.headers.get("Idempotency-Key"),
                "account": request.headers.get("Stripe-Account"),
                "status": answer.status_code,
                "response": json.loads(answer.content),
            }
        )


def _body(sent: bytes, kind: str) -> dict[str, Any]:
    """The parameters; of a file its name."""
    if not kind.startswith("multipart/"):
        return nested(parse_qsl(sent.decode("utf-8", "replace"), keep_blank_values=True))
    form = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + sent)
    found: dict[str, Any] = {}
    for part in form.walk():
        if name := part.get_param("name", header="content-disposition"):
            file = part.get_filename()
            found[str(name)] = {"filename": file} if file else part.get_payload()
    return found


@contextmanager
def recording() -> Iterator[Recorder]:
    """Clients that are made inside are recorded. Everything is still sent to where it goes."""
    recorder = Recorder()

    class Recorded(requests.Session):
        def __init__(self) -> None:
            super().__init__()
            self.hooks["response"].append(recorder.note)

    with patch.object(stripe_calls.requests, "Session", Recorded):
        yield recorder


def ground(api_key: str, verified: Mapping[str, Any]) -> Ground:
    """On Stripe, in test mode. Names begin with the time, so that a second run meets no key of the first."""
    since = system_clock().replace(microsecond=0) - timedelta(minutes=1)
    payments = StripePayments(api_key)
    parties = Parties(payments, run=f"{since:%y%m%d%H%M%S}-")

    def payee() -> PayeeAccountSnapshot:
        made = parties.payee()
        v1 = stripe_calls.client(api_key).v1
        profile = {"url": "https://market.example", "mcc": "1520"}
        v1.accounts.update(made.id, {**verified, "business_profile": profile})  # type: ignore[typeddict-item]

        def ready() -> PayeeAccountSnapshot | None:
            found = payments.payee_account(made.id)
            return found if found.transfers == "active" and found.payouts_enabled else None

        return until(ready)

    def pass_time(_: timedelta) -> None:
        """Days do not pass at Stripe because we ask."""

    return Ground(payments, parties, since, payee, "standard", pass_time)
