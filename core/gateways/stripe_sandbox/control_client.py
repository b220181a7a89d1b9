"""The control endpoints from Python, for the demo and the tests, whichever process the sandbox runs in."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import requests


class SandboxControl:
    """One method for each of `/_sandbox/…`; see `control.py` for what they do. Raises `requests.HTTPError`."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {key}"

    def post(self, command: str, **body: Any) -> dict[str, Any]:
        reply = self.session.post(f"{self.url}/_sandbox/{command}", json=body, timeout=120)
        if not reply.ok:
            raise requests.HTTPError(reply.text, response=reply)
        answer: dict[str, Any] = reply.json()
        return answer

    def wait(self, seconds: float) -> None:
        """Until the sandbox answers, or `TimeoutError`."""
        until = time.monotonic() + seconds
        while True:
            try:
                self.now()
                return
            except requests.ConnectionError:
                if time.monotonic() > until:
                    raise TimeoutError(f"no Stripe sandbox at {self.url}") from None
                time.sleep(0.02)

    # -- time --

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.post("clock")["now"], UTC)

    def set_clock(self, at: datetime) -> None:
        """Stand still at `at`, after everything has happened that is due by then."""
        self.post("clock", at=int(at.timestamp()))

    def advance(self, by: timedelta) -> None:
        self.post("clock", advance=int(by.total_seconds()))

    def follow_wall_clock(self, *, ahead: timedelta = timedelta(0)) -> None:
        """Go on by itself, `ahead` of the wall clock, after everything has happened that is due by then."""
        self.post("clock", wall=True, ahead=ahead.total_seconds())

    def next_timer(self) -> datetime | None:
        """When something happens by itself next: a charge settles, a payout arrives."""
        at = self.post("clock")["next"]
        return None if at is None else datetime.fromtimestamp(at, UTC)

    # -- trouble --

    def fault(self, kind: str, **fields: Any) -> None:
        """`kind`: 500, 429, 409, timeout, drop; `method`, `path` (patterns), `when`, `times`, `skip`, `seconds`."""
        self.post("faults", kind=kind, **fields)

    def clear_faults(self) -> None:
        self.post("faults", clear=True)

    def next_refunds(self, *orders: dict[str, Any]) -> None:
        """What happens to the next refunds, as `{"status": "pending" | "failed" | "succeeded", "stay": True}`."""
        self.post("orders", refunds=list(orders))

    def next_payouts(self, *orders: dict[str, Any]) -> None:
        """What happens to the next payouts, as `{"code": "account_closed", "after_paid": True}`."""
        self.post("orders", payouts=list(orders))

    # -- money --

    def terms(self, **fields: Any) -> dict[str, Any]:
        return self.post("terms", **fields)

    def convert(self, currency: str, into: str | None = None, rate: str = "1") -> None:
        """The platform's account does not settle in `currency`: it is converted at `rate`; without `into`, it does."""
        self.post("conversions", currency=currency, into=into, rate=rate)

    def add_float(self, amount: int, currency: str) -> None:
        self.post("float", amount=amount, currency=currency)

    def line(self, type_: str, amount: int, currency: str, **fields: Any) -> str:
        """A line that Stripe writes by itself; returns its id."""
        return str(self.post("lines", type=type_, amount=amount, currency=currency, **fields)["id"])

    def amend(self, line: str, **amounts: int) -> None:
        """Stripe states a line otherwise than before: another `amount` or `fee`."""
        self.post("lines/amend", id=line, **amounts)

    def authenticate(self, intent: str, *, succeeds: bool = True) -> str:
        """The customer answers their bank about a payment or a setup intent; returns its status then."""
        return str(self.post("authenticate", id=intent, succeeds=succeeds)["status"])

    def set_up(self, setup: str, payment_method: str) -> str:
        """What the customer does in the browser to save it: they give it and agree to debits. Returns the id of what
        is saved, which is attached to them unless its bank asks first (`authenticate`)."""
        body = {"payment_method": payment_method}
        reply = self.session.post(f"{self.url}/v1/setup_intents/{setup}/confirm", data=body, timeout=20)
        if not reply.ok:
            raise requests.HTTPError(reply.text, response=reply)
        return str(reply.json()["payment_method"])

    def asks(self, setup: str) -> bool:
        """Whether the customer's bank asks about what is to be saved."""
        reply = self.session.get(f"{self.url}/v1/setup_intents/{setup}", timeout=20)
        reply.raise_for_status()
        return bool(reply.json()["status"] == "requires_action")

    def dispute(self, payment_intent: str, **fields: Any) -> str:
        """The customer's bank disputes a payment; returns the dispute's id."""
        return str(self.post("disputes", payment_intent=payment_intent, **fields)["id"])

    def decide_dispute(self, dispute: str, status: str) -> None:
        self.post("disputes/decide", id=dispute, status=status)

    def reinstate(self, dispute: str, status: str) -> None:
        """The bank changes its mind, after a line for it was written."""
        self.post("disputes/reinstate", id=dispute, status=status)

    def move_refund(self, refund: str, status: str, **fields: Any) -> None:
        self.post("refunds/move", id=refund, status=status, **fields)

    def move_account(self, account: str, to: str, **fields: Any) -> None:
        """`to`: `submitted`, `verified`, `unverified`, `demanded`, `rejected` or `paused`."""
        self.post("accounts/move", id=account, to=to, **fields)

    def move_payout(self, payout: str, status: str, **fields: Any) -> None:
        self.post("payouts/move", id=payout, status=status, **fields)

    def advance_payouts(self) -> list[str]:
        return list(self.post("payouts/advance")["paid"])

    # -- webhooks --

    def add_endpoint(self, url: str, **fields: Any) -> str:
        """Have events sent to `url`; returns the signing secret."""
        return str(self.post("endpoints", url=url, **fields)["secret"])

    def remove_endpoints(self) -> None:
        self.post("endpoints", remove=None)

    def webhooks(self, **habits: Any) -> None:
        """`auto` (send by itself), `off`, `duplicate` (extra copies), `shuffle`."""
        self.post("webhooks", **habits)

    def deliver(self) -> dict[str, int]:
        """Send everything that waits, now; returns when every endpoint has answered."""
        return self.post("deliver")

    def news(self, after: int) -> tuple[list[dict[str, Any]], int]:
        """Every event since, of every account, and the `after` of the next question."""
        told = self.post("news", after=after)
        return told["events"], told["last"]

    def reset(self) -> None:
        """As new: no objects, no faults, the first fees, the wall clock. Only the request log stays."""
        self.post("reset")

    def keep(self, name: str) -> None:
        """Remember everything as it is now; `bring_back` of the same name makes it so again."""
        self.post("keep", name=name)

    def bring_back(self, name: str) -> None:
        self.post("bring-back", name=name)
