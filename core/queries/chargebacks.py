"""Chargebacks: the list by what is due first, and one of them with its lines, journals and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.db import NEWEST
from core.errors import NotFound
from core.ledger import accounts
from core.money import Money
from core.rules import chargebacks as rules
from core.rules.references import reference


@dataclass(frozen=True)
class ChargebackRow:
    """One chargeback. `due_by` is the bank's own last moment; None where it takes no answer (any more)."""

    id: int
    dispute: str
    status: str
    reason: str
    amount: Money
    taken: Money
    lost: Money
    fees: Money
    due_by: datetime | None
    submissions: int
    opened_at: datetime
    noticed_at: datetime
    closed_at: datetime | None
    milestone_id: int
    milestone: str
    project_id: int
    project: str
    payer: str
    payee: str
    duplicate_id: int | None
    past_due: bool
    network: str | None
    network_code: str | None

    @property
    def reference(self) -> str:
        return reference("chargeback", self.id)

    @property
    def answer_by(self) -> datetime | None:
        """Where an answer is still wanted."""
        return self.due_by if self.status in rules.ANSWERABLE else None

    @property
    def why(self) -> str:
        said = self.reason.replace("_", " ").capitalize()
        return f"{said} (second payment)" if self.duplicate_id else said


PAGE = """
with page as materialized (select c.id from chargebacks c where {where} order by c.id desc limit :limit)
select c.id, c.stripe_dispute as dispute, c.status, c.reason, c.amount_minor, c.currency, c.booked_currency,
       c.taken_minor, c.lost_minor, c.fees_minor, c.fees_currency, c.due_by, c.submissions, c.opened_at,
       c.noticed_at, c.closed_at, c.duplicate_id, c.past_due, c.network, c.network_code,
       c.milestone_id, m.title as milestone, p.id as project_id,
       p.title as project, a.name as payer, b.name as payee
from page join chargebacks c on c.id = page.id
join milestones m on m.id = c.milestone_id
join projects p on p.id = m.project_id
join parties a on a.id = p.payer_id
join parties b on b.id = p.payee_id
order by c.id desc
"""


def page(
    session: Session, *, status: str | None = None, before: int | None = None, limit: int = 51
) -> list[ChargebackRow]:
    """Newest first; `status` is one of the provider's words."""
    where = "c.id < :before" + (" and c.status = :status" if status else "")
    values = {"before": before or NEWEST, "status": status, "limit": limit}
    return [_row(dict(each)) for each in session.execute(text(PAGE.format(where=where)), values).mappings()]


def to_answer(session: Session, *, limit: int | None = None) -> list[ChargebackRow]:
    """Those that need a response, the most urgent first."""
    where = "c.closed_at is null and c.status in ('needs_response', 'warning_needs_response')"
    rows = session.execute(text(PAGE.format(where=where)), {"limit": limit}).mappings()
    return sorted(
        (_row(dict(each)) for each in rows), key=lambda row: (row.due_by is None, row.due_by, row.id)
    )


@dataclass(frozen=True)
class DueRow:
    """A chargeback that needs a response, and how far the answer is."""

    row: ChargebackRow
    standing: str

    @property
    def id(self) -> int:
        return self.row.id


STANDINGS = text(
    """
    select c.id, a.by as proposed, d.by as drafted
    from unnest(cast(:ids as bigint[])) as c (id)
    left join lateral (select s.name as by from chargeback_acceptances p join staff s on s.id = p.proposed_by
                       where p.chargeback_id = c.id and p.status = 'PROPOSED') a on true
    left join lateral (select s.name as by from chargeback_evidence e join staff s on s.id = e.drafted_by
                       where e.chargeback_id = c.id order by e.id desc limit 1) d on true
    """
)


def due_queue(session: Session) -> list[DueRow]:
    """Those that need a response, the most urgent first, and who is asked for what."""
    rows = to_answer(session)
    found = session.execute(STANDINGS, {"ids": [row.id for row in rows]})
    standings = {number: _standing(proposed, drafted) for number, proposed, drafted in found}
    return [DueRow(row, standings[row.id]) for row in rows]


def _standing(proposed: str | None, drafted: str | None) -> str:
    if proposed:
        return f"{proposed} proposes to accept it"
    return f"Draft by {drafted}: a second person sends it" if drafted else "No draft yet"


def chargeback(session: Session, chargeback_id: int) -> ChargebackRow:
    """Raises `NotFound`."""
    query = text(PAGE.format(where="c.id = :id"))
    found = session.execute(query, {"id": chargeback_id, "limit": 1}).mappings().one_or_none()
    if found is None:
        raise NotFound(kind="chargeback", id=chargeback_id)
    return _row(dict(found))


def _row(row: dict[str, Any]) -> ChargebackRow:
    booked = row.pop("booked_currency")
    return ChargebackRow(
        amount=Money(row.pop("amount_minor"), row.pop("currency")),
        taken=Money(row.pop("taken_minor"), booked),
        lost=Money(row.pop("lost_minor"), booked),
        fees=Money(row.pop("fees_minor"), row.pop("fees_currency")),
        **row,
    )


@dataclass(frozen=True)
class ChargebackPosting:
    """What was booked for a chargeback: a line of the provider's, or (`line` is None) who bears it."""

    id: int
    kind: str
    memo: str
    line: str | None
    amount: Money | None
    fee: Money | None
    rate: str | None
    at: datetime

    @property
    def reference(self) -> str:
        return reference("journal", self.id)


ENTRIES = text(
    """
    select j.id, j.kind, j.memo, t.id as line, t.amount, t.fee, t.currency, t.exchange_rate as rate, j.posted_at as at
    from journals j left join balance_transactions t on t.journal_id = j.id
    where j.milestone_id = :milestone and j.cause ->> 'dispute' = :dispute
    order by j.id
    """
)


def entries(session: Session, row: ChargebackRow) -> list[ChargebackPosting]:
    """Its lines and journals, in the order in which they were booked."""
    found = session.execute(ENTRIES, {"milestone": row.milestone_id, "dispute": row.dispute}).mappings()
    return [_entry(dict(each)) for each in found]


def _entry(row: dict[str, Any]) -> ChargebackPosting:
    currency, amount, fee = row.pop("currency"), row.pop("amount"), row.pop("fee")
    return ChargebackPosting(
        amount=None if currency is None else Money(amount, currency),
        fee=None if currency is None else Money(fee, currency),
        **row,
    )


@dataclass(frozen=True)
class Liability:
    """Who bore what the bank kept, by the ledger: the parts sum to `Row.lost`. `since_owed` is what refunds that came
    back later took off the loss of this milestone's chargebacks."""

    held: Money
    unearned_fee: Money
    refund_due: Money
    second_payment: Money
    receivable: Money
    earned_fee: Money
    loss: Money
    since_owed: Money


PLACES = {
    "held": "held",
    "deferred_platform_fee": "unearned_fee",
    "refund_payable": "refund_due",
    "unapplied_funds": "second_payment",
    "receivable_payee": "receivable",
    "platform_fee_revenue": "earned_fee",
    "chargeback_losses": "loss",
}
BURDEN = text(
    """
    select c.name as line, sum(leg.amount) filter (where j.kind <> 'chargeback_loss_overtaken') as borne,
           coalesce(sum(leg.amount) filter (where j.kind = 'chargeback_loss_overtaken'), 0) as since
    from journals j cross join lateral unnest(j.account_ids, j.amounts) as leg (account_id, amount)
    join chart c on c.line = (leg.account_id >> 10 & 255)
    where j.milestone_id = :milestone and leg.account_id & 1023 = :iso
      and (j.cause ->> 'dispute' = :dispute
           and (starts_with(j.kind, 'chargeback_lost_') or j.kind = 'chargeback_regained')
           or j.kind = 'chargeback_loss_overtaken' and c.name = 'chargeback_losses')
    group by 1
    """
)


def burden(session: Session, row: ChargebackRow) -> Liability | None:
    """None while the bank keeps nothing for good."""
    if row.lost.is_zero:
        return None
    currency = row.lost.currency
    values = {
        "milestone": row.milestone_id,
        "dispute": row.dispute,
        "iso": accounts.ISO_NUMBERS[currency],
    }
    parts = dict.fromkeys(PLACES.values(), Money.zero(currency))
    since = Money.zero(currency)
    for line, borne, later in session.execute(BURDEN, values):
        if line in PLACES:
            parts[PLACES[line]] = Money(int(borne or 0), currency)
            since = since - Money(int(later), currency)
    return Liability(**parts, since_owed=since)


@dataclass(frozen=True)
class AnswerFile:
    """A file of an answer, as the bank gets it. `exhibits` of a bundle: title, first page, number of pages."""

    code: str
    name: str
    media_type: str
    size: int
    sha256: str
    exhibits: Sequence[tuple[str, int, int]]


@dataclass(frozen=True)
class Answer:
    """A draft for the bank, or what was sent."""

    id: int
    texts: Mapping[str, str]
    files: Mapping[str, AnswerFile]
    drafted_by_id: int
    drafted_by: str
    drafted_at: datetime
    submitted_by: str | None
    submitted_at: datetime | None

    @property
    def filled(self) -> set[str]:
        """The bank's fields that it fills."""
        return {*self.texts, *self.files}


ANSWERS = text(
    """
    select e.id, e.texts,
           coalesce((select jsonb_object_agg(f.key, jsonb_build_object(
                         'code', f.value, 'name', coalesce(own.title, p.file_name),
                         'media_type', coalesce(own.media_type, p.media_type),
                         'size', coalesce(own.size_bytes, p.size_bytes), 'sha256', coalesce(own.sha256, p.sha256),
                         'exhibits', coalesce(own.contents, '[]')))
                     from jsonb_each_text(e.files) f
                     left join chargeback_files own
                     on own.id = case when f.value like 'file:%' then substr(f.value, 6)::bigint end
                     left join evidence p
                     on p.id = case when f.value not like 'file:%' then f.value::bigint end), '{}') as files,
           e.drafted_by as drafted_by_id, d.name as drafted_by, e.drafted_at, s.name as submitted_by,
           e.submitted_at
    from chargeback_evidence e join staff d on d.id = e.drafted_by left join staff s on s.id = e.submitted_by
    where e.chargeback_id = :id order by e.id desc
    """
)


def answers(session: Session, chargeback_id: int) -> list[Answer]:
    """Newest first: the first is the one that can be sent."""
    return [_answer(dict(row)) for row in session.execute(ANSWERS, {"id": chargeback_id}).mappings()]


def _answer(row: dict[str, Any]) -> Answer:
    files = {
        field: AnswerFile(**{**each, "exhibits": [tuple(one) for one in each["exhibits"]]})
        for field, each in row.pop("files").items()
    }
    return Answer(files=files, **row)


@dataclass(frozen=True)
class Remark:
    """What a colleague made of it, and when."""

    id: int
    body: str
    by: str
    at: datetime


REMARKS = text(
    """
    select r.id, r.body, s.name as by, r.written_at as at from chargeback_remarks r join staff s on s.id = r.written_by
    where r.chargeback_id = :id order by r.id desc
    """
)


def remarks(session: Session, chargeback_id: int) -> list[Remark]:
    """Newest first."""
    return [Remark(**row) for row in session.execute(REMARKS, {"id": chargeback_id}).mappings()]


@dataclass(frozen=True)
class Acceptance:
    """A proposal to let the bank have the money, and what became of it."""

    id: int
    reason: str
    status: str
    proposed_by_id: int
    proposed_by: str
    proposed_at: datetime
    settled_by: str | None
    settled_at: datetime | None
    note: str | None


ACCEPTANCES = text(
    """
    select a.id, a.reason, a.status, a.proposed_by as proposed_by_id, p.name as proposed_by, a.proposed_at,
           s.name as settled_by, a.settled_at, a.note
    from chargeback_acceptances a join staff p on p.id = a.proposed_by left join staff s on s.id = a.settled_by
    where a.chargeback_id = :id order by a.id desc
    """
)


def acceptances(session: Session, chargeback_id: int) -> list[Acceptance]:
    """Newest first."""
    return [Acceptance(**row) for row in session.execute(ACCEPTANCES, {"id": chargeback_id}).mappings()]
