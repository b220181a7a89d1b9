"""Manual journals: what waits for a second person, what was posted, and what was reversed by what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from core.db import NEWEST
from core.errors import NotFound
from core.ledger import accounts
from core.money import Money
from core.queries.journals import Leg
from core.queries.ledger import sides
from core.rules.references import reference


@dataclass(frozen=True)
class ManualJournalRow:
    """`reverses_id` and `reversed_by_id` link a reversal both ways, `reverses_journal_id` names what it reverses,
    `break_id` the break that it explains; `amount` is the sum of the debits."""

    id: int
    status: str
    currency: str
    posted_on: date
    memo: str
    reason: str
    legs: tuple[Leg, ...]
    reverses_id: int | None
    reverses_journal_id: int | None
    break_id: int | None
    reversed_by_id: int | None
    reversed_by_status: str | None
    attachment_name: str | None
    attachment_sha256: str | None
    proposed_by_id: int
    proposed_by: str
    proposed_at: datetime
    settled_by: str | None
    settled_at: datetime | None
    note: str | None
    journal_id: int | None

    @property
    def reference(self) -> str:
        return reference("manual journal", self.id)

    @property
    def amount(self) -> Money:
        return Money.total((leg.debit for leg in self.legs if leg.debit), self.currency)


ROWS = """
select m.id, m.status, m.currency, m.posted_on, m.memo, m.reason, m.account_codes, m.amounts, m.reverses_id,
       m.reverses_journal_id, m.break_id,
       r.id as reversed_by_id, r.status as reversed_by_status, m.attachment_name, m.attachment_sha256,
       m.proposed_by as proposed_by_id, p.name as proposed_by, m.proposed_at, s.name as settled_by, m.settled_at,
       m.note, m.journal_id
from manual_journals m
join staff p on p.id = m.proposed_by
left join staff s on s.id = m.settled_by
left join manual_journals r on r.reverses_journal_id = m.journal_id and r.status in ('PROPOSED', 'POSTED')
where {where} order by m.id desc limit :limit
"""


def rows(session: Session, *, before: int | None = None, limit: int = 51) -> list[ManualJournalRow]:
    """The newest first."""
    values = {"before": before or NEWEST, "limit": limit}
    return [
        _row(row) for row in session.execute(text(ROWS.format(where="m.id < :before")), values).mappings()
    ]


def waiting(session: Session) -> list[ManualJournalRow]:
    """What waits for a second person."""
    query = text(ROWS.format(where="m.status = 'PROPOSED'"))
    return [_row(row) for row in session.execute(query, {"limit": 200}).mappings()]


def row(session: Session, number: int) -> ManualJournalRow:
    """Raises `NotFound`."""
    found = (
        session.execute(text(ROWS.format(where="m.id = :id")), {"id": number, "limit": 1}).mappings().first()
    )
    if found is None:
        raise NotFound(kind="manual journal", id=number)
    return _row(found)


def reversal(session: Session, journal_id: int) -> ManualJournalRow | None:
    """What reverses this journal, or is proposed to."""
    query = text(ROWS.format(where="m.reverses_journal_id = :id and m.status in ('PROPOSED', 'POSTED')"))
    found = session.execute(query, {"id": journal_id, "limit": 1}).mappings().first()
    return None if found is None else _row(found)


def of_break(session: Session, break_id: int) -> ManualJournalRow | None:
    """What explains a break on a payee's side, or is proposed to."""
    query = text(ROWS.format(where="m.break_id = :id and m.status in ('PROPOSED', 'POSTED')"))
    found = session.execute(query, {"id": break_id, "limit": 1}).mappings().first()
    return None if found is None else _row(found)


def _row(found: RowMapping) -> ManualJournalRow:
    facts = dict(found)
    codes, amounts = facts.pop("account_codes"), facts.pop("amounts")
    legs = tuple(
        Leg(code, accounts.account_type(code).title, *sides(Money(amount, facts["currency"])))
        for code, amount in sorted(zip(codes, amounts, strict=True), key=lambda each: each[1] < 0)
    )
    return ManualJournalRow(legs=legs, **facts)
