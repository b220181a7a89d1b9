"""The platform's own payouts, each taken apart to the minor unit.

They are manual, and Stripe lists no lines for a manual payout. What is known is the order of the statement: the lines
since the payout before, and what of them stayed at Stripe (or was there before).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.money import Money
from core.rules import payout_parts
from core.rules.payout_parts import Part

PAYOUTS = """
select s.id as line_id, s.source as id, s.currency, s.amount, s.fee, s.created_at, t.journal_id,
       paid.id as paid_journal_id, paid.posted_at as paid_at, failed.id as failed_journal_id, m.match_id,
       back.id is not null and again.id is null as reversed,
       (theirs.minor - ours.minor)::bigint as difference, coalesce(ours.postings > 1, false) as together,
       (named.theirs - named.ours)::bigint as named_difference
from statement_lines s
left join balance_transactions t on t.id = s.id
left join journals paid on paid.key = 'own_payout.' || s.source || '.paid'
left join journals failed on failed.key = 'own_payout.' || s.source || '.failed'
left join manual_journals back on back.reverses_journal_id = paid.id and back.status = 'POSTED'
left join manual_journals again on again.reverses_journal_id = back.journal_id and again.status = 'POSTED'
left join bank_match_postings m on m.journal_id = coalesce(again.journal_id, paid.id) and m.currency = s.currency
    and (back.id is null or again.id is not null)
left join lateral (
    select sum(l.amount_minor) as minor
    from bank_match_lines x join bank_statement_lines l on l.id = x.line_id where x.match_id = m.match_id
) theirs on true
left join lateral (
    select sum(p.amount_minor) as minor, count(*) as postings
    from bank_match_postings p join journals j on j.id = p.journal_id
    where p.match_id = m.match_id and j.kind <> 'bank_line_unexplained'
) ours on true
left join lateral (
    select sum(b.theirs) as theirs, min(b.ours) as ours from breaks b
    where b.journal_id = paid.id and b.currency = s.currency and b.side = 'BANK' and b.kind = 'AMOUNT_DIFFERS'
      and b.closed_at is null
) named on true
where s.kind = 'payout' and {where}
order by s.created_at desc, s.id desc limit :limit
"""
BEFORE = text(
    """
    select created_at, id from statement_lines
    where kind = 'payout' and currency = :currency and (created_at, id) < (:at, :id)
    order by created_at desc, id desc limit 1
    """
)
LINES = """
select s.id, s.kind, s.reporting_category as category, s.source, s.amount, s.fee, s.net, s.currency, s.created_at,
       t.journal_id
from statement_lines s left join balance_transactions t on t.id = s.id
where s.currency = :currency and s.kind <> 'payout' and (s.created_at, s.id) < (:at, :id)
  and (cast(:since as timestamptz) is null or (s.created_at, s.id) > (:since, :after))
order by s.created_at, s.id
"""
BANK = text(
    """
    select l.id, l.booked_on, l.amount_minor, l.currency, l.reference, l.text
    from bank_match_lines m join bank_statement_lines l on l.id = m.line_id where m.match_id = :match order by l.id
    """
)


@dataclass(frozen=True)
class PlatformPayout:
    """`id` is Stripe's, `amount` what it sent, `fee` what Stripe took for sending it. `reversed`: two people said that
    it never reached our bank. `difference`: what the matched lines of our bank have more than what they are matched
    with, `together` with other postings; `named_difference`: the same of lines that name it and are not matched."""

    id: str
    line_id: str
    amount: Money
    fee: Money
    created_at: datetime
    journal_id: int | None
    paid_journal_id: int | None
    paid_at: datetime | None
    failed_journal_id: int | None
    match_id: int | None
    reversed: bool
    difference: Money | None
    together: bool
    named_difference: Money | None

    @property
    def where(self) -> str:
        """How far it has come, by what is known."""
        if self.failed_journal_id is not None:
            return "It failed or came back, and is on the balance at Stripe again."
        if self.paid_journal_id is None:
            return "It is on its way: Stripe has not said that it arrived."
        if self.reversed:
            return "Stripe says that it arrived. Our bank does not have it, and its arrival was reversed."
        return f"Stripe says that it arrived. {self._at_our_bank}"

    @property
    def _at_our_bank(self) -> str:
        if self.match_id is None:
            if self.named_difference is None:
                return "No line of our bank's is matched with it."
            return f"Our bank names it with {_apart(self.named_difference)}; nothing is matched with it."
        others = " together with other entries" if self.together else ""
        if self.difference is None or self.difference.is_zero:
            return f"Our bank's statement has it{others}."
        return f"Our bank's statement has it{others}, with {_apart(self.difference)}."


def _apart(difference: Money) -> str:
    return f"{abs(difference).text()} {'more' if difference.is_positive else 'less'}"


@dataclass(frozen=True)
class PlatformPayoutLine:
    id: str
    kind: str
    category: str
    source: str
    amount: Money
    fee: Money
    net: Money
    created_at: datetime
    journal_id: int | None

    @property
    def part(self) -> Part:
        return payout_parts.part(self.kind, self.category)


@dataclass(frozen=True)
class BankReceipt:
    """The bank's line of it."""

    id: int
    booked_on: date
    amount: Money
    words: str


@dataclass(frozen=True)
class TakenApart:
    """`parts` are signed, and sum with `stayed` to the payout and its fee: the balance at Stripe changed by `stayed`
    since the payout before, negative where the payout took more than came in."""

    payout: PlatformPayout
    since: datetime | None
    parts: Mapping[Part, Money]
    counts: Mapping[Part, int]
    bank: tuple[BankReceipt, ...]

    @property
    def came_in(self) -> Money:
        return Money.total(self.parts.values(), self.payout.amount.currency)

    @property
    def stayed(self) -> Money:
        return self.came_in - self.payout.amount - self.payout.fee


def page(session: Session, *, limit: int | None = 20) -> list[PlatformPayout]:
    """The newest first."""
    return [
        _payout(dict(row))
        for row in session.execute(text(PAYOUTS.format(where="true")), {"limit": limit}).mappings()
    ]


def one(session: Session, payout: str) -> PlatformPayout:
    """Raises `NotFound`."""
    found = (
        session.execute(text(PAYOUTS.format(where="s.source = :id")), {"id": payout, "limit": 1})
        .mappings()
        .first()
    )
    if found is None:
        raise NotFound(kind="payout of the platform", id=payout)
    return _payout(dict(found))


def _payout(row: dict[str, Any]) -> PlatformPayout:
    currency = row.pop("currency")
    for name in ("difference", "named_difference"):
        row[name] = None if row[name] is None else Money(row[name], currency)
    return PlatformPayout(
        **row | {"amount": Money(-row["amount"], currency), "fee": Money(row["fee"], currency)}
    )


def lines(session: Session, payout: PlatformPayout, part: Part | None = None) -> list[PlatformPayoutLine]:
    """What is on the statement since the payout before, in its order. Fees are on lines of every part."""
    found = [_line(dict(row)) for row in session.execute(text(LINES), _between(session, payout)).mappings()]
    if part is Part.FEES:
        return [each for each in found if each.part is Part.FEES or not each.fee.is_zero]
    return [each for each in found if part is None or each.part is part]


def _line(row: dict[str, Any]) -> PlatformPayoutLine:
    currency = row.pop("currency")
    return PlatformPayoutLine(**row | {name: Money(row[name], currency) for name in ("amount", "fee", "net")})


def _between(session: Session, payout: PlatformPayout) -> dict[str, Any]:
    values = {"currency": payout.amount.currency, "at": payout.created_at, "id": payout.line_id}
    before = session.execute(BEFORE, values).one_or_none()
    return values | {"since": before.created_at if before else None, "after": before.id if before else ""}


SUMS = text(
    f"""
    select kind, category, sum(amount)::bigint as amount, sum(fee)::bigint as fee, count(*) as lines,
           count(*) filter (where fee <> 0) as with_fee
    from ({LINES}) each group by kind, category order by kind, category
    """
)


def apart(session: Session, payout: str) -> TakenApart:
    """Raises `NotFound`."""
    row = one(session, payout)
    values, currency = _between(session, row), row.amount.currency
    sums, counts = dict.fromkeys(Part, 0), dict.fromkeys(Part, 0)
    for each in session.execute(SUMS, values):
        part = payout_parts.part(each.kind, each.category)
        sums[part] += each.amount
        counts[part] += each.lines
        sums[Part.FEES] -= each.fee
        counts[Part.FEES] += each.with_fee if part is not Part.FEES else 0
    bank = session.execute(BANK, {"match": row.match_id or 0})
    return TakenApart(
        row,
        values["since"],
        {part: Money(minor, currency) for part, minor in sums.items()},
        counts,
        tuple(
            BankReceipt(
                b.id, b.booked_on, Money(b.amount_minor, b.currency), f"{b.reference} {b.text}".strip()
            )
            for b in bank
        ),
    )
