"""Whose personal data the desk holds: the parties, found by name, address or the marketplace's name for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import DeskError, NotFound
from core.like_patterns import like
from core.policy import Platform
from core.rules import personal_data as rules

FOUND = """
where (:words = '' or :words = '#' || p.id or p.id in (
    select y.id from public.parties y
    where searched((((y.name || ' ') || y.email) || ' ') || y.external_id) like searched(:like)))
  and (not :held or h.id is not null) and (not :erased or p.erased_at is not null)
  and (not :proposed or exists (select from erasures e where e.party_id = p.id and e.status = 'PROPOSED'))
"""
SOURCE = "from parties p left join legal_holds h on h.party_id = p.id and h.lifted_at is null"
SELECT = f"""
select p.id, p.external_id, p.name, p.role, p.platform, p.created_at, h.placed_at as held_since, p.erased_at {SOURCE}
"""
ONE = text(f"{SELECT} where p.id = :id")
PAGE = text(f"{SELECT} {FOUND} order by h.placed_at desc nulls last, p.id desc limit :limit offset :offset")
COUNT = text(f"select count(*) {SOURCE} {FOUND}")
ERASURE = text(
    """
    select e.id, e.reason, e.proposed_by as maker_id, a.name as maker, e.proposed_at, e.status, b.name as checker,
           e.settled_at, e.note, e.erased_at, e.counts, e.versions, e.documents_until, e.files_gone_at
    from erasures e join staff a on a.id = e.proposed_by left join staff b on b.id = e.settled_by
    where e.party_id = :party order by e.id desc
    """
)
HOLDS = text(
    """
    select h.id, h.reason, h.placed_at, a.name as placed_by, h.lifted_at, b.name as lifted_by, h.lift_reason
    from legal_holds h join staff a on a.id = h.placed_by left join staff b on b.id = h.lifted_by
    where h.party_id = :party order by h.id desc
    """
)
NAMED = text(
    "select id from parties where external_id = :external_id and platform = coalesce(cast(:platform as text), platform)"
)

# What a table's rows are called, where its name says something else.
NAMES: Mapping[str, str] = {
    "notifications": "e-mails",
    "parties": "name, address and payment method",
    "party_changes": "what they had before",
    "receipts": "documents",
    "api_answers": "answers of the API",
    "outgoing_operations": "requests to Stripe",
    "webhook_events": "events from Stripe",
    "outgoing_events": "events to the marketplace",
    "event_deliveries": "deliveries to the marketplace",
    "unsent_texts": "unsent words of staff",
    "decision_drafts": "drafts of decisions",
    "chargeback_evidence": "answers to banks",
    "chargeback_files": "files for banks",
    "party_requests": "requests to them",
    "payee_accounts": "account at Stripe",
    "payee_holds": "holds on them",
}


class SeveralOfThatName(DeskError):
    """Both marketplaces have a party {given}. Say which with --marketplace."""


class NobodyOfThatName(DeskError):
    """No party is called {given} by its marketplace."""


@dataclass(frozen=True)
class PersonRow:
    """`held_since`: a legal hold stands. `erased_at`: nothing of theirs is left but what must be kept."""

    id: int
    external_id: str
    name: str
    role: str
    platform: str
    created_at: datetime
    held_since: datetime | None
    erased_at: datetime | None


@dataclass(frozen=True)
class LegalHoldRow:
    id: int
    reason: str
    placed_at: datetime
    placed_by: str
    lifted_at: datetime | None
    lifted_by: str | None
    lift_reason: str | None


@dataclass(frozen=True)
class ErasureRow:
    """An erasure as it was proposed, and what became of it."""

    id: int
    reason: str
    maker_id: int
    maker: str
    proposed_at: datetime
    status: str
    checker: str | None
    settled_at: datetime | None
    note: str | None
    erased_at: datetime | None
    counts: dict[str, int] | None
    versions: int | None
    documents_until: datetime | None
    files_gone_at: datetime | None


@dataclass(frozen=True)
class PersonFilter:
    """`words`: in name, address or external id; `held`: only those under a legal hold; `erased`: only those who are;
    `proposed`: only those whose erasure waits for a second person."""

    words: str = ""
    held: bool = False
    erased: bool = False
    proposed: bool = False

    @property
    def given(self) -> dict[str, Any]:
        return {**vars(self), "words": self.words.strip(), "like": like(self.words)}


def page(session: Session, wanted: PersonFilter, *, offset: int = 0, limit: int = 50) -> list[PersonRow]:
    """Those under a legal hold first, then the newest."""
    rows = session.execute(PAGE, {**wanted.given, "offset": offset, "limit": limit})
    return [PersonRow(**row) for row in rows.mappings()]


def count(session: Session, wanted: PersonFilter) -> int:
    return int(session.execute(COUNT, wanted.given).scalar_one())


def one(session: Session, party_id: int) -> PersonRow:
    """Raises `NotFound`."""
    row = session.execute(ONE, {"id": party_id}).mappings().one_or_none()
    if row is None:
        raise NotFound(kind="party", id=party_id)
    return PersonRow(**row)


def legal_holds(session: Session, party_id: int) -> list[LegalHoldRow]:
    """All that ever stood on this party, the newest first."""
    return [LegalHoldRow(**row) for row in session.execute(HOLDS, {"party": party_id}).mappings()]


def named(session: Session, external_id: str, platform: Platform | None = None) -> int:
    """The party that its marketplace calls so. Raises `NobodyOfThatName`, `SeveralOfThatName`."""
    found = session.scalars(NAMED, {"external_id": external_id, "platform": platform}).all()
    if not found:
        raise NobodyOfThatName(given=external_id)
    if len(found) > 1:
        raise SeveralOfThatName(given=external_id)
    return int(found[0])


def erasures(session: Session, party_id: int) -> list[ErasureRow]:
    """Proposed, refused or done, the newest first."""
    return [ErasureRow(**row) for row in session.execute(ERASURE, {"party": party_id}).mappings()]


def kinds() -> list[str]:
    """What an erasure overwrites where there is any, whoever it is of."""
    tables = ["parties", *(each.table for each in rules.ERASED)]
    return list(dict.fromkeys(_kind(table) for table in tables))


def _kind(table: str) -> str:
    return NAMES.get(table, table.replace("_", " "))


def held(session: Session, party_id: int) -> dict[str, int]:
    """By kind, how many rows hold words of this person or name them: what an erasure overwrites."""
    found: dict[str, int] = session.execute(
        text("select personal_data_of(:party)"), {"party": party_id}
    ).scalar_one()
    return {_kind(table): count for table, count in sorted(found.items())}
