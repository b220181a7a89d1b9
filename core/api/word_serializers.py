"""What is read back of words and files: messages, evidence, e-mails, reports and settlement proposals."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from core.api.models.responses.evidence import EvidenceAnswer
from core.api.models.responses.messages import EmailAnswer, MessageAnswer, SaidAnswer
from core.api.models.responses.risk import ReportAnswer
from core.api.models.responses.settlement_proposals import SettlementProposalAnswer
from core.api.plain import moment, money, names
from core.letters import delivery_rules
from core.records import Decision, Evidence, Message, Notification, Report, SettlementProposal


def of_message(row: Message) -> MessageAnswer:
    return {
        "id": row.id,
        "milestone": row.milestone_id,
        "dispute": row.case_id,
        "at": moment(row.at),
    }


def of_said(session: Session, rows: Sequence[Message]) -> list[SaidAnswer]:
    known = names(session, [each.author_id for each in rows if each.author_kind == "party"])
    return [
        {
            **of_message(each),
            "author": each.author_kind,
            "party": known[each.author_id] if each.author_kind == "party" and each.author_id else None,
            "body": each.body,
        }
        for each in rows
    ]


def of_evidence(session: Session, rows: Sequence[Evidence]) -> list[EvidenceAnswer]:
    known = names(session, [each.uploaded_by for each in rows])
    return [
        {
            "id": each.id,
            "milestone": each.milestone_id,
            "dispute": each.case_id,
            "party": known[each.uploaded_by],
            "kind": each.kind,
            "file_name": each.file_name,
            "media_type": each.media_type,
            "size_bytes": each.size_bytes,
            "sha256": each.sha256,
            "caption": each.caption,
            "at": moment(each.at),
        }
        for each in rows
    ]


def of_emails(session: Session, rows: Sequence[Notification]) -> list[EmailAnswer]:
    known = names(session, [each.party_id for each in rows])
    decisions = _cases(session, Decision, [each for each in rows if each.about_kind == "decision"])
    proposals = _cases(session, SettlementProposal, [each for each in rows if each.about_kind == "offer"])
    return [
        {
            "id": each.id,
            "party": known[each.party_id or 0],
            "kind": delivery_rules.name_of(each.template),
            "project": each.project_id,
            "milestone": each.milestone_id,
            "dispute": {
                "ticket": each.about_id,
                "decision": decisions.get(each.about_id or 0),
                "offer": proposals.get(each.about_id or 0),
            }.get(each.about_kind or ""),
            "subject": each.subject,
            "urgent": each.urgent,
            "status": each.status,
            "written_at": moment(each.created_at),
            "sent_at": moment(each.sent_at),
        }
        for each in rows
    ]


def _cases(
    session: Session, record: type[Decision] | type[SettlementProposal], rows: Sequence[Notification]
) -> dict[int, int]:
    """The cases of the decisions or settlement proposals that these e-mails are about."""
    wanted = select(record.id, record.case_id).where(record.id.in_([each.about_id for each in rows]))
    return {row.id: row.case_id for row in session.execute(wanted)}


def about_dispute(number: int) -> ColumnElement[bool]:
    """E-mails about a case, its decisions and its settlement proposals."""
    return or_(
        and_(Notification.about_kind == "ticket", Notification.about_id == number),
        and_(
            Notification.about_kind == "decision",
            Notification.about_id.in_(select(Decision.id).where(Decision.case_id == number)),
        ),
        and_(
            Notification.about_kind == "offer",
            Notification.about_id.in_(
                select(SettlementProposal.id).where(SettlementProposal.case_id == number)
            ),
        ),
    )


def of_reports(session: Session, rows: Sequence[Report]) -> list[ReportAnswer]:
    known = names(session, [party for each in rows for party in (_author(each), each.subject_id)])
    return [
        {
            "id": each.id,
            "project": each.project_id,
            "milestone": each.milestone_id,
            "external_id": each.external_id,
            "kind": each.kind,
            "source": each.source,
            "severity": each.severity,
            "party": known[author] if (author := _author(each)) is not None else None,
            "about": known[each.subject_id] if each.subject_id is not None else None,
            "at": moment(each.at),
            "outcome": each.outcome,
            "settled_at": moment(each.settled_at),
        }
        for each in rows
    ]


def _author(row: Report) -> int | None:
    return row.author_id if row.author_kind == "party" else None


def of_settlement_proposals(
    session: Session, rows: Sequence[SettlementProposal]
) -> list[SettlementProposalAnswer]:
    known = names(session, [each.proposed_by for each in rows])
    return [
        {
            "id": each.id,
            "dispute": each.case_id,
            "proposed_by": known[each.proposed_by],
            "release": money(each.release_minor, each.currency),
            "refund": money(each.refund_minor, each.currency),
            "note": each.note,
            "status": each.status,
            "made_at": moment(each.made_at),
            "expires_at": moment(each.expires_at),
            "ended_at": moment(each.ended_at),
        }
        for each in rows
    ]
