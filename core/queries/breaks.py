"""Breaks on screen: the list with its filters, one break with both sides, and what was done about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.money import CURRENCIES, Money
from core.rules import breaks as rules
from core.rules.breaks import BreakClass, Side, counted
from core.rules.reconciliation import BreakKind
from core.rules.references import reference

NOBODY = "nobody"


@dataclass(frozen=True)
class BreakFilter:
    """None is everything. `state`: a `BreakView`; None is all that is not closed. `owner`: a number, or `NOBODY`.
    `older`: days since the money moved. `least`: whole units of the currency that the two sides differ by at least."""

    class_: str | None = None
    state: str | None = None
    owner: str | None = None
    currency: str | None = None
    older: int | None = None
    least: int | None = None
    run_id: int | None = None

    def values(self, now: datetime) -> dict[str, Any]:
        return {
            "class": self.class_,
            "state": self.state,
            "nobody": self.owner == NOBODY,
            "owner": None if self.owner in (None, NOBODY) else int(self.owner or 0),
            "currency": self.currency,
            "before": None if self.older is None else now - timedelta(days=self.older),
            "least": self.least,
            "run": self.run_id,
            "now": now,
        }


@dataclass(frozen=True)
class BreakRow:
    """`theirs` is what the statement says, `ours` what the ledger says; None: that side does not have it. `state` is
    what stands for the reader: a closed one, one that waits for a day, one whose explanation waits for a second
    person, or an open one."""

    id: int
    side: str
    kind: str
    class_: str
    state: str
    theirs: Money | None
    ours: Money | None
    since: datetime
    opened_at: datetime
    first_run_id: int | None
    last_run_id: int | None
    last_seen_at: datetime
    owner_id: int | None
    owner: str | None
    remark: str | None
    waits_until: datetime | None
    closed_at: datetime | None
    closed_as: str | None
    closed_by: str | None
    object: str
    transaction_id: str | None
    journal_id: int | None
    suspense_item_id: int | None
    bank_line_id: int | None
    what: str
    of_booked: bool
    """In suspense is what Stripe's line differs by from what was booked for it."""

    @property
    def reference(self) -> str:
        return reference("break", self.id)

    @property
    def currency(self) -> str:
        amount = self.theirs or self.ours
        assert amount is not None
        return amount.currency

    @property
    def difference(self) -> Money:
        """The statement less the ledger; of two currencies, the statement's amount."""
        zero = Money.zero(self.currency)
        if self.theirs is not None and self.ours is not None and self.theirs.currency != self.ours.currency:
            return self.theirs
        return (self.theirs or zero) - (self.ours or zero)

    @property
    def sentence(self) -> str:
        return rules.sentence(
            Side(self.side), BreakClass(self.class_), self.theirs, self.ours,
            whole_balance=self.kind == BreakKind.BALANCE_DIFFERS, difference=self.of_booked,
        )  # fmt: skip


STATE = """
case when b.status = 'CLOSED' then 'CLOSED' when i.proposed_as is not null and i.status = 'OPEN' then 'PROPOSED'
     when b.side = 'BANK' and exists (
         select from manual_journals r where r.reverses_journal_id = b.journal_id and r.status = 'PROPOSED'
     ) or exists (
         select from manual_journals e where e.break_id = b.id and e.status = 'PROPOSED'
     ) then 'PROPOSED'
     when b.waits_until > :now then 'WAITING' else 'OPEN' end
"""
ROWS = f"""
from breaks b
left join suspense_items i on i.id = b.suspense_item_id
left join staff o on o.id = b.owner_id
left join staff c on c.id = b.closed_by
cross join lateral (select {STATE} as state) as is_now
"""
UNITS = (
    "case b.currency "
    + " ".join(f"when '{each.code}' then {10**each.digits}" for each in CURRENCIES.values())
    + " end"
)
WHERE = f"""
where (cast(:class as text) is null or b.class = :class)
  and (case when cast(:state as text) is null then b.status = 'OPEN' else is_now.state = :state end)
  and (not :nobody or b.owner_id is null) and (cast(:owner as bigint) is null or b.owner_id = :owner)
  and (cast(:currency as text) is null or b.currency = :currency)
  and (cast(:before as timestamptz) is null or b.since <= :before)
  and (cast(:least as bigint) is null
       or abs(coalesce(b.theirs, 0) - coalesce(b.ours, 0)) >= :least * {UNITS})
  and (cast(:run as bigint) is null
       or exists (select from reconciliation_breaks r where r.break_id = b.id and r.run_id = :run))
"""
WHAT = """
case when l.id is not null
     then concat_ws(' · ', nullif(l.counterparty, ''), nullif(l.reference, ''), nullif(l.text, ''))
     when b.side = 'BANK' then j.memo
     when b.side = 'PAYEE' and b.kind <> 'BALANCE_DIFFERS'
     then concat_ws(' · ', coalesce(pl.reporting_category, j.memo), nullif(pl.source, ''), split_part(b.object, ':', 1))
     when b.kind = 'BALANCE_DIFFERS'
     then 'The whole balance' || case b.side when 'PAYEE' then ' · ' || b.object else '' end
     else concat_ws(' · ', nullif(coalesce(s.reporting_category, t.reporting_category), ''),
                    nullif(coalesce(s.source, t.source), ''))
end
"""
OF_BOOKED = "b.kind = 'IN_SUSPENSE' and b.side = 'STRIPE' and i.journal_id is not null"
TOLD_BY = """
left join statement_lines s on s.id = b.transaction_id
left join balance_transactions t on t.id = b.transaction_id
left join bank_statement_lines l on l.id = b.bank_line_id
left join journals j on j.id = b.journal_id and b.side in ('BANK', 'PAYEE')
left join payee_statement_lines pl on b.side = 'PAYEE' and pl.id = split_part(b.object, ':', 2)
"""
PAGE = text(
    f"""
    with page as materialized (
        select b.id, is_now.state {ROWS} {WHERE} order by b.since, b.id offset :offset limit :limit
    )
    select b.*, b.class as class_, p.state, o.name as owner, c.name as closed_by_name,
           {WHAT} as what, {OF_BOOKED} as of_booked
    from page p join breaks b on b.id = p.id
    left join suspense_items i on i.id = b.suspense_item_id
    left join staff o on o.id = b.owner_id
    left join staff c on c.id = b.closed_by
    {TOLD_BY}
    order by b.since, b.id
    """
)
COUNT = text(f"select count(*) {ROWS} {WHERE}")


def page(
    session: Session, wanted: BreakFilter, *, now: datetime, offset: int = 0, limit: int | None = 50
) -> list[BreakRow]:
    """Those that stand longest first."""
    values = wanted.values(now) | {"offset": offset, "limit": limit}
    return [_row(dict(row)) for row in session.execute(PAGE, values).mappings()]


def count(session: Session, wanted: BreakFilter, *, now: datetime) -> int:
    """How many breaks the filter finds."""
    return int(session.execute(COUNT, wanted.values(now)).scalar_one())


ONE = text(
    f"""
    select b.*, b.class as class_, is_now.state, o.name as owner, c.name as closed_by_name,
           {WHAT} as what, {OF_BOOKED} as of_booked
    {ROWS}
    {TOLD_BY}
    where b.id = :id
    """
)


def one(session: Session, break_id: int, *, now: datetime) -> BreakRow:
    """Raises `NotFound`."""
    row = session.execute(ONE, {"id": break_id, "now": now}).mappings().one_or_none()
    if row is None:
        raise NotFound(kind="break", id=break_id)
    return _row(dict(row))


OF_SUSPENSE = text(
    """
    select b.id from suspense_items i
    join breaks b on b.suspense_item_id = i.id
        or b.side = 'STRIPE' and b.object = i.transaction_id and b.currency = i.currency
        or b.side = 'BANK' and b.object = 'line:' || i.bank_line_id and b.currency = i.currency
    where i.id = :item
    order by b.suspense_item_id is distinct from i.id, b.id limit 1
    """
)


def of_suspense(session: Session, item_id: int) -> int:
    """The break that an amount in suspense is, or was: an explanation is a part of it, and the next of the same line is
    the same break. Raises `NotFound`."""
    found = session.execute(OF_SUSPENSE, {"item": item_id}).scalar_one_or_none()
    if found is None:
        raise NotFound(kind="suspense item", id=item_id)
    return int(found)


NAMES = tuple(BreakRow.__dataclass_fields__)


def _row(row: dict[str, Any]) -> BreakRow:
    theirs = None if row["theirs"] is None else Money(row["theirs"], row["currency"])
    ours = None if row["ours"] is None else Money(row["ours"], row["ours_currency"] or row["currency"])
    return BreakRow(
        **{name: row[name] for name in NAMES if name in row}
        | {"theirs": theirs, "ours": ours, "closed_by": row["closed_by_name"]}
    )


@dataclass(frozen=True)
class OpenBreaks:
    """How many breaks there are now: `open` ones, of them `in_suspense`, `waiting` for a day and `proposed` to a second
    person, and since when the oldest stands."""

    open: int
    in_suspense: int
    waiting: int
    proposed: int
    unowned: int
    oldest: datetime | None

    @property
    def words(self) -> str:
        return counted(self.open, self.in_suspense)


COUNTS = text(
    f"""
    select count(*) as open, count(*) filter (where b.kind = 'IN_SUSPENSE') as in_suspense,
           count(*) filter (where state = 'WAITING') as waiting,
           count(*) filter (where state = 'PROPOSED') as proposed,
           count(*) filter (where b.owner_id is null) as unowned, min(b.since) as oldest
    {ROWS} where b.status = 'OPEN'
    """
)


def open_breaks(session: Session, *, now: datetime) -> OpenBreaks:
    """The figures of all open breaks."""
    return OpenBreaks(**session.execute(COUNTS, {"now": now}).mappings().one())


@dataclass(frozen=True)
class StatementSide:
    """The line as the statement has it."""

    id: str
    kind: str
    category: str
    source: str
    amount: Money
    fee: Money
    net: Money
    created_at: datetime
    fetched_at: datetime


LINE = "select * from {table} where id = :id"


def statement_side(session: Session, row: BreakRow) -> StatementSide | None:
    """The line of Stripe's statement that the break is about; None: there is none."""
    of_payee = row.side == Side.PAYEE
    query = text(LINE.format(table="payee_statement_lines" if of_payee else "statement_lines"))
    number = row.object.partition(":")[2] if of_payee else row.transaction_id
    found = session.execute(query, {"id": number}).mappings().one_or_none()
    if found is None:
        return None
    amounts = {name: Money(found[name], found["currency"]) for name in ("amount", "fee", "net")}
    return StatementSide(
        found["id"], found["kind"], found["reporting_category"], found["source"], **amounts,
        created_at=found["created_at"], fetched_at=found["fetched_at"],
    )  # fmt: skip


@dataclass(frozen=True)
class BreakEvent:
    """One entry of the audit log about a break, its amount in suspense, a match by hand, or what reverses it."""

    id: int
    at: datetime
    action: str
    who: str
    reason: str | None
    facts: Mapping[str, Any]


HISTORY = text(
    """
    select e.id, e.at, e.action, e.reason, coalesce(e.after, '{}') as facts,
           coalesce(s.name, case e.actor_kind when 'operator' then e.role else 'The system' end) as who
    from audit_entries e left join staff s on e.actor_kind = 'staff' and s.id = e.actor_id
    where (e.object_kind, e.object_id) in (select 'break', cast(:id as text)
        union all select 'suspense', i.id::text from suspense_items i where i.id = :item or i.transaction_id = :line
        union all select 'manual_journal', r.id::text from manual_journals r
        where r.reverses_journal_id = :journal or r.break_id = :number
        union all select 'bank_match', m.match_id::text from bank_match_lines m where m.line_id = :bank_line
        union all select 'bank_match', m.match_id::text from bank_match_postings m
        where m.journal_id = :journal and m.currency = :currency
        union all select 'bank_match', m.id::text from bank_matches m join bank_accounts a on a.id = m.account_id
        where m.undone_at is not null
          and (:bank_line = any(m.held_line_ids) or :journal = any(m.held_journal_ids) and a.currency = :currency))
    order by e.id
    """
)


def history(session: Session, row: BreakRow) -> Sequence[BreakEvent]:
    """Oldest first."""
    journal = row.journal_id if row.side == Side.BANK else None
    about = {
        "id": str(row.id),
        "number": row.id,
        "item": row.suspense_item_id,
        "line": row.transaction_id,
        "journal": journal,
        "bank_line": row.bank_line_id,
        "currency": row.currency,
    }
    found = session.execute(HISTORY, about)
    return [BreakEvent(**each) for each in found.mappings()]
