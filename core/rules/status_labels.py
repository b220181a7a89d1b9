"""What a status is called, what it means and how good it is: one table for every axis, for pages and for commands.

`good`: done, and well. `wait`: waiting, or watched. `bad`: wrong, or stopped. `info`: moving by itself. `quiet`: at
rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.rules import documents
from core.rules.refunds import RefundStatus

Tone = Literal["good", "wait", "bad", "info", "quiet"]
OWED_AGAIN = frozenset({RefundStatus.FAILED, RefundStatus.CANCELED})


@dataclass(frozen=True)
class Label:
    """A status as a person reads it, and the sentence that says what it means."""

    words: str
    tone: Tone
    meaning: str


AXES: Mapping[str, Mapping[str, Label]] = {
    "milestone": {
        "PLANNED": Label("Planned", "quiet", "Not yet offered for funding."),
        "AWAITING_FUNDING": Label("Awaiting funding", "quiet", "The payer can pay now."),
        "FUNDED": Label("Funded", "info", "The money is held; work can go on."),
        "PENDING_VERIFICATION": Label(
            "To be verified", "wait", "The work is reported as done; the payer checks it."
        ),
        "DISPUTED": Label("Disputed", "bad", "The payer disputes the work; nothing is released."),
        "IN_MEDIATION": Label("In mediation", "bad", "A mediator decides."),
        "VERIFIED": Label("Verified", "info", "Accepted or decided; the release is on its way."),
        "COMPLETED": Label("Completed", "good", "Settled: everything is released or divided."),
        "REFUNDED": Label("Refunded", "good", "Settled: the payer has the money back."),
        "CANCELED": Label("Canceled", "quiet", "Ended before it was funded."),
    },
    "payment": {
        "UNPAID": Label("Unpaid", "quiet", "Nothing has been paid."),
        "PENDING_PAYMENT": Label(
            "Payment pending", "info", "A charge is under way, or waits for the payer or their bank."
        ),
        "PAID_HELD": Label("Held", "info", "Paid, and held until the work is verified."),
        "PARTIALLY_RELEASED": Label("Partly released", "wait", "A part is released to the payee."),
        "RELEASED": Label("Released", "good", "Released to the payee."),
        "REFUND_PENDING": Label("Refund pending", "wait", "Decided; the refund is on its way."),
        "REFUNDED": Label("Refunded", "good", "The payer has the money back."),
        "CHARGEBACK_REVIEW": Label(
            "Chargeback", "bad", "The payer's bank took the money back; under review."
        ),
        "CANCELED": Label("Canceled", "quiet", "Ended before anything was paid."),
    },
    "case": {
        "OPEN": Label(
            "Open", "wait", "Disputed; the parties may still settle it themselves. Blocks release."
        ),
        "UNDER_REVIEW": Label("Under review", "info", "A mediator is reviewing it. Blocks release."),
        "WAITING_PARTY": Label(
            "Waiting for a party", "wait", "Awaiting an answer from a party. Blocks release."
        ),
        "RESOLVED": Label("Resolved", "good", "Decided or settled."),
        "WITHDRAWN": Label("Withdrawn", "quiet", "Withdrawn by the party that opened it."),
    },
    "mark": {
        "ESCALATED": Label("Escalated", "bad", "No decision in time: it is with the administrators."),
        "HIGH_VALUE": Label("High value", "wait", "Above the threshold: a second person approves."),
        "LATE": Label("Late", "bad", "The time limit is over."),
        "MINE": Label("Yours", "info", "Assigned to you."),
        "UNASSIGNED": Label("Unassigned", "wait", "No mediator yet."),
        "AWAITING_APPROVAL": Label(
            "Needs approval", "wait", "Decided; a second person must approve the plan."
        ),
        "COOLING_OFF": Label(
            "Cooling off", "info", "Decided; carried out when the time is over, unless new evidence comes in."
        ),
        "VOIDED": Label("Decision void", "bad", "It was decided, but the case changed since: decide again."),
        "SINCE": Label("New messages", "wait", "A party wrote after the decision was made: read it."),
        "TIED": Label("You have a tie", "bad", "You are tied to a party, so someone else must decide."),
        "HOLD": Label("On hold", "bad", "A hold stops every release and payout."),
        "CHARGEBACK": Label("Chargeback", "bad", "The payer's bank took the money back; under review."),
        "RISK_REVIEW": Label("Risk review", "bad", "Compliance is reviewing something about it."),
        "RECUSED": Label(
            "You recused yourself", "quiet", "You recused yourself from it: it is never yours again."
        ),
    },
    "decision": {
        "AWAITING_APPROVAL": Label(
            "Awaiting approval", "wait", "A second person must approve exactly this plan."
        ),
        "COOLING_OFF": Label("Cooling off", "info", "Decided; it is carried out when the time is over."),
        "EXECUTED": Label("Executed", "good", "Posted exactly as planned."),
        "RETURNED": Label("Returned", "bad", "The second person sent it back."),
        "VOIDED": Label("Voided", "quiet", "Something changed, so the plan no longer holds."),
    },
    "letter": {
        "EDITED": Label("Edited", "wait", "The mediator wrote the words between the fixed parts."),
        "GENERATED": Label("Generated", "quiet", "Made from the plan, word for word."),
    },
    "outcome": {
        "FULL_RELEASE": Label("Full release", "info", "Everything goes to the payee."),
        "PARTIAL_RELEASE": Label("Partial release", "info", "Divided between the two parties."),
        "FULL_REFUND": Label("Full refund", "info", "Everything goes back to the payer."),
    },
    "settlement_proposal": {
        "OPEN": Label("Open", "wait", "The other side has yet to answer."),
        "ACCEPTED": Label("Accepted", "good", "The parties agreed; the money moved as offered."),
        "DECLINED": Label("Declined", "quiet", "The other side did not agree."),
        "WITHDRAWN": Label("Withdrawn", "quiet", "Withdrawn by the party that made it."),
        "REPLACED": Label("Replaced", "quiet", "The party that made it made another."),
        "EXPIRED": Label("Expired", "quiet", "Nobody answered before its time, or the case, was over."),
    },
    "payout": {
        "REQUESTED": Label("Requested", "info", "Asked for; not yet sent."),
        "SENDING": Label("Sending", "info", "The transfer is being sent."),
        "TRANSFERRED": Label("Transferred", "info", "With the payee's account at Stripe."),
        "IN_TRANSIT": Label("In transit", "info", "On its way to the payee's bank."),
        "PAID": Label("Paid", "good", "Arrived."),
        "FAILED": Label("Failed", "bad", "It did not go through."),
        "ADMINISTRATIVE_REVIEW": Label("Needs review", "bad", "A person decides what happens next."),
        "CANCELED": Label("Canceled", "quiet", "Called off."),
    },
    "refund": {
        "QUEUED": Label("Queued", "info", "Decided; not yet sent."),
        "PENDING": Label("Pending", "info", "With the bank."),
        "SUCCEEDED": Label("Succeeded", "good", "The payer has the money."),
        "FAILED": Label("Failed", "bad", "The payer did not get it; the debt is open again."),
        "CANCELED": Label("Canceled", "quiet", "Called off."),
        "CHARGED_BACK": Label("Charged back", "quiet", "The payer's bank took the money first."),
        "RETURNED": Label("Returned another way", "good", "It came back to us, and was sent from our bank."),
    },
    "credit note": {
        status: Label(label, "bad" if status in OWED_AGAIN else "info", sentence)
        for status, (label, sentence) in documents.SINCE.items()
    },
    "operation": {
        "QUEUED": Label("Queued", "info", "Waits for its turn."),
        "SENDING": Label("Sending", "info", "Sent; the answer is not in."),
        "SENT": Label("Sent", "info", "Stripe has it; the desk waits for how it ends."),
        "SUCCEEDED": Label("Succeeded", "good", "Done, and booked."),
        "REFUSED": Label("Refused", "bad", "Stripe said no."),
        "BLOCKED": Label("Blocked", "wait", "Something else must end first; the reason says what."),
        "REVIEW": Label("Needs review", "bad", "A person decides what happens next; the reason says why."),
        "CANCELED": Label("Canceled", "quiet", "Called off."),
    },
    "hold": {
        "ACTIVE": Label("On hold", "bad", "Nothing is released until someone lifts it."),
        "RELEASED": Label("Lifted", "quiet", "No longer in force."),
        "MANUAL": Label("Manual", "wait", "Placed by staff; the payee is notified of a review."),
        "RISK": Label("Risk", "bad", "Placed because of a risk; the parties are not notified."),
        "REPORT": Label("Report", "wait", "Placed because of a report; the parties are not notified."),
        "HIGH_VALUE": Label(
            "High value", "wait", "Above the review threshold; the payee is notified of a review."
        ),
        "COMPLAINT": Label("Complaint", "wait", "The payer complained after the time for a dispute."),
    },
    "chargeback": {
        "warning_needs_response": Label(
            "Inquiry: answer", "wait", "The bank has sent an inquiry; no money has moved."
        ),
        "warning_under_review": Label("Inquiry: in review", "info", "The bank reads our answer."),
        "warning_closed": Label("Inquiry closed", "good", "No chargeback came of it."),
        "needs_response": Label("Needs response", "bad", "Evidence is due."),
        "under_review": Label("Under review", "wait", "The bank is reviewing our evidence."),
        "won": Label("Won", "good", "The money came back."),
        "lost": Label("Lost", "bad", "The payer's bank keeps what it took."),
        "prevented": Label("Prevented", "good", "Settled before it became a chargeback."),
    },
    "webhook": {
        "RECEIVED": Label("Received", "info", "Stored; not yet applied."),
        "APPLIED": Label("Applied", "good", "Its object was fetched again and booked."),
        "IGNORED": Label("Ignored", "quiet", "About nothing that the desk follows; it says why."),
        "FAILED": Label("Failed", "bad", "Given up: it says why, and can be applied again."),
    },
    "marketplace_event": {
        "QUEUED": Label("Queued", "info", "Waits to be sent, or to be sent again."),
        "SENT": Label("Delivered", "good", "The endpoint answered with a status of 200 to 299."),
        "FAILED": Label("Given up", "bad", "The endpoint did not take it in any of its tries."),
        "DROPPED": Label("Dropped", "quiet", "Its endpoint was removed before it was sent."),
    },
    "worker": {
        "ALIVE": Label("Alive", "good", "It gave a sign within the last 30 seconds."),
        "SILENT": Label(
            "Silent", "bad", "No sign for more than 30 seconds: look at its log, and start another."
        ),
    },
    "notification": {
        "QUEUED": Label("Queued", "info", "Waits to be sent."),
        "SENT": Label("Sent", "good", "Accepted by the mail server."),
        "FAILED": Label("Failed", "bad", "Could not be sent."),
        "MUTED": Label("Muted", "quiet", "The reader wants no e-mails of this kind; nothing was sent."),
    },
    "period": {
        "CLOSED": Label("Closed", "good", "Signed and locked: it gets no journal any more."),
        "REOPENED": Label("Reopened", "wait", "Two people reopened it; its summary stays as it was signed."),
    },
    "proposal": {
        "PROPOSED": Label("Waiting", "wait", "For a second person."),
        "DONE": Label("Done", "good", "Another person confirmed it."),
        "POSTED": Label("Posted", "good", "Another person approved it, and it is in the ledger."),
        "REJECTED": Label("Rejected", "bad", "Another person said no."),
        "WITHDRAWN": Label("Withdrawn", "quiet", "By whoever proposed it."),
        "RETURNED": Label("Returned", "bad", "It can no longer be confirmed."),
    },
    "reconciliation": {
        "RUNNING": Label("Running", "info", "Under way."),
        "CLEAN": Label("Reconciled", "good", "Every line is booked as what it is, and the balances agree."),
        "SUSPENSE": Label("In suspense", "wait", "Lines were booked that nobody had explained then."),
        "BREAKS": Label("Unreconciled", "bad", "Some lines do not agree."),
        "FAILED": Label("Failed", "bad", "Did not finish, so it says nothing."),
        "BROKEN_OFF": Label("Broken off", "bad", "Its process was stopped, so it says nothing."),
        "EMPTY": Label("Nothing to compare", "quiet", "The statement had no line."),
        "NOT_COUNTED": Label("Lines agree", "wait", "From before money in suspense was counted."),
        "OLD": Label("Old", "bad", "Too long ago to say anything about today."),
        "NEVER": Label("Never run", "bad", "Nothing was compared yet."),
        "MATCHED": Label("Matches", "good", "Both sides say the same."),
        "NOT_COMPARED": Label("Not compared", "quiet", "Something was booked after the statement ended."),
        "NOT_IN_LEDGER": Label("Not in ledger", "bad", "Stripe has a line that we did not book."),
        "NOT_AT_PROVIDER": Label("Not at Stripe", "bad", "We booked a line that Stripe does not have."),
        "AMOUNT_DIFFERS": Label("Amount differs", "bad", "Both have the line, with different amounts."),
        "BALANCE_DIFFERS": Label("Balance differs", "bad", "The balances do not agree."),
        "IN_SUSPENSE": Label("Booked to suspense", "wait", "Booked, and not explained."),
        "OPEN": Label("Open", "bad", "Not yet explained."),
        "RESOLVED": Label("Resolved", "good", "Explained by a person."),
    },
    "suspense": {
        "OPEN": Label("Open", "bad", "Nobody has explained it yet."),
        "SETTLED": Label("Explained", "good", "One person explained it, and another agreed."),
        "REVERSED": Label(
            "Reversed",
            "quiet",
            "The match that it was the difference of was undone, and its booking reversed.",
        ),
    },
    "bank change": {
        "WAITS": Label("Waits", "wait", "Payouts to the new bank account wait."),
        "REFUSED": Label("Refused", "bad", "No payout goes there. They wait for another bank account."),
        "IN_USE": Label("In use", "good", "Payouts go to the new bank account."),
        "UNUSABLE": Label(
            "Not usable", "bad", "A payout came back from it. They wait for another bank account."
        ),
        "REPLACED": Label(
            "Replaced",
            "quiet",
            "Another bank account has taken its place, or it is decided about in another line.",
        ),
    },
    "break": {
        "OPEN": Label("Open", "bad", "Nobody has explained it yet."),
        "WAITING": Label("Waiting", "quiet", "Staff wait for a day that they chose."),
        "PROPOSED": Label("Proposed", "wait", "An explanation waits for a second person."),
        "CLOSED": Label("Closed", "good", "Both sides agree, or it was explained."),
    },
    "break class": {
        "TIMING": Label("Timing", "quiet", "Recent: the other side may still follow by itself."),
        "FEE": Label("Fee", "wait", "A fee, or a fee that differs."),
        "CURRENCY": Label("Currency", "bad", "The two sides are in different currencies."),
        "DUPLICATE": Label("Duplicate", "bad", "The same line is booked already."),
        "MISSED_WEBHOOK": Label(
            "Missed webhook", "wait", "The desk asked for it, and has not applied its outcome."
        ),
        "MADE_AT_STRIPE": Label(
            "Made at Stripe", "bad", "Made by hand at Stripe; nothing on the desk caused it."
        ),
        "BANK_ONLY": Label("Bank only", "bad", "On the bank's statement, and not in the ledger."),
        "LEDGER_ONLY": Label("Ledger only", "bad", "In the ledger, and not on the statement."),
        "AMOUNT_DIFFERS": Label("Amount differs", "bad", "Both sides have it, with different amounts."),
        "UNKNOWN": Label("Unknown", "bad", "Its kind does not say what it is."),
    },
    "check": {
        "PASS": Label("Pass", "good", "No rows fail."),
        "FAIL": Label("Fail", "bad", "Some rows fail."),
        "NOT_RUN": Label("Not run", "wait", "The last run did not have this check yet."),
    },
    "project": {
        "ACTIVE": Label("Active", "info", "Under way."),
        "COMPLETED": Label("Completed", "good", "Every milestone is settled."),
        "CANCELED": Label("Canceled", "quiet", "Ended early."),
    },
    "job": {
        "todo": Label("Waiting", "info", "Waits for a worker."),
        "doing": Label("Running", "info", "A worker is running it."),
        "succeeded": Label("Succeeded", "good", "Done."),
        "failed": Label("Failed", "bad", "Gave up after its tries."),
        "cancelled": Label("Canceled", "quiet", "Called off."),
    },
}


def label(axis: str, value: str) -> Label | None:
    """Of a stored value; None where the table does not know it."""
    known = AXES.get(axis, {})
    return known.get(value) or known.get(value.upper())


def words(axis: str, value: str) -> str:
    """`words("case", "WAITING_PARTY")` is "Waiting for a party". A value that the table does not know is its own name
    as words."""
    found = label(axis, value)
    return found.words if found else in_words(value)


def in_words(name: str) -> str:
    """`PARTIAL_WORK` as `Partial work`."""
    return name.replace("_", " ").strip().capitalize()
