"""The money of a plan: every amount, the journal, what is booked later, the exact calls, the balances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.actions.decisions.planned_calls import Call, Calls
from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.operations.operation_keys import idempotency_key
from core.actions.payouts import division
from core.ledger import accounts, postings
from core.ledger.journals import Journal
from core.rules.operations import OperationKind
from core.rules.splits import Split

PATHS: Mapping[str, str] = {
    OperationKind.REFUND: "/v1/refunds",
    OperationKind.TRANSFER: "/v1/transfers",
    OperationKind.PAYOUT: "/v1/payouts",
}


def movements(
    context: MilestoneContext, split: Split, made: Calls, *, key: str, cause: dict[str, Any]
) -> dict[str, Any]:
    """What a split moves: amounts, the journal, what is booked later, the exact operations, and the balances before
    and after."""
    return {
        "amounts": amounts(context, split, made),
        "journal": _journal(division.split_journal(context, split, key=key, cause=cause)),
        "expected": [_journal(each) for each in _expected(context, made, key)],
        "operations": [_operation(each) for each in made],
        "balances": _balances(context, split),
    }


def amounts(context: MilestoneContext, split: Split, made: Calls) -> dict[str, Any]:
    """Every amount of the decision in minor units; what each side has in the end is among them.

    `kept_back` of the release settles what the payee owes, and is named only where there is such a debt.
    """
    paid, chosen = split.release - made.kept_back, made.withdrawal
    fee = chosen.fee if chosen else context.money(0)
    return {
        "currency": context.milestone.currency,
        "held": context.order.held_minor,
        "charged": context.order.charge_minor,
        "release": split.release.minor,
        "refund": split.refund.minor,
        "fee_kept": split.fee_kept.minor,
        "fee_returned": split.fee_returned.minor,
        "concession": split.concession.minor,
        "refund_total": split.total_refund.minor,
        "withdrawal_method": chosen.method.value if chosen else None,
        "withdrawal_fee": fee.minor,
        **({"kept_back": made.kept_back.minor} if made.kept_back.is_positive else {}),
        "payee_net": (paid - fee).minor,
        "payer_net_cost": context.order.charge_minor - split.total_refund.minor,
    }


def _journal(journal: Journal) -> dict[str, Any]:
    return {
        "key": journal.key,
        "kind": journal.kind,
        "currency": journal.currency,
        "postings": [{"account": each.account, "amount": each.amount.minor} for each in journal.postings],
    }


def _expected(context: MilestoneContext, made: Calls, key: str) -> list[Journal]:
    """What will be booked when Stripe has done its part, if it takes no fee of its own for it."""
    later: list[Journal] = []
    cause: dict[str, Any] = {}
    milestone_id = context.milestone.id
    if made.kept_back.is_positive:
        later.append(
            postings.receivable_offset(
                key=f"{key}.kept_back",
                party_id=context.payee.id,
                amount=made.kept_back,
                cause=cause,
                milestone_id=milestone_id,
            )
        )
    if made.transfer is not None and made.withdrawal is not None:
        later.append(
            postings.withdrawal(
                key=made.transfer.key,
                party_id=context.payee.id,
                amount=made.withdrawal.amount,
                fee=made.withdrawal.fee,
                cause=cause,
                milestone_id=milestone_id,
            )
        )
    if made.refund is not None:
        later.append(
            postings.refund_succeeded(
                key=made.refund.key,
                milestone_id=milestone_id,
                party_id=context.payer.id,
                amount=made.refund.amount,
                fee=context.money(0),
                cause=cause,
            )
        )
    return later


def _operation(call: Call) -> dict[str, Any]:
    """The exact call as it is shown and hashed. `waits`: for what, before it can be sent."""
    params = {"amount": call.amount.minor, **call.payload}
    if call.kind != OperationKind.REFUND:
        params["currency"] = call.amount.currency.lower()
    return {
        "kind": call.kind,
        "key": call.key,
        "idempotency_key": idempotency_key(call.key, 1),
        "method": "POST",
        "path": PATHS[call.kind],
        "account": params.pop("account", None),
        "params": params,
        "waits": call.waits.value if call.waits else None,
    }


def _balances(context: MilestoneContext, split: Split) -> list[dict[str, Any]]:
    """The milestone's own accounts before and after, as positive amounts owed. Shared accounts are shown as changes,
    because other milestones move them meanwhile."""
    order, milestone_id = context.order, context.milestone.id
    held = order.held_minor
    return [
        {"account": accounts.held(milestone_id), "before": held, "after": 0},
        {
            "account": accounts.deferred_platform_fee(milestone_id),
            "before": order.platform_fee_minor,
            "after": order.platform_fee_minor - split.fee_kept.minor - split.fee_returned.minor,
        },
        {"account": accounts.refund_payable(milestone_id), "before": 0, "after": split.total_refund.minor},
        {"account": accounts.payee_payable(context.payee.id), "change": split.release.minor},
        {"account": accounts.PLATFORM_FEE_REVENUE, "change": split.fee_kept.minor},
    ]
