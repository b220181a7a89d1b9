"""How a payout moves on: why it does not, what happens next and when, in one sentence each (internal policy).

The reasons are those of the one place that knows what stops a payout (`core.queries.release_blocks`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.rules.operations import OperationStatus
from core.rules.payout_failures import Failure
from core.rules.payouts import PayoutStatus
from core.rules.refusal_reasons import Block

UNSENT = (PayoutStatus.REQUESTED, PayoutStatus.SENDING)
OF_THE_PAYEE = {"payee_account", "payee_bank_currency"}  # blocks that end when the payee gives something
OVER = (PayoutStatus.PAID, PayoutStatus.CANCELED)


@dataclass(frozen=True)
class Call:
    """What was asked of the provider last for it."""

    status: OperationStatus
    next_try_at: datetime
    last_error: str | None
    at_provider: bool


@dataclass(frozen=True, kw_only=True)
class Facts:
    """`blocks`: what stops its milestone's money on the way to the payee now. `bank_waits_until`: when a replaced bank
    account may be paid, where that is known. `offered`: the payee may choose another method. `to_give`: what the payee
    must give before they can be paid; `owner`: the member of staff who looks after it."""

    status: PayoutStatus
    failure: str | None
    call: Call | None
    blocks: tuple[Block, ...] = ()
    repeats: Failure | None = None
    offered: bool = False
    arrival_at: datetime | None = None
    bank_waits_until: datetime | None = None
    to_give: str | None = None
    owner: str | None = None


@dataclass(frozen=True)
class Progress:
    """`why` is empty where it moves; `at` is when `next` happens, as far as that is known."""

    why: str
    next: str
    at: datetime | None = None


def progress(facts: Facts) -> Progress:
    if facts.status in OVER:
        return Progress("", "")
    if facts.status in (PayoutStatus.ADMINISTRATIVE_REVIEW, PayoutStatus.FAILED):
        return _in_review(facts)
    if facts.status is PayoutStatus.IN_TRANSIT or (facts.call and facts.call.at_provider):
        return Progress("", "Stripe reports whether it arrived", facts.arrival_at)
    return _to_be_sent(facts)


def _in_review(facts: Facts) -> Progress:
    why = facts.failure or "No reason was given."
    if facts.call and facts.call.status is OperationStatus.REVIEW and facts.call.last_error:
        why = facts.call.last_error  # what is known of it to staff
    if facts.repeats:
        why = facts.repeats.why
    if facts.offered:
        return Progress(why, "The payee chooses another method")
    return Progress(why, facts.repeats.remedy if facts.repeats else "A person sends it again")


def _to_be_sent(facts: Facts) -> Progress:
    call = facts.call
    if facts.blocks:
        more = f" And {len(facts.blocks) - 1} more." if len(facts.blocks) > 1 else ""
        after, at = _after(facts)
        return Progress(facts.blocks[0].sentence + more, after, at)
    if call is None:
        return Progress("", "Sent to the bank")
    if call.status is OperationStatus.REVIEW:
        return Progress(call.last_error or "Whether it was sent is not known.", "A person looks at it")
    if call.last_error:
        return Progress(call.last_error, "Sent again by itself", call.next_try_at)
    half = "Transferred" if facts.status in UNSENT else "Sent to the bank"
    return Progress("", half, call.next_try_at)


def _after(facts: Facts) -> tuple[str, datetime | None]:
    codes = {block.code for block in facts.blocks}
    if codes == {"bank_refused"}:
        return "Sent when the payee gives another bank account", None
    if facts.to_give and codes & OF_THE_PAYEE:
        return f"The payee must give {facts.to_give}: {facts.owner or 'finance'} asks them", None
    if codes == {"bank_changed"} and facts.bank_waits_until:
        return "Sent by itself", facts.bank_waits_until
    return "Checked again, and sent when nothing stops it", facts.call.next_try_at if facts.call else None
