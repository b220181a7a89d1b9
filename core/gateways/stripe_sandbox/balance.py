"""Balances and their lines. Every movement of money is one balance transaction with `net = amount - fee`."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from core.gateways.stripe_sandbox.listing import listed
from core.gateways.stripe_sandbox.store import Object
from core.gateways.stripe_sandbox.world import World

SETTLED = ("aud", "cad", "chf", "eur", "gbp", "jpy", "kwd", "usd")
DIGITS = {"jpy": 0, "kwd": 3}
CATEGORIES = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund_failure",
    "transfer": "transfer",
    "transfer_refund": "transfer_reversal",
    "payout": "payout",
    "payout_failure": "payout_reversal",
    "payout_cancel": "payout_reversal",
    "topup": "topup",
}


def book(
    world: World,
    type_: str,
    amount: int,
    currency: str,
    source: str | None,
    *,
    fee: int = 0,
    available_on: int | None = None,
    category: str | None = None,
    description: str | None = None,
    rate: str | None = None,
) -> Object:
    """Write a line on the balance of the world's account. `amount` and `fee` are signed; `rate` of a conversion."""
    net, ready = amount - fee, available_on if available_on is not None else world.now
    line = world.add(
        {
            "id": world.id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": ready,
            "balance_type": "payments",
            "created": world.now,
            "currency": currency,
            "description": description,
            "exchange_rate": None if rate is None else float(rate),
            "fee": fee,
            "fee_details": [_fee_detail(fee, currency)] if fee else [],
            "net": net,
            "reporting_category": category or CATEGORIES[type_],
            "source": source,
            "status": "pending",
            "type": type_,
        }
    )
    _count(world, line, net, ready)
    return line


def amend(world: World, line: Object, amount: int | None, fee: int | None) -> Object:
    """State a line of now otherwise; the balance follows."""
    amount, fee = line["amount"] if amount is None else amount, line["fee"] if fee is None else fee
    more = amount - fee - line["net"]
    _count(world, line, more, world.now)
    details = [_fee_detail(fee, line["currency"])] if fee else []
    return world.change(line, amount=amount, fee=fee, net=line["net"] + more, fee_details=details)


def conversions(world: World) -> dict[str, dict[str, str]]:
    """The currencies that the platform's account does not settle in: what they are converted into, at what rate."""
    return world.store.setting("conversions") or {}


def settled(
    world: World, amount: int, currency: str, paid: Object | None = None
) -> tuple[int, str, str | None]:
    """An amount as it comes onto the balance: itself, or converted at the rate of the day, in minor units. Of what a
    payment goes back by: as `paid`, the payment's own line, was, whatever the settings are by then."""
    found = conversions(world).get(currency)
    if paid is not None and paid["currency"] == currency:
        found = None
    elif paid is not None:
        found = found or {"into": paid["currency"], "rate": str(paid["exchange_rate"])}
    if found is None:
        return amount, currency, None
    scale = Decimal(10) ** (DIGITS.get(found["into"], 2) - DIGITS.get(currency, 2))
    exact = Decimal(amount) * Decimal(found["rate"]) * scale
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP)), found["into"], found["rate"]


def line_of(world: World, obj: Object) -> Object | None:
    """The line of a charge or a refund, once it is booked."""
    found = world.store.get(obj["balance_transaction"] or "")
    return found[0] if found else None


def _count(world: World, line: Object, net: int, ready: int) -> None:
    db, currency = world.store.db, line["currency"]
    db.execute(
        "insert into totals values (?, ?, ?) on conflict do update set net = net + excluded.net",
        (world.account, currency, net),
    )
    if ready > world.now:
        db.execute(
            "insert into lines values (?, ?, ?, ?, ?)", (line["id"], world.account, currency, net, ready)
        )


def _fee_detail(fee: int, currency: str) -> dict[str, Any]:
    return {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": "Processing fee",
        "type": "stripe_fee",
    }


def pending(world: World, currency: str) -> int:
    row = world.store.db.execute(
        "select coalesce(sum(net), 0) from lines where account = ? and currency = ? and available_on > ?",
        (world.account, currency, world.now),
    ).fetchone()
    return int(row[0])


def available(world: World, currency: str) -> int:
    row = world.store.db.execute(
        "select net from totals where account = ? and currency = ?", (world.account, currency)
    ).fetchone()
    return (int(row[0]) if row else 0) - pending(world, currency)


def retrieve(world: World, params: dict[str, Any]) -> Object:
    """GET /v1/balance"""
    rows = world.store.db.execute(
        "select currency from totals where account = ? order by currency", (world.account,)
    ).fetchall()
    kept_in = [] if world.account else [each for each in SETTLED if each not in conversions(world)]
    currencies = sorted({*(row[0] for row in rows), *kept_in}) or ["usd"]
    return {
        "object": "balance",
        "available": [_part(available(world, each), each) for each in currencies],
        "livemode": False,
        "pending": [_part(pending(world, each), each) for each in currencies],
    }


def _part(amount: int, currency: str) -> dict[str, Any]:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}


def retrieve_line(world: World, params: dict[str, Any], id: str) -> Object:
    """GET /v1/balance_transactions/{id}"""
    return world.find("balance_transaction", id)


def index_lines(world: World, params: dict[str, Any]) -> Object:
    """GET /v1/balance_transactions"""
    return listed(world, "balance_transaction", params, "/v1/balance_transactions")


def top_up(world: World, amount: int, currency: str) -> Object:
    """The platform's own float: money that is there before anybody pays (a control, not a route of Stripe's)."""
    return book(world, "topup", amount, currency, None, description="Float")
