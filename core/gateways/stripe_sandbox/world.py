"""What a request acts on: the memory, the time, the account it speaks for, and the events that it causes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from core.gateways.stripe_sandbox.errors import invalid, missing
from core.gateways.stripe_sandbox.store import Object, Store
from core.gateways.stripe_sandbox.terms import Terms

API_VERSION = "2026-10-28.endive"
PLATFORM = ""
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def spell(seed: str, prefix: str, number: int, length: int = 24) -> str:
    """The id of the n-th object of a kind: looks like any id, and the same seed gives the same ones."""
    value = int.from_bytes(hashlib.sha256(f"{seed}:{prefix}:{number}".encode()).digest())
    letters = []
    for _ in range(length):
        value, place = divmod(value, 62)
        letters.append(_DIGITS[place])
    return f"{prefix}_{''.join(letters)}"


@dataclass
class World:
    """`account` is the connected account of the `Stripe-Account` header, '' for the platform. `now` is in seconds,
    `base` the sandbox's own address."""

    store: Store
    terms: Terms
    seed: str
    now: int
    account: str = PLATFORM
    request_id: str | None = None
    key: str | None = None
    base: str = ""

    def id(self, prefix: str) -> str:
        return spell(self.seed, prefix, self.store.next(prefix))

    def on(self, account: str) -> World:
        """The same world, speaking for another account."""
        return replace(self, account=account)

    # -- objects --

    def find(self, kind: str, id_: str, *, param: str = "id") -> Object:
        """An object of this account, or the refusal `resource_missing`."""
        found = self.store.get(id_)
        if found is None or found[0]["object"] != kind or found[1] != self.account:
            raise missing(kind, id_, param=param)
        return found[0]

    def add(self, obj: Object) -> Object:
        return self.store.add(obj, account=self.account)

    def save(self, obj: Object) -> Object:
        return self.store.save(obj)

    def change(self, obj: Object, event: str | None = None, **fields: Any) -> Object:
        """Set fields, keep it, and tell the world."""
        obj.update(fields)
        self.save(obj)
        if event:
            self.emit(event, obj)
        return obj

    # -- events --

    def emit(self, type_: str, obj: Object) -> None:
        """Write the event with the object as it is now, and one delivery for every endpoint that wants it."""
        endpoints = [
            each for each in self.store.setting("endpoints") or [] if _wants(each, type_, self.account)
        ]
        event: Object = {
            "id": self.id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now,
            "data": {"object": public(obj)},
            "livemode": False,
            "pending_webhooks": len(endpoints),
            "request": {"id": self.request_id, "idempotency_key": self.key},
            "type": type_,
        }
        if self.account:
            event["account"] = self.account
        self.add(event)
        for endpoint in endpoints:
            self.store.db.execute(
                "insert into deliveries (event, endpoint, due) values (?, ?, ?)",
                (event["id"], endpoint["id"], self.now + endpoint.get("delay", 0)),
            )


def public(obj: Object) -> Object:
    """The object without what only the sandbox knows about it (names that begin with an underscore)."""
    return {name: value for name, value in obj.items() if not name.startswith("_")}


def _wants(endpoint: Object, type_: str, account: str) -> bool:
    scope = endpoint.get("scope", "all")
    if (scope == "platform" and account) or (scope == "connect" and not account):
        return False
    wanted = endpoint.get("enabled_events", ["*"])
    return any(each in ("*", type_) or _family(each, type_) for each in wanted)


def _family(pattern: str, type_: str) -> bool:
    return pattern.endswith(".*") and type_.startswith(pattern[:-1])


def positive(amount: int, currency: str, *, param: str = "amount") -> int:
    """An amount Stripe would take: at least 1, and with a last digit of 0 where a currency has three digits."""
    if amount < 1:
        raise invalid(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param=param
        )
    if currency in ("bhd", "jod", "kwd", "omr", "tnd") and amount % 10:
        raise invalid(f"Amounts in {currency} must end in 0.", code="invalid_amount", param=param)
    return amount


def merged(old: dict[str, str], new: Any) -> dict[str, str]:
    """Metadata after an update: an empty value removes a key, an empty string removes them all."""
    if new == "":
        return {}
    return {name: value for name, value in {**old, **(new or {})}.items() if value != ""}
