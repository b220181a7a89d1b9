"""What unexplained money can turn out to be, once a person has looked and another agrees."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from core.errors import DeskError
from core.money import Money
from core.rules import statement_line_types


class SuspenseStatus(StrEnum):
    OPEN = "OPEN"
    SETTLED = "SETTLED"
    REVERSED = "REVERSED"
    """The match that it was the difference of was undone, and its booking reversed."""


class SettledAs(StrEnum):
    OWN_MONEY = "OWN_MONEY"
    """The platform's own, from or to its bank."""
    PROCESSOR_FEE = "PROCESSOR_FEE"
    """A fee of the processor's, or one given back."""
    CONCESSION = "CONCESSION"
    """Paid to a customer by hand at the processor, from the platform's pocket."""
    CHARGEBACK_LOSS = "CHARGEBACK_LOSS"
    """What a bank kept, or gave back late."""
    EACH_OTHER = "EACH_OTHER"
    """Several amounts that cancel each other out, such as a payment and its return."""
    RETURN_TO_PAYER = "RETURN_TO_PAYER"
    """A payment that nobody asked for: it goes back the way it came. The target is one of the payer's milestones."""
    REFUND_OWED = "REFUND_OWED"
    """The refund that was decided for a milestone, made by hand at the processor. The target is the milestone."""
    PAYEE_DEBT = "PAYEE_DEBT"
    """A payee has paid what they owe. The target is the payee."""
    PAYEE_OWES = "PAYEE_OWES"
    """Paid to a payee by hand: they owe it back, and later releases set it off. The target is the payee."""
    DEBT_RECOVERED = "DEBT_RECOVERED"
    """A payee has paid what was written off. The target is the write-off."""
    REFUND_CAME_BACK = "REFUND_CAME_BACK"
    """A refund that had been sent from our bank, and is owed again. The target is the refund."""
    RESERVE = "RESERVE"
    """A reserve that the processor holds, or releases."""
    BANK_CHARGE = "BANK_CHARGE"
    """A charge of our bank's, or one given back."""
    INTEREST = "INTEREST"
    """Interest received."""
    OTHER_INCOME = "OTHER_INCOME"
    OTHER_EXPENSE = "OTHER_EXPENSE"
    """A donation, or whatever else the platform bears."""


def journal_key(item_id: int) -> str:
    """The key of the journal that books the explanation of this item."""
    return f"suspense.{item_id}"


# What staff read, on the page and in a refusal.
WORDS = {
    SettledAs.OWN_MONEY: "The platform's own money",
    SettledAs.PROCESSOR_FEE: "A fee of Stripe's",
    SettledAs.CONCESSION: "Refund concession",
    SettledAs.CHARGEBACK_LOSS: "Kept, or given back late, by a bank",
    SettledAs.EACH_OTHER: "Offset against each other",
    SettledAs.RETURN_TO_PAYER: "A payment that goes back to its payer",
    SettledAs.REFUND_OWED: "The refund that was owed, made by hand",
    SettledAs.PAYEE_DEBT: "A payee has paid what they owe",
    SettledAs.PAYEE_OWES: "Paid to a payee by hand, to be recovered",
    SettledAs.DEBT_RECOVERED: "A payee has paid a debt that was written off",
    SettledAs.REFUND_CAME_BACK: "A refund sent from our bank that came back",
    SettledAs.RESERVE: "A reserve held by Stripe",
    SettledAs.BANK_CHARGE: "A bank charge",
    SettledAs.INTEREST: "Interest received",
    SettledAs.OTHER_INCOME: "Other income",
    SettledAs.OTHER_EXPENSE: "A donation or another expense",
}


# The same, where the sign says more.
WORDS_OUT = {**WORDS, SettledAs.CHARGEBACK_LOSS: "Kept by a bank"}
WORDS_IN = {
    **WORDS,
    SettledAs.PROCESSOR_FEE: "A fee that Stripe gave back",
    SettledAs.CHARGEBACK_LOSS: "Given back late by a bank",
    SettledAs.RESERVE: "A reserve released by Stripe",
    SettledAs.BANK_CHARGE: "A bank charge given back",
}
# What only money that went out can be, and only money that came in. The database says so too.
ONLY_OUT = frozenset(
    {SettledAs.CONCESSION, SettledAs.REFUND_OWED, SettledAs.PAYEE_OWES, SettledAs.OTHER_EXPENSE}
)
ONLY_IN = frozenset(
    {
        SettledAs.RETURN_TO_PAYER,
        SettledAs.PAYEE_DEBT,
        SettledAs.DEBT_RECOVERED,
        SettledAs.REFUND_CAME_BACK,
        SettledAs.INTEREST,
        SettledAs.OTHER_INCOME,
    }
)


PAID_OUT = ONLY_OUT - {SettledAs.REFUND_OWED}
EARNED = frozenset({SettledAs.INTEREST, SettledAs.OTHER_INCOME})


class CameIn(DeskError):
    """{amount} came in, so nobody was given it."""


class WentOut(DeskError):
    """{amount} went out, so it cannot be what only money that came in is."""


class DoNotCancelOut(DeskError):
    """These amounts do not cancel each other out: {total} would remain."""


class NotAPayment(DeskError):
    """Only a payment whose origin is known can go back to its payer, and {amount} is none."""


class NotARefund(DeskError):
    """Only a refund that left Stripe can be the one that was owed, and {amount} came in."""


class TargetMissing(DeskError):
    """Say which {kind} this is about."""


class OneAtATime(DeskError):
    """Settle these one by one: each goes to somebody else."""


class OwesLess(DeskError):
    """This payee owes {owed} that neither a transfer reversal nor another amount in suspense is to settle, which is
    less than {amount}."""


class OnlyAtTheBank(DeskError):
    """Only a line of our bank's can be that: a refund that comes back to Stripe is on Stripe's statement."""


class NotADifference(DeskError):
    """Only a whole line can be that, and this is what a line differs by from what was booked for it."""


# What only a whole line of Stripe's can be.
NOT_A_DIFFERENCE = frozenset({SettledAs.REFUND_OWED, SettledAs.RETURN_TO_PAYER})
TARGETS = {
    SettledAs.RETURN_TO_PAYER: "milestone",
    SettledAs.REFUND_OWED: "milestone",
    SettledAs.PAYEE_DEBT: "payee",
    SettledAs.PAYEE_OWES: "payee",
    SettledAs.DEBT_RECOVERED: "write-off",
    SettledAs.REFUND_CAME_BACK: "refund",
}

OF_PAYEE = (SettledAs.PAYEE_DEBT, SettledAs.PAYEE_OWES)
# What only a line of Stripe's can be: money at our bank is moved otherwise.
NOT_AT_THE_BANK = frozenset(
    {SettledAs.OWN_MONEY, SettledAs.REFUND_OWED, SettledAs.RETURN_TO_PAYER, SettledAs.CHARGEBACK_LOSS}
)

# And what only a line of our bank's can be.
ONLY_AT_THE_BANK = frozenset({SettledAs.REFUND_CAME_BACK})


def fitting(amounts: Sequence[Money], *, at_the_bank: bool = False) -> list[SettledAs]:
    """What these amounts together can have been, by whether they came in or went out, in the order of `WORDS`.
    `at_the_bank`: one of them is a line of our bank's."""
    elsewhere = NOT_AT_THE_BANK if at_the_bank else ONLY_AT_THE_BANK
    return [each for each in SettledAs if _fits(each, amounts) and each not in elsewhere]


def _fits(settled_as: SettledAs, amounts: Sequence[Money]) -> bool:
    if settled_as is SettledAs.EACH_OTHER:
        return not amounts or _cancel_out(amounts)
    if settled_as in TARGETS and len(amounts) > 1:
        return False
    if settled_as in ONLY_OUT:
        return all(each.is_negative for each in amounts)
    return settled_as not in ONLY_IN or all(each.is_positive for each in amounts)


def words(settled_as: SettledAs, amounts: Sequence[Money]) -> str:
    """What it was, as staff read it."""
    if amounts and all(each.is_negative for each in amounts):
        return WORDS_OUT[settled_as]
    return (WORDS_IN if amounts and all(each.is_positive for each in amounts) else WORDS)[settled_as]


def _cancel_out(amounts: Sequence[Money]) -> bool:
    currencies = {each.currency for each in amounts}
    return len(amounts) > 1 and len(currencies) == 1 and Money.total(amounts, currencies.pop()).is_zero


def check_each_other(amounts: list[Money]) -> None:
    """Two or more of one currency, that sum to nothing."""
    total = Money.total(amounts, amounts[0].currency)
    if len(amounts) < 2 or not total.is_zero:
        raise DoNotCancelOut(total=total)


def check(
    settled_as: SettledAs, amounts: list[Money], *, payment_intent: str | None, target_id: int | None
) -> None:
    """Whether these amounts can be that. `payment_intent` is that of the only amount, where one is known."""
    if settled_as is SettledAs.EACH_OTHER:
        check_each_other(amounts)
    if settled_as in PAID_OUT and (came_in := [each for each in amounts if not each.is_negative]):
        raise CameIn(amount=came_in[0])
    if settled_as in EARNED and (went_out := [each for each in amounts if not each.is_positive]):
        raise WentOut(amount=went_out[0])
    if settled_as not in TARGETS:
        return
    if len(amounts) != 1:
        raise OneAtATime()
    if target_id is None:
        raise TargetMissing(kind=TARGETS[settled_as])
    if settled_as is SettledAs.REFUND_OWED:
        if not amounts[0].is_negative:
            raise NotARefund(amount=amounts[0])
    elif settled_as is not SettledAs.PAYEE_OWES and not _comes_from_a_payment(
        settled_as, amounts[0], payment_intent
    ):
        raise NotAPayment(amount=amounts[0])


def _comes_from_a_payment(settled_as: SettledAs, amount: Money, payment_intent: str | None) -> bool:
    return amount.is_positive and (settled_as is not SettledAs.RETURN_TO_PAYER or bool(payment_intent))


# What a line most likely was, by Stripe's own name for it; a person still says so, and another agrees.
LIKELY = {
    "contribution": SettledAs.OTHER_EXPENSE,
    "transfer": SettledAs.PAYEE_OWES,
    "topup": SettledAs.OWN_MONEY,
    "topup_reversal": SettledAs.OWN_MONEY,
    "payout": SettledAs.OWN_MONEY,
}


def likely(
    kind: str, category: str, amount: Money, *, payment_intent: str | None, milestone_id: int | None
) -> SettledAs | None:
    """What is proposed to whoever explains this line; None where its kind says nothing."""
    way = statement_line_types.of(kind, category)
    if "reserve" in kind or "minimum_balance" in kind or category == "risk_reserved_funds":
        return SettledAs.RESERVE
    if way.handling is statement_line_types.Handling.FEE:
        return SettledAs.PROCESSOR_FEE
    if kind in ("charge", "payment") and amount.is_positive:
        return SettledAs.RETURN_TO_PAYER if payment_intent and milestone_id else None
    if category == "refund" and amount.is_negative:
        return SettledAs.REFUND_OWED if milestone_id else SettledAs.CONCESSION
    if kind == "adjustment" and category in ("dispute", "dispute_reversal"):
        return SettledAs.CHARGEBACK_LOSS
    if kind == "adjustment":
        return SettledAs.OTHER_EXPENSE if amount.is_negative else SettledAs.OTHER_INCOME
    found = LIKELY.get(kind)
    return found if found in fitting([amount]) else None
