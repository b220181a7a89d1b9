"""Webhooks: every event to every endpoint that wants it, signed as Stripe signs, at least once, in any order."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from core.gateways.stripe_sandbox.engine import Engine
from core.gateways.stripe_sandbox.terms import DAY, HOUR
from core.gateways.stripe_sandbox.world import spell

TIMEOUT = 10
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
DEFAULTS: dict[str, Any] = {"auto": True, "off": False, "duplicate": 0, "shuffle": False}


def signature(payload: bytes, secret: str, at: int) -> str:
    """The `Stripe-Signature` header: the time, and an HMAC-SHA256 over time, dot and body."""
    mac = hmac.new(secret.encode(), str(at).encode() + b"." + payload, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"


def backoff(attempts: int) -> int:
    """Seconds until the next try: a minute, then twice as long each time, at most six hours."""
    return min(60 << min(attempts - 1, 10), 6 * HOUR)


@dataclass(frozen=True)
class Parcel:
    id: int
    event: dict[str, Any]
    url: str
    secret: str
    attempts: int


class Courier:
    """Delivers what `World.emit` wrote down. One round at a time."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.session = requests.Session()
        self.session.trust_env = False  # this machine is never behind a proxy
        self.lock = asyncio.Lock()
        self.commands = {"webhooks": self._set_habits, "endpoints": self._set_endpoints}

    # -- endpoints --

    def endpoints(self) -> list[dict[str, Any]]:
        return self.engine.store.setting("endpoints") or []

    def add(self, fields: dict[str, Any]) -> dict[str, Any]:
        """`url` (loopback only), `secret`, `enabled_events`, `scope` (all, platform, connect), `delay` seconds."""
        if urlsplit(fields["url"]).hostname not in LOOPBACK:
            raise ValueError("the sandbox sends webhooks to this machine only")
        with self.engine.store.transaction():
            number = self.engine.store.next("we")
            made = {
                "id": spell(self.engine.seed, "we", number),
                "secret": spell(self.engine.seed, "whsec", number, 32),
                **fields,
            }
            self.engine.store.set("endpoints", [*self.endpoints(), made])
        return made

    def remove(self, id_: str | None = None) -> None:
        """One endpoint, or all; what was still to be delivered there is dropped."""
        with self.engine.store.transaction():
            left = [each for each in self.endpoints() if id_ and each["id"] != id_]
            self.engine.store.set("endpoints", left)

    def _set_endpoints(self, body: dict[str, Any]) -> dict[str, Any]:
        """`{}` lists them, `{"remove": id or null}` removes one or all, else one is added."""
        if "remove" in body:
            self.remove(body["remove"])
        elif body:
            return self.add(body)
        return {"endpoints": self.endpoints()}

    def _set_habits(self, body: dict[str, Any]) -> dict[str, Any]:
        """`auto`, `off`, `duplicate`, `shuffle`: see `DEFAULTS`."""
        if body:
            with self.engine.store.transaction():
                self.engine.store.set("webhooks", {**self.habits(), **body})
        return self.habits()

    # -- delivery --

    def habits(self) -> dict[str, Any]:
        return {**DEFAULTS, **(self.engine.store.setting("webhooks") or {})}

    async def deliver(self, *, everything: bool = False) -> dict[str, int]:
        """Send what is due (`everything`: what waits for a retry too); how many arrived and how many did not."""
        async with self.lock:
            count = {"delivered": 0, "failed": 0}
            for parcel in self._round(everything):
                for _ in range(1 + self.habits()["duplicate"]):
                    arrived = await asyncio.to_thread(self._send, parcel)
                self._note(parcel, arrived)
                count["delivered" if arrived else "failed"] += 1
            return count

    def _round(self, everything: bool) -> list[Parcel]:
        habits = self.habits()
        if habits["off"]:
            return []
        rows = self.engine.store.db.execute(
            "select deliveries.id, body, endpoint, attempts from deliveries join objects on objects.id = event"
            " where done = 0 and due <= ? order by deliveries.id limit 1000",
            (2**62 if everything else self.engine.now,),
        ).fetchall()
        known = {each["id"]: each for each in self.endpoints()}
        parcels = [
            Parcel(row[0], json.loads(row[1]), known[row[2]]["url"], known[row[2]]["secret"], row[3])
            for row in rows
            if row[2] in known
        ]
        if habits["shuffle"]:
            random.Random(f"{self.engine.seed}:{len(parcels)}").shuffle(parcels)
        return parcels

    def _send(self, parcel: Parcel) -> bool:
        payload = json.dumps(parcel.event).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(payload, parcel.secret, self.engine.now),
            "User-Agent": "Stripe/1.0 (sandbox)",
        }
        try:
            reply = self.session.post(
                parcel.url, payload, headers=headers, timeout=TIMEOUT, allow_redirects=False
            )
        except requests.RequestException:
            return False
        return reply.ok and not reply.is_redirect

    def _note(self, parcel: Parcel, arrived: bool) -> None:
        attempts, now = parcel.attempts + 1, self.engine.now
        given_up = now - parcel.event["created"] > 3 * DAY
        with self.engine.store.transaction():
            self.engine.store.db.execute(
                "update deliveries set attempts = ?, done = ?, due = ? where id = ?",
                (attempts, 1 if arrived else 2 if given_up else 0, now + backoff(attempts), parcel.id),
            )
