"""`/_sandbox/…`: the hand that moves the clock, breaks things and plays the customer's bank. Not part of Stripe."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from core.gateways.stripe_sandbox import (
    account_links,
    accounts,
    balance,
    disputes,
    faults,
    onboarding,
    payment_intents,
    payouts,
    refunds,
    setup_intents,
)
from core.gateways.stripe_sandbox.engine import Engine
from core.gateways.stripe_sandbox.errors import missing
from core.gateways.stripe_sandbox.rendering import rendered
from core.gateways.stripe_sandbox.terms import Terms
from core.gateways.stripe_sandbox.world import World

Body = dict[str, Any]


def clock(engine: Engine, body: Body) -> Body:
    """`{}` reads it; `{"at": seconds}` sets it, `{"advance": seconds}` moves it on, `{"wall": true}` lets it go, with
    `"ahead": seconds` before the computer's. `next`: when something happens by itself."""
    if body.get("wall"):
        engine.set_clock(None, ahead=float(body.get("ahead", 0)))
    elif "at" in body or "advance" in body:
        engine.set_clock(int(body.get("at", engine.now)) + int(body.get("advance", 0)))
    return {"now": engine.now, "wall": engine.on_wall_clock, "next": engine.next_timer()}


def order_faults(engine: Engine, body: Body) -> Body:
    """`{"clear": true}`, or one fault to add."""
    with engine.store.transaction():
        if body.pop("clear", False):
            faults.clear(engine.store)
        if body:
            faults.add(engine.store, body)
        return {"faults": faults.ordered(engine.store)}


def terms(engine: Engine, body: Body) -> Body:
    """Fees and times; see `Terms`."""
    with engine.store.transaction():
        changed = Terms(**{**asdict(engine.terms), **body})
        engine.store.set("terms", asdict(changed))
    engine.terms = changed
    return asdict(changed)


def orders(engine: Engine, body: Body) -> Body:
    """What happens to the next ones: `{"refunds": [{"status"}], "payouts": [{"code", "after_paid"}]}`."""
    with engine.store.transaction():
        for name in ("refunds", "payouts"):
            if name in body:
                engine.store.set(f"{name[:-1]}_orders", body[name])
    return {name: engine.store.setting(f"{name[:-1]}_orders") or [] for name in ("refunds", "payouts")}


def convert(engine: Engine, body: Body) -> Body:
    """`{"currency", "into", "rate"}`: not settled in any more, but converted; without `into`, settled in again."""
    with engine.store.transaction():
        found = engine.store.setting("conversions") or {}
        found.pop(body["currency"].lower(), None)
        if body.get("into"):
            found[body["currency"].lower()] = {"into": body["into"].lower(), "rate": str(body["rate"])}
        engine.store.set("conversions", found)
    return {"conversions": found}


def set_float(engine: Engine, body: Body) -> Body:
    """Give the platform (or `account`) money of its own: `{"amount": …, "currency": …}`."""
    with engine.store.transaction():
        world = engine.world(account=body.get("account", ""))
        return rendered(world, balance.top_up(world, int(body["amount"]), body["currency"].lower()), [])


def book_line(engine: Engine, body: Body) -> Body:
    """Any line that Stripe might write by itself: `{"type", "amount", "currency", "category"?, "source"?, "fee"?}`"""
    with engine.store.transaction():
        world = engine.world()
        line = balance.book(
            world,
            body["type"],
            int(body["amount"]),
            body["currency"].lower(),
            body.get("source"),
            fee=int(body.get("fee", 0)),
            category=body.get("category") or balance.CATEGORIES.get(body["type"], "other"),
        )
        return rendered(world, line, [])


def amend_line(engine: Engine, body: Body) -> Body:
    """`{"id", "amount"?, "fee"?}`: Stripe states a line of the platform's otherwise than before."""

    def work(world: World) -> Body:
        return balance.amend(
            world, world.find("balance_transaction", body["id"]), body.get("amount"), body.get("fee")
        )

    return _on_platform(engine, work)


def authenticate(engine: Engine, body: Body) -> Body:
    """`{"id": "pi_…" or "seti_…", "succeeds"?: false}`: the customer answers their bank, in the browser."""
    found = setup_intents if body["id"].startswith("seti_") else payment_intents
    succeeds = bool(body.get("succeeds", True))
    return _on_platform(engine, lambda world: found.authenticate(world, body["id"], succeeds=succeeds))


def open_dispute(engine: Engine, body: Body) -> Body:
    """`{"charge" or "payment_intent": …, "amount"?, "reason"?, "inquiry"?}`"""

    def work(world: World) -> Body:
        charge_id = (
            body.get("charge") or world.find("payment_intent", body["payment_intent"])["latest_charge"]
        )
        return disputes.open_(
            world,
            world.find("charge", charge_id),
            reason=body.get("reason", "fraudulent"),
            amount=body.get("amount"),
            inquiry=bool(body.get("inquiry")),
        )

    return _on_platform(engine, work)


def decide_dispute(engine: Engine, body: Body) -> Body:
    """`{"id": …, "status": "won" | "lost" | "warning_closed" | "needs_response"}`"""
    return _on_platform(
        engine, lambda world: disputes.decide(world, world.find("dispute", body["id"]), body["status"])
    )


def reinstate_dispute(engine: Engine, body: Body) -> Body:
    """`{"id": …, "status"}`: the bank changes its mind; lines written for it since are the dispute's."""

    def work(world: World) -> Body:
        dispute = world.find("dispute", body["id"])
        lines = world.store.select("kind = 'balance_transaction' and source = ?", (dispute["id"],))
        known = {each["id"] for each in dispute["balance_transactions"]}
        fresh = [{**each, "status": "available"} for each in lines if each["id"] not in known]
        return world.change(
            dispute,
            "charge.dispute.updated",
            status=body["status"],
            balance_transactions=[*dispute["balance_transactions"], *fresh],
        )

    return _on_platform(engine, work)


def move_refund(engine: Engine, body: Body) -> Body:
    """`{"id": …, "status": "succeeded" | "failed" | "canceled" | "requires_action", "reason"?}`"""

    def work(world: World) -> Body:
        if body["status"] == "succeeded":
            refunds.settle(world, body["id"])
        elif body["status"] == "requires_action":
            return world.change(world.find("refund", body["id"]), "refund.updated", status="requires_action")
        else:
            refunds.fail(world, body["id"], body.get("reason", "unknown"), body["status"])
        return world.find("refund", body["id"])

    return _on_platform(engine, work)


def move_payout(engine: Engine, body: Body) -> Body:
    """`{"id": …, "status": "in_transit" | "paid" | "failed", "code"?}`"""
    found = engine.store.get(body["id"])
    if found is None:
        raise missing("payout", body["id"])

    def work(world: World) -> Body:
        mine = world.on(found[1])
        if body["status"] == "failed":
            payouts.fail(mine, body["id"], body.get("code", "could_not_process"))
        else:
            payouts.step(mine, body["id"], body["status"])
        return mine.find("payout", body["id"])

    return _on_platform(engine, work)


def advance_payouts(engine: Engine, body: Body) -> Body:
    """Every payout that is on its way arrives now; ordered failures still come in their time."""
    rows = engine.store.db.execute(
        "select id, account from objects where kind = 'payout'"
        " and json_extract(body, '$.status') in ('pending', 'in_transit') order by seq"
    ).fetchall()
    with engine.store.transaction():
        for id_, account in rows:
            payouts.step(engine.world(account=account), id_, "paid")
    return {"paid": [row[0] for row in rows]}


def move_account(engine: Engine, body: Body) -> Body:
    """`{"id": …, "to": …}`: `submitted` (with `outcome` and perhaps `bank`: what the payee does on the hosted page),
    `verified`, `unverified`, `demanded` (`fields`, and `after`: seconds until they are past due), `rejected`
    (`reason`), `paused`."""

    def work(world: World) -> Body:
        to = body["to"]
        if to == "submitted":
            return account_links.complete(world, body["id"], body["outcome"], body.get("bank"))
        account = world.find("account", body["id"])
        if to == "verified":
            account |= dict.fromkeys(("_asked", "_pending", "_wrong", "_demand", "_rejected", "_paused"))
        elif to == "unverified":
            onboarding.settle(account, "verification_failed_keyed_identity")
        elif to == "demanded":
            deadline = world.now + int(body["after"])
            account["_demand"] = {"fields": body["fields"], "deadline": deadline}
            world.store.later(deadline, "account.look", account["id"])
        else:
            account |= {"_rejected": body.get("reason", "other")} if to == "rejected" else {"_paused": True}
        return accounts.refresh(world.on(account["id"]), account)

    return _on_platform(engine, work)


def reset(engine: Engine, body: Body) -> Body:
    """Forget everything: objects, keys, faults, fees, endpoints; and follow the wall clock again. The log stays."""
    engine.reset()
    return {"now": engine.now}


def keep(engine: Engine, body: Body) -> Body:
    """`{"name": …}`: remember everything as it is now."""
    engine.keep(body["name"])
    return {"now": engine.now}


def bring_back(engine: Engine, body: Body) -> Body:
    """`{"name": …}`: everything as it was when it was kept, the clock too."""
    engine.bring_back(body["name"])
    return {"now": engine.now}


def news(engine: Engine, body: Body) -> Body:
    """`{"after": n}`: every event that was written since, of every account, oldest first, whoever it was sent to;
    `last` is the `after` of the next question."""
    rows = engine.store.db.execute(
        "select seq, body from objects where kind = 'event' and seq > ? order by seq", (body["after"],)
    ).fetchall()
    return {"events": [json.loads(text) for _, text in rows], "last": rows[-1][0] if rows else body["after"]}


def _on_platform(engine: Engine, work: Callable[[World], Body]) -> Body:
    with engine.store.transaction():
        world = engine.world()
        return rendered(world, work(world), [])


COMMANDS: dict[str, Callable[[Engine, Body], Body]] = {
    "clock": clock,
    "faults": order_faults,
    "terms": terms,
    "orders": orders,
    "conversions": convert,
    "float": set_float,
    "lines": book_line,
    "lines/amend": amend_line,
    "authenticate": authenticate,
    "disputes": open_dispute,
    "disputes/decide": decide_dispute,
    "disputes/reinstate": reinstate_dispute,
    "refunds/move": move_refund,
    "accounts/move": move_account,
    "payouts/move": move_payout,
    "payouts/advance": advance_payouts,
    "reset": reset,
    "keep": keep,
    "bring-back": bring_back,
    "news": news,
}
