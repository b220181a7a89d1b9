"""Receipts, invoices and credit notes: one for each payment in, each release and each refund.

(payment-escrow-rules, Records: payer, payee, amount, timestamp, scope snapshot.) A row of facts is issued in the
transaction that moves the money, with the next number of its series and year; the paper is drawn from it when somebody
asks, and the log keeps the hash of every PDF that was handed out.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core import audit
from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.privacy import readings
from core.actions.staff import policy_in_force
from core.audit.actions import AuditAction
from core.config import Settings
from core.document_paper import ReceiptDocument, draw
from core.errors import NotFound
from core.money import Money
from core.policy import Profile
from core.queries.documents import refunds_of
from core.records import Decision, Milestone, OutgoingOperation, PolicyVersion, Project, Receipt, Refund
from core.rules import documents as rules
from core.rules.documents import Cause, ReceiptKind
from core.rules.permissions import SYSTEM, Actor, Permission, require
from core.rules.readings import ReadingKind
from core.rules.references import reference, whole
from core.rules.splits import Split

ISSUED = (
    select(PolicyVersion, Receipt)
    .outerjoin(Receipt, Receipt.milestone_id == bindparam("milestone"))
    .where(policy_in_force.IS_IN_FORCE)
    .order_by(Receipt.id)
)


def of_funding(
    session: Session,
    context: MilestoneContext,
    operation: OutgoingOperation,
    charged: Money,
    *,
    paid_by: str | None,
    now: datetime,
) -> Receipt:
    """The receipt of what the payer was charged: amount held, both fees, and the total. `paid_by`: the card or account,
    as the payer knows it."""
    order = context.order
    lines = (
        ("Milestone amount, held", context.amount.minor),
        ("Platform fee", order.platform_fee_minor),
        ("Processing fee", order.processing_fee_minor),
    )
    return _issue(
        session, context, ReceiptKind.FUNDING, operation.key, charged, lines, paid_by=paid_by, now=now
    )


def of_release(
    session: Session, context: MilestoneContext, split: Split, *, key: str, now: datetime
) -> Receipt | None:
    """The payee's invoice for the part that is released; the fee kept on it was the payer's, on top."""
    if not split.release.is_positive:
        return None
    whole = split.release == context.amount
    lines = ((rules.line("released", whole=whole), split.release.minor),)
    return _issue(session, context, ReceiptKind.RELEASE, f"{key}.release", split.release, lines, now=now)


def of_refund(
    session: Session,
    context: MilestoneContext,
    operation: OutgoingOperation,
    refund: Refund,
    *,
    now: datetime,
) -> Receipt | None:
    """Written when the refund has succeeded; one that fails later and is sent again is not written twice."""
    part, whole = refund.milestone_part_minor, refund.amount_minor
    full = part == context.amount.minor
    lines = [(rules.line("refunded", whole=full), part), ("Fees returned", whole - part)]
    lines = [(label, minor) for label, minor in lines if minor]
    return _issue(session, context, ReceiptKind.REFUND, operation.key, context.money(whole), lines, now=now)


def scope_of(context: MilestoneContext) -> dict[str, Any]:
    """What was agreed, as it stands: the part of it that this milestone is."""
    return {
        "project": context.project.title,
        "scope": context.project.scope,
        "milestone": context.milestone.title,
        "deliverable": context.milestone.deliverable,
        "amount": context.amount.minor,
        "currency": context.milestone.currency,
        "policy_version": context.project.policy_version_id,
    }


def _issue(
    session: Session,
    context: MilestoneContext,
    kind: ReceiptKind,
    cause: str,
    total: Money,
    lines: Any,
    *,
    paid_by: str | None = None,
    now: datetime,
) -> Receipt:
    """An invoice and a credit note refer to the receipt of the payment, and bear its tax rate and means."""
    key, scope = f"{kind.lower()}.{cause}", scope_of(context)
    with session.no_autoflush:
        profile, issued = _issued(session, context, now)
    if key in issued:
        return issued[key]
    paid = (each for each in issued.values() if each.kind == ReceiptKind.FUNDING)
    original = None if kind is ReceiptKind.FUNDING else next(paid, None)
    rate = original.tax_bps if original else profile.tax_bps
    row = Receipt(
        key=key,
        kind=kind,
        milestone_id=context.milestone.id,
        payer_id=context.payer.id,
        payee_id=context.payee.id,
        currency=total.currency,
        total_minor=total.minor,
        lines=[list(line) for line in lines],
        scope=scope,
        scope_hash=hashlib.sha256(rfc8785.dumps(scope)).hexdigest(),
        issuer_name=profile.issuer_name or None,
        issuer_address=profile.issuer_address or None,
        issuer_tax_id=profile.tax_id or None,
        tax_bps=rate,
        tax_minor=rules.tax_in(total, rate).minor,
        payment_method=original.payment_method if original else paid_by,
        original_id=original.id if original else None,
        at=now,
    )
    session.add(row)
    session.flush()
    context.note(
        session,
        SYSTEM,
        AuditAction.RECEIPT_ISSUE.by("system"),
        about=("receipt", row.id),
        now=now,
        after={"number": row.number, "total": total.as_dict()},
        contents=[row],
    )
    return row


def _issued(session: Session, context: MilestoneContext, now: datetime) -> tuple[Profile, dict[str, Receipt]]:
    """The policy in force, which names the issuer, and the documents of the milestone by their key, the oldest first:
    all are flushed when they are issued. Raises `NotFound`."""
    given = {"milestone": context.milestone.id, "platform": context.project.platform, "now": now}
    rows = session.execute(ISSUED, given).all()
    if not rows:
        raise NotFound(kind="policy profile", id=context.project.platform)
    issued = {receipt.key: receipt for _, receipt in rows if receipt is not None}
    return Profile.from_snapshot(rows[0][0].snapshot), issued


def download(
    session: Session, actor: Actor, *, settings: Settings, now: datetime, receipt_id: int
) -> tuple[str, bytes]:
    """The file name and the PDF. It bears names, so whoever takes it is noted (payment-escrow-rules, Checklist 4).
    Raises `NotFound`."""
    require(actor, Permission.READ_CASES)
    row = session.get(Receipt, receipt_id)
    if row is None:
        raise NotFound(kind="receipt", id=receipt_id)
    return hand_out(session, actor, row, settings=settings, now=now)


def by_number(session: Session, given: str) -> int:
    """The id of the document with this number, `HR-2026-000017`, or this id. Raises `NotFound`."""
    found = whole(given) or session.scalar(select(Receipt.id).where(Receipt.number == given.strip().upper()))
    if found is None:
        raise NotFound(kind="receipt", id=given)
    return found


def hand_out(
    session: Session,
    actor: Actor,
    row: Receipt,
    *,
    settings: Settings,
    now: datetime,
    by_key: str | None = None,
) -> tuple[str, bytes]:
    """The same for whoever may have it. `by_key`: the key of the marketplace that took it. The entry keeps the hash of
    the file, by which it is known again (`core.queries.downloaded_files`)."""
    milestone = session.get_one(Milestone, row.milestone_id)
    content = draw(paper_of(session, row, settings))
    readings.keep(session, actor, now=now, kind=ReadingKind.DOCUMENT, number=row.id)
    audit.record(
        session,
        actor,
        AuditAction.RECEIPT_DOWNLOAD.by(actor.kind),
        object_kind="receipt",
        object_id=row.id,
        now=now,
        after={"sha256": hashlib.sha256(content).hexdigest()} | ({"by_key": by_key} if by_key else {}),
        project_id=milestone.project_id,
        milestone_id=row.milestone_id,
    )
    return f"{row.number}.pdf", content


def paper_of(session: Session, row: Receipt, settings: Settings) -> ReceiptDocument:
    """Everything that the PDF of a receipt says."""
    project = session.get_one(Project, session.get_one(Milestone, row.milestone_id).project_id)
    cause, case_id = _cause(session, row)
    original = session.get_one(Receipt, row.original_id) if row.original_id else None
    numbers = [
        *([f"receipt {original.number}"] if original else []),
        *([f"case {reference('case', case_id)}"] if case_id else []),
        f"milestone {reference('milestone', row.milestone_id)}",
        f"project {reference('project', project.id)}",
    ]
    refund = refunds_of(session, [row]).get(row.id)
    return ReceiptDocument(
        number=row.number,
        since=rules.since(refund) if refund else None,
        said=rules.said(row.kind, cause, reference("case", case_id) if case_id else None),
        issuer=_issuer(row, project.platform, settings),
        references=", ".join(numbers),
        kind=row.kind,
        payer=row.payer_name,
        payee=row.payee_name,
        payment_method=row.payment_method,
        at=row.at,
        lines=tuple((label, Money(minor, row.currency)) for label, minor in row.lines),
        total=Money(row.total_minor, row.currency),
        tax_bps=row.tax_bps,
        tax=Money(row.tax_minor, row.currency),
        scope=row.scope,
        scope_hash=row.scope_hash,
    )


def _issuer(row: Receipt, platform: str, settings: Settings) -> tuple[str, ...]:
    """Line by line: as the policy named them when it was issued, else as the settings do; and whom to write to."""
    if not row.issuer_name:
        return (settings.issued_by(platform),)
    tax_id = f"Tax id {row.issuer_tax_id}" if row.issuer_tax_id else None
    lines = (row.issuer_name, row.issuer_address, tax_id, settings.contact(platform))
    return tuple(each for each in lines if each)


def _cause(session: Session, row: Receipt) -> tuple[Cause, int | None]:
    """What moved the money, and the case of it. The key of a row says it, or the decision of its refund."""
    wanted = (
        select(Decision.case_id)
        .join(Refund, Refund.decision_id == Decision.id)
        .join(OutgoingOperation, OutgoingOperation.id == Refund.operation_id)
        .where(OutgoingOperation.key == row.key.removeprefix(f"{row.kind.lower()}."))
    )
    if row.kind == ReceiptKind.REFUND and (case_id := session.scalar(wanted)):
        return Cause.DECISION, case_id
    return rules.cause(row.key)
