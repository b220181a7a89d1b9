"""What the desk knows about a disputed payment, put as the bank asks for it: texts for its fields, papers to attach.

Only what is on record is said, with its date; nothing is claimed that the desk does not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.audit import actions
from core.chargeback_papers import PaperEntry
from core.clock import utc
from core.money import Money
from core.queries.documents import refunds_of
from core.records import (
    Chargeback,
    ChargebackFile,
    DuplicatePayment,
    Engagement,
    Evidence,
    Message,
    Notification,
    Receipt,
    Refund,
)
from core.records.audit import audit_entries
from core.rules.chargebacks import FILE_KINDS, LARGEST_FILE, LONGEST_TEXT, FileOrigin
from core.rules.documents import ReceiptKind, since
from core.rules.duplicate_payments import DuplicateStatus
from core.rules.messages import Audience, AuthorKind
from core.rules.notifications import LetterStatus
from core.rules.references import reference
from core.rules.refunds import RefundStatus

MOST = 500  # events of a log, messages or e-mails in one paper
LOG_LINES = 200


@dataclass(frozen=True)
class Refunded:
    """What the payer has had back of the disputed payment already. `other`: of a second payment for the same."""

    amount: Money
    at: datetime
    stripe: str
    other: str | None = None

    @property
    def sentence(self) -> str:
        what = "a second payment for the same work" if self.other else "this payment"
        number = f" (Stripe {self.stripe})" if self.stripe else ""
        return f"On {_day(self.at)} {self.amount.text()} of {what} was refunded to the payer{number}."


@dataclass(frozen=True)
class Source:
    """Something that can be attached. `code` names it in an answer; `field`: as which document it would go."""

    code: str
    label: str
    field: str | None = None


@dataclass(frozen=True)
class ChargebackCase:
    """`texts`: the bank's fields that the case itself fills. `sources`: what can be attached, in order of time."""

    texts: Mapping[str, str]
    refunds: Sequence[Refunded]
    sources: Sequence[Source]


def case(session: Session, chargeback_id: int) -> ChargebackCase:
    """What the desk can prove to the bank: texts by field of evidence, refunds, and files that can be drawn."""
    row = session.get_one(Chargeback, chargeback_id)
    context = open_milestone(session, row.milestone_id, lock=False)
    refunds = _refunds(session, context)
    return ChargebackCase(
        texts={field: text for field, text in _texts(session, context, row, refunds).items() if text},
        refunds=refunds,
        sources=_sources(session, context, row),
    )


def _texts(
    session: Session, context: MilestoneContext, row: Chargeback, refunds: Sequence[Refunded]
) -> dict[str, str]:
    milestone, project = context.milestone, context.project
    texts = {
        "customer_name": context.payer.name,
        "customer_email_address": context.payer.email,
        "product_description": _sold(context),
        "service_date": f"Reported complete on {_day(milestone.completion_notice_at)}."
        if milestone.completion_notice_at
        else "",
        "access_activity_log": "\n".join(
            f"{utc(each.at):%Y-%m-%d %H:%M} UTC  {each.title}"
            for each in log(session, context, by=context.payer.id)[-LOG_LINES:]
        )[:LONGEST_TEXT],
        "uncategorized_text": _course(session.get(Engagement, project.id), context),
    }
    told = " ".join(each.sentence for each in refunds)
    second = next((each.other for each in refunds if each.other), None)
    if row.reason == "duplicate":
        texts["duplicate_charge_explanation"] = told
        texts["duplicate_charge_id"] = second or ""
    elif row.reason == "credit_not_processed":
        texts["refund_refusal_explanation"] = told
    elif told:
        texts["uncategorized_text"] = f"{told}\n{texts['uncategorized_text']}".strip()
    return texts


def _sold(context: MilestoneContext) -> str:
    milestone, project = context.milestone, context.project
    lines = [
        f"“{milestone.title}”, a milestone of the project “{project.title}”, provided by {context.payee.name}.",
        f"Agreed deliverable: {milestone.deliverable}" if milestone.deliverable else "",
        f"Agreed scope of the project: {project.scope}" if project.scope else "",
        f"Agreed amount: {context.amount.text()}; "
        f"charged with fees: {context.money(context.order.charge_minor).text()}.",
    ]
    return "\n".join(line for line in lines if line)[:LONGEST_TEXT]


def _course(engagement: Engagement | None, context: MilestoneContext) -> str:
    """Terms and course, in the order in which it happened."""
    milestone = context.milestone
    moments: list[tuple[datetime | None, str]] = [
        (
            engagement.scope_confirmed_by_payer_at if engagement else None,
            "the payer confirmed the scope of the work",
        ),
        (engagement.fee_confirmed_at if engagement else None, "the payer confirmed the fees"),
        (milestone.funded_at, "the payer paid"),
        (milestone.completion_notice_at, "the payer was told that the work is complete"),
        (milestone.verified_at, "the work was approved"),
    ]
    dated = sorted((at, what) for at, what in moments if at is not None)
    return "\n".join(f"{_day(at)}: {what}." for at, what in dated)


def _refunds(session: Session, context: MilestoneContext) -> list[Refunded]:
    wanted = select(Refund).where(
        Refund.milestone_id == context.milestone.id, Refund.status == RefundStatus.SUCCEEDED
    )
    own = [
        Refunded(
            Money(each.amount_minor, each.currency),
            each.settled_at or each.created_at,
            each.stripe_refund or "",
        )
        for each in session.scalars(wanted.order_by(Refund.id))
    ]
    twice = select(DuplicatePayment).where(
        DuplicatePayment.milestone_id == context.milestone.id,
        DuplicatePayment.status == DuplicateStatus.RETURNED,
    )
    seconds = [
        Refunded(each.left, each.returned_at or each.found_at, each.stripe_refund or "", each.stripe_charge)
        for each in session.scalars(twice.order_by(DuplicatePayment.id))
    ]
    return [*own, *seconds]


def _sources(session: Session, context: MilestoneContext, row: Chargeback) -> list[Source]:
    number, kinds = context.milestone.id, list(FILE_KINDS)
    receipts = session.scalars(
        select(Receipt)
        .where(Receipt.milestone_id == number, Receipt.kind != ReceiptKind.RELEASE)
        .order_by(Receipt.id)
    )
    pieces = session.scalars(
        select(Evidence)
        .where(
            Evidence.milestone_id == number,
            Evidence.media_type.in_(kinds),
            Evidence.size_bytes <= LARGEST_FILE,
        )
        .order_by(Evidence.id)
    )
    uploads = session.scalars(
        select(ChargebackFile)
        .where(ChargebackFile.chargeback_id == row.id, ChargebackFile.origin == FileOrigin.UPLOAD)
        .order_by(ChargebackFile.id)
    )
    papers = receipts.all()
    refunds = refunds_of(session, papers)
    found = [_receipt(each, row.reason, refunds.get(each.id)) for each in papers]
    found += [
        Source(
            f"evidence:{each.id}", f"{each.file_name} · {each.caption}" if each.caption else each.file_name
        )
        for each in pieces
    ]
    found += [Source(f"file:{each.id}", f"{each.title} (uploaded)") for each in uploads]
    if messages(session, context):
        found.append(Source("messages", "Messages between payer and payee (PDF)", "customer_communication"))
    if emails(session, context):
        found.append(Source("emails", "E-mails that the payer was sent (PDF)", "customer_communication"))
    return [*found, Source("log", "Extract of the desk's log (PDF)")]


def _receipt(row: Receipt, reason: str, refund: RefundStatus | None) -> Source:
    """A credit note proves a refund: it goes where such a chargeback is answered. Where the refund came back, it says
    so, and goes nowhere by itself."""
    if row.kind == ReceiptKind.FUNDING:
        return Source(f"receipt:{row.id}", f"Receipt {row.number} (PDF)", "receipt")
    if refund and (came_back := since(refund)):
        return Source(f"receipt:{row.id}", f"Credit note {row.number} (PDF). {came_back}")
    field = "duplicate_charge_documentation" if reason == "duplicate" else "uncategorized_file"
    return Source(f"receipt:{row.id}", f"Credit note {row.number} (PDF)", field)


def log(session: Session, context: MilestoneContext, *, by: int | None = None) -> list[PaperEntry]:
    """What happened on this milestone, oldest first, without what only staff may see; `by`: by this party alone."""
    entry = audit_entries.c
    wanted = select(entry.at, entry.actor_kind, entry.actor_id, entry.action).where(
        entry.milestone_id == context.milestone.id
    )
    if by is not None:
        wanted = wanted.where(entry.actor_kind == "party", entry.actor_id == by)
    rows = session.execute(wanted.order_by(entry.id.desc()).limit(MOST)).all()
    told = [(at, kind, number, actions.of(action)) for at, kind, number, action in reversed(rows)]
    return [
        PaperEntry(at, _who(context, kind, number), known.title)
        for at, kind, number, known in told
        if known is not None and (by is not None or not known.staff_only)
    ]


def messages(session: Session, context: MilestoneContext) -> list[PaperEntry]:
    """What payer, payee and staff wrote to each other, oldest first."""
    wanted = (
        select(Message)
        .where(Message.milestone_id == context.milestone.id, Message.audience == Audience.PARTIES)
        .order_by(Message.id.desc())
        .limit(MOST)
    )
    return [
        PaperEntry(each.at, _who(context, each.author_kind, each.author_id), "wrote", each.body)
        for each in reversed(session.scalars(wanted).all())
    ]


def emails(session: Session, context: MilestoneContext) -> list[PaperEntry]:
    """What the payer was sent about this milestone, oldest first; nothing that did not leave."""
    wanted = (
        select(Notification)
        .where(
            Notification.milestone_id == context.milestone.id,
            Notification.party_id == context.payer.id,
            Notification.status == LetterStatus.SENT,
        )
        .order_by(Notification.id.desc())
        .limit(MOST)
    )
    return [
        PaperEntry(each.sent_at or each.created_at, "to the payer", each.subject, each.text)
        for each in reversed(session.scalars(wanted).all())
    ]


def _who(context: MilestoneContext, kind: str, number: int | None) -> str:
    if kind == AuthorKind.PARTY and number == context.payer.id:
        return f"{context.payer.name} (payer)"
    if kind == AuthorKind.PARTY and number == context.payee.id:
        return f"{context.payee.name} (payee)"
    return "The platform"


def title_of(row: Chargeback) -> str:
    """The title of the bundle for the bank."""
    return f"Evidence on chargeback {reference('chargeback', row.id)}, Stripe {row.stripe_dispute}"


def _day(at: datetime) -> str:
    return f"{utc(at):%-d %B %Y}"
