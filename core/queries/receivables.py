"""What payees owe us, by age: each figure down to the postings that it is made of.

Whatever is paid or set off settles the oldest part of a debt first, so what is open are its newest debits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.ledger import accounts
from core.money import Money, shown_order
from core.queries import set_offs
from core.rules.references import reference

AGES = (30, 60, 90)
"""Days: 0 to 30, 31 to 60, 61 to 90, and more."""
OPEN_PARTS = """
    with debts as materialized (
        select account_id, party_id, currency, balance, due from debts_due
    ), parts as (
        select d.party_id, d.currency, d.balance, d.due, p.journal_id, p.amount, j.posted_at, j.kind, j.memo,
               j.milestone_id,
               sum(p.amount) over (partition by d.account_id order by p.journal_id desc) as newest
        from debts d
        cross join lateral (
            select journal_id, amount from register where account_id = d.account_id and amount > 0
            union all
            select journal_id, amount from posting_tail where account_id = d.account_id and amount > 0
        ) p
        join journals j on j.id = p.journal_id
    ), open as (
        select party_id, currency, due, journal_id, posted_at, kind, memo, milestone_id, amount,
               least(amount, balance - (newest - amount))::bigint as minor
        from parts where newest - amount < balance
    )
"""
DEBTS = text(
    f"""{OPEN_PARTS}
    select o.party_id, o.currency, y.name as payee, min(o.posted_at) as since, sum(o.minor)::bigint as minor,
           coalesce(sum(o.minor) filter (where o.posted_at > :first), 0)::bigint as age_0,
           coalesce(sum(o.minor) filter (where o.posted_at <= :first and o.posted_at > :second), 0)::bigint as age_1,
           coalesce(sum(o.minor) filter (where o.posted_at <= :second and o.posted_at > :third), 0)::bigint as age_2,
           coalesce(sum(o.minor) filter (where o.posted_at <= :third), 0)::bigint as age_3,
           (select max(r.sent_at) from debt_reminders r
            where r.party_id = o.party_id and r.currency = o.currency) as reminded_at,
           (select count(*) from debt_reminders r
            where r.party_id = o.party_id and r.currency = o.currency) as reminders,
           (select w.id from debt_write_offs w where w.party_id = o.party_id and w.currency = o.currency
            and w.status = 'PROPOSED') as write_off_id,
           o.due
    from open o join parties y on y.id = o.party_id
    group by o.party_id, o.currency, o.due, y.name order by min(o.posted_at), o.party_id
    """
)
PARTS = text(
    f"""{OPEN_PARTS}
    select o.journal_id as id, o.posted_at, o.kind, o.memo, o.milestone_id, o.amount, o.minor from open o
    where o.party_id = :party and o.currency = :currency order by o.journal_id
    """
)
WRITE_OFFS = text(
    """
    select w.id, w.amount_minor, w.currency, w.reason, w.status, w.proposed_by, w.proposed_at, p.name as proposer,
           s.name as settler, w.settled_at, w.note
    from debt_write_offs w join staff p on p.id = w.proposed_by left join staff s on s.id = w.settled_by
    where w.party_id = :party and w.currency = :currency order by w.id desc
    """
)
PLANS = text(
    """
    select p.id, p.reason, a.name as agreed_by, p.agreed_at, e.name as ended_by, p.ended_at, p.end_reason
    from repayment_plans p join staff a on a.id = p.agreed_by left join staff e on e.id = p.ended_by
    where p.party_id = :party and p.currency = :currency order by p.id desc
    """
)
INSTALMENTS = text(
    """
    select id, position, due_on, amount_minor, open_minor, fell_due_at from repayment_progress
    where plan_id = :plan order by position
    """
)
# The amounts in suspense that two people explained as paid after all.
WRITTEN_OFF = text(
    """
    select w.id, w.party_id, y.name as payee, w.currency, w.amount_minor, w.settled_at, p.name as proposer,
           s.name as settler, w.reason, coalesce(r.minor, 0)::bigint as recovered, r.items
    from debt_write_offs w join parties y on y.id = w.party_id join staff p on p.id = w.proposed_by
    left join staff s on s.id = w.settled_by
    left join lateral (
        select sum(i.amount_minor) as minor, array_agg(i.id order by i.id) as items from suspense_items i
        where i.target_id = w.id and i.settled_as = 'DEBT_RECOVERED') r on true
    where w.status = 'DONE' order by w.id desc limit :limit
    """
)
MOST = 200


@dataclass(frozen=True)
class Debt:
    """What one payee owes in one currency; `ages` as in `AGES`, `since`: of its oldest part that is open."""

    party_id: int
    payee: str
    owed: Money
    ages: tuple[Money, ...]
    since: datetime
    reminded_at: datetime | None
    reminders: int
    write_off_id: int | None
    due: Money
    """What of it is not put off by instalments."""
    set_off: Money | None = None
    """What of it can be set off now, where that was asked for."""

    @property
    def id(self) -> str:
        return f"{self.party_id}-{self.owed.currency}"

    @property
    def account(self) -> str:
        return accounts.receivable_payee(self.party_id)


@dataclass(frozen=True)
class Part:
    """A posting that made a debt, and how much of it is still open."""

    id: int
    posted_at: datetime
    kind: str
    memo: str
    milestone_id: int | None
    amount: Money
    open: Money

    @property
    def reference(self) -> str:
        return reference("journal", self.id)

    @property
    def milestone(self) -> str:
        return reference("milestone", self.milestone_id) if self.milestone_id else ""


@dataclass(frozen=True)
class WriteOffRow:
    id: int
    amount: Money
    reason: str
    status: str
    proposed_by: int
    proposer: str
    proposed_at: datetime
    settler: str | None
    settled_at: datetime | None
    note: str | None


@dataclass(frozen=True)
class InstalmentRow:
    """One instalment of a plan that stands; `open`: what of it is not settled."""

    id: int
    position: int
    due_on: date
    amount: Money
    open: Money
    fell_due_at: datetime | None

    @property
    def state(self) -> str:
        if self.open.is_zero:
            return "Settled"  # paid, set off or written off
        return "Due" if self.fell_due_at else "To come"


@dataclass(frozen=True)
class PlanRow:
    """A repayment plan; `instalments` of one that stands."""

    id: int
    reason: str
    agreed_by: str
    agreed_at: datetime
    ended_by: str | None
    ended_at: datetime | None
    end_reason: str | None
    instalments: tuple[InstalmentRow, ...] = ()


@dataclass(frozen=True)
class WrittenOff:
    """A debt that was given up, and what of it was paid after all, by which amounts in suspense."""

    id: int
    party_id: int
    payee: str
    amount: Money
    recovered: Money
    at: datetime
    proposer: str
    settler: str | None
    reason: str
    items: str


def plans(session: Session, party_id: int, currency: str) -> list[PlanRow]:
    """What was agreed about this debt, newest first."""
    rows = session.execute(PLANS, {"party": party_id, "currency": currency}).mappings().all()
    return [
        PlanRow(**row, instalments=() if row["ended_at"] else _instalments(session, row["id"], currency))
        for row in rows
    ]


def _instalments(session: Session, plan_id: int, currency: str) -> tuple[InstalmentRow, ...]:
    return tuple(
        InstalmentRow(
            row.id,
            row.position,
            row.due_on,
            Money(row.amount_minor, currency),
            Money(row.open_minor, currency),
            row.fell_due_at,
        )
        for row in session.execute(INSTALMENTS, {"plan": plan_id})
    )


def written_off(session: Session) -> list[WrittenOff]:
    """What was given up, newest first; at most `MOST`."""
    return [
        WrittenOff(
            row.id,
            row.party_id,
            row.payee,
            Money(row.amount_minor, row.currency),
            Money(row.recovered, row.currency),
            row.settled_at,
            row.proposer,
            row.settler,
            row.reason,
            ", ".join(reference("suspense", each) for each in row.items or ()),
        )
        for row in session.execute(WRITTEN_OFF, {"limit": MOST})
    ]


def debts(session: Session, *, now: datetime) -> list[Debt]:
    """All that is owed, the oldest debt first."""
    first, second, third = (now - timedelta(days=days) for days in AGES)
    rows = session.execute(DEBTS, {"first": first, "second": second, "third": third})
    return [
        Debt(
            row.party_id,
            row.payee,
            Money(row.minor, row.currency),
            tuple(Money(minor, row.currency) for minor in (row.age_0, row.age_1, row.age_2, row.age_3)),
            row.since,
            row.reminded_at,
            row.reminders,
            row.write_off_id,
            Money(row.due, row.currency),
        )
        for row in rows
    ]


def with_set_offs(session: Session, rows: Sequence[Debt]) -> list[Debt]:
    """The same debts, each with what of it can be set off now."""
    found = set_offs.of_debts(session, {(row.party_id, row.owed.currency): row.due for row in rows})
    return [replace(row, set_off=found[row.party_id, row.owed.currency]) for row in rows]


def account_of(session: Session, account_id: int) -> tuple[int, str]:
    """Whose debt lies on this account, and its currency."""
    row = session.execute(
        text("select object_id, currency from accounts where id = :id"), {"id": account_id}
    ).one()
    return row.object_id, row.currency


def totals(rows: Sequence[Debt]) -> list[tuple[Money, tuple[Money, ...]]]:
    """One a currency: what is owed, and its ages."""
    found = []
    for currency in sorted({row.owed.currency for row in rows}, key=shown_order):
        those = [row for row in rows if row.owed.currency == currency]
        ages = tuple(Money.total((row.ages[n] for row in those), currency) for n in range(len(AGES) + 1))
        found.append((Money.total((row.owed for row in those), currency), ages))
    return found


def parts(session: Session, party_id: int, currency: str) -> list[Part]:
    """The open postings of a debt, oldest first; they sum to what is owed."""
    rows = session.execute(PARTS, {"party": party_id, "currency": currency})
    return [
        Part(
            row.id,
            row.posted_at,
            row.kind,
            row.memo,
            row.milestone_id,
            Money(row.amount, currency),
            Money(row.minor, currency),
        )
        for row in rows
    ]


def write_offs(session: Session, party_id: int, currency: str) -> list[WriteOffRow]:
    """What was proposed about this debt, newest first."""
    rows = session.execute(WRITE_OFFS, {"party": party_id, "currency": currency}).mappings()
    found = []
    for each in rows:
        row = dict(each)
        amount = Money(row.pop("amount_minor"), row.pop("currency"))
        found.append(WriteOffRow(amount=amount, **row))
    return found
