"""Chargebacks: when one freezes a milestone, who bears one that is lost, and what may be told to the bank.

Statuses are the provider's own words. An inquiry (`warning_…`) moves no money and freezes nothing: staff may place a
hold. A person answers once; a second person sends (payment-escrow-rules, Compliance Checklist 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.errors import DeskError
from core.money import Money, half_up, stripe_step
from core.rules.transitions import status_words
from core.rules.visible_text import says_something


class ChargebackStatus(StrEnum):
    WARNING_NEEDS_RESPONSE = "warning_needs_response"
    WARNING_UNDER_REVIEW = "warning_under_review"
    WARNING_CLOSED = "warning_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    PREVENTED = "prevented"


class FileOrigin(StrEnum):
    """Where a file for the bank comes from; the desk draws all but the first."""

    UPLOAD = "UPLOAD"
    RECEIPT = "RECEIPT"
    LOG = "LOG"
    MESSAGES = "MESSAGES"
    EMAILS = "EMAILS"
    BUNDLE = "BUNDLE"


UNDECIDED = frozenset({ChargebackStatus.NEEDS_RESPONSE, ChargebackStatus.UNDER_REVIEW})
INQUIRIES = frozenset({ChargebackStatus.WARNING_NEEDS_RESPONSE, ChargebackStatus.WARNING_UNDER_REVIEW})
CLOSED = frozenset(ChargebackStatus) - UNDECIDED - INQUIRIES
ANSWERABLE = frozenset({ChargebackStatus.NEEDS_RESPONSE, ChargebackStatus.WARNING_NEEDS_RESPONSE})

# What can be told in words, by the provider's names; the most characters of one text, and of all together.
FIELDS: Mapping[str, str] = {
    "product_description": "What was sold",
    "service_date": "When the service was provided",
    "customer_name": "The payer's name",
    "customer_email_address": "The payer's e-mail address",
    "cancellation_policy_disclosure": "How the payer was shown the cancellation rules",
    "cancellation_rebuttal": "Why the cancellation does not hold",
    "refund_policy_disclosure": "How the payer was shown the refund rules",
    "refund_refusal_explanation": "Why there is no refund",
    "duplicate_charge_explanation": "Why this is no duplicate",
    "duplicate_charge_id": "The other payment, by its number at Stripe",
    "access_activity_log": "What the payer did on the marketplace",
    "uncategorized_text": "Anything else",
}
LONGEST_TEXT, LONGEST_IN_ALL = 20_000, 150_000

# What can be shown as a file; the kinds that the bank opens, the most bytes of one and of all together, and the pages
# that all may have: Stripe refuses more, and some networks (Mastercard: 19) charge for each beyond theirs.
DOCUMENTS: Mapping[str, str] = {
    "service_documentation": "Proof that the service was provided",
    "customer_communication": "Correspondence with the payer",
    "receipt": "Receipt or invoice",
    "customer_signature": "Contract with the payer's signature",
    "cancellation_policy": "Cancellation rules as the payer saw them",
    "refund_policy": "Refund rules as the payer saw them",
    "duplicate_charge_documentation": "Proof that this is no duplicate",
    "shipping_documentation": "Proof of delivery",
    "uncategorized_file": "Any other file",
}
FILE_KINDS: Mapping[str, str] = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}
LARGEST_FILE = 5 * 1024 * 1024
LARGEST_TOGETHER = 4_500_000
MOST_PAGES, PAGES_OF_MASTERCARD = 49, 19


def unanswered(status: ChargebackStatus | str) -> str:
    """What comes of no answer: an inquiry has taken nothing, and what the bank does then is the bank's."""
    if ChargebackStatus(status) in INQUIRIES:
        return "The bank has taken nothing so far; without an answer it may take the money."
    return "Without one the bank keeps the money."


class EvidenceEmpty(DeskError):
    """Write at least one text for the bank, or choose a file."""


class EvidenceUnknown(DeskError):
    """The bank takes no evidence called {field}."""


class EvidenceTooLong(DeskError):
    """{field} has {length} characters; {most} are allowed."""


class FilesTooLarge(DeskError):
    """The files have {size} MB and {pages} pages together; the bank takes 4.5 MB and {most} pages. Leave some out."""


class FileNotForBanks(DeskError):
    """The bank opens PDF, PNG and JPEG files of at most 5 MB, and “{name}” is none."""


class NothingToAccept(DeskError):
    """There is nothing to accept: {why}."""


class NoAnswerAllowed(DeskError):
    """This chargeback cannot be answered: {why}."""


def freezes(status: str, outstanding: Money) -> bool:
    """While the bank has not decided, or has what nobody has borne yet, nothing of the milestone is executed."""
    return status in UNDECIDED or (status == ChargebackStatus.LOST and not outstanding.is_zero)


def present(before: ChargebackStatus, told: ChargebackStatus) -> ChargebackStatus:
    """The status to keep when news come out of order: what was closed is not opened again by older news."""
    return before if before in CLOSED and told not in CLOSED else told


@dataclass(frozen=True)
class Liability:
    """Who bears a lost chargeback. What these do not cover is our loss."""

    held: Money
    fee: Money
    refund_due: Money
    receivable: Money


def while_held(lost: Money, *, held: Money, fee: Money) -> Liability:
    """Lost before the money was divided: first what is held, then the unearned platform fee.

    What stays held can be sent to its last digit; the digit that the provider does not send is our loss.
    """
    nothing, step = Money.zero(lost.currency), stripe_step(held.currency)
    if lost >= held:
        return Liability(held, min(lost - held, fee), nothing, nothing)
    stays = Money(-(-(held - lost).minor // step) * step, held.currency)
    return Liability(max(held - stays, nothing), nothing, nothing, nothing)


def after_release(lost: Money, *, refund_due: Money, payee: Money, fee: Money) -> Liability:
    """Lost after it was divided: first refunds that were still due, then the payee, then the earned platform fee."""
    left = lost - min(lost, refund_due)
    receivable = min(left, payee)
    return Liability(
        held=Money.zero(lost.currency),
        fee=min(left - receivable, fee),
        refund_due=min(lost, refund_due),
        receivable=receivable,
    )


def check_answerable(status: str, due_by: datetime | None, now: datetime) -> None:
    """The bank's own last moment counts, inclusive; it is read and never computed."""
    if status not in ANSWERABLE:
        raise NoAnswerAllowed(why=f"it is {status_words(status)}")
    if due_by is None:
        raise NoAnswerAllowed(why="the bank takes no answer")
    if now > due_by:
        raise NoAnswerAllowed(why="the time to answer is over")


def check_together(sizes: Sequence[int], pages: int) -> None:
    """Raises `FilesTooLarge`."""
    if sum(sizes) > LARGEST_TOGETHER or pages > MOST_PAGES:
        tenths = -(-sum(sizes) // 100_000)
        raise FilesTooLarge(size=f"{tenths // 10}.{tenths % 10}", pages=pages, most=MOST_PAGES)


def why_it_ended(status: str, *, answered: int, accepted: bool, past_due: bool) -> str | None:
    """Why it was won or lost, as far as that is known; None while it is open. The bank gives no reasons."""
    match status:
        case ChargebackStatus.WON if answered:
            return "Won: the bank decided for us on our answer."
        case ChargebackStatus.WON:
            return "Won without an answer of ours: the payer's bank or the payer withdrew it."
        case ChargebackStatus.LOST if accepted:
            return "Lost because two people accepted it."
        case ChargebackStatus.LOST if answered:
            return "Lost: the bank decided for the payer, although we had answered."
        case ChargebackStatus.LOST if past_due:
            return "Lost because no answer was sent before the bank's last moment."
        case ChargebackStatus.LOST:
            return "Lost without an answer of ours."
        case ChargebackStatus.WARNING_CLOSED:
            return "The inquiry was closed and took no money."
        case ChargebackStatus.PREVENTED:
            return "Prevented before any money was taken."
    return None


def win_rate(won: int, lost: int) -> str:
    """Won of those that the bank decided, in whole percent; a dash while it has decided none."""
    return f"{half_up(100 * won, won + lost)} %" if won + lost else "—"


def check_acceptable(status: str) -> None:
    """Only what the bank has taken and waits for our word about can be given up; an inquiry is met with a refund."""
    if status in INQUIRIES:
        raise NothingToAccept(why="an inquiry is met by refunding the payer")
    if status != ChargebackStatus.NEEDS_RESPONSE:
        raise NothingToAccept(why=f"it is {status_words(status)}")


def check_file(field: str, *, name: str, media_type: str, size: int) -> None:
    """Raises `EvidenceUnknown`, `FileNotForBanks`."""
    if field not in DOCUMENTS:
        raise EvidenceUnknown(field=field)
    if media_type not in FILE_KINDS or size > LARGEST_FILE:
        raise FileNotForBanks(name=name)


def check_evidence(texts: Mapping[str, str], *, files: int = 0) -> dict[str, str]:
    """The texts without empty ones. Raises `EvidenceEmpty`, `EvidenceUnknown`, `EvidenceTooLong`."""
    given = {field: text.strip() for field, text in texts.items() if says_something(text)}
    if not given and not files:
        raise EvidenceEmpty()
    for field, text in given.items():
        if field not in FIELDS:
            raise EvidenceUnknown(field=field)
        if len(text) > LONGEST_TEXT:
            raise EvidenceTooLong(field=FIELDS[field], length=len(text), most=LONGEST_TEXT)
    length = sum(map(len, given.values()))
    if length > LONGEST_IN_ALL:
        raise EvidenceTooLong(field="The evidence", length=length, most=LONGEST_IN_ALL)
    return given
