"""The book: post a journal, and read what lies on the accounts.

Posting goes through the database's `post_journal`, the only way in. It takes the account locks in ascending order of
account number. The balance of an account is told on the side on which it grows: what is held is above zero.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, NoReturn

import psycopg
from sqlalchemy import Row, TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.db import NEWEST
from core.errors import DeskError, NotFound
from core.ledger import accounts
from core.ledger.journals import Journal, Posting, UnbalancedJournal
from core.money import Money

POST = text(
    "select post_journal(:key, :kind, :accounts, :amounts, :milestone_id, :party_id, :memo,"
    " cast(:cause as jsonb), :now)"
)
# Of what is posted now and is about another day: `late_for` where that day is closed.
POST_ABOUT = text(
    "select post_journal(:key, :kind, :accounts, :amounts, :milestone_id, :party_id, :memo,"
    " cast(:cause as jsonb) || case when cast(:day as timestamptz) < l.open_from"
    " then jsonb_build_object('late_for', cast(:day as timestamptz)) else '{}' end, :now) from ledger_lock l"
)
POST_YEAR_END = text(
    "select post_year_end(:key, :kind, :accounts, :amounts, :memo, cast(:cause as jsonb), :last_day)"
)
BALANCES = text("select account_id, balance from account_balances where account_id = any(:accounts)")
# The page is found first and the journals are joined to it alone; the tail is little and read whole.
# Without `materialized` the planner walks all journals backwards to find a tail that is nearly always empty.
PAGE = text(
    """
    with tail as materialized (
        select journal_id, amount from posting_tail where account_id = :account
    ), page as materialized (
        (select journal_id, amount from register where account_id = :account and journal_id < :before
         order by journal_id desc limit :limit)
        union all
        (select journal_id, amount from tail where journal_id < :before order by journal_id desc limit :limit)
        order by journal_id desc limit :limit
    )
    select p.journal_id, p.amount, j.kind, j.key, j.milestone_id, j.party_id, j.memo, j.cause, j.posted_at
    from page p join journals j on j.id = p.journal_id
    order by p.journal_id desc
    """
)
OF_MILESTONE = text("select * from journals where milestone_id = :milestone_id order by id")
ONE = text("select * from journals where id = :id")


class Overdraft(DeskError):
    """There is too little on {account}: {wanted} wanted, {available} there, {shortfall} short. Nothing was booked."""


class JournalKeyReused(DeskError):
    """{key} was booked before with other content. Nothing was booked; the same event cannot mean two things."""


class DayClosed(DeskError):
    """{day} lies in a closed period, so nothing was booked. Choose an open day."""


class JournalRefused(DeskError):
    """The ledger refused {key}: {reason}"""


@dataclass(frozen=True)
class Booked:
    """One journal on an account's page: `amount` is what it did to that account, debits > 0."""

    journal_id: int
    amount: Money
    kind: str
    key: str
    milestone_id: int | None
    party_id: int | None
    memo: str
    cause: Mapping[str, object]
    posted_at: datetime


@dataclass(frozen=True)
class BookedJournal:
    """A journal as it stands in the book."""

    id: int
    journal: Journal
    posted_at: datetime


def post(
    session: Session, journal: Journal, *, now: datetime, happened_at: datetime | None = None,
    of_day: date | None = None,
) -> int:  # fmt: skip
    """Book a journal and return its id; the same journal again returns the same id and books nothing.

    It is posted for when it `happened_at`, else for now. Where that day is closed, the database posts it on the first
    open day and adds `late_for` to its cause; what a person has dated it refuses. `of_day`: the day, UTC, of the
    statement's line that a journal of now explains; where that day is closed, its cause says `late_for` as well.

    Raises `Overdraft`, `JournalKeyReused`, `UnbalancedJournal`, `DayClosed` or `JournalRefused`; the transaction is
    then void.
    """
    of_whom = {"milestone_id": journal.milestone_id, "party_id": journal.party_id}
    at = min(happened_at, now) if happened_at else now
    if of_day is None:
        return _post(session, POST, journal, **of_whom, now=at)
    day = datetime.combine(of_day, time(), UTC)
    return _post(session, POST_ABOUT, journal, **of_whom, now=at, day=day)


def post_year_end(session: Session, journal: Journal, *, last_day: date) -> int:
    """Book a closing entry, or what reverses it, at the last moment of the fiscal year, although that is closed."""
    return _post(session, POST_YEAR_END, journal, last_day=last_day)


def _post(session: Session, statement: TextClause, journal: Journal, **more: object) -> int:
    numbered = sorted(
        (accounts.number(one.account, one.amount.currency), one.amount.minor) for one in journal.postings
    )
    values = {
        "key": journal.key,
        "kind": journal.kind,
        "accounts": [account for account, _ in numbered],
        "amounts": [amount for _, amount in numbered],
        "memo": journal.memo,
        "cause": json.dumps(dict(journal.cause)),
    }
    try:
        return int(session.execute(statement, values | more).scalar_one())
    except DBAPIError as error:
        _refused(journal, error)


def balance(session: Session, account_code: str, currency: str) -> Money:
    """What lies on the account, on the side on which it grows; zero for one that nothing was ever posted to."""
    return balances(session, [account_code], currency)[account_code]


def balances(session: Session, codes: Iterable[str], currency: str) -> dict[str, Money]:
    by_number = {accounts.number(code, currency): code for code in codes}
    rows = session.execute(BALANCES, {"accounts": list(by_number)})
    found: dict[int, int] = {row.account_id: row.balance for row in rows}
    return {code: Money(found.get(number, 0), currency) for number, code in by_number.items()}


def page(
    session: Session, code: str, currency: str, *, before: int = NEWEST, limit: int = 50
) -> list[Booked]:
    """An account's journals, newest first; `before` is the last journal id of the page above."""
    found = session.execute(
        PAGE, {"account": accounts.number(code, currency), "before": before, "limit": limit}
    )
    return [Booked(**{**row._mapping, "amount": Money(row.amount, currency)}) for row in found]


def of_milestone(session: Session, milestone_id: int) -> list[BookedJournal]:
    """Everything that was booked for a milestone, in order."""
    return [_booked(row) for row in session.execute(OF_MILESTONE, {"milestone_id": milestone_id})]


def one(session: Session, journal_id: int) -> BookedJournal:
    """A journal as it was booked. Raises `NotFound`."""
    row = session.execute(ONE, {"id": journal_id}).one_or_none()
    if row is None:
        raise NotFound(kind="journal", id=journal_id)
    return _booked(row)


def _booked(row: Row[Any]) -> BookedJournal:
    journal = Journal(
        key=row.key,
        kind=row.kind,
        postings=_postings(row.account_ids, row.amounts),
        milestone_id=row.milestone_id,
        party_id=row.party_id,
        memo=row.memo,
        cause=row.cause,
    )
    return BookedJournal(row.id, journal, row.posted_at)


def _postings(numbers: list[int], amounts: list[int]) -> tuple[Posting, ...]:
    return tuple(
        Posting(accounts.code_of(number), Money(amount, accounts.currency_of(number)))
        for number, amount in zip(numbers, amounts, strict=True)
    )


def _refused(journal: Journal, error: DBAPIError) -> NoReturn:
    """The database's refusal, told by its SQLSTATE (class LD), as an error of the desk."""
    cause = error.orig
    if not isinstance(cause, psycopg.Error) or not (cause.sqlstate or "").startswith("LD"):
        raise error
    facts = json.loads(cause.diag.message_detail or "{}")
    if cause.sqlstate == "LD001":
        raise UnbalancedJournal(key=journal.key, off_by=Money(facts["off_by"], journal.currency)) from error
    if cause.sqlstate == "LD003":
        wanted, available = (Money(facts[name], journal.currency) for name in ("wanted", "balance"))
        raise Overdraft(
            account=accounts.code_of(facts["account"]),
            wanted=wanted,
            available=available,
            shortfall=wanted - available,
        ) from error
    if cause.sqlstate == "LD004":
        raise JournalKeyReused(key=journal.key) from error
    if cause.sqlstate == "LD007":
        raise DayClosed(day=f"{datetime.fromisoformat(facts['posted_at']):%-d %b %Y}") from error
    raise JournalRefused(key=journal.key, reason=cause.diag.message_primary or "") from error
