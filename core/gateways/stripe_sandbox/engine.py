"""The sandbox without the wire: one request in, one answer out, in one transaction.

Idempotency as Stripe's v1 has it: the first answer to a key is kept and replayed, 500s included; other parameters with
the same key are refused; keys are forgotten after a day of the sandbox's clock, and then the same key does it again.
Not kept: refusals for wrong parameters, for load (429), for a key in use (409), and for a bad API key.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.gateways.stripe_sandbox import errors, faults, parameters, routes, timers
from core.gateways.stripe_sandbox.errors import ApiError
from core.gateways.stripe_sandbox.faults import Fault
from core.gateways.stripe_sandbox.rendering import rendered
from core.gateways.stripe_sandbox.store import Store
from core.gateways.stripe_sandbox.terms import Terms
from core.gateways.stripe_sandbox.world import PLATFORM, World

TEST_KEYS = ("sk_test_", "rk_test_")


@dataclass(frozen=True)
class Call:
    """A request as it came: `query` and `body` are nested, the rest are headers."""

    method: str
    path: str
    query: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    authorization: str = ""
    key: str | None = None
    account: str = PLATFORM
    base: str = ""

    @property
    def fingerprint(self) -> str:
        """What must be the same for an answer to be replayed."""
        text = json.dumps([self.method, self.path, self.query, _loggable(self.body)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Answer:
    """`silent`: do not answer, but drop the connection after so many seconds."""

    status: int
    text: str
    request_id: str
    replayed: bool = False
    silent: float | None = None


class Engine:
    """The state of one sandbox in one folder. Used by one thread."""

    def __init__(self, folder: Path, seed: str) -> None:
        self.store = Store(folder)
        self.seed = seed
        self.log = (folder / "stripe-sandbox.jsonl").open("a", encoding="utf-8")
        self._copies: dict[str, sqlite3.Connection] = {}
        self._read_settings()

    def _read_settings(self) -> None:
        self.terms = Terms.of(self.store.setting("terms"))
        self._clock: int | None = self.store.setting("clock")
        self._ahead: float = self.store.setting("ahead") or 0.0

    def close(self) -> None:
        self.log.close()
        self.store.close()

    # -- time --

    @property
    def now(self) -> int:
        """Seconds since 1970: the wall clock, or so many seconds ahead of it, until it was set."""
        return int(time.time() + self._ahead) if self._clock is None else self._clock

    @property
    def on_wall_clock(self) -> bool:
        return self._clock is None

    def set_clock(self, at: int | None, *, ahead: float = 0.0) -> int:
        """Stand still at `at` (None: follow the wall clock, so many seconds ahead) and do what is due by then."""
        with self.store.transaction():
            self._clock, self._ahead = at, ahead
            self.store.set("clock", at)
            self.store.set("ahead", ahead)
            return timers.run_due(self.world())

    def next_timer(self) -> int | None:
        """When something happens by itself next."""
        row = self.store.db.execute("select min(at) from timers").fetchone()
        return None if row[0] is None else int(row[0])

    def reset(self) -> None:
        """As new, but for the request log."""
        with self.store.transaction():
            self.store.reset()
        self.terms, self._clock, self._ahead = Terms(), None, 0.0

    def keep(self, name: str) -> None:
        """Remember everything as it is now, as long as this process lives."""
        self._copies[name] = self.store.copy()

    def bring_back(self, name: str) -> None:
        """Everything as it was when it was kept under this name, or `KeyError`."""
        self.store.become(self._copies[name])
        self._read_settings()

    def tick(self) -> None:
        """Let what is due happen."""
        due = self.next_timer()
        if due is not None and due <= self.now:
            with self.store.transaction():
                timers.run_due(self.world())

    def world(self, **fields: Any) -> World:
        return World(self.store, self.terms, self.seed, self.now, **fields)

    # -- requests --

    def answer(self, call: Call) -> Answer:
        """Do what was asked, keep the answer, write the log."""
        with self.store.transaction():
            world = self.world(account=call.account, key=call.key, base=call.base)
            timers.run_due(world)
            world.request_id = world.id("req")
            fault = faults.take(self.store, call.method, call.path)
            answer = self._answer(world, call, fault)
        self._write(call, answer)
        return answer

    def _answer(self, world: World, call: Call, fault: Fault | None) -> Answer:
        try:
            self._admit(world, call)
            if (
                fault
                and not fault.worked
                and (fault.silent or fault.kind in ("429", "409", "short", "declined"))
            ):
                return self._failed(world, call, fault)
            if kept := self._kept(world, call):
                return kept
        except ApiError as refusal:
            return _answered(world, refusal.status, refusal.body)
        answer, stored = self._work(world, call, fault)
        if stored and call.key and call.method == "POST":
            self._keep(world, call, answer)
        return self._failed(world, call, fault, answer) if fault and fault.silent else answer

    def _admit(self, world: World, call: Call) -> None:
        key = call.authorization.removeprefix("Bearer ").strip()
        if not key:
            raise errors.unauthorized("You did not provide an API key.")
        if not key.startswith(TEST_KEYS):
            raise errors.unauthorized("The sandbox takes only test keys (sk_test_…); this is none.")
        if call.account:
            found = self.store.get(call.account)
            if found is None or found[0]["object"] != "account":
                raise errors.forbidden(call.account)

    def _failed(self, world: World, call: Call, fault: Fault, done: Answer | None = None) -> Answer:
        if fault.silent:
            text = done.text if done else "null"
            seconds = fault.seconds if fault.kind == "timeout" else 0.0
            return Answer(done.status if done else 0, text, world.request_id or "", silent=seconds)
        refusal = _refusal(fault, call)
        return _answered(world, refusal.status, refusal.body)

    def _work(self, world: World, call: Call, fault: Fault | None) -> tuple[Answer, bool]:
        """The answer, and whether it is kept. What a refused request began is undone, but for a declined card."""
        db = self.store.db
        db.execute("savepoint work")
        try:
            if fault and fault.kind == "500" and not fault.worked:
                raise errors.broken()
            body = self._do(world, call)
            answer, stored = _answered(world, 200, body), True
        except ApiError as refusal:
            if not refusal.work_kept:
                db.execute("rollback to work")
            answer, stored = _answered(world, refusal.status, refusal.body), refusal.stored
        db.execute("release work")
        if fault and fault.worked and not fault.silent:
            failure = _refusal(fault, call)
            return _answered(world, failure.status, failure.body), failure.stored
        return answer, stored

    def _do(self, world: World, call: Call) -> dict[str, Any]:
        found = routes.find(call.method, call.path)
        if found is None:
            raise errors.no_route(call.method, call.path)
        route, ids = found
        params = parameters.check(route.params, {**call.query, **call.body})
        expand = params.pop("expand", [])
        return rendered(world, route.answer(world, params, **ids), expand)

    # -- idempotency --

    def _kept(self, world: World, call: Call) -> Answer | None:
        if not call.key or call.method != "POST":
            return None
        self.store.db.execute("delete from answers where at <= ?", (world.now - self.terms.prune_after,))
        row = self.store.db.execute(
            "select request, status, body, request_id from answers where account = ? and key = ?",
            (call.account, call.key),
        ).fetchone()
        if row is None:
            return None
        if row[0] != call.fingerprint:
            raise errors.other_parameters(call.key)
        return Answer(row[1], row[2], row[3], replayed=True)

    def _keep(self, world: World, call: Call, answer: Answer) -> None:
        self.store.db.execute(
            "insert into answers values (?, ?, ?, ?, ?, ?, ?)",
            (
                call.account,
                call.key,
                world.now,
                call.fingerprint,
                answer.status,
                answer.text,
                answer.request_id,
            ),
        )

    # -- log --

    def _write(self, call: Call, answer: Answer) -> None:
        line = {
            "at": self.now,
            "method": call.method,
            "path": call.path,
            "query": call.query,
            "body": _loggable(call.body),
            "idempotency_key": call.key,
            "account": call.account or None,
            "status": answer.status,
            "request_id": answer.request_id,
            "replayed": answer.replayed,
            "dropped": answer.silent is not None,
        }
        self.log.write(f'{json.dumps(line)[:-1]}, "response": {answer.text}}}\n')
        self.log.flush()


def _refusal(fault: Fault, call: Call) -> ApiError:
    known = {
        "500": errors.broken(),
        "429": errors.too_many(),
        "short": errors.too_little(),
        "declined": errors.card_declined(
            "Your card has insufficient funds.", code="card_declined", decline_code="insufficient_funds"
        ),
    }
    return known.get(fault.kind) or errors.key_in_use(call.key)


def _answered(world: World, status: int, body: dict[str, Any]) -> Answer:
    return Answer(status, json.dumps(body), world.request_id or "")


def _loggable(body: dict[str, Any]) -> dict[str, Any]:
    """The parameters, with a file's name, size and fingerprint in the place of its bytes."""
    return {name: _brief(value) for name, value in body.items()}


def _brief(value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    name, content = value
    return {"filename": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
