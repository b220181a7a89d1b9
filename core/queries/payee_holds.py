"""Holds on payees as a whole: which stand, how much each stops, and which payees a hold could be placed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.like_patterns import like
from core.money import Money, in_order
from core.queries import holds as milestone_holds
from core.queries.word_search import PARTIES
from core.rules.holds import HoldKind
from core.rules.references import reference

ROWS = """
select k.*, y.name as payee, y.platform, a.name as placed_by_name, b.name as released_by_name,
       (select count(*) from milestones m join projects p on p.id = m.project_id
        join payment_orders o on o.milestone_id = m.id
        where p.payee_id = k.party_id and o.held_minor + o.payable_minor > 0) as milestones
from payee_holds k
join parties y on y.id = k.party_id
join staff a on a.id = k.placed_by
left join staff b on b.id = k.released_by
where {where} order by k.released_at is not null, k.placed_at desc, k.id limit :limit
"""
STOPPED = text(
    """
    select p.payee_id, m.currency, sum(stoppable_minor(m.id))::bigint as minor
    from projects p join milestones m on m.project_id = p.id join payment_orders o on o.milestone_id = m.id
    where p.payee_id = any(:payees) group by 1, 2 having sum(stoppable_minor(m.id)) > 0
    """
)
PAYEES = text(
    f"""
    select y.id, y.name, y.platform from parties y
    where y.role = 'PAYEE' and y.id in {PARTIES}
      and (not :in_projects or exists (select from projects p where p.payee_id = y.id))
    order by y.name, y.id limit :limit
    """
)
MOST = 100


@dataclass(frozen=True)
class PayeeHoldRow:
    """`stopped`: what of the payee's it keeps from moving now, of `milestones` milestones."""

    id: int
    party_id: int
    payee: str
    platform: str
    kind: HoldKind
    reason: str
    placed_by: str
    placed_by_id: int
    placed_at: datetime
    expected_end: datetime | None
    released_by: str | None
    released_at: datetime | None
    release_reason: str | None
    milestones: int
    stopped: tuple[Money, ...]

    @property
    def reference(self) -> str:
        return reference("hold", self.id)

    @property
    def state(self) -> str:
        return milestone_holds.ACTIVE if self.released_at is None else milestone_holds.RELEASED

    def stood(self, now: datetime) -> timedelta:
        return (self.released_at or now) - self.placed_at


@dataclass(frozen=True)
class Payee:
    id: int
    name: str
    platform: str


def page(
    session: Session, *, state: str | None = milestone_holds.ACTIVE, since: datetime | None = None
) -> list[PayeeHoldRow]:
    """Those in force first, the latest of each first; at most `MOST`. `since`: lifted from then on."""
    states = {
        milestone_holds.ACTIVE: "k.released_at is null",
        milestone_holds.RELEASED: "k.released_at is not null",
    }
    where = states.get(state or "", "true") + (" and k.released_at >= :since" if since else "")
    found = session.execute(text(ROWS.format(where=where)), {"limit": MOST, "since": since})
    return _rows(session, found.mappings().all())


def one(session: Session, hold_id: int) -> PayeeHoldRow:
    """Raises `NotFound`."""
    query = text(ROWS.format(where="k.id = :id"))
    found = _rows(session, session.execute(query, {"id": hold_id, "limit": 1}).mappings().all())
    if not found:
        raise NotFound(kind="hold", id=hold_id)
    return found[0]


def candidates(session: Session, words: str, *, in_projects: bool = True, limit: int = 12) -> list[Payee]:
    """Payees by name. `in_projects`: only who is paid for a project, as a hold on anybody else would stop nothing."""
    if not words.strip():
        return []
    wanted = {"like": like(words), "in_projects": in_projects, "limit": limit}
    return [Payee(*row) for row in session.execute(PAYEES, wanted)]


def stopped(session: Session, party_ids: Sequence[int]) -> dict[int, tuple[Money, ...]]:
    """What a hold on each of these payees keeps from moving, one amount a currency; nothing where there is none."""
    found: dict[int, list[Money]] = {}
    for each in session.execute(STOPPED, {"payees": list(party_ids)}):
        found.setdefault(each.payee_id, []).append(Money(each.minor, each.currency))
    return {number: in_order(amounts) for number, amounts in found.items()}


def _rows(session: Session, rows: Sequence[RowMapping]) -> list[PayeeHoldRow]:
    kept = stopped(session, [row["party_id"] for row in rows])
    return [
        PayeeHoldRow(
            id=row["id"],
            party_id=row["party_id"],
            payee=row["payee"],
            platform=row["platform"],
            kind=HoldKind(row["kind"]),
            reason=row["reason"],
            placed_by=row["placed_by_name"],
            placed_by_id=row["placed_by"],
            placed_at=row["placed_at"],
            expected_end=row["expected_end"],
            released_by=row["released_by_name"],
            released_at=row["released_at"],
            release_reason=row["release_reason"],
            milestones=row["milestones"],
            stopped=kept.get(row["party_id"], ()) if row["released_at"] is None else (),
        )
        for row in rows
    ]
