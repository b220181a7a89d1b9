"""Stripe's objects as our snapshots: one function per kind. Nothing else knows how Stripe names its fields."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.gateways.snapshots import (
    AccountLinkSnapshot,
    BalanceLine,
    BankSnapshot,
    ChargeSnapshot,
    CustomerSnapshot,
    DisputeSnapshot,
    MethodSnapshot,
    PaidWith,
    PayeeAccountSnapshot,
    PayoutSnapshot,
    ProviderEvent,
    RefundSnapshot,
    ReversalSnapshot,
    SetupSnapshot,
    TransferSnapshot,
)
from core.money import Money

Fields = Mapping[str, Any]


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def money(minor: int, currency: str) -> Money:
    return Money(minor, currency.upper())


def id_of(value: Any) -> str | None:
    """The id, whether Stripe sent only that or the whole object."""
    found: str | None = value["id"] if isinstance(value, Mapping) else value
    return found


def _sent(obj: Fields) -> dict[str, Any]:
    """What every object we send has: its id and time, our operation and key."""
    metadata = obj.get("metadata") or {}
    return {
        "id": obj["id"],
        "created": moment(obj["created"]),
        "op": metadata.get("op"),
        "key": metadata.get("key"),
    }


def line(obj: Fields) -> BalanceLine:
    return BalanceLine(
        id=obj["id"],
        type=obj["type"],
        reporting_category=obj["reporting_category"],
        amount=obj["amount"],
        fee=obj["fee"],
        net=obj["net"],
        currency=obj["currency"].upper(),
        source=id_of(obj["source"]),
        created=moment(obj["created"]),
        available_on=moment(obj["available_on"]),
        status=obj["status"],
        description=obj.get("description"),
        exchange_rate=None if obj.get("exchange_rate") is None else str(obj["exchange_rate"]),
    )


def _lines(*candidates: Any) -> tuple[BalanceLine, ...]:
    """The lines that were expanded; what is missing was not booked yet."""
    return tuple(line(each) for each in candidates if isinstance(each, Mapping))


def charge(intent: Fields, made: Fields | None = None) -> ChargeSnapshot:
    """Of a payment intent with `latest_charge.balance_transaction` expanded, or of an intent and one of its charges."""
    latest = made or intent.get("latest_charge")
    made = latest if isinstance(latest, Mapping) else {}
    error = intent.get("last_payment_error") or {}
    return ChargeSnapshot(
        **_sent(intent),
        status=intent["status"],
        amount=money(intent["amount"], intent["currency"]),
        charge=id_of(latest),
        refunded=money(made.get("amount_refunded", 0), intent["currency"]),
        disputed=bool(made.get("disputed")),
        customer=id_of(intent.get("customer")),
        payment_method=id_of(intent.get("payment_method")),
        transfer_group=intent.get("transfer_group"),
        failure_code=error.get("decline_code") or error.get("code"),
        failure_message=error.get("message"),
        lines=_lines(made.get("balance_transaction")),
        client_secret=intent.get("client_secret"),
        action_url=_action_url(intent.get("next_action") or {}),
        paid_by=_paid_by(made.get("payment_method_details") or {}),
        paid_with=_paid_with(made.get("payment_method_details") or {}),
        by_card=_tried_with(error) in (None, "card"),
    )


def _paid_by(details: Fields) -> str | None:
    """The kind of means, or the card's brand, and its last digits, where the provider tells them."""
    kind = details.get("type")
    if kind is None:
        return None
    told = details.get(kind) or {}
    name = str(told.get("brand") or kind).replace("_", " ")
    digits = f" ending in {told['last4']}" if told.get("last4") else ""
    return f"{name[0].upper()}{name[1:]}{digits}"


def _paid_with(details: Fields) -> PaidWith | None:
    kind = details.get("type")
    if kind is None:
        return None
    told = details.get(kind) or {}
    card = told if kind == "card" else {}
    return PaidWith(
        kind, brand=card.get("brand"), funding=card.get("funding"), country=told.get("country") or None
    )


def _tried_with(error: Fields) -> str | None:
    """The kind of payment method that was refused."""
    method = error.get("payment_method")
    return method.get("type") if isinstance(method, Mapping) else None


def _action_url(action: Fields) -> str | None:
    """The page of the payer's bank, where they can be sent back from it."""
    found: str | None = (action.get("redirect_to_url") or {}).get("url")
    return found


def refund(obj: Fields) -> RefundSnapshot:
    return RefundSnapshot(
        **_sent(obj),
        status=obj.get("status") or "pending",
        amount=money(obj["amount"], obj["currency"]),
        payment_intent=id_of(obj.get("payment_intent")),
        charge=id_of(obj.get("charge")),
        reason=obj.get("reason"),
        pending_reason=obj.get("pending_reason"),
        failure_code=obj.get("failure_reason"),
        failure_message=None,
        lines=_lines(obj.get("balance_transaction"), obj.get("failure_balance_transaction")),
    )


def transfer(obj: Fields) -> TransferSnapshot:
    back = obj["amount_reversed"]
    return TransferSnapshot(
        **_sent(obj),
        status="reversed" if obj["reversed"] else "partially_reversed" if back else "paid",
        amount=money(obj["amount"], obj["currency"]),
        reversed=money(back, obj["currency"]),
        destination=id_of(obj.get("destination")),
        destination_payment=id_of(obj.get("destination_payment")),
        source_transaction=id_of(obj.get("source_transaction")),
        transfer_group=obj.get("transfer_group"),
        lines=_lines(obj.get("balance_transaction")),
    )


def reversal(obj: Fields) -> ReversalSnapshot:
    return ReversalSnapshot(
        **_sent(obj),
        status="paid",
        amount=money(obj["amount"], obj["currency"]),
        transfer=id_of(obj["transfer"]) or "",
        lines=_lines(obj.get("balance_transaction")),
    )


def payout(obj: Fields, account: str | None) -> PayoutSnapshot:
    return PayoutSnapshot(
        **_sent(obj),
        status=obj["status"],
        amount=money(obj["amount"], obj["currency"]),
        account=account,
        method=obj["method"],
        destination=id_of(obj.get("destination")),
        arrival=moment(obj["arrival_date"]),
        automatic=obj["automatic"],
        failure_code=obj.get("failure_code"),
        failure_message=obj.get("failure_message"),
        lines=_lines(obj.get("balance_transaction"), obj.get("failure_balance_transaction")),
    )


def dispute(obj: Fields) -> DisputeSnapshot:
    """`due_by` 0 or missing means that no answer is allowed."""
    details = obj["evidence_details"]
    due_by = details.get("due_by")
    card = (obj.get("payment_method_details") or {}).get("card") or {}
    return DisputeSnapshot(
        id=obj["id"],
        created=moment(obj["created"]),
        op=(obj.get("metadata") or {}).get("op"),
        status=obj["status"],
        amount=money(obj["amount"], obj["currency"]),
        reason=obj["reason"],
        charge=id_of(obj["charge"]) or "",
        payment_intent=id_of(obj.get("payment_intent")),
        due_by=moment(due_by) if due_by else None,
        past_due=details["past_due"],
        has_evidence=details["has_evidence"],
        submission_count=details["submission_count"],
        refundable=obj["is_charge_refundable"],
        lines=_lines(*obj["balance_transactions"]),
        network=card.get("network") or card.get("brand"),
        network_code=card.get("network_reason_code") or obj.get("network_reason_code"),
    )


def customer(obj: Fields) -> CustomerSnapshot:
    return CustomerSnapshot(**_sent(obj))


def payee_account(obj: Fields) -> PayeeAccountSnapshot:
    currency = obj.get("default_currency") or ""
    banks = (obj.get("external_accounts") or {}).get("data", [])
    ours = [each for each in banks if each.get("default_for_currency") and each.get("currency") == currency]
    bank = (ours or banks or [{}])[0]
    return PayeeAccountSnapshot(
        **_sent(obj),
        country=obj.get("country") or "",
        currency=currency.upper(),
        payouts_enabled=bool(obj.get("payouts_enabled")),
        bank=bank.get("id"),
        bank_status=bank.get("status"),
        bank_last4=bank.get("last4"),
        banks=tuple(_bank(each) for each in banks if each.get("currency") and _default(each, banks)),
        transfers=(obj.get("capabilities") or {}).get("transfers") or "unrequested",
        details_submitted=bool(obj.get("details_submitted")),
        **_requirements(obj.get("requirements") or {}),
    )


def _default(bank: Fields, banks: list[Fields]) -> bool:
    """The default of its currency, or the only one there is."""
    same = [each for each in banks if each.get("currency") == bank["currency"]]
    return bool(bank.get("default_for_currency")) or len(same) == 1


def _bank(bank: Fields) -> BankSnapshot:
    return BankSnapshot(
        id=bank.get("fingerprint") or bank["id"],
        called=bank["id"],
        currency=bank["currency"].upper(),
        last4=bank.get("last4") or "",
        usable=bank.get("status") != "errored",
    )


def _requirements(due: Fields) -> dict[str, Any]:
    deadline = due.get("current_deadline")
    return {
        **{
            name: tuple(due.get(name) or ()) for name in ("currently_due", "past_due", "pending_verification")
        },
        "disabled_reason": due.get("disabled_reason"),
        "due_at": moment(deadline) if deadline is not None else None,
    }


def method(obj: Fields) -> MethodSnapshot:
    told = obj.get(obj["type"]) or {}
    return MethodSnapshot(obj["type"], brand=told.get("brand"), last4=told.get("last4"))


def set_up(obj: Fields) -> SetupSnapshot:
    error, given = obj.get("last_setup_error") or {}, obj.get("payment_method")
    return SetupSnapshot(
        id=obj["id"],
        status=obj["status"],
        created=moment(obj["created"]),
        customer=id_of(obj.get("customer")),
        payment_method=id_of(given),
        failure_code=error.get("decline_code") or error.get("code"),
        client_secret=obj.get("client_secret"),
        method=method(given) if isinstance(given, Mapping) else None,
    )


def account_link(obj: Fields) -> AccountLinkSnapshot:
    return AccountLinkSnapshot(url=obj["url"], expires=moment(obj["expires_at"]))


def event(obj: Fields) -> ProviderEvent:
    """Raises KeyError or TypeError for what is no event."""
    about = obj["data"]["object"]
    return ProviderEvent(
        id=obj["id"],
        type=obj["type"],
        account=obj.get("account"),
        created=moment(obj["created"]),
        object_id=about.get("id"),
        object_kind=about["object"],
        payload=obj,
    )
