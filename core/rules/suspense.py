"""What unexplained money can turn out to be, once a person has looked and another agrees."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from core.errors import DeskError
from core.money import Money


class SuspenseStatus(StrEnum):
    OPEN = "OPEN"
    SETTLED = "SETTLED"


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
}


# The same, where the sign says more.
WORDS_OUT = {**WORDS, SettledAs.CHARGEBACK_LOSS: "Kept by a bank"}
WORDS_IN = {
    **WORDS,
    SettledAs.PROCESSOR_FEE: "A fee that Stripe gave back",
    SettledAs.CHARGEBACK_LOSS: "Given back late by a bank",
}
# What only money that went out can be, and only money that came in. The database says so too.
ONLY_OUT = frozenset({SettledAs.CONCESSION, SettledAs.REFUND_OWED})
ONLY_IN = frozenset({SettledAs.RETURN_TO_PAYER, SettledAs.PAYEE_DEBT})


class CameIn(DeskError):
    """{amount} came in, so nobody was given it."""


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


TARGETS = {
    SettledAs.RETURN_TO_PAYER: "milestone",
    SettledAs.REFUND_OWED: "milestone",
    SettledAs.PAYEE_DEBT: "payee",
}


def fitting(amounts: Sequence[Money]) -> list[SettledAs]:
    """What these amounts together can have been, by whether they came in or went out, in the order of `WORDS`."""
    return [each for each in SettledAs if _fits(each, amounts)]


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
    if settled_as is SettledAs.CONCESSION and (came_in := [each for each in amounts if not each.is_negative]):
        raise CameIn(amount=came_in[0])
    if settled_as not in TARGETS:
        return
    if len(amounts) != 1:
        raise OneAtATime()
    if target_id is None:
        raise TargetMissing(kind=TARGETS[settled_as])
    if settled_as is SettledAs.REFUND_OWED:
        if not amounts[0].is_negative:
            raise NotARefund(amount=amounts[0])
    elif not amounts[0].is_positive or (settled_as is SettledAs.RETURN_TO_PAYER and not payment_intent):
        raise NotAPayment(amount=amounts[0])
