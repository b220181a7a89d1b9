"""Breaks: where two books of the same money differ, from the run that saw it first to whatever explained it.

A break is one thing across runs. What it is (`classify`) and what is said of it (`sentence`) follow from what is known
of both sides, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from core.errors import DeskError
from core.money import Money
from core.policy.limits import BANK_MATCH_WITHIN
from core.rules import statement_line_types
from core.rules.statement_line_types import Handling


class Side(StrEnum):
    """Whose statement is held against the ledger."""

    STRIPE = "STRIPE"
    BANK = "BANK"
    PAYEE = "PAYEE"
    """A payee's own balance at Stripe, against the memorandum book."""


class BreakStatus(StrEnum):
    OPEN = "OPEN"
    CLOSED = "CLOSED"


class BreakView(StrEnum):
    """What stands for the reader."""

    OPEN = "OPEN"
    WAITING = "WAITING"
    """Staff wait for a day that they chose."""
    PROPOSED = "PROPOSED"
    """What explains it waits for a second person."""
    CLOSED = "CLOSED"


class BreakClass(StrEnum):
    TIMING = "TIMING"
    FEE = "FEE"
    CURRENCY = "CURRENCY"
    DUPLICATE = "DUPLICATE"
    MISSED_WEBHOOK = "MISSED_WEBHOOK"
    MADE_AT_STRIPE = "MADE_AT_STRIPE"
    BANK_ONLY = "BANK_ONLY"
    LEDGER_ONLY = "LEDGER_ONLY"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    UNKNOWN = "UNKNOWN"


class ClosedAs(StrEnum):
    AGREES = "AGREES"
    """A run found that both sides agree."""
    EXPLAINED = "EXPLAINED"
    """Two people said what it was, and it was booked."""
    MATCHED = "MATCHED"
    """A person matched it by hand."""
    REVERSED = "REVERSED"
    """Two people reversed what was booked."""


# Younger than this, the other side may still come by itself.
MAY_STILL_COME: Mapping[Side, timedelta] = {
    Side.STRIPE: timedelta(days=1),
    Side.BANK: BANK_MATCH_WITHIN,
    Side.PAYEE: timedelta(days=1),
}


class BreakIsClosed(DeskError):
    """This break was closed on {when:%-d %b %Y at %H:%M} UTC: {how}. Nothing is left to be done about it."""


def closed_how(closed_as: ClosedAs | str | None, by: str | None) -> str:
    """How a break was closed and by whom, as a sentence goes on."""
    match ClosedAs(closed_as or ClosedAs.AGREES):
        case ClosedAs.AGREES:
            return "a run found that both sides agree"
        case ClosedAs.EXPLAINED:
            return f"{by or 'staff'} approved its explanation"
        case ClosedAs.MATCHED:
            return f"{by or 'staff'} matched it by hand"
        case ClosedAs.REVERSED:
            return f"{by or 'staff'} approved the entry that reversed it"


def counted(open_now: int, in_suspense: int) -> str:
    """How many are open, as every page and signed summary says it: of `open_now`, `in_suspense` are an amount that
    nobody has explained."""
    if not open_now:
        return "No open break"
    if open_now == 1:
        return f"1 open break, {'in' if in_suspense else 'not in'} suspense"
    part = {0: "none", open_now: "all"}.get(in_suspense, f"{in_suspense:,}")
    return f"{open_now:,} open breaks, {part} of them in suspense"


class WaitsTooShort(DeskError):
    """Choose a day after today: until then it already waits."""


class WaitsTooLong(DeskError):
    """A break can wait {days} days at most. Whoever looks at it then can let it wait again."""


LONGEST_WAIT = timedelta(days=31)


@dataclass(frozen=True)
class Facts:
    """What is known of a break. `theirs` is what the statement says, `ours` what the ledger says; None: that side does
    not have it. `by_us`: an operation of the desk caused the line's object; at the bank, Stripe's statement names its
    payout. `twin`: another line of the same amount and the same source, or the same text at the bank, is matched
    already. `currency_of_cause`: the currency in which the desk asked for it. `difference`: in suspense is only what
    the statement differs by from what was booked, or from its match.
    """

    side: Side
    theirs: Money | None
    ours: Money | None
    age: timedelta
    kind: str = ""
    category: str = ""
    only_fee_differs: bool = False
    by_us: bool = False
    twin: bool = False
    currency_of_cause: str | None = None
    in_suspense: bool = False
    difference: bool = False


def classify(facts: Facts) -> BreakClass:
    """The first of these that is true of it."""
    theirs, ours = facts.theirs, facts.ours
    if theirs is not None and ours is not None and not facts.in_suspense:
        if theirs.currency != ours.currency:
            return BreakClass.CURRENCY
        return BreakClass.FEE if facts.only_fee_differs else BreakClass.AMOUNT_DIFFERS
    if facts.difference:
        return BreakClass.FEE if facts.only_fee_differs else BreakClass.AMOUNT_DIFFERS
    if theirs is None:
        return BreakClass.TIMING if _may_still_come(facts) else BreakClass.LEDGER_ONLY
    if facts.currency_of_cause not in (None, theirs.currency):
        return BreakClass.CURRENCY
    if facts.twin:
        return BreakClass.DUPLICATE
    return _at_the_bank(facts) if facts.side is Side.BANK else _at_stripe(facts)


def _at_the_bank(facts: Facts) -> BreakClass:
    """The desk knows of the money and its booking may still come, or it does not know of it."""
    return BreakClass.TIMING if facts.by_us and _may_still_come(facts) else BreakClass.BANK_ONLY


def _at_stripe(facts: Facts) -> BreakClass:
    if facts.by_us:
        return BreakClass.MISSED_WEBHOOK
    handling = statement_line_types.of(facts.kind, facts.category).handling
    if handling is Handling.FEE:
        return BreakClass.FEE
    if _may_still_come(facts):
        return BreakClass.TIMING
    return BreakClass.MADE_AT_STRIPE if handling is not Handling.PERSON else BreakClass.UNKNOWN


def _may_still_come(facts: Facts) -> bool:
    return not facts.in_suspense and facts.age < MAY_STILL_COME[facts.side]


STATEMENTS: Mapping[Side, str] = {
    Side.STRIPE: "Stripe's statement",
    Side.BANK: "our bank's statement",
    Side.PAYEE: "the payee's statement at Stripe",
}
WHY: Mapping[BreakClass, str] = {
    BreakClass.TIMING: "It is recent, so the other side may still follow by itself.",
    BreakClass.FEE: "It is a fee of Stripe's that belongs to no payment.",
    BreakClass.CURRENCY: "The two sides are in different currencies.",
    BreakClass.DUPLICATE: "Another line with the same source and amount is booked already.",
    BreakClass.MISSED_WEBHOOK: "The desk asked for it, and has not applied its outcome yet.",
    BreakClass.MADE_AT_STRIPE: "Nothing on the desk caused it, so it was made at Stripe.",
    BreakClass.BANK_ONLY: "Nothing in the ledger corresponds to it.",
    BreakClass.LEDGER_ONLY: "It is booked, and no line of the statement corresponds to it.",
    BreakClass.AMOUNT_DIFFERS: "Both sides have it, with different amounts.",
    BreakClass.UNKNOWN: "Nothing on the desk caused it, so a person says what it was.",
}


ASKED_OTHERWISE = "The desk asked for it in another currency."
ONLY_THE_FEE = "Its amount agrees; only Stripe's fee differs."


def sentence(
    side: Side,
    kind: BreakClass,
    theirs: Money | None,
    ours: Money | None,
    *,
    whole_balance: bool,
    difference: bool = False,
) -> str:
    """What differs, and what follows from it, in words that are true of every break of this class. `difference`: as in
    `Facts`."""
    where = STATEMENTS[side]
    opening = f"{where[0].upper()}{where[1:]}"
    if whole_balance and theirs is not None and ours is not None:
        return (
            f"The balance by {where} is {theirs.text()}, and by the ledger {ours.text()}; "
            "no line that differs explains the difference."
        )
    if theirs is not None and ours is not None:
        why = ONLY_THE_FEE if kind is BreakClass.FEE else WHY[kind]
        return f"{opening} says {theirs.text()}, the ledger {ours.text()}. {why}"
    if theirs is not None and (difference or kind is BreakClass.AMOUNT_DIFFERS):
        why = f" {ONLY_THE_FEE}" if kind is BreakClass.FEE else ""
        return f"{opening} differs by {theirs.text()} from what was booked; that lies in suspense, unexplained.{why}"
    if theirs is not None:
        why = ASKED_OTHERWISE if kind is BreakClass.CURRENCY else WHY[kind]
        return f"{theirs.text()} is on {where}, and the ledger does not say what it is. {why}"
    said = ours.text() if ours is not None else "An amount"
    return f"{said} is in the ledger, and not on {where}. {WHY[kind]}"
