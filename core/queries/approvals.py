"""Decisions that wait for approval: the queue, and for one of them what its maker saw and what has changed since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.money import Money, in_order
from core.queries import evidence
from core.queries.evidence import MessageItem
from core.records import Decision
from core.rules.references import reference

WAITING = "from decisions d where d.status = 'AWAITING_APPROVAL'"
PAGE = text(
    f"""
    with page as materialized (select d.id {WAITING} order by d.made_at, d.id limit :limit offset :offset)
    select d.case_id as id, d.id as decision_id, d.outcome, d.currency, d.release_minor, d.refund_minor, d.made_at,
           d.maker_id, d.approval_reasons, s.name as maker, m.title as milestone, p.title as project, p.platform,
           payer.name as payer, payee.name as payee,
           exists (select from staff_ties y
                   where y.staff_id = :me and y.party_id in (p.payer_id, p.payee_id)) as tied,
           exists (select from recusals r where r.case_id = d.case_id and r.staff_id = :me) as recused
    from page join decisions d on d.id = page.id
    join staff s on s.id = d.maker_id
    join milestones m on m.id = d.milestone_id
    join projects p on p.id = m.project_id
    join parties payer on payer.id = p.payer_id
    join parties payee on payee.id = p.payee_id
    order by d.made_at, d.id
    """
)
FIGURES = text(
    f"""
    select count(*) as waiting, min(d.made_at) as oldest,
           count(*) filter (where d.maker_id <> :me and not exists (
               select from recusals r where r.case_id = d.case_id and r.staff_id = :me) and not exists (
               select from milestones m join projects p on p.id = m.project_id
               join staff_ties y on y.staff_id = :me and y.party_id in (p.payer_id, p.payee_id)
               where m.id = d.milestone_id)) as yours
    {WAITING}
    """
)
STAKES = text(
    f"""
    select d.currency, sum(d.release_minor + d.refund_minor)::bigint as minor {WAITING}
    group by d.currency
    """
)
PIECES = text(
    """
    select e.id, e.file_name, u.role as uploader_role, e.at, e.sha256, v.first_at as opened_at
    from evidence e join parties u on u.id = e.uploaded_by
    left join evidence_views v on v.evidence_id = e.id and v.staff_id = :maker and v.first_at <= :made_at
    where e.milestone_id = :milestone order by e.at, e.id
    """
)


@dataclass(frozen=True)
class ApprovalRow:
    """A decision in the queue; `id` is its case. `tied`: the reader has a tie to a party, or has `recused`."""

    id: int
    decision_id: int
    outcome: str
    release: Money
    refund: Money
    made_at: datetime
    maker_id: int
    maker: str
    milestone: str
    project: str
    platform: str
    payer: str
    payee: str
    why: tuple[str, ...]
    tied: bool
    recused: bool

    @property
    def reference(self) -> str:
        return reference("case", self.id)

    @property
    def parties(self) -> str:
        return f"{self.payer} · {self.payee}"

    @property
    def moved(self) -> Money:
        return self.release + self.refund

    def open_to(self, staff_id: int | None) -> bool:
        """Whether this person may approve it."""
        return not self.tied and not self.recused and self.maker_id != staff_id


@dataclass(frozen=True)
class Figures:
    """`yours`: those that the reader may approve: not made by them, without recusal and without a tie to a party."""

    waiting: int
    yours: int
    oldest: datetime | None
    stakes: tuple[Money, ...]


@dataclass(frozen=True)
class MakerEvidence:
    """A piece of evidence as the decision's maker had it: when it was opened, whether it is cited, or whether it was
    submitted `since`."""

    id: int
    file_name: str
    uploader_role: str
    at: datetime
    opened_at: datetime | None
    cited: bool
    since: bool


@dataclass(frozen=True)
class MakerView:
    """What the maker saw, and what the parties wrote afterwards."""

    evidence: tuple[MakerEvidence, ...]
    messages: int
    since: tuple[MessageItem, ...]

    @property
    def unopened(self) -> int:
        return sum(each.opened_at is None and not each.since for each in self.evidence)


def page(session: Session, *, me: int, offset: int = 0, limit: int = 50) -> list[ApprovalRow]:
    """The decisions that wait, longest first."""
    rows = session.execute(PAGE, {"me": me, "offset": offset, "limit": limit}).mappings()
    return [_row(dict(row)) for row in rows]


def _row(row: dict[str, Any]) -> ApprovalRow:
    currency = row.pop("currency")
    release, refund = Money(row.pop("release_minor"), currency), Money(row.pop("refund_minor"), currency)
    why = tuple(each["sentence"] for each in row.pop("approval_reasons"))
    return ApprovalRow(**row, release=release, refund=refund, why=why)


def figures(session: Session, *, me: int) -> Figures:
    """How many decisions wait for a second person, how many of them `me` may answer, since when, and what is at
    stake."""
    found = session.execute(FIGURES, {"me": me}).one()
    stakes = in_order(Money(row.minor, row.currency) for row in session.execute(STAKES))
    return Figures(waiting=found.waiting, yours=found.yours, oldest=found.oldest, stakes=stakes)


def maker_view(session: Session, decision: Decision) -> MakerView:
    """What the maker of this decision saw, and what came after it."""
    rows = session.execute(
        PIECES,
        {"maker": decision.maker_id, "made_at": decision.made_at, "milestone": decision.milestone_id},
    )
    cited, bound = {each["sha256"] for each in decision.citations}, set(decision.plan["bindings"]["evidence"])
    said = evidence.messages(session, decision.milestone_id)
    return MakerView(
        evidence=tuple(
            MakerEvidence(
                row.id,
                row.file_name,
                row.uploader_role,
                row.at,
                row.opened_at,
                row.sha256 in cited,
                row.sha256 not in bound,
            )
            for row in rows
        ),
        messages=sum(each.at <= decision.made_at for each in said),
        since=tuple(each for each in said if each.at > decision.made_at),
    )
