"""Who read what the desk holds about a person: their own page, their projects with cases, messages and chargebacks,
what they submitted, the e-mails to them, and the reports, reviews, complaints and documents about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.rules.readings import ReadingKind
from core.rules.references import ReferenceKind, reference

# `:party` is the person.
ABOUT = """
    select unnest(array['PARTY', 'REVEALED_NAME', 'FOUND_BY_NAME']) as kind, cast(:party as bigint) as number
    union all select 'PROJECT', p.id from projects p where :party in (p.payer_id, p.payee_id)
    union all
    select unnest(array['CASE', 'MESSAGES']), c.id from cases c join milestones m on m.id = c.milestone_id
    join projects p on p.id = m.project_id where :party in (p.payer_id, p.payee_id)
    union all
    select 'CHARGEBACK', b.id from chargebacks b join milestones m on m.id = b.milestone_id
    join projects p on p.id = m.project_id where :party in (p.payer_id, p.payee_id)
    union all select 'EVIDENCE', e.id from evidence e where e.uploaded_by = :party
    union all select 'EMAIL', n.id from notifications n where n.party_id = :party
    union all
    select 'REPORT', r.id from reports r join projects p on p.id = r.project_id
    where :party in (p.payer_id, p.payee_id, r.subject_id) or r.author_kind = 'party' and r.author_id = :party
    union all
    select 'RISK_REVIEW', v.id from risk_reviews v join milestones m on m.id = v.milestone_id
    join projects p on p.id = m.project_id where :party in (p.payer_id, p.payee_id)
    union all
    select 'HOLD', h.id from holds h join milestones m on m.id = h.milestone_id
    join projects p on p.id = m.project_id where :party in (p.payer_id, p.payee_id)
    union all select 'DOCUMENT', d.id from receipts d where :party in (d.payer_id, d.payee_id)
"""
OF_PARTY = text(
    f"""
    with about as materialized ({ABOUT})
    select s.name, r.roles, r.kind, r.object_id, r.first_at, r.last_at
    from about a join readings r on r.kind = a.kind and r.object_id = a.number join staff s on s.id = r.staff_id
    order by r.last_at desc, r.staff_id, r.kind, r.object_id limit :limit
    """
)
NEWEST = 100

# Every kind of what is listed, and how a page says it of anybody.
KINDS: Mapping[ReadingKind, str] = {
    ReadingKind.PARTY: "their page",
    ReadingKind.REVEALED_NAME: "their name where it was revealed",
    ReadingKind.FOUND_BY_NAME: "that they were found by name",
    ReadingKind.PROJECT: "projects",
    ReadingKind.CASE: "cases",
    ReadingKind.MESSAGES: "messages",
    ReadingKind.CHARGEBACK: "chargebacks",
    ReadingKind.EVIDENCE: "evidence",
    ReadingKind.EMAIL: "e-mails",
    ReadingKind.REPORT: "reports",
    ReadingKind.RISK_REVIEW: "risk reviews",
    ReadingKind.HOLD: "complaints behind holds",
    ReadingKind.DOCUMENT: "documents",
}
_WHAT: dict[ReadingKind, tuple[str, ReferenceKind | None]] = {
    ReadingKind.CASE: ("Case", "case"),
    ReadingKind.MESSAGES: ("Messages of case", "case"),
    ReadingKind.EVIDENCE: ("Evidence", None),
    ReadingKind.EMAIL: ("E-mail", "letter"),
    ReadingKind.PROJECT: ("Project", "project"),
    ReadingKind.CHARGEBACK: ("Chargeback", "chargeback"),
    ReadingKind.REPORT: ("Report", "report"),
    ReadingKind.RISK_REVIEW: ("Risk review", "risk review"),
    ReadingKind.HOLD: ("Complaint behind hold", "hold"),
    ReadingKind.DOCUMENT: ("Document", None),
}


@dataclass(frozen=True)
class ReadingRow:
    """One colleague, one object, one hour."""

    name: str
    roles: str
    kind: ReadingKind
    object_id: int
    first_at: datetime
    last_at: datetime

    @property
    def id(self) -> str:
        return f"{self.name}-{self.kind}-{self.object_id}-{self.first_at.isoformat()}"

    @property
    def what(self) -> str:
        if self.kind is ReadingKind.PARTY:
            return "This person's page"
        if self.kind is ReadingKind.REVEALED_NAME:
            return "This person's name, revealed"
        if self.kind is ReadingKind.FOUND_BY_NAME:
            return "This person, found by name"
        words, kind = _WHAT[self.kind]
        return f"{words} {reference(kind, self.object_id) if kind else self.object_id}"


def of_party(session: Session, party_id: int, *, limit: int = NEWEST) -> list[ReadingRow]:
    """The latest first."""
    rows = session.execute(OF_PARTY, {"party": party_id, "limit": limit}).mappings()
    return [ReadingRow(**{**row, "kind": ReadingKind(row["kind"])}) for row in rows]
