"""What stops a release: open disputes, holds, a chargeback, a severe content event, an unfinished review.

(payment-escrow-rules, Milestone Rules, Release Rules and Risk Controls.) Asked when a release is decided, inside the
releasing transaction, and again when the money is about to be sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from core.errors import DeskError
from core.money import Money
from core.policy import PerCurrency
from core.rules import milestones
from core.rules.references import reference
from core.rules.refusal_reasons import Block, Blocked
from core.rules.transitions import status_words


class HoldKind(StrEnum):
    """Why money is stopped. COMPLAINT is the payer's own, after the dispute window; staff place the others."""

    MANUAL = "MANUAL"
    RISK = "RISK"
    REPORT = "REPORT"
    HIGH_VALUE = "HIGH_VALUE"
    COMPLAINT = "COMPLAINT"


BY_STAFF = (HoldKind.MANUAL, HoldKind.RISK, HoldKind.REPORT, HoldKind.HIGH_VALUE)
OF_PAYEE = (HoldKind.MANUAL, HoldKind.RISK)
# Who is told that a hold was placed and that it was lifted: letters, events to the marketplace and its answers follow
# it, and so does the database (`hold_is_silent`). Looking into risk or into a report warns nobody (internal policy).
TOLD: Mapping[HoldKind, tuple[str, ...]] = {
    HoldKind.MANUAL: ("payee",),
    HoldKind.RISK: (),
    HoldKind.REPORT: (),
    HoldKind.HIGH_VALUE: ("payee",),
    HoldKind.COMPLAINT: ("payer", "payee"),
}
SILENT = frozenset(kind for kind in HoldKind if not TOLD[kind])
PLACING = {
    (): "Neither party is told, and neither is the marketplace: no e-mail and no event.",
    ("payee",): (
        "The payee gets an e-mail at once that the payment is under review, without the reason; the marketplace gets "
        "an event. The payer is not told."
    ),
    ("payer", "payee"): (
        "Both parties get an e-mail at once, the payee without the reason; the marketplace gets an event."
    ),
}
LIFTING = {
    (): "Neither party was told of this hold, and neither is told that it is lifted.",
    ("payee",): "The payee gets an e-mail that the review is over; the marketplace gets an event.",
    ("payer", "payee"): (
        "The payee gets an e-mail that the review is over, the payer one about the complaint if the work still waits "
        "to be verified; the marketplace gets an event."
    ),
}


SILENT_HOLD, WAITS = "silent_hold", "waits"
OUTSIDE: Mapping[str, str] = {
    "open_case": "There is a dispute about it.",
    "hold": "A hold is in place.",
    "payee_hold": "A hold is in place on all money of the payee.",
    WAITS: "The money cannot be moved yet.",
    "chargeback": "The payer's bank has opened a chargeback.",
    "severe_content_event": "Something that was reported is being looked into.",
    "review": "A review is open.",
    "no_account": "The payee has no account at the payment provider yet.",
    "payee_account": "The payee cannot be paid yet: Stripe needs something from them, or has stopped it.",
    "bank_changed": "The payee's bank account was changed; payouts to the new one wait for a time.",
    "bank_refused": "The payee's new bank account was refused; payouts wait until they give another one.",
    "payee_bank_currency": "No bank account of the payee takes this currency.",
    "payout_review": "The payment to the payee did not go through, and is being looked at.",
}
FOR_STAFF = frozenset({SILENT_HOLD, "client_funds_short", "balance_too_small"})  # to others: it waits


class ReleaseBlocked(Blocked):
    """This cannot be released now. {reasons}"""


class NothingToHold(DeskError):
    """“{milestone}” is over, and a hold can stop none of its money any more. No hold was placed."""


class EndNotAhead(DeskError):
    """The expected end of a hold lies ahead; choose a later day."""


class OwnHold(DeskError):
    """You placed hold {hold}, so someone else lifts it. What you know about it goes into the case or to them."""


class LiftTakesTwo(DeskError):
    """{reasons} So two people lift hold {hold}: one proposes it, and another approves."""


NO_ACCOUNT = Block("no_account", "The payee has no account at Stripe yet.")
IN_REVIEW = Block("payout_review", "Its payout needs review.")


@dataclass(frozen=True)
class OpenCase:
    id: int
    status: str


@dataclass(frozen=True)
class ActiveHold:
    id: int
    kind: str
    reason: str
    of_payee: bool = False
    """All of the payee's money is stopped, not this milestone's alone."""


@dataclass(frozen=True)
class Facts:
    """`open_cases`: those OPEN, UNDER_REVIEW or WAITING_PARTY; `manual_holds`: every hold not yet released."""

    open_cases: tuple[OpenCase, ...] = ()
    manual_holds: tuple[ActiveHold, ...] = ()
    chargeback_open: bool = False
    severe_content_event: bool = False
    open_reviews: tuple[str, ...] = ()


def blocking(facts: Facts) -> tuple[Block, ...]:
    """Every reason, not only the first, so that nobody clears one to meet the next."""
    return tuple(_reasons(facts))


def require_clear(facts: Facts) -> None:
    if blocks := blocking(facts):
        raise ReleaseBlocked(blocks)


def outside(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """What somebody outside the desk may know of these reasons: none of staff's words, and of a silent hold or of the
    platform's balance nothing but that the money waits."""
    return tuple(dict.fromkeys(Block(_code(each), OUTSIDE[_code(each)]) for each in blocks))


def _code(block: Block) -> str:
    return WAITS if block.code in FOR_STAFF else block.code


def over(status: milestones.Status, stoppable: Money) -> bool:
    """Nothing is left that a hold could keep from moving: not now, and not later."""
    return status in milestones.FINAL and not stoppable.is_positive


def check_lifter(hold_id: int, *, placed_by: int | None, lifted_by: int | None) -> None:
    """Whoever stopped money does not let it go alone: a hold of a member of staff is lifted by another one.

    What the system or a party's complaint has stopped is lifted by any one person who may. Raises `OwnHold`.
    """
    if placed_by is not None and placed_by == lifted_by:
        raise OwnHold(hold=hold_id)


def takes_two(stopped: Iterable[Money], limits: PerCurrency) -> tuple[Block, ...]:
    """Why two people lift a hold that stops these amounts, one a currency; empty when one person is enough. `limits`:
    those above which a second person approves a decision (internal policy)."""
    above = ((amount, limits.of(amount.currency)) for amount in stopped)
    return tuple(
        Block("high_value", f"It stops {amount}, which is above {limit}.")
        for amount, limit in above
        if amount > limit
    )


def check_end(expected_end: datetime | None, now: datetime) -> None:
    """Raises `EndNotAhead`."""
    if expected_end is not None and expected_end <= now:
        raise EndNotAhead()


def without_case(facts: Facts, case_id: int) -> Facts:
    """The facts as they are once this case is resolved: a decision resolves the case that it decides."""
    return replace(facts, open_cases=tuple(each for each in facts.open_cases if each.id != case_id))


def without_hold(facts: Facts, hold_id: int) -> Facts:
    """The facts as they are once this hold is lifted."""
    return replace(facts, manual_holds=tuple(each for each in facts.manual_holds if each.id != hold_id))


def _reasons(facts: Facts) -> Iterator[Block]:
    for case in facts.open_cases:
        yield Block("open_case", f"Case {reference('case', case.id)} is {status_words(case.status)}.")
    for hold in facts.manual_holds:
        code = SILENT_HOLD if hold.kind in SILENT else "payee_hold" if hold.of_payee else "hold"
        stands = "stops all money of the payee" if hold.of_payee else "is in place"
        yield Block(code, f"Hold {reference('hold', hold.id)} {stands}: {hold.reason.rstrip('.')}.")
    if facts.chargeback_open:
        yield Block("chargeback", "The payer's bank has opened a chargeback.")
    if facts.severe_content_event:
        yield Block("severe_content_event", "A severe content event has been reported and is not settled.")
    for review in facts.open_reviews:
        yield Block("review", f"A risk review is open: {review.rstrip('.')}.")


def who(kind: str, staff: str | None) -> str:
    """Who placed or lifted a hold: staff by name; a complaint is the payer's own, and so is withdrawing it."""
    return staff or ("The payer" if kind == HoldKind.COMPLAINT else "The system")
