"""Journals: a list that can be filtered, newest first, and one journal with all that it is tied to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.db import NEWEST
from core.errors import NotFound
from core.ledger import accounts
from core.like_patterns import like
from core.money import Money
from core.queries import conversions
from core.queries.conversions import Conversion
from core.queries.ledger import sides
from core.rules.references import reference

RECENT = 100_000
KINDS: Mapping[str, str] = {
    "charge_settled": "Payment held",
    "exchanged": "Converted by Stripe",
    "duplicate_money": "Duplicate payment",
    "duplicate_refunded": "Second payment refunded",
    "unknown_money": "Unexplained money",
    "decided": "Release or decision",
    "refund_succeeded": "Refund",
    "refund_failed": "Refund failed",
    "refund_canceled": "Refund canceled",
    "withdrawal": "Withdrawal",
    "transfer_reversed": "Transfer reversed",
    "receivable_offset": "Set-off",
    "debt_written_off": "Debt written off",
    "withdrawal_fee_charged": "Fee of another payout method",
    "chargeback_opened": "Chargeback opened",
    "chargeback_won": "Chargeback won",
    "chargeback_lost_while_held": "Chargeback lost, while held",
    "chargeback_lost_after_release": "Chargeback lost, after release",
    "opening_balance": "Opening balance",
    "manual_journal": "Manual journal",
    "manual_journal_reversed": "Manual journal reversed",
    "journal_reversed": "Journal reversed",
    "year_closed": "Year-end closing entry",
    "year_reopened": "Year-end closing entry reversed",
    "topped_up": "Top-up",
    "platform_payout_sent": "Platform payout initiated",
    "platform_payout_paid": "Own payout arrived",
    "platform_payout_failed": "Own payout failed",
    "platform_payout_returned": "Own payout came back",
    "top_up_returned": "Top-up returned",
    "line_difference": "Difference of Stripe's line",
    "bank_line_unexplained": "Unexplained bank line",
    "suspense_settled": "Unexplained money settled",
    "chargeback_lost_abroad": "Chargeback lost, other currency",
    "chargeback_lost_on_duplicate": "Chargeback lost, second payment",
    "chargeback_loss_overtaken": "Refund came back, the bank had paid",
    "chargeback_regained": "Chargeback won after all",
    "refund_returned": "Refund outside Stripe",
    "refund_came_back": "Refund outside Stripe came back",
    "refund_never_left": "Refund outside Stripe never left",
    "refund_made_by_hand": "Refund made by hand",
    "processor_fee": "Processing fee",
    "transfer_arrived": "Payee: transfer arrived",
    "payee_transfer_reversed": "Payee: transfer reversed",
    "transfer_taken_back": "Payee: transfer reversed",  # what was sealed under its former name
    "payee_line_booked": "Payee: booked by hand",
    "payout_sent": "Payee: payout sent",
    "payout_paid": "Payee: payout arrived",
    "payout_failed": "Payee: payout failed",
    "payout_returned": "Payee: payout came back",
}


def title(kind: str) -> str:
    """The title of a kind of journal, also of one that the table does not know."""
    return KINDS.get(kind, kind.replace("_", " ").capitalize())


@dataclass(frozen=True)
class JournalFilter:
    """`account` is a code with its `currency`; `words` begin a key, stand in a memo (of the last
    100,000 journals), or are a journal's number."""

    kind: str | None = None
    account: str | None = None
    currency: str | None = None
    milestone_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""

    @property
    def numbers(self) -> list[int]:
        """The accounts meant: one, or the same code in every currency."""
        if not self.account:
            return []
        currencies = [self.currency] if self.currency else list(accounts.ISO_NUMBERS)
        return [accounts.number(self.account, each) for each in currencies]

    @property
    def values(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "numbers": self.numbers,
            "milestone": self.milestone_id,
            "since": self.since,
            "until": self.until,
            "like": like(self.words),
            "words": self.words.strip(),
            "number": int(self.words)
            if self.words.isascii() and self.words.isdigit() and len(self.words) < 16
            else 0,
            "iso": accounts.ISO_NUMBERS.get(self.currency or "", 0),
        }

    @property
    def source(self) -> str:
        """The ids of the page's journals; an account by itself is read from its own pages."""
        if self.account and not any((self.kind, self.milestone_id, self.since, self.until, self.words)):
            return OF_ACCOUNTS
        if self.words:
            return OF_WORDS.format(recent=RECENT, where=" and ".join(["true", *self._conditions()]))
        where = " and ".join(["j.id < :before", *self._conditions()])
        return f"select j.id from journals j where {where} order by j.id desc limit :limit"

    def _conditions(self) -> Iterator[str]:
        if self.account:
            yield "j.id in (select journal_id from account_postings where account_id = any(:numbers))"
        elif self.currency:
            yield "j.account_ids[1] & 1023 = :iso"
        for given, condition in (
            (self.kind, "j.kind = :kind"),
            (self.milestone_id, "j.milestone_id = :milestone"),
            (self.since, "j.posted_at >= :since"),
            (self.until, "j.posted_at <= :until"),
        ):
            if given:
                yield condition


OF_ACCOUNTS = """
with tail as materialized (select account_id, journal_id from posting_tail where account_id = any(:numbers))
select distinct id from unnest(cast(:numbers as bigint[])) as wanted (account)
cross join lateral (
    (select journal_id as id from register where account_id = account and journal_id < :before
     order by journal_id desc limit :limit)
    union all
    select journal_id from tail where account_id = account and journal_id < :before
) found
order by id desc limit :limit
"""
# A key is found by its beginning, with or without the desk's name; a memo among the last journals only. The range is
# what `like 'words%'` means under the key's collation, also where the words are not known when it is planned.
OF_WORDS = """
with hits as materialized (
    select id from journals where key >= :words and key < :words || chr(1114111)
    union
    select j.id from installation i
    join journals j on j.key >= i.name || '.' || :words and j.key < i.name || '.' || :words || chr(1114111)
    union
    select id from journals where id = :number
    union
    (select j.id from journals j
     where j.memo ilike :like and j.id > (select max(id) from journals) - {recent} and j.id < :before and {where}
     order by j.id desc limit :limit)
)
select j.id from hits join journals j on j.id = hits.id
where j.id < :before and {where} order by j.id desc limit :limit
"""


PAGE = """
with page as materialized ({source})
select j.id, j.posted_at, j.kind, j.memo, j.key, j.milestone_id, j.party_id, c.code as currency,
       (select sum(a)::bigint from unnest(j.amounts) a where a > 0) as minor
from page join journals j on j.id = page.id
join currencies c on c.number = (j.account_ids[1] & 1023)
order by j.id desc
"""


@dataclass(frozen=True)
class JournalRow:
    """`amount` is the sum of the debits, which is the sum of the credits."""

    id: int
    posted_at: datetime
    kind: str
    memo: str
    key: str
    milestone_id: int | None
    party_id: int | None
    amount: Money

    @property
    def what(self) -> str:
        return title(self.kind)

    @property
    def reference(self) -> str:
        return reference("journal", self.id)


def page(
    session: Session, wanted: JournalFilter, *, before: int | None = None, limit: int = 51
) -> list[JournalRow]:
    """Journals with an id below `before`, newest first."""
    values = {**wanted.values, "before": before or NEWEST, "limit": limit}
    rows = session.execute(text(PAGE.format(source=wanted.source)), values).mappings()
    return [_row(dict(row)) for row in rows]


def _row(found: dict[str, Any]) -> JournalRow:
    return JournalRow(amount=Money(found.pop("minor"), found.pop("currency")), **found)


@dataclass(frozen=True)
class PostingRow:
    """One posting with the journal that it belongs to; the column on the other side is None."""

    reference: str
    posted_at: datetime
    kind: str
    key: str
    memo: str
    milestone_id: int | None
    party_id: int | None
    code: str
    title: str
    debit: Money | None
    credit: Money | None


POSTINGS = """
with page as materialized ({source})
select j.id, j.posted_at, j.kind, j.memo, j.key, j.milestone_id, j.party_id, j.account_ids, j.amounts
from page join journals j on j.id = page.id order by j.id desc
"""


def postings(session: Session, wanted: JournalFilter, *, at_once: int = 5_000) -> Iterator[PostingRow]:
    """Every posting of every journal that the filter finds, newest journal first, its debits first."""
    query, before = text(POSTINGS.format(source=wanted.source)), NEWEST
    while rows := session.execute(query, {**wanted.values, "before": before, "limit": at_once}).all():
        for row in rows:
            head = (f"J-{row.id}", row.posted_at, row.kind, row.key, row.memo, row.milestone_id, row.party_id)
            for leg in _legs(row.account_ids, row.amounts):
                yield PostingRow(*head, leg.code, leg.title, leg.debit, leg.credit)
        before = rows[-1].id


@dataclass(frozen=True)
class Leg:
    """One posting; the other column is None."""

    code: str
    title: str
    debit: Money | None
    credit: Money | None


@dataclass(frozen=True)
class JournalDetail:
    """A journal with what it is tied to. `sealed_at` is None as long as no seal covers it."""

    id: int
    key: str
    kind: str
    memo: str
    posted_at: datetime
    recorded_at: datetime
    currency: str
    legs: tuple[Leg, ...]
    cause: Mapping[str, Any]
    milestone_id: int | None
    milestone: str | None
    project_id: int | None
    party_id: int | None
    party: str | None
    case_id: int | None
    operation_id: int | None
    operation: str | None
    transaction: str | None
    seal: int | None
    sealed_at: datetime | None
    converted: Conversion | None

    def sums(self) -> tuple[Money, Money]:
        """Total debits and credits, which are equal."""
        debits = Money.total((leg.debit for leg in self.legs if leg.debit), self.currency)
        return debits, Money.total((leg.credit for leg in self.legs if leg.credit), self.currency)


ONE = text(
    """
    select j.id, j.key, j.kind, j.memo, j.posted_at, j.recorded_at, j.cause, j.account_ids, j.amounts,
           j.milestone_id, m.title as milestone, m.project_id, j.party_id, y.name as party,
           t.id as case_id, o.id as operation_id, o.key as operation, b.id as transaction,
           s.n as seal, s.sealed_at
    from journals j
    left join milestones m on m.id = j.milestone_id
    left join parties y on y.id = j.party_id
    left join cases t
           on t.id = case when jsonb_typeof(j.cause -> 'ticket') = 'number' then (j.cause -> 'ticket')::bigint end
    left join outgoing_operations o on o.key = j.cause ->> 'operation'
    left join balance_transactions b on b.journal_id = j.id
    left join lateral (
        select n, sealed_at from seals
        where lo <= j.xid and j.xid < hi and journals_after < j.id order by epoch desc, n limit 1
    ) s on true
    where j.id = :id
    """
)


def journal(session: Session, journal_id: int) -> JournalDetail:
    """Raises `NotFound`."""
    found = session.execute(ONE, {"id": journal_id}).mappings().one_or_none()
    if found is None:
        raise NotFound(kind="journal", id=journal_id)
    row = dict(found)
    legs = tuple(_legs(row.pop("account_ids"), row.pop("amounts")))
    currency = next(leg.debit.currency for leg in legs if leg.debit)
    converted = conversions.of_journal(session, row["key"])
    return JournalDetail(**row, legs=legs, currency=currency, converted=converted)


def _legs(numbers: list[int], amounts: list[int]) -> Iterator[Leg]:
    """Debits first, as journals are written."""
    for number, amount in sorted(zip(numbers, amounts, strict=True), key=lambda each: each[1] < 0):
        code = accounts.code_of(number)
        yield Leg(
            code, accounts.account_type(code).title, *sides(Money(amount, accounts.currency_of(number)))
        )
