"""Suspense: unexplained money, and its proposed explanations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from core.db import NEWEST
from core.errors import NotFound
from core.ledger import accounts
from core.ledger.journals import Journal
from core.ledger.postings import explanations
from core.money import Money
from core.queries.bounded_list import Listed, total
from core.queries.journals import JournalDetail, journal
from core.queries.ledger import sides
from core.records import DebtWriteOff, Milestone, Party, SuspenseItem
from core.records.ledger import journals
from core.rules.references import reference
from core.rules.suspense import TARGETS, SettledAs, SuspenseStatus, journal_key

MOST = 200


@dataclass(frozen=True)
class SuspenseRow:
    """One of Stripe's lines, or of our bank's, booked to suspense; `amount` is signed. `restated`: only what Stripe
    states of a line beyond what was booked for it. `proposed_as` waits for approval."""

    id: int
    transaction_id: str | None
    bank_line_id: int | None
    source: str
    amount: Money
    found_at: datetime
    why: str
    journal_id: int
    restated: bool
    payment_intent: str | None
    milestone_id: int | None
    proposed_as: str | None
    proposed_reason: str | None
    proposed_by_id: int | None
    proposed_by: str | None
    proposed_at: datetime | None
    target_id: int | None
    settled_as: str | None = None
    settled_by: str | None = None
    settled_at: datetime | None = None
    reason: str | None = None

    @property
    def reference(self) -> str:
        return reference("suspense", self.id)

    @property
    def label(self) -> str:
        return f"{self.reference} · {self.amount.text()}"


ITEMS = """
select i.id, i.transaction_id, i.source, i.amount_minor, i.currency, i.found_at, coalesce(i.why, '') as why,
       coalesce(i.journal_id, t.journal_id) as journal_id,
       i.transaction_id is not null and i.journal_id is not null as restated, i.bank_line_id, i.payment_intent,
       i.milestone_id, i.proposed_as, i.proposed_reason,
       i.proposed_by as proposed_by_id, p.name as proposed_by, i.proposed_at, i.target_id,
       i.settled_as, c.name as settled_by, i.settled_at, i.reason
from suspense_items i
left join balance_transactions t on t.id = i.transaction_id
left join staff p on p.id = i.proposed_by
left join staff c on c.id = i.settled_by
where {where} order by i.id {order} limit :limit
"""


def open_items(session: Session, *, limit: int | None = MOST) -> Listed[SuspenseRow]:
    """The oldest first; all of them when `limit` is None."""
    rows = session.execute(text(ITEMS.format(where="i.status = 'OPEN'", order="")), {"limit": limit})
    items = [_item(dict(row)) for row in rows.mappings()]
    still_open = select(SuspenseItem.id).where(SuspenseItem.status == SuspenseStatus.OPEN)
    return Listed(items, total(session, still_open, shown=len(items), limit=limit))


def settled(session: Session, *, before: int | None = None, limit: int = 51) -> list[SuspenseRow]:
    """The newest first."""
    query = text(ITEMS.format(where="i.status = 'SETTLED' and i.id < :before", order="desc"))
    rows = session.execute(query, {"before": before or NEWEST, "limit": limit})
    return [_item(dict(row)) for row in rows.mappings()]


def item(session: Session, item_id: int) -> SuspenseRow:
    """Raises `NotFound`."""
    query = text(ITEMS.format(where="i.id = :id", order=""))
    row = session.execute(query, {"id": item_id, "limit": 1}).mappings().one_or_none()
    if row is None:
        raise NotFound(kind="unexplained amount", id=item_id)
    return _item(dict(row))


def booking(session: Session, row: SuspenseRow) -> JournalDetail | None:
    """The journal of its explanation; None before there is one, and where nothing is booked for it by itself."""
    found = session.scalar(select(journals.c.id).where(journals.c.key == journal_key(row.id)))
    return journal(session, found) if found is not None else None


def together(session: Session, row: SuspenseRow) -> list[SuspenseRow]:
    """The amounts that were proposed together with it, itself included."""
    where = "i.status = 'OPEN' and i.proposed_by = :by and i.proposed_at = :at"
    query = text(ITEMS.format(where=where, order=""))
    values = {"by": row.proposed_by_id, "at": row.proposed_at, "limit": None}
    return [_item(dict(each)) for each in session.execute(query, values).mappings()]


@dataclass(frozen=True)
class EntryLeg:
    """A posting of the journal that an explanation leads to."""

    code: str
    title: str
    debit: Money | None
    credit: Money | None


SENT = """
select f.id, f.milestone_id, r.reference, f.amount_minor, f.currency
from refunds f join refund_returns r on r.refund_id = f.id and r.status = 'DONE'
where {where} and not exists (select from failed_returns b where b.return_id = r.id)
order by r.settled_at desc, f.id desc limit :limit
"""


@dataclass(frozen=True)
class SentRefund:
    """A refund that was sent from our bank, with the bank's reference."""

    id: int
    milestone_id: int
    reference: str
    amount: Money

    @property
    def label(self) -> str:
        return f"{self.amount.text()} · {self.reference} · {reference('milestone', self.milestone_id)}"


def sent_refunds(session: Session, amount: Money) -> list[SentRefund]:
    """Those that can have come back as this amount: equal ones first, then the newest."""
    where = "f.status = 'RETURNED' and f.currency = :currency and f.amount_minor >= :least"
    values = {"currency": amount.currency, "least": amount.minor, "limit": MOST}
    found = [_sent(row) for row in session.execute(text(SENT.format(where=where)), values)]
    return sorted(found, key=lambda each: each.amount != amount)


def _sent(row: Row[Any]) -> SentRefund:
    return SentRefund(row.id, row.milestone_id, row.reference, Money(row.amount_minor, row.currency))


def target_name(session: Session, settled_as: SettledAs, target_id: int) -> str:
    """Whom or what a proposal is about, as staff know it; empty where there is none of this number."""
    kind = TARGETS[settled_as]
    if kind == "milestone":
        title = session.scalar(select(Milestone.title).where(Milestone.id == target_id))
        return "" if title is None else f"{reference('milestone', target_id)} · {title}"
    if kind == "refund":
        found = session.execute(text(SENT.format(where="f.id = :id")), {"id": target_id, "limit": 1}).first()
        return "" if found is None else _sent(found).label
    payee = select(Party.name).where(Party.id == target_id)
    if kind == "write-off":
        written = DebtWriteOff.party_id == Party.id
        payee = select(Party.name).join(DebtWriteOff, written).where(DebtWriteOff.id == target_id)
    return session.scalar(payee) or ""


def entry(
    amount: Money, settled_as: SettledAs, target_id: int | None, *, restated: bool = False
) -> list[EntryLeg]:
    """Debits first; empty where nothing is booked, or where the milestone determines it."""
    if target_id is None and settled_as in TARGETS:
        return []
    journal = explanations.entry(
        settled_as, amount, restated=restated, target_id=target_id, key="proposed", cause={}
    )
    return [] if journal is None else legs(journal)


def legs(journal: Journal) -> list[EntryLeg]:
    """A journal that is not booked yet, debits first."""
    return [
        EntryLeg(each.account, accounts.account_type(each.account).title, *sides(each.amount))
        for each in sorted(journal.postings, key=lambda each: -each.amount.minor)
    ]


def _item(row: dict[str, Any]) -> SuspenseRow:
    return SuspenseRow(amount=Money(row.pop("amount_minor"), row.pop("currency")), **row)
