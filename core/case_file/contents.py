"""What a case file holds, read from the desk in one transaction: names in the zip and their bytes."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.audit.content_comparison import erased_rows
from core.errors import NotFound
from core.gateways.evidence_keys import EvidenceErased
from core.gateways.evidence_store import EvidenceStore
from core.ledger import journal_store
from core.records import (
    Case,
    Decision,
    Evidence,
    Message,
    Party,
    PaymentEvent,
    PolicyVersion,
    Refund,
    SettlementProposal,
)
from core.rules.approvals import DecisionStatus

AUDIT = text(
    """
    select id, at, actor_kind, actor_id, role, action, object_kind, object_id, reason, before, after, operation_key,
           ticket_id
    from audit_entries where milestone_id = :milestone_id order by id
    """
)
Rows = Collection[tuple[str, str]]
LIVE = (DecisionStatus.EXECUTED, DecisionStatus.COOLING_OFF, DecisionStatus.AWAITING_APPROVAL)


def gather(session: Session, store: EvidenceStore, case_id: int) -> dict[str, bytes]:
    """Every file of the case, but for the manifest and the printed summary."""
    record = session.get(Case, case_id)
    if record is None:
        raise NotFound(kind="case", id=case_id)
    context = open_milestone(session, record.milestone_id, lock=False)
    pieces = session.scalars(
        select(Evidence).where(Evidence.milestone_id == record.milestone_id).order_by(Evidence.id)
    ).all()
    erased = erased_rows(session)
    contents = {each.id: _bytes(store, each) for each in pieces}
    files = {
        "case.json": as_json(_case(session, context, record, erased)),
        "policy.json": as_json(session.get_one(PolicyVersion, context.project.policy_version_id).snapshot),
        "messages.json": as_json(_messages(session, record.milestone_id, erased)),
        "events.jsonl": as_lines(_events(session, record.milestone_id)),
        "audit.jsonl": as_lines(session.execute(AUDIT, {"milestone_id": record.milestone_id}).mappings()),
        "journals.json": as_json(list(_journals(session, record.milestone_id))),
        "evidence.json": as_json([_piece(each, contents[each.id], erased) for each in pieces]),
        **{_name(each): content for each in pieces if (content := contents[each.id]) is not None},
    }
    return files | _decided(session, record) | _offered(session, record, erased)


def _bytes(store: EvidenceStore, piece: Evidence) -> bytes | None:
    """None where whoever submitted it is erased."""
    try:
        return store.get(piece.uploaded_by, piece.sha256)
    except EvidenceErased:
        return None


def _case(session: Session, context: MilestoneContext, record: Case, erased: Rows) -> dict[str, Any]:
    order = context.order
    refunds = session.scalars(select(Refund).where(Refund.milestone_id == record.milestone_id)).all()
    return {
        "ticket": _with_erasure(record, erased),
        "milestone": plain(context.milestone),
        "project": plain(context.project),
        "order": plain(order),
        "refunds": [plain(each) for each in refunds],
        "corrected_by": list(session.scalars(select(Case.id).where(Case.corrects_id == record.id))),
        "parties": [_party(context.payer), _party(context.payee)],
    }


def _party(party: Party) -> dict[str, Any]:
    """Who it is about, without addresses: a case file goes to people who need none."""
    return {"id": party.id, "role": party.role, "name": party.name, "platform": party.platform}


def _messages(session: Session, milestone_id: int, erased: Rows) -> list[dict[str, Any]]:
    wanted = select(Message).where(Message.milestone_id == milestone_id).order_by(Message.id)
    return [_with_erasure(each, erased) for each in session.scalars(wanted)]


def _events(session: Session, milestone_id: int) -> Iterator[dict[str, Any]]:
    wanted = select(PaymentEvent).where(PaymentEvent.milestone_id == milestone_id).order_by(PaymentEvent.id)
    return (plain(each) for each in session.scalars(wanted))


def _journals(session: Session, milestone_id: int) -> Iterator[dict[str, Any]]:
    for booked in journal_store.of_milestone(session, milestone_id):
        journal = booked.journal
        yield {
            "id": booked.id,
            "key": journal.key,
            "kind": journal.kind,
            "currency": journal.currency,
            "posted_at": booked.posted_at,
            "postings": [{"account": each.account, "amount": each.amount.minor} for each in journal.postings],
        }


def _piece(evidence: Evidence, content: bytes | None, erased: Rows) -> dict[str, Any]:
    """Without a file where it was erased."""
    return {**_with_erasure(evidence, erased), "file": None if content is None else _name(evidence)}


def _name(evidence: Evidence) -> str:
    """Ours alone: nothing that a party called a file becomes a path."""
    ending = PurePosixPath(evidence.file_name).suffix.lower()
    safe = ending if ending[1:].isalnum() and len(ending) <= 6 else ".bin"
    return f"evidence/{evidence.id}-{evidence.sha256[:12]}{safe}"


def _decided(session: Session, record: Case) -> dict[str, bytes]:
    """The decision, its plan as it was hashed, and the letters of the plan."""
    decision = session.scalars(
        select(Decision)
        .where(Decision.case_id == record.id, Decision.status.in_(LIVE))
        .order_by(Decision.id.desc())
        .limit(1)
    ).one_or_none()
    if decision is None:
        return {}
    row = plain(decision)
    row.pop("plan")
    files = {"decision.json": as_json(row), "plan.json": as_json(decision.plan)}
    for letter in decision.plan["letters"]:
        files[f"letters/{letter['audience']}.txt"] = f"{letter['subject']}\n\n{letter['text']}".encode()
    return files


def _offered(session: Session, record: Case, erased: Rows) -> dict[str, bytes]:
    """What the parties offered each other, and the plan of the offer that was accepted, as it was hashed."""
    offers = session.scalars(
        select(SettlementProposal)
        .where(SettlementProposal.case_id == record.id)
        .order_by(SettlementProposal.id)
    ).all()
    if not offers:
        return {}
    rows = [_with_erasure(each, erased) for each in offers]
    for row in rows:
        row.pop("plan")
    files = {"offers.json": as_json(rows)}
    for each in offers:
        if each.plan is not None:
            files["agreement.json"] = as_json(each.plan)
    return files


def _with_erasure(record: Any, erased: Rows) -> dict[str, Any]:
    """`erased`: these are not the words that its entry keeps the hash of, because their author was erased."""
    said = plain(record)
    return said | {"erased": True} if (record.__tablename__, str(record.id)) in erased else said


def plain(record: Any) -> dict[str, Any]:
    return {column.key: getattr(record, column.key) for column in record.__table__.columns}


def as_json(data: Any) -> bytes:
    return json.dumps(data, default=_text, ensure_ascii=False, sort_keys=True, indent=1).encode()


def as_lines(rows: Any) -> bytes:
    lines = (json.dumps(dict(row), default=_text, ensure_ascii=False, sort_keys=True) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()


def _text(value: Any) -> Any:
    match value:
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return dict(value)
    return str(value)
