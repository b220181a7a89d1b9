"""Our bank's lines and the ledger's postings: what was matched, and what could be matched with what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.db import NEWEST
from core.ledger import accounts
from core.money import Money
from core.policy.limits import BANK_MATCH_WITHIN

SHOWN = 50


@dataclass(frozen=True)
class BankMatched:
    """A match: how many lines and postings, and what they sum to on either side."""

    id: int
    rule: str
    lines: int
    postings: int
    amount: Money
    first_line: str | None
    first_journal: int
    booked_on: date | None
    made_by: str | None
    made_at: datetime
    reason: str | None
    """Why, of a match by hand."""


MATCHES = """
select m.id, m.rule, m.made_at, s.name as made_by, a.currency, l.lines, l.booked_on, l.first_line, p.postings,
       p.amount, p.first_journal,
       case m.rule when 'HAND' then (
           select e.reason from audit_entries e where e.object_kind = 'bank_match' and e.object_id = m.id::text
           order by e.id limit 1
       ) end as reason
from bank_matches m
join bank_accounts a on a.id = m.account_id
left join staff s on s.id = m.made_by
cross join lateral (
    select count(*) as lines, min(b.booked_on) as booked_on,
           min(coalesce(nullif(b.reference, ''), b.text)) as first_line
    from bank_match_lines x join bank_statement_lines b on b.id = x.line_id where x.match_id = m.id
) l
cross join lateral (
    select count(*) as postings, sum(amount_minor)::bigint as amount, min(journal_id) as first_journal
    from bank_match_postings where match_id = m.id
) p
where {where} order by m.id desc limit :limit
"""


def made_by(
    session: Session, run_id: int, *, before: int | None = None, limit: int | None = None
) -> list[BankMatched]:
    """What a run matched, the newest first."""
    query = text(MATCHES.format(where="m.run_id = :run and m.id < :before"))
    return _read(session, query, {"run": run_id, "before": before or NEWEST, "limit": limit})


def of_break(session: Session, *, line_id: int | None, journal_id: int | None) -> BankMatched | None:
    """The match that holds this line or this posting."""
    where = """m.id in (select match_id from bank_match_lines where line_id = :line
        union all select match_id from bank_match_postings where journal_id = :journal and currency = a.currency)"""
    values: dict[str, object] = {"line": line_id, "journal": journal_id, "limit": 1}
    return next(iter(_read(session, text(MATCHES.format(where=where)), values)), None)


def _read(session: Session, query: object, values: dict[str, object]) -> list[BankMatched]:
    rows = session.execute(query, values).mappings()  # type: ignore[call-overload]
    return [
        BankMatched(
            **{
                name: row[name]
                for name in BankMatched.__dataclass_fields__
                if name in row and name != "amount"
            },
            amount=Money(row["amount"] or 0, row["currency"]),
        )
        for row in rows
    ]


@dataclass(frozen=True)
class MatchPart:
    """A line or a posting of a match. `suspense_id`: the posting is what both sides differed by, booked to suspense."""

    id: str
    journal_id: int | None
    suspense_id: int | None
    settled: bool
    day: date
    amount: Money
    words: str


PARTS = text(
    """
    select 'L' || l.id as id, null::bigint as journal_id, null::bigint as suspense_id, false as settled,
           l.booked_on as day, l.amount_minor, l.currency,
           concat_ws(' · ', nullif(l.reference, ''), nullif(l.counterparty, ''), nullif(l.text, '')) as words
    from bank_match_lines x join bank_statement_lines l on l.id = x.line_id where x.match_id = :match
    union all
    select 'J' || p.journal_id, p.journal_id, i.id, i.status = 'SETTLED', (j.posted_at at time zone 'UTC')::date,
           p.amount_minor, p.currency, j.memo
    from bank_match_postings p join journals j on j.id = p.journal_id
    left join suspense_items i on i.journal_id = p.journal_id and i.currency = p.currency
    where p.match_id = :match
    order by 2 nulls first, 1
    """
)


def parts(session: Session, match_id: int) -> list[MatchPart]:
    """All that a match holds: its lines, then its postings."""
    rows = session.execute(PARTS, {"match": match_id})
    return [
        MatchPart(
            row.id, row.journal_id, row.suspense_id, bool(row.settled), row.day,
            Money(row.amount_minor, row.currency), row.words,
        )
        for row in rows
    ]  # fmt: skip


@dataclass(frozen=True)
class BankLineView:
    """A line as our bank has it. `apart`: days from what it is looked at beside."""

    id: int
    statement_id: int
    booked_on: date
    amount: Money
    reference: str
    counterparty: str
    text: str

    @property
    def label(self) -> str:
        words = " ".join(filter(None, (self.reference, self.counterparty, self.text)))
        return f"{self.booked_on:%-d %b %Y} · {self.amount.text()} · {words[:60]}"


LINES = """
select l.id, l.booked_on, l.amount_minor, l.currency, l.reference, l.counterparty, l.text, l.statement_id
from bank_statement_lines l
where {where}
"""


def line(session: Session, line_id: int) -> BankLineView | None:
    """One line of a bank statement; None: there is no such line."""
    row = session.execute(text(LINES.format(where="l.id = :id")), {"id": line_id}).mappings().one_or_none()
    return None if row is None else _line(dict(row))


def _line(row: dict[str, object]) -> BankLineView:
    minor, currency = row.pop("amount_minor"), row.pop("currency")
    return BankLineView(**row, amount=Money(minor, currency))  # type: ignore[arg-type]


@dataclass(frozen=True)
class BankPosting:
    """A posting on the bank's account that no line is matched with."""

    journal_id: int
    posted_at: datetime
    amount: Money
    memo: str

    @property
    def label(self) -> str:
        return f"{self.posted_at:%-d %b %Y} · {self.amount.text()} · J-{self.journal_id} {self.memo}"


OPEN_LINES = text(
    LINES.format(
        where="""l.currency = :currency and l.repeats_id is null
          and l.booked_on between cast(:day as date) - 60 and cast(:day as date) + 60
          and not exists (select from bank_match_lines m where m.line_id = l.id)"""
    )
    + " order by abs(l.amount_minor - :amount), abs(l.booked_on - cast(:day as date)), l.id limit :limit"
)
OPEN_POSTINGS = text(
    """
    select p.journal_id, p.amount, j.posted_at, j.memo
    from account_postings p join journals j on j.id = p.journal_id
    where p.account_id = :bank and p.amount <> 0 and j.kind <> 'opening_balance'
      and j.posted_at between cast(:day as date) - interval '60 days' and cast(:day as date) + interval '61 days'
      and not exists (
          select from bank_match_postings m where m.journal_id = p.journal_id and m.currency = :currency
      )
    order by abs(p.amount - :amount), abs(j.posted_at::date - cast(:day as date)), p.journal_id limit :limit
    """
)


def open_lines(session: Session, amount: Money, day: date) -> list[BankLineView]:
    """Lines that are not matched, the nearest in amount and day first."""
    values = {"currency": amount.currency, "amount": amount.minor, "day": day, "limit": SHOWN}
    return [_line(dict(row)) for row in session.execute(OPEN_LINES, values).mappings()]


def open_postings(session: Session, amount: Money, day: date) -> list[BankPosting]:
    """Postings that are not matched, the nearest in amount and day first."""
    values = {
        "bank": accounts.number(accounts.BANK, amount.currency), "currency": amount.currency, "amount": amount.minor,
        "day": day, "limit": SHOWN,
    }  # fmt: skip
    return [
        BankPosting(row.journal_id, row.posted_at, Money(row.amount, amount.currency), row.memo)
        for row in session.execute(OPEN_POSTINGS, values)
    ]


def equal(candidates: Sequence[BankLineView] | Sequence[BankPosting], amount: Money, day: date) -> int:
    """How many of them are of exactly this amount, within the days that policy allows: more than one is ambiguous."""
    return sum(
        each.amount == amount and abs((_day(each) - day).days) <= BANK_MATCH_WITHIN.days
        for each in candidates
    )


def _day(each: BankLineView | BankPosting) -> date:
    return each.booked_on if isinstance(each, BankLineView) else each.posted_at.date()
