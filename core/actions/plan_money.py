"""The money of a plan: every amount, the journal, what is booked later, the exact calls, the balances."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from core.actions import payouts, receivables, refunds, release
from core.actions.dossier import Dossier
from core.actions.keys import idempotency_key, operation_key
from core.ledger import accounts, postings
from core.ledger.journal import Journal
from core.money import Money, stripe_exact
from core.rules.splits import Split


def movements(
    session: Session, dossier: Dossier, split: Split, *, key: str, cause: dict[str, Any]
) -> dict[str, Any]:
    """What a division moves: amounts, the journal, what is booked later, the exact calls, balances."""
    kept = receivables.to_keep_back(session, dossier, split.release)
    return {
        "amounts": amounts(dossier, split, kept),
        "journal": _journal(release.split_journal(dossier, split, key=key, cause=cause)),
        "expected": [_journal(each) for each in _expected(session, dossier, split, kept, key)],
        "operations": _operations(session, dossier, split, kept, key),
        "balances": _balances(dossier, split),
    }


def amounts(dossier: Dossier, split: Split, kept_back: Money) -> dict[str, Any]:
    """Every amount of the decision in minor units; what each side has in the end is among them.

    `kept_back` of the release settles what the payee owes, and is named only where there is such a debt.
    """
    method, fee = None, dossier.money(0)
    if (paid := split.release - kept_back).is_positive:
        method, fee = payouts.terms(dossier, paid)
    return {
        "currency": dossier.milestone.currency,
        "held": dossier.order.held_minor,
        "charged": dossier.order.charge_minor,
        "release": split.release.minor,
        "refund": split.refund.minor,
        "fee_kept": split.fee_kept.minor,
        "fee_returned": split.fee_returned.minor,
        "concession": split.concession.minor,
        "refund_total": split.total_refund.minor,
        "withdrawal_method": method.value if method else None,
        "withdrawal_fee": fee.minor,
        **({"kept_back": kept_back.minor} if kept_back.is_positive else {}),
        "payee_net": (paid - fee).minor,
        "payer_net_cost": dossier.order.charge_minor - split.total_refund.minor,
    }


def _journal(journal: Journal) -> dict[str, Any]:
    return {
        "key": journal.key,
        "kind": journal.kind,
        "currency": journal.currency,
        "postings": [{"account": each.account, "amount": each.amount.minor} for each in journal.postings],
    }


def _expected(session: Session, dossier: Dossier, split: Split, kept: Money, key: str) -> list[Journal]:
    """What will be booked when Stripe has done its part, if it takes no fee of its own for it."""
    later: list[Journal] = []
    cause: dict[str, Any] = {}
    milestone_id = dossier.milestone.id
    if kept.is_positive:
        later.append(
            postings.receivable_offset(
                key=f"{key}.kept_back",
                party_id=dossier.payee.id,
                amount=kept,
                cause=cause,
                milestone_id=milestone_id,
            )
        )
    if (paid := split.release - kept).is_positive and dossier.payee.auto_withdraw:
        later.append(
            postings.withdrawal(
                key=operation_key(session, key, "transfer"),
                party_id=dossier.payee.id,
                amount=paid,
                fee=payouts.terms(dossier, paid)[1],
                cause=cause,
                milestone_id=milestone_id,
            )
        )
    if split.total_refund.is_positive:
        later.append(
            postings.refund_succeeded(
                key=operation_key(session, key, "refund"),
                milestone_id=milestone_id,
                party_id=dossier.payer.id,
                amount=split.total_refund,
                fee=dossier.money(0),
                cause=cause,
            )
        )
    return later


def _operations(
    session: Session, dossier: Dossier, split: Split, kept: Money, key: str
) -> list[dict[str, Any]]:
    """The exact calls, with the keys they will carry; the payout follows once the transfer is booked."""
    calls: list[dict[str, Any]] = []
    if split.total_refund.is_positive:
        refund = _call("REFUND", "/v1/refunds", operation_key(session, key, "refund"))
        amount = stripe_exact(split.total_refund)
        calls.append({**refund, "params": {"amount": amount.minor, **refunds.refund_payload(dossier)}})
    paid = split.release - kept
    if paid.is_positive and dossier.payee.auto_withdraw:
        method, fee = payouts.terms(dossier, paid)
        sent = stripe_exact(paid - fee)
        currency = sent.currency.lower()
        transfer = _call("TRANSFER", "/v1/transfers", operation_key(session, key, "transfer"))
        params = {"amount": sent.minor, "currency": currency, **payouts.transfer_payload(dossier)}
        calls.append({**transfer, "params": params})
        payout = _call("PAYOUT", "/v1/payouts", operation_key(session, key, "payout"))
        speed = "instant" if method.value == "instant" else "standard"
        params = {"amount": sent.minor, "currency": currency, "method": speed}
        calls.append({**payout, "account": dossier.payee.stripe_account, "params": params})
    return calls


def _call(kind: str, path: str, key: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "key": key,
        "idempotency_key": idempotency_key(key, 1),
        "method": "POST",
        "path": path,
        "account": None,
    }


def _balances(dossier: Dossier, split: Split) -> list[dict[str, Any]]:
    """The milestone's own accounts before and after, as positive amounts owed. Shared accounts are shown as changes,
    because other milestones move them meanwhile."""
    order, milestone_id = dossier.order, dossier.milestone.id
    held = order.held_minor
    return [
        {"account": accounts.held(milestone_id), "before": held, "after": 0},
        {
            "account": accounts.deferred_platform_fee(milestone_id),
            "before": order.platform_fee_minor,
            "after": order.platform_fee_minor - split.fee_kept.minor - split.fee_returned.minor,
        },
        {"account": accounts.refund_payable(milestone_id), "before": 0, "after": split.total_refund.minor},
        {"account": accounts.payee_payable(dossier.payee.id), "change": split.release.minor},
        {"account": accounts.PLATFORM_FEE_REVENUE, "change": split.fee_kept.minor},
    ]
