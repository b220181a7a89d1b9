"""Whose personal data the desk holds: the parties, found by name, address or the marketplace's name for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import DeskError, NotFound
from core.like_patterns import like
from core.policy import Platform

FOUND = """
from parties p
left join legal_holds h on h.party_id = p.id and h.lifted_at is null
where (:words = '' or searched((((p.name || ' ') || p.email) || ' ') || p.external_id) like searched(:like))
  and (not :held or h.id is not null)
"""
PAGE = text(
    f"""
    select p.id, p.external_id, p.name, p.role, p.platform, p.created_at, h.placed_at as held_since {FOUND}
    order by h.placed_at desc nulls last, p.id desc limit :limit offset :offset
    """
)
COUNT = text(f"select count(*) {FOUND}")
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


class SeveralOfThatName(DeskError):
    """Both marketplaces have a party {given}. Say which with --marketplace."""


class NobodyOfThatName(DeskError):
    """No party is called {given} by its marketplace."""


@dataclass(frozen=True)
class PersonRow:
    """`held_since`: a legal hold stands."""

    id: int
    external_id: str
    name: str
    role: str
    platform: str
    created_at: datetime
    held_since: datetime | None


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
class PersonFilter:
    """`words`: in name, address or external id; `held`: only those under a legal hold."""

    words: str = ""
    held: bool = False

    @property
    def given(self) -> dict[str, Any]:
        return {"words": self.words.strip(), "like": like(self.words), "held": self.held}


def page(session: Session, wanted: PersonFilter, *, offset: int = 0, limit: int = 50) -> list[PersonRow]:
    """Those under a legal hold first, then the newest."""
    rows = session.execute(PAGE, {**wanted.given, "offset": offset, "limit": limit})
    return [PersonRow(**row) for row in rows.mappings()]


def count(session: Session, wanted: PersonFilter) -> int:
    return int(session.execute(COUNT, wanted.given).scalar_one())


def one(session: Session, party_id: int) -> PersonRow:
    """Raises `NotFound`."""
    wanted = text(
        "select p.id, p.external_id, p.name, p.role, p.platform, p.created_at, h.placed_at as held_since "
        "from parties p left join legal_holds h on h.party_id = p.id and h.lifted_at is null where p.id = :id"
    )
    row = session.execute(wanted, {"id": party_id}).mappings().one_or_none()
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
