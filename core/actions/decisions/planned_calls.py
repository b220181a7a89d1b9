"""The calls that a division of held money asks of Stripe, computed once: what the plan lists is what is queued.

A call that cannot be sent yet stands in the plan with what it waits for, and is sent under the same key when that is
there. Nothing here is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from core.actions.debts import receivables
from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.operations.operation_keys import operation_key
from core.money import Money, stripe_exact
from core.policy import WithdrawalMethod
from core.rules import fees
from core.rules.operations import OperationKind
from core.rules.splits import Split


class Wait(StrEnum):
    """What a planned call waits for."""

    ACCOUNT = "ACCOUNT"
    TRANSFER = "TRANSFER"

    @property
    def sentence(self) -> str:
        return {
            Wait.ACCOUNT: "The payee has no account at Stripe yet. It is sent under this key once there is one.",
            Wait.TRANSFER: "It is sent once the transfer is booked.",
        }[self]


@dataclass(frozen=True)
class Call:
    """One operation, as it is queued. A transfer that waits for an account has the destination None."""

    kind: OperationKind
    key: str
    party_id: int
    amount: Money
    payload: Mapping[str, Any] = field(hash=False)
    waits: Wait | None = None


@dataclass(frozen=True)
class Withdrawal:
    """`amount` leaves the payee's payable, `fee` of it stays with the platform."""

    amount: Money
    fee: Money
    method: WithdrawalMethod


@dataclass(frozen=True)
class Calls:
    """`kept_back` of the release settles what the payee owes; `withdrawal` is None when nothing is sent to them."""

    kept_back: Money
    withdrawal: Withdrawal | None = None
    refund: Call | None = None
    transfer: Call | None = None
    payout: Call | None = None

    def __iter__(self) -> Iterator[Call]:
        return (call for call in (self.refund, self.transfer, self.payout) if call is not None)


@dataclass(frozen=True)
class Asked:
    """What a recorded plan knew of the payee: later choices of theirs change later withdrawals, and not this plan."""

    method: WithdrawalMethod
    had_account: bool

    @classmethod
    def of_plan(cls, plan: Mapping[str, Any]) -> Asked | None:
        method = plan["amounts"]["withdrawal_method"]
        sent = [each["params"] for each in plan["operations"] if each["kind"] == OperationKind.TRANSFER]
        return cls(WithdrawalMethod(method), sent[0]["destination"] is not None) if method and sent else None


def of_split(
    session: Session, context: MilestoneContext, split: Split, *, key: str, asked: Asked | None = None
) -> Calls:
    """The refund of what goes back, and the withdrawal of what is released."""
    paid = of_withdrawal(session, context, split.release, key=key, asked=asked)
    refund = None
    if split.total_refund.is_positive:
        refund = refund_of(session, context, split.total_refund, key=key)
    return Calls(paid.kept_back, paid.withdrawal, refund, paid.transfer, paid.payout)


def of_withdrawal(
    session: Session, context: MilestoneContext, amount: Money, *, key: str, asked: Asked | None = None
) -> Calls:
    """What is sent of `amount`, which is payable to the payee; their debt is kept back first.

    A payee who withdraws by hand is sent nothing: it stays payable.
    """
    kept = receivables.to_keep_back(session, context, amount)
    if not (paid := amount - kept).is_positive:
        return Calls(kept)
    chosen = terms(context, paid, method=asked.method if asked else None)
    if not context.payee.auto_withdraw:
        return Calls(kept, chosen)
    account = context.payee.stripe_account if asked is None or asked.had_account else None
    sent, party_id = stripe_exact(paid - chosen.fee), context.payee.id
    transfer = Call(
        OperationKind.TRANSFER,
        operation_key(session, key, "transfer"),
        party_id,
        sent,
        transfer_payload(context, account),
        None if account else Wait.ACCOUNT,
    )
    payload = payout_payload(account, chosen.method)
    payout = Call(OperationKind.PAYOUT, payout_key(transfer.key), party_id, sent, payload, Wait.TRANSFER)
    return Calls(kept, chosen, transfer=transfer, payout=payout)


def refund_of(session: Session, context: MilestoneContext, amount: Money, *, key: str) -> Call:
    """The refund of this much of the milestone's payment, in whole steps of Stripe (`money.stripe_exact`)."""
    return Call(
        OperationKind.REFUND,
        operation_key(session, key, "refund"),
        context.payer.id,
        stripe_exact(amount),
        {"payment_intent": context.order.stripe_payment_intent, "reason": "requested_by_customer"},
    )


def terms(context: MilestoneContext, amount: Money, *, method: WithdrawalMethod | None = None) -> Withdrawal:
    """How the payee withdraws this amount, and the fee of it (milestone-payment-flow, Key Business Rules 4).

    A method that would cost the whole amount gives way to the standard one, and so does one that Stripe does not have:
    nothing is charged for it.
    """
    method = (method or WithdrawalMethod(context.payee.withdrawal_method)).sent_as
    try:
        return Withdrawal(amount, fees.withdrawal_fee(amount, method, context.profile), method)
    except fees.WithdrawalTooSmall:
        standard = WithdrawalMethod.STANDARD
        return Withdrawal(amount, fees.withdrawal_fee(amount, standard, context.profile), standard)


def transfer_payload(context: MilestoneContext, account: str | None) -> dict[str, Any]:
    """A charge that Stripe converted cannot pay for a transfer in the currency it was made in: the balance pays."""
    converted = context.order.settled_currency is not None
    return {
        "destination": account,
        "transfer_group": context.transfer_group,
        "source_transaction": None if converted else context.order.stripe_charge,
    }


def payout_payload(account: str | None, method: WithdrawalMethod | str) -> dict[str, Any]:
    """What a payout asks of Stripe besides its amount; a method that Stripe does not know is sent as another
    (`sent_as`)."""
    return {"account": account, "method": WithdrawalMethod(method).sent_as.value}


def payout_key(transfer_key: str) -> str:
    """The payout that follows a transfer: `….transfer` → `….payout`."""
    return transfer_key.removesuffix(".transfer") + ".payout"
