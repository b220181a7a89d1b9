"""Reading Stripe's books: the lines and the payouts of the platform's account and of every payee's.

Stripe lists the newest first. Each list is read window by window, and after every page what was kept is written down
with it, so that a run that was broken off goes on there; what is read twice changes nothing. The last days are read
again each time, because lines become visible late and a payout can fail after it was called paid. An account that
cannot be read stops no other: why is kept, and the next run begins where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.db import Record
from core.desk import Desk
from core.errors import DeskError
from core.gateways.payments import BalanceLine, PayoutSnapshot
from core.records import Party, PayeeStatementLine, StatementCursor, StatementLine, StripePayout
from core.rules.reconciliation import StripeBook

log = structlog.get_logger(__name__)

BATCH = 500
# A payout may come back within five business days, and what is still on its way is looked at for a month.
OVERLAP = {StripeBook.LINES: timedelta(days=8), StripeBook.PAYOUTS: timedelta(days=30)}
EPOCH = datetime.fromtimestamp(0, tz=UTC)
OURS = ""


@dataclass(frozen=True)
class Window:
    """`since` <= created < `until`; `after` is the last object that was kept of it."""

    since: datetime
    until: datetime
    after: str | None


class PayeeUnread(DeskError):
    """The payee's account {account} could not be read, so nothing is said of it: {why}"""


def fetch(desk: Desk, until: datetime) -> int:
    """Read the platform's own account up to `until`; returns how many lines came. Raises what Stripe refuses."""
    count = _read(desk, StripeBook.LINES, OURS, None, until)
    _read(desk, StripeBook.PAYOUTS, OURS, None, until)
    return count


def fetch_payees(desk: Desk, until: datetime) -> int:
    """The same of every payee's account; why one could not be read is kept with its cursor.

    No payout begins, fails or is canceled without a line, so payouts are asked for only where lines came or one is
    still on its way.
    """
    return sum(fetch_payee(desk, account, party_id, until) for account, party_id in _payees(desk))


def fetch_payee(desk: Desk, account: str, party_id: int, until: datetime) -> int:
    """The same of one payee's account."""
    book = StripeBook.LINES
    try:
        came = _read(desk, book, account, party_id, until)
        if came or desk.database.run(partial(_is_more_to_know, account=account)):
            book = StripeBook.PAYOUTS
            _read(desk, book, account, party_id, until)
        return came
    except DeskError as problem:
        log.warning("stripe_statement.unread", account=account, book=book, reason=problem.message)
        _note(desk, book, account, problem.message)
        return 0


def fetch_account(desk: Desk, account: str, until: datetime) -> None:
    """The same of the account that a break names. Raises `PayeeUnread` where it could not be read to the end."""
    for known, party_id in _payees(desk):
        if known == account:
            fetch_payee(desk, account, party_id, until)
    with desk.database.reading() as session:
        cursor = session.get(StatementCursor, (account, StripeBook.LINES))
        failure = cursor.failure if cursor is not None else "It is no payee's any more."
    if failure:
        raise PayeeUnread(account=account, why=failure)


def _is_more_to_know(session: Session, account: str) -> bool:
    """A payout is on its way or known by its line only, or the last look at payouts was broken off."""
    under_way = select(StripePayout.id).where(
        StripePayout.account == account, StripePayout.status.not_in(("paid", "failed", "canceled"))
    )
    known = select(StripePayout.id).where(StripePayout.id == PayeeStatementLine.source)
    by_its_line = select(PayeeStatementLine.id).where(
        PayeeStatementLine.account == account, PayeeStatementLine.kind == "payout", ~known.exists()
    )
    broken_off = select(StatementCursor.account).where(
        StatementCursor.account == account, StatementCursor.window_since.is_not(None)
    )
    each = (under_way, by_its_line, broken_off)
    return any(session.scalars(wanted.limit(1)).first() is not None for wanted in each)


def _payees(desk: Desk) -> list[tuple[str, int]]:
    """Payees' accounts at Stripe, each with the party that had it first."""
    wanted = select(Party.stripe_account, func.min(Party.id)).where(Party.stripe_account.is_not(None))
    with desk.database.reading() as session:
        rows = session.execute(wanted.group_by(Party.stripe_account).order_by(Party.stripe_account))
        return [(account, number) for account, number in rows if account]


def _read(desk: Desk, book: StripeBook, account: str, party_id: int | None, until: datetime) -> int:
    """First what is left of a window that was broken off, then the window that reaches to `until`."""
    count, end, window = 0, until + timedelta(seconds=1), None
    while window is None or window.until < end:
        window = desk.database.run(lambda session: _window(session, book, account, end))
        for page in _pages(_listed(desk, book, account, window)):
            count += len(page)
            rows = [_row(each, account, party_id, desk.clock()) for each in page]
            desk.database.run(_keeping(book, account, rows, str(rows[-1]["id"])))
        desk.database.run(lambda session: _close(session, book, account, desk.clock()))
    return count


def _window(session: Session, book: StripeBook, account: str, end: datetime) -> Window:
    """The window that was not read to its end, or the one that reaches to `end`."""
    session.execute(insert(StatementCursor).values(account=account, book=book).on_conflict_do_nothing())
    cursor = session.get_one(StatementCursor, (account, book), with_for_update=True)
    if cursor.window_since is None or cursor.window_until is None:
        cursor.window_since = cursor.read_until - OVERLAP[book] if cursor.read_until else EPOCH
        cursor.window_until, cursor.window_after = end, None
    return Window(cursor.window_since, cursor.window_until, cursor.window_after)


def _listed(
    desk: Desk, book: StripeBook, account: str, window: Window
) -> Iterator[BalanceLine | PayoutSnapshot]:
    whose = account or None
    if book is StripeBook.PAYOUTS:
        return desk.payments.payouts(window.since, window.until, account=whose, after=window.after)
    return desk.payments.balance_lines(window.since, window.until, account=whose, after=window.after)


def _pages(found: Iterable[BalanceLine | PayoutSnapshot]) -> Iterator[list[BalanceLine | PayoutSnapshot]]:
    rest = iter(found)
    while page := list(islice(rest, BATCH)):
        yield page


def _keeping(
    book: StripeBook, account: str, rows: list[dict[str, Any]], last: str
) -> Callable[[Session], None]:
    """A page and how far it goes, in one transaction."""

    def keep(session: Session) -> None:
        table: type[Record] = StripePayout
        if book is StripeBook.LINES:
            table = PayeeStatementLine if account else StatementLine
        put(session, table, rows)
        session.get_one(StatementCursor, (account, book), with_for_update=True).window_after = last

    return keep


def put(session: Session, table: type[Record], rows: list[dict[str, Any]]) -> None:
    """What is there already is as it was told last."""
    statement = insert(table).values(rows)
    fresh = {name: statement.excluded[name] for name in rows[0] if name != "id"}
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=fresh))


def unread(desk: Desk, until: datetime) -> list[dict[str, Any]]:
    """The lines of the platform's own account that `fetch` would read now; nothing of them is kept."""
    with desk.database.reading() as session:
        cursor = session.get(StatementCursor, (OURS, StripeBook.LINES))
        read_until = cursor.read_until if cursor else None
    since = read_until - OVERLAP[StripeBook.LINES] if read_until else EPOCH
    lines = desk.payments.balance_lines(since, until + timedelta(seconds=1), account=None)
    return [of_the_platform(each, desk.clock()) for each in lines]


def of_the_platform(line: BalanceLine, now: datetime) -> dict[str, Any]:
    """A line of the platform's own account, as it is kept."""
    return _row(line, OURS, None, now)


def _close(session: Session, book: StripeBook, account: str, now: datetime) -> None:
    cursor = session.get_one(StatementCursor, (account, book), with_for_update=True)
    if cursor.window_until is None:  # another run has just closed it
        return
    cursor.read_until = max(cursor.window_until, cursor.read_until or cursor.window_until)
    cursor.looked_at, cursor.failure = now, None
    cursor.window_since = cursor.window_until = cursor.window_after = None


def _note(desk: Desk, book: StripeBook, account: str, why: str) -> None:
    def note(session: Session) -> None:
        cursor = session.get_one(StatementCursor, (account, book), with_for_update=True)
        cursor.looked_at, cursor.failure = desk.clock(), why

    desk.database.run(note)


def _row(
    found: BalanceLine | PayoutSnapshot, account: str, party_id: int | None, now: datetime
) -> dict[str, Any]:
    if isinstance(found, PayoutSnapshot):
        return _payout(found, party_id, now)
    line = {
        "id": found.id,
        "kind": found.type,
        "reporting_category": found.reporting_category,
        "amount": found.amount,
        "fee": found.fee,
        "net": found.net,
        "currency": found.currency,
        "source": found.source or "",
        "created_at": found.created,
        "fetched_at": now,
    }
    whose = {"account": account, "party_id": party_id, "available_at": found.available_on}
    return line | whose if account else line


def _payout(found: PayoutSnapshot, party_id: int | None, now: datetime) -> dict[str, Any]:
    lines = [*(line.id for line in found.lines), None, None]
    return {
        "id": found.id,
        "account": found.account,
        "party_id": party_id,
        "amount": found.amount.minor,
        "currency": found.amount.currency,
        "status": found.status,
        "method": found.method,
        "automatic": found.automatic,
        "created_at": found.created,
        "arrival_at": found.arrival,
        "balance_transaction": lines[0],
        "failure_balance_transaction": lines[1],
        "failure_code": found.failure_code,
        "destination": found.destination,
        "fetched_at": now,
    }
