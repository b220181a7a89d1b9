"""Payments: what was charged for a milestone and where each minor unit of it is now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Record, one_of
from core.money import Money
from core.policy import WithdrawalMethod
from core.rules.charges import ChargeStatus
from core.rules.duplicate_payments import DuplicateStatus
from core.rules.grounds import Ground
from core.rules.payment_states import CauseKind
from core.rules.payment_states import State as PaymentState
from core.rules.payouts import PayoutStatus
from core.rules.refunds import RefundStatus
from core.rules.settlement_currency import KnownFrom


class PaymentOrder(Record):
    """One order per milestone, in the milestone's currency. `funded` splits into the five places money can be."""

    __tablename__ = "payment_orders"
    __table_args__ = (
        one_of("state", PaymentState),
        CheckConstraint(
            "funded_minor = held_minor + payable_minor + refundable_minor + released_minor + refunded_minor",
            name="funded_is_accounted_for",
        ),
        CheckConstraint(
            "least(held_minor, payable_minor, refundable_minor, released_minor, refunded_minor) >= 0",
            name="nothing_negative",
        ),
        CheckConstraint("charge_minor > amount_minor", name="charge_covers_amount"),
        Index("payment_orders_charge_idx", "charge_minor"),
        Index("payment_orders_held_since_idx", "funded_at", postgresql_where="held_minor > 0"),
        Index("payment_orders_retry_idx", "next_retry_at", postgresql_where="next_retry_at is not null"),
    )

    milestone_id: Mapped[int] = mapped_column(ForeignKey("milestones.id"), primary_key=True)
    currency: Mapped[str]
    state: Mapped[PaymentState] = mapped_column(default=PaymentState.UNPAID)
    amount_minor: Mapped[int]
    platform_fee_minor: Mapped[int]
    processing_fee_minor: Mapped[int]
    charge_minor: Mapped[int]
    funded_minor: Mapped[int] = mapped_column(default=0)
    held_minor: Mapped[int] = mapped_column(default=0)
    payable_minor: Mapped[int] = mapped_column(default=0)
    refundable_minor: Mapped[int] = mapped_column(default=0)
    released_minor: Mapped[int] = mapped_column(default=0)
    refunded_minor: Mapped[int] = mapped_column(default=0)
    fee_kept_minor: Mapped[int] = mapped_column(default=0)
    in_flight: Mapped[bool] = mapped_column(default=False)
    chargeback_open: Mapped[bool] = mapped_column(default=False)
    canceled: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    stripe_payment_intent: Mapped[str | None] = mapped_column(default=None, unique=True)
    stripe_charge: Mapped[str | None] = mapped_column(default=None, unique=True)
    failure: Mapped[str | None] = mapped_column(default=None)
    chosen_method: Mapped[str | None] = mapped_column(default=None)
    retries: Mapped[int] = mapped_column(default=0)
    next_retry_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    funded_at: Mapped[datetime | None] = mapped_column(default=None)
    settled_currency: Mapped[str | None] = mapped_column(default=None)


class PaymentEvent(Record):
    """Every change of a payment state, with what caused it (payment-escrow-rules, Records): `cause` is the desk's own
    reference, `caused_by` has the numbers that a marketplace knows. Rows from before there were kinds have neither."""

    __tablename__ = "payment_events"
    __table_args__ = (
        one_of("to_state", PaymentState),
        one_of("from_state", PaymentState),
        one_of("cause_kind", CauseKind),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    milestone_id: Mapped[int] = mapped_column(ForeignKey("payment_orders.milestone_id"), index=True)
    from_state: Mapped[PaymentState]
    to_state: Mapped[PaymentState]
    cause: Mapped[str]
    cause_kind: Mapped[CauseKind | None] = mapped_column(default=None)
    caused_by: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    amounts: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class Charge(Record):
    """One charge of a payer for a milestone, and how it stands with their bank.

    `code` and `failure`: why it failed, in the provider's word and in a sentence for the payer; `next_retry_at`: when
    another is made by itself. With `client_secret` or at `action_url` the payer confirms it; they are forgotten when it
    no longer waits for that. From `called_off_at` on it is to be canceled at the provider. `method_kind` and what is
    beside it: what was charged, in the provider's words; none of them where it did not say.
    """

    __tablename__ = "charges"
    __table_args__ = (
        UniqueConstraint("operation_id"),
        one_of("status", ChargeStatus),
        CheckConstraint("(status = 'REQUIRES_ACTION') = (confirm_by is not null)", name="asked_until"),
        CheckConstraint("status = 'REQUIRES_ACTION' or client_secret is null", name="secret_while_asked"),
        CheckConstraint("(status in ('SUCCEEDED', 'FAILED')) = (ended_at is not null)", name="ended"),
        CheckConstraint(
            "method_kind is not null or (card_brand is null and card_funding is null and method_country is null)",
            name="method",
        ),
        CheckConstraint("method_kind = 'card' or (card_brand is null and card_funding is null)", name="card"),
        Index(
            "charges_one_open_idx",
            "milestone_id",
            unique=True,
            postgresql_where="status in ('SENDING', 'REQUIRES_ACTION', 'PROCESSING')",
        ),
        Index("charges_milestone_idx", "milestone_id", "id"),
        Index(
            "charges_confirm_by_idx",
            "confirm_by",
            postgresql_where="status = 'REQUIRES_ACTION' and called_off_at is null",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    milestone_id: Mapped[int] = mapped_column(ForeignKey("payment_orders.milestone_id"))
    operation_id: Mapped[int] = mapped_column(ForeignKey("outgoing_operations.id"))
    status: Mapped[ChargeStatus] = mapped_column(default=ChargeStatus.SENDING)
    off_session: Mapped[bool]
    client_secret: Mapped[str | None] = mapped_column(default=None)
    action_url: Mapped[str | None] = mapped_column(default=None)
    confirm_by: Mapped[datetime | None] = mapped_column(default=None)
    called_off_at: Mapped[datetime | None] = mapped_column(default=None)
    code: Mapped[str | None] = mapped_column(default=None)
    failure: Mapped[str | None] = mapped_column(default=None)
    next_retry_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    method_kind: Mapped[str | None] = mapped_column(default=None)
    card_brand: Mapped[str | None] = mapped_column(default=None)
    card_funding: Mapped[str | None] = mapped_column(default=None)
    method_country: Mapped[str | None] = mapped_column(default=None)


class DuplicatePayment(Record):
    """A payment for what was already funded; all of it goes back to the payer, `charged_back` of it by their bank."""

    __tablename__ = "duplicate_payments"
    __table_args__ = (
        UniqueConstraint("stripe_payment_intent"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint(
            "charged_back_minor >= 0 and charged_back_minor <= amount_minor", name="charged_back"
        ),
        one_of("status", DuplicateStatus),
        Index("duplicate_payments_milestone_idx", "milestone_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    milestone_id: Mapped[int] = mapped_column(ForeignKey("milestones.id"))
    stripe_payment_intent: Mapped[str]
    stripe_charge: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[int]
    charged_back_minor: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    status: Mapped[DuplicateStatus] = mapped_column(default=DuplicateStatus.RETURNING)
    operation_id: Mapped[int | None] = mapped_column(ForeignKey("outgoing_operations.id"), default=None)
    stripe_refund: Mapped[str | None] = mapped_column(default=None)
    found_at: Mapped[datetime]
    returned_at: Mapped[datetime | None] = mapped_column(default=None)

    @property
    def left(self) -> Money:
        """What the payer's bank has not taken of it."""
        return Money(self.amount_minor - self.charged_back_minor, self.currency)


class BalanceTransaction(Record):
    """A line of the provider's ledger that is booked in ours. Amounts are signed minor units; net = amount - fee.

    Where the provider converted, `for_minor` of `for_currency` is what the line stands for, and `exchange_rate` how
    many major units of the line's currency it gave for one.
    """

    __tablename__ = "balance_transactions"
    __table_args__ = (
        CheckConstraint("net = amount - fee", name="net"),
        CheckConstraint("(for_minor is null) = (for_currency is null)", name="for_whole"),
        CheckConstraint("for_currency <> currency and sign(for_minor) = sign(amount)", name="for_another"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    reporting_category: Mapped[str]
    amount: Mapped[int]
    fee: Mapped[int]
    net: Mapped[int]
    currency: Mapped[str]
    source: Mapped[str]
    milestone_id: Mapped[int | None] = mapped_column(ForeignKey("milestones.id"), index=True, default=None)
    journal_id: Mapped[int] = mapped_column(ForeignKey("journals.id"), unique=True)
    created_at: Mapped[datetime]
    booked_at: Mapped[datetime]
    for_minor: Mapped[int | None] = mapped_column(default=None)
    for_currency: Mapped[str | None] = mapped_column(default=None)
    exchange_rate: Mapped[str | None] = mapped_column(default=None)


class LineCorrection(Record):
    """What the statement has more of a booked line, signed: booked beside it, and explained by two people. Where it is
    stated otherwise again, the next one holds what that differs by from all before."""

    __tablename__ = "line_corrections"
    __table_args__ = (
        CheckConstraint("net = amount - fee AND net <> 0", name="net"),
        Index("line_corrections_transaction_idx", "transaction_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    transaction_id: Mapped[str] = mapped_column(ForeignKey("balance_transactions.id"))
    amount: Mapped[int]
    fee: Mapped[int]
    net: Mapped[int]
    currency: Mapped[str]
    journal_id: Mapped[int] = mapped_column(ForeignKey("journals.id"), unique=True)
    booked_at: Mapped[datetime]


class SettlementCurrency(Record):
    """Whether the platform's account at the provider settles in a currency, and how that is known: read from the
    provider, seen on a converted charge's line, or said by a person."""

    __tablename__ = "settlement_currencies"
    __table_args__ = (one_of("known_from", KnownFrom),)

    currency: Mapped[str] = mapped_column(primary_key=True)
    settles: Mapped[bool]
    known_from: Mapped[KnownFrom]
    at: Mapped[datetime]


class Refund(Record):
    """Money on its way back to the payer. `amount` leaves Stripe; `milestone_part` is its share of the held sum.

    `failure_code` and `failure`: why it failed, in the provider's word and in a sentence.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        one_of("ground", Ground),
        CheckConstraint("amount_minor > 0 and milestone_part_minor >= 0", name="amounts"),
        Index("refunds_amount_idx", "amount_minor"),
        one_of("status", RefundStatus),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    milestone_id: Mapped[int] = mapped_column(ForeignKey("milestones.id"), index=True)
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"), default=None)
    operation_id: Mapped[int] = mapped_column(ForeignKey("outgoing_operations.id"), unique=True)
    amount_minor: Mapped[int]
    milestone_part_minor: Mapped[int]
    currency: Mapped[str]
    ground: Mapped[Ground]
    status: Mapped[RefundStatus] = mapped_column(default=RefundStatus.QUEUED)
    stripe_refund: Mapped[str | None] = mapped_column(default=None, unique=True)
    failure: Mapped[str | None] = mapped_column(default=None)
    failure_code: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None] = mapped_column(default=None)


class Payout(Record):
    """A withdrawal: `amount` leaves the payee's payable, `fee` stays, the rest is transferred and then paid out.

    When a part of the transfer is reversed before it is paid out, `amount` is what remains: what is really paid.
    `failure_code` and `failure`: why it failed, in the provider's word and in a sentence; `owner_id` looks after it;
    `fee_waived` is what a member of staff let go of the method's fee.
    `failed_bank`: the bank account, as the provider names it, because of which it failed last.
    """

    __tablename__ = "payouts"
    __table_args__ = (
        one_of("method", WithdrawalMethod),
        CheckConstraint("amount_minor > fee_minor and fee_minor >= 0", name="amounts"),
        CheckConstraint(
            "fee_waived_minor >= 0 and (fee_waived_minor > 0) = (fee_waived_by is not null)",
            name="fee_waived_by_someone",
        ),
        Index("payouts_unfinished_idx", "id", postgresql_where="status not in ('PAID', 'CANCELED')"),
        Index("payouts_amount_idx", "amount_minor"),
        Index("payouts_paid_out_idx", text("(amount_minor - fee_minor)")),
        one_of("status", PayoutStatus),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    milestone_id: Mapped[int] = mapped_column(ForeignKey("milestones.id"), index=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("parties.id"), index=True)
    currency: Mapped[str]
    amount_minor: Mapped[int]
    fee_minor: Mapped[int]
    method: Mapped[WithdrawalMethod]
    status: Mapped[PayoutStatus] = mapped_column(default=PayoutStatus.REQUESTED)
    transfer_operation_id: Mapped[int] = mapped_column(ForeignKey("outgoing_operations.id"), unique=True)
    stripe_transfer: Mapped[str | None] = mapped_column(default=None, unique=True)
    stripe_payout: Mapped[str | None] = mapped_column(default=None, unique=True)
    failure: Mapped[str | None] = mapped_column(default=None)
    failed_bank: Mapped[str | None] = mapped_column(default=None)
    requested_at: Mapped[datetime]
    failure_code: Mapped[str | None] = mapped_column(default=None)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    fee_waived_minor: Mapped[int] = mapped_column(default=0)
    fee_waived_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), default=None)
    arrival_at: Mapped[datetime | None] = mapped_column(default=None)
    paid_at: Mapped[datetime | None] = mapped_column(default=None)
