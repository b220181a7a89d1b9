"""What a state is called, what it means and how it is coloured: one table for every axis.

Green: done, and well. Amber: waiting, or watched. Red: wrong, or stopped. Blue: moving by itself. Grey: at rest.
Colour is used for state only, and never alone: the label says the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from core.rules import documents
from core.rules.refunds import RefundStatus
from dashboard.ui.safe import plain

Tone = Literal["good", "wait", "bad", "info", "quiet"]
COLOR: Mapping[Tone, Literal["green", "orange", "red", "blue", "gray"]] = {
    "good": "green",
    "wait": "orange",
    "bad": "red",
    "info": "blue",
    "quiet": "gray",
}


@dataclass(frozen=True)
class Pill:
    """A state as it is shown. `meaning` is the sentence that appears when one points at it."""

    label: str
    tone: Tone = "quiet"
    icon: str | None = None
    meaning: str | None = None


OWED_AGAIN = frozenset({RefundStatus.FAILED, RefundStatus.CANCELED})


def _pill(label: str, tone: Tone, meaning: str) -> Pill:
    return Pill(label, tone, None, meaning)


AXES: Mapping[str, Mapping[str, Pill]] = {
    "milestone": {
        "PLANNED": _pill("Planned", "quiet", "Not yet offered for funding."),
        "AWAITING_FUNDING": _pill("Awaiting funding", "quiet", "The payer can pay now."),
        "FUNDED": _pill("Funded", "info", "The money is held; work can go on."),
        "PENDING_VERIFICATION": _pill(
            "To be verified", "wait", "The work is reported as done; the payer checks it."
        ),
        "DISPUTED": _pill("Disputed", "bad", "The payer disputes the work; nothing is released."),
        "IN_MEDIATION": _pill("In mediation", "bad", "A mediator decides."),
        "VERIFIED": _pill("Verified", "info", "Accepted or decided; the release is on its way."),
        "COMPLETED": _pill("Completed", "good", "Settled: everything is released or divided."),
        "REFUNDED": _pill("Refunded", "good", "Settled: the payer has the money back."),
        "CANCELED": _pill("Canceled", "quiet", "Ended before it was funded."),
    },
    "payment": {
        "UNPAID": _pill("Unpaid", "quiet", "Nothing has been paid."),
        "PENDING_PAYMENT": _pill(
            "Payment pending", "info", "A charge is under way, or waits for the payer or their bank."
        ),
        "PAID_HELD": _pill("Held", "info", "Paid, and held until the work is verified."),
        "PARTIALLY_RELEASED": _pill("Partly released", "wait", "A part is released to the payee."),
        "RELEASED": _pill("Released", "good", "Released to the payee."),
        "REFUND_PENDING": _pill("Refund pending", "wait", "Decided; the refund is on its way."),
        "REFUNDED": _pill("Refunded", "good", "The payer has the money back."),
        "CHARGEBACK_REVIEW": _pill(
            "Chargeback", "bad", "The payer's bank took the money back; under review."
        ),
        "CANCELED": _pill("Canceled", "quiet", "Ended before anything was paid."),
    },
    "case": {
        "OPEN": _pill(
            "Open", "wait", "Disputed; the parties may still settle it themselves. Blocks release."
        ),
        "UNDER_REVIEW": _pill("Under review", "info", "A mediator is reviewing it. Blocks release."),
        "WAITING_PARTY": _pill(
            "Waiting for a party", "wait", "Awaiting an answer from a party. Blocks release."
        ),
        "RESOLVED": _pill("Resolved", "good", "Decided or settled."),
        "WITHDRAWN": _pill("Withdrawn", "quiet", "Withdrawn by the party that opened it."),
    },
    "mark": {
        "ESCALATED": _pill("Escalated", "bad", "No decision in time: it is with the administrators."),
        "HIGH_VALUE": _pill("High value", "wait", "Above the threshold: a second person approves."),
        "LATE": _pill("Late", "bad", "The time limit is over."),
        "MINE": _pill("Yours", "info", "Assigned to you."),
        "UNASSIGNED": _pill("Unassigned", "wait", "No mediator yet."),
        "AWAITING_APPROVAL": _pill(
            "Needs approval", "wait", "Decided; a second person must approve the plan."
        ),
        "COOLING_OFF": _pill(
            "Cooling off", "info", "Decided; carried out when the time is over, unless new evidence comes in."
        ),
        "VOIDED": _pill("Decision void", "bad", "It was decided, but the case changed since: decide again."),
        "SINCE": _pill("New messages", "wait", "A party wrote after the decision was made: read it."),
        "TIED": _pill("You have a tie", "bad", "You are tied to a party, so someone else must decide."),
        "HOLD": _pill("On hold", "bad", "A hold stops every release and payout."),
        "CHARGEBACK": _pill("Chargeback", "bad", "The payer's bank took the money back; under review."),
        "RISK_REVIEW": _pill("Risk review", "bad", "Compliance is reviewing something about it."),
        "RECUSED": _pill(
            "You recused yourself", "quiet", "You recused yourself from it: it is never yours again."
        ),
    },
    "decision": {
        "AWAITING_APPROVAL": _pill(
            "Awaiting approval", "wait", "A second person must approve exactly this plan."
        ),
        "COOLING_OFF": _pill("Cooling off", "info", "Decided; it is carried out when the time is over."),
        "EXECUTED": _pill("Executed", "good", "Posted exactly as planned."),
        "RETURNED": _pill("Returned", "bad", "The second person sent it back."),
        "VOIDED": _pill("Voided", "quiet", "Something changed, so the plan no longer holds."),
    },
    "letter": {
        "EDITED": _pill("Edited", "wait", "The mediator wrote the words between the fixed parts."),
        "GENERATED": _pill("Generated", "quiet", "Made from the plan, word for word."),
    },
    "outcome": {
        "FULL_RELEASE": _pill("Full release", "info", "Everything goes to the payee."),
        "PARTIAL_RELEASE": _pill("Partial release", "info", "Divided between the two parties."),
        "FULL_REFUND": _pill("Full refund", "info", "Everything goes back to the payer."),
    },
    "settlement_proposal": {
        "OPEN": _pill("Open", "wait", "The other side has yet to answer."),
        "ACCEPTED": _pill("Accepted", "good", "The parties agreed; the money moved as offered."),
        "DECLINED": _pill("Declined", "quiet", "The other side did not agree."),
        "WITHDRAWN": _pill("Withdrawn", "quiet", "Withdrawn by the party that made it."),
        "REPLACED": _pill("Replaced", "quiet", "The party that made it made another."),
        "EXPIRED": _pill("Expired", "quiet", "Nobody answered before its time, or the case, was over."),
    },
    "payout": {
        "REQUESTED": _pill("Requested", "info", "Asked for; not yet sent."),
        "SENDING": _pill("Sending", "info", "The transfer is being sent."),
        "TRANSFERRED": _pill("Transferred", "info", "With the payee's account at Stripe."),
        "IN_TRANSIT": _pill("In transit", "info", "On its way to the payee's bank."),
        "PAID": _pill("Paid", "good", "Arrived."),
        "FAILED": _pill("Failed", "bad", "It did not go through."),
        "ADMINISTRATIVE_REVIEW": _pill("Needs review", "bad", "A person decides what happens next."),
        "CANCELED": _pill("Canceled", "quiet", "Called off."),
    },
    "refund": {
        "QUEUED": _pill("Queued", "info", "Decided; not yet sent."),
        "PENDING": _pill("Pending", "info", "With the bank."),
        "SUCCEEDED": _pill("Succeeded", "good", "The payer has the money."),
        "FAILED": _pill("Failed", "bad", "The payer did not get it; the debt is open again."),
        "CANCELED": _pill("Canceled", "quiet", "Called off."),
        "CHARGED_BACK": _pill("Charged back", "quiet", "The payer's bank took the money first."),
        "RETURNED": _pill("Returned another way", "good", "It came back to us, and was sent from our bank."),
    },
    "credit note": {
        status: _pill(label, "bad" if status in OWED_AGAIN else "info", sentence)
        for status, (label, sentence) in documents.SINCE.items()
    },
    "operation": {
        "QUEUED": _pill("Queued", "info", "Waits for its turn."),
        "SENDING": _pill("Sending", "info", "Sent; the answer is not in."),
        "SENT": _pill("Sent", "info", "Stripe has it; the desk waits for how it ends."),
        "SUCCEEDED": _pill("Succeeded", "good", "Done, and booked."),
        "REFUSED": _pill("Refused", "bad", "Stripe said no."),
        "BLOCKED": _pill("Blocked", "wait", "Something else must end first; the reason says what."),
        "REVIEW": _pill("Needs review", "bad", "A person decides what happens next; the reason says why."),
        "CANCELED": _pill("Canceled", "quiet", "Called off."),
    },
    "hold": {
        "ACTIVE": _pill("On hold", "bad", "Nothing is released until someone lifts it."),
        "RELEASED": _pill("Lifted", "quiet", "No longer in force."),
        "MANUAL": _pill("Manual", "wait", "Placed by staff; the payee is notified of a review."),
        "RISK": _pill("Risk", "bad", "Placed because of a risk; the parties are not notified."),
        "REPORT": _pill("Report", "wait", "Placed because of a report; the parties are not notified."),
        "HIGH_VALUE": _pill(
            "High value", "wait", "Above the review threshold; the payee is notified of a review."
        ),
        "COMPLAINT": _pill("Complaint", "wait", "The payer complained after the time for a dispute."),
    },
    "chargeback": {
        "warning_needs_response": _pill(
            "Inquiry: answer", "wait", "The bank has sent an inquiry; no money has moved."
        ),
        "warning_under_review": _pill("Inquiry: in review", "info", "The bank reads our answer."),
        "warning_closed": _pill("Inquiry closed", "good", "No chargeback came of it."),
        "needs_response": _pill("Needs response", "bad", "Evidence is due."),
        "under_review": _pill("Under review", "wait", "The bank is reviewing our evidence."),
        "won": _pill("Won", "good", "The money came back."),
        "lost": _pill("Lost", "bad", "The payer's bank keeps what it took."),
        "prevented": _pill("Prevented", "good", "Settled before it became a chargeback."),
    },
    "webhook": {
        "RECEIVED": _pill("Received", "info", "Stored; not yet applied."),
        "APPLIED": _pill("Applied", "good", "Its object was fetched again and booked."),
        "IGNORED": _pill("Ignored", "quiet", "About nothing that the desk follows; it says why."),
        "FAILED": _pill("Failed", "bad", "Given up: it says why, and can be applied again."),
    },
    "notification": {
        "QUEUED": _pill("Queued", "info", "Waits to be sent."),
        "SENT": _pill("Sent", "good", "Accepted by the mail server."),
        "FAILED": _pill("Failed", "bad", "Could not be sent."),
        "MUTED": _pill("Muted", "quiet", "The reader wants no e-mails of this kind; nothing was sent."),
    },
    "period": {
        "CLOSED": _pill("Closed", "good", "Signed and locked: it gets no journal any more."),
        "REOPENED": _pill("Reopened", "wait", "Two people reopened it; its summary stays as it was signed."),
    },
    "proposal": {
        "PROPOSED": _pill("Waiting", "wait", "For a second person."),
        "DONE": _pill("Done", "good", "Another person confirmed it."),
        "POSTED": _pill("Posted", "good", "Another person approved it, and it is in the ledger."),
        "REJECTED": _pill("Rejected", "bad", "Another person said no."),
        "WITHDRAWN": _pill("Withdrawn", "quiet", "By whoever proposed it."),
        "RETURNED": _pill("Returned", "bad", "It can no longer be confirmed."),
    },
    "reconciliation": {
        "RUNNING": _pill("Running", "info", "Under way."),
        "CLEAN": _pill("Reconciled", "good", "Every line is booked as what it is, and the balances agree."),
        "SUSPENSE": _pill("In suspense", "wait", "Lines were booked that nobody had explained then."),
        "BREAKS": _pill("Unreconciled", "bad", "Some lines do not agree."),
        "FAILED": _pill("Failed", "bad", "Did not finish, so it says nothing."),
        "BROKEN_OFF": _pill("Broken off", "bad", "Its process was stopped, so it says nothing."),
        "EMPTY": _pill("Nothing to compare", "quiet", "The statement had no line."),
        "NOT_COUNTED": _pill("Lines agree", "wait", "From before money in suspense was counted."),
        "OLD": _pill("Old", "bad", "Too long ago to say anything about today."),
        "NEVER": _pill("Never run", "bad", "Nothing was compared yet."),
        "MATCHED": _pill("Matches", "good", "Both sides say the same."),
        "NOT_COMPARED": _pill("Not compared", "quiet", "Something was booked after the statement ended."),
        "NOT_IN_LEDGER": _pill("Not in ledger", "bad", "Stripe has a line that we did not book."),
        "NOT_AT_PROVIDER": _pill("Not at Stripe", "bad", "We booked a line that Stripe does not have."),
        "AMOUNT_DIFFERS": _pill("Amount differs", "bad", "Both have the line, with different amounts."),
        "BALANCE_DIFFERS": _pill("Balance differs", "bad", "The balances do not agree."),
        "IN_SUSPENSE": _pill("Booked to suspense", "wait", "Booked, and not explained."),
        "OPEN": _pill("Open", "bad", "Not yet explained."),
        "RESOLVED": _pill("Resolved", "good", "Explained by a person."),
    },
    "bank change": {
        "WAITS": _pill("Waits", "wait", "Payouts to the new bank account wait."),
        "REFUSED": _pill("Refused", "bad", "No payout goes there. They wait for another bank account."),
        "IN_USE": _pill("In use", "good", "Payouts go to the new bank account."),
        "UNUSABLE": _pill(
            "Not usable", "bad", "A payout came back from it. They wait for another bank account."
        ),
        "REPLACED": _pill(
            "Replaced",
            "quiet",
            "Another bank account has taken its place, or it is decided about in another line.",
        ),
    },
    "break": {
        "OPEN": _pill("Open", "bad", "Nobody has explained it yet."),
        "WAITING": _pill("Waiting", "quiet", "Staff wait for a day that they chose."),
        "PROPOSED": _pill("Proposed", "wait", "An explanation waits for a second person."),
        "CLOSED": _pill("Closed", "good", "Both sides agree, or it was explained."),
    },
    "break class": {
        "TIMING": _pill("Timing", "quiet", "Recent: the other side may still follow by itself."),
        "FEE": _pill("Fee", "wait", "A fee, or a fee that differs."),
        "CURRENCY": _pill("Currency", "bad", "The two sides are in different currencies."),
        "DUPLICATE": _pill("Duplicate", "bad", "The same line is booked already."),
        "MISSED_WEBHOOK": _pill(
            "Missed webhook", "wait", "The desk asked for it, and has not applied its outcome."
        ),
        "MADE_AT_STRIPE": _pill(
            "Made at Stripe", "bad", "Made by hand at Stripe; nothing on the desk caused it."
        ),
        "BANK_ONLY": _pill("Bank only", "bad", "On the bank's statement, and not in the ledger."),
        "LEDGER_ONLY": _pill("Ledger only", "bad", "In the ledger, and not on the statement."),
        "AMOUNT_DIFFERS": _pill("Amount differs", "bad", "Both sides have it, with different amounts."),
        "UNKNOWN": _pill("Unknown", "bad", "Its kind does not say what it is."),
    },
    "check": {
        "PASS": _pill("Pass", "good", "No rows fail."),
        "FAIL": _pill("Fail", "bad", "Some rows fail."),
        "NOT_RUN": _pill("Not run", "wait", "The last run did not have this check yet."),
    },
    "project": {
        "ACTIVE": _pill("Active", "info", "Under way."),
        "COMPLETED": _pill("Completed", "good", "Every milestone is settled."),
        "CANCELED": _pill("Canceled", "quiet", "Ended early."),
    },
    "job": {
        "todo": _pill("Waiting", "info", "Waits for a worker."),
        "doing": _pill("Running", "info", "A worker is running it."),
        "succeeded": _pill("Succeeded", "good", "Done."),
        "failed": _pill("Failed", "bad", "Gave up after its tries."),
        "cancelled": _pill("Canceled", "quiet", "Called off."),
    },
}


def pill(axis: str, value: object) -> Pill:
    """The pill of a stored value. A value that the table does not know is shown in words, in grey."""
    name = str(getattr(value, "value", value))
    known = AXES.get(axis, {})
    return known.get(name) or known.get(name.upper()) or Pill(in_words(name))


def in_words(name: str) -> str:
    """`PARTIAL_WORK` as `Partial work`."""
    return name.replace("_", " ").strip().capitalize()


def labels(axis: str) -> dict[str, str]:
    """Stored value → label, in the table's order: the options of a filter."""
    return {value: shown.label for value, shown in AXES[axis].items()}


def palette(axis: str) -> tuple[list[str], list[str]]:
    """Labels and their colours, for a column of pills."""
    shown = {each.label: COLOR[each.tone] for each in AXES.get(axis, {}).values()}
    return list(shown), list(shown.values())


def show(what: Pill | str, value: object = None) -> None:
    """One pill: `show(Pill(...))` or `show("case", case.status)`."""
    each = what if isinstance(what, Pill) else pill(what, value)
    st.badge(plain(each.label), color=COLOR[each.tone], icon=each.icon, help=each.meaning)


def row(pills: Sequence[Pill]) -> None:
    """Pills beside each other; they wrap when the room is narrow."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for each in pills:
            show(each)
