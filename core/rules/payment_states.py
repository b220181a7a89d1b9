"""Where a milestone's money is: five places that always sum to what was funded, and one name derived from them.

The nine names are those of payment-escrow-rules, Payment States. Nobody sets a state: it is derived, stored for
queries, and every change of it is a payment event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from core.errors import DeskError
from core.money import Money
from core.rules.transitions import label


class State(StrEnum):
    UNPAID = "UNPAID"
    PENDING_PAYMENT = "PENDING_PAYMENT"
    PAID_HELD = "PAID_HELD"
    PARTIALLY_RELEASED = "PARTIALLY_RELEASED"
    RELEASED = "RELEASED"
    REFUND_PENDING = "REFUND_PENDING"
    REFUNDED = "REFUNDED"
    CHARGEBACK_REVIEW = "CHARGEBACK_REVIEW"
    CANCELED = "CANCELED"

    @property
    def label(self) -> str:
        return label(self)


class CauseKind(StrEnum):
    """Why a payment changed its state, as a marketplace's program reads it."""

    CHARGE_REQUESTED = "CHARGE_REQUESTED"
    CHARGE_SETTLED = "CHARGE_SETTLED"
    CHARGE_FAILED = "CHARGE_FAILED"  # declined, or not confirmed
    MILESTONE_CANCELED = "MILESTONE_CANCELED"
    APPROVAL = "APPROVAL"  # of the payer, or by silence
    DECISION = "DECISION"
    SETTLEMENT_PROPOSAL = "SETTLEMENT_PROPOSAL"  # that was accepted
    PAYOUT = "PAYOUT"
    SET_OFF = "SET_OFF"  # against what the payee owes
    REFUND = "REFUND"
    REFUND_FAILED = "REFUND_FAILED"
    CHARGEBACK = "CHARGEBACK"


@dataclass(frozen=True)
class Cause:
    """What moved the money: its kind, the desk's own reference, and the numbers that a marketplace knows it by."""

    kind: CauseKind
    key: str
    dispute: int | None = None
    settlement_proposal: int | None = None
    refund: int | None = None
    payout: int | None = None
    chargeback: int | None = None

    @property
    def numbers(self) -> Mapping[str, int]:
        """Only those that it has."""
        found = {each.name: getattr(self, each.name) for each in fields(self)[2:]}
        return {name: number for name, number in found.items() if number is not None}


class AmountsDisagree(DeskError):
    """Of {funded} funded, {accounted} is accounted for: {detail}."""


class ImpossibleChange(DeskError):
    """A payment that is {before} cannot become {after}."""


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """funded = held + payable + refundable + released + refunded, none negative, all of one currency.

    Only the milestone amount is counted here; fees travel beside it. `payable` is decided for the payee but not yet
    sent, `refundable` is decided for the payer but not yet returned.
    """

    funded: Money
    held: Money
    payable: Money
    refundable: Money
    released: Money
    refunded: Money

    def __post_init__(self) -> None:
        parts = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "funded"}
        accounted = Money.total(parts.values(), self.funded.currency)
        if accounted != self.funded or any(part.is_negative for part in parts.values()):
            detail = ", ".join(f"{part} {name}" for name, part in parts.items())
            raise AmountsDisagree(funded=self.funded, accounted=accounted, detail=detail)

    @classmethod
    def none(cls, currency: str) -> Amounts:
        nothing = Money.zero(currency)
        return cls(
            funded=nothing,
            held=nothing,
            payable=nothing,
            refundable=nothing,
            released=nothing,
            refunded=nothing,
        )


def derive(
    amounts: Amounts, *, in_flight: bool = False, chargeback_open: bool = False, canceled: bool = False
) -> State:
    """The one name for these amounts: what became of the payee's share. docs/payment-states.md lists every mix.

    What the payer has back, by refund or because their bank took it, does not make the rest any less held. A finished
    split passes REFUND_PENDING and ends PARTIALLY_RELEASED.
    """
    if canceled:
        return State.CANCELED
    if chargeback_open:
        return State.CHARGEBACK_REVIEW
    if amounts.funded.is_zero:
        return State.PENDING_PAYMENT if in_flight else State.UNPAID
    if amounts.refundable.is_positive:
        return State.REFUND_PENDING
    if (amounts.payable + amounts.released).is_zero:
        return State.PAID_HELD if amounts.held.is_positive else State.REFUNDED
    if amounts.held.is_positive or amounts.refunded.is_positive:
        return State.PARTIALLY_RELEASED
    return State.RELEASED


CHANGES: Mapping[State, frozenset[State]] = {
    # A webhook may bring the success before we noted that the charge was under way.
    State.UNPAID: frozenset({State.PENDING_PAYMENT, State.PAID_HELD, State.CANCELED}),
    State.PENDING_PAYMENT: frozenset({State.UNPAID, State.PAID_HELD, State.CANCELED}),
    State.PAID_HELD: frozenset(
        {State.PARTIALLY_RELEASED, State.RELEASED, State.REFUND_PENDING, State.CHARGEBACK_REVIEW}
    ),
    # What came late to a payee who owes for a lost chargeback is reversed: the payer has it from the bank.
    State.PARTIALLY_RELEASED: frozenset(
        {State.RELEASED, State.REFUND_PENDING, State.REFUNDED, State.CHARGEBACK_REVIEW}
    ),
    State.RELEASED: frozenset({State.PARTIALLY_RELEASED, State.REFUNDED, State.CHARGEBACK_REVIEW}),
    State.REFUND_PENDING: frozenset({State.REFUNDED, State.PARTIALLY_RELEASED, State.CHARGEBACK_REVIEW}),
    # A refund that fails later reopens the debt.
    State.REFUNDED: frozenset({State.REFUND_PENDING, State.CHARGEBACK_REVIEW}),
    State.CHARGEBACK_REVIEW: frozenset(
        {State.PAID_HELD, State.PARTIALLY_RELEASED, State.RELEASED, State.REFUND_PENDING, State.REFUNDED}
    ),
    State.CANCELED: frozenset(),
}


def check_change(before: State, after: State) -> None:
    """A change outside the table means that something moved money behind the desk's back. No change is no change."""
    if after != before and after not in CHANGES[before]:
        raise ImpossibleChange(before=before.label, after=after.label)
