"""A statement beside the others of its account: it goes on from the one before, leaves a gap, or shares days with it.

Two statements that contradict each other about a day are refused. A gap is told: the missing statement may still come.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.errors import DeskError
from core.money import Money
from core.records import BankAccount, BankStatement
from core.rules.bank_statements import Span, follows_at_once, goes_on, overlap


class BalanceDoesNotContinue(DeskError):
    """{file}, {place}: the statement {edge} with {balance} on {day}, and the one {side} it {other}: off by
    {difference}. Nothing was imported."""


class StatementsDisagree(DeskError):
    """{file}, {place}: for the days until {day}, the statement does not say what an earlier one says of the same days:
    {what}. Nothing was imported."""


@dataclass(frozen=True)
class Neighbours:
    """`repeats`: it has lines that are there already, on days that it covers from their beginning, so it goes on from
    no statement of the same day even where the balances would allow it. `again`: it is one that is there already."""

    before: Span | None
    after: Span | None
    repeats: bool = False
    again: bool = False

    def goes_on_from(self, new: Span) -> list[date]:
        """The days that it shares with a neighbour without repeating lines of it."""
        pairs = ((self.before, new), (new, self.after))
        return [
            other.first_on
            for one, other in pairs
            if one is not None
            and other is not None
            and one.last_on == other.first_on
            and self.goes_on(one, other)
        ]

    def goes_on(self, one: Span, other: Span) -> bool:
        return goes_on(one, other) and not ((self.repeats or self.again) and overlap(one, other))


def neighbours(session: Session, account: BankAccount, first_on: date) -> Neighbours:
    """The statement that begins last before this day or on it, and the first that begins later."""
    mine = select(BankStatement).where(BankStatement.account_id == account.id)
    before = mine.where(BankStatement.first_on <= first_on).order_by(
        BankStatement.last_on.desc(), BankStatement.id.desc()
    )
    after = mine.where(BankStatement.first_on > first_on).order_by(BankStatement.first_on, BankStatement.id)
    found = [_span(session.scalars(wanted.limit(1)).first()) for wanted in (before, after)]
    return Neighbours(found[0], found[1])


def with_lines_shared(session: Session, account: BankAccount, near: Neighbours, new: Span) -> Neighbours:
    """The same, of a statement that has lines which are there already."""
    same = select(BankStatement.id).where(
        BankStatement.account_id == account.id,
        BankStatement.first_on == new.first_on,
        BankStatement.last_on == new.last_on,
        BankStatement.opening_minor == new.opening,
        BankStatement.closing_minor == new.closing,
    )
    again = session.scalars(same.limit(1)).first() is not None
    return replace(near, again=again, repeats=_begins_a_day(session, account, near, new))


# `except all` counts equal lines; as many lines with nothing left over are the same ones.
STAGED = """
select booked_on, value_on, amount, reference, counterparty, text from pg_temp.staged_bank_lines
"""
OF_STATEMENT = """
select booked_on, value_on, amount_minor, reference, counterparty, text from bank_statement_lines
where statement_id = s.id
"""
ALREADY_THERE = text(
    f"""
    select s.id from bank_statements s
    where s.account_id = :account and s.first_on = :first and s.last_on = :last and s.opening_minor = :opening
      and s.closing_minor = :closing and s.lines = :lines and (s.reference = :called or '' in (s.reference, :called))
      and not exists ({STAGED} except all {OF_STATEMENT})
    order by s.id limit 1
    """
)


def already_there(session: Session, account: BankAccount, new: Span, called: str, lines: int) -> int | None:
    """The statement of the account that has these days, balances and lines, and bears the same number where both bear
    one. A statement without lines of another day, or with a number of its own, is another one."""
    values = {
        "account": account.id,
        "first": new.first_on,
        "last": new.last_on,
        "called": called,
        "lines": lines,
    }
    found: int | None = session.scalar(
        ALREADY_THERE, values | {"opening": new.opening, "closing": new.closing}
    )
    return found


# The days before the last are whole in both, or they contradict each other, which is not asked here.
GOES_FURTHER = text(
    f"""
    select s.id from bank_statements s
    where s.account_id = :account and s.first_on <= :first and s.last_on >= :last
      and not exists ({STAGED} except all {OF_STATEMENT})
      and not exists ({OF_STATEMENT} and booked_on >= :first and booked_on < :last except all {STAGED})
      and (select count(*) from bank_statement_lines where statement_id = s.id and booked_on between :first and :last)
        > :lines
    order by s.id desc limit 1
    """
)


def goes_further(session: Session, account: BankAccount, new: Span, lines: int) -> int | None:
    """The statement that has every line of this one and more of its last day, which this one was taken in the middle
    of: it says nothing that is not known, and its closing balance is not how the day ended."""
    values = {"account": account.id, "first": new.first_on, "last": new.last_on, "lines": lines}
    found: int | None = session.scalar(GOES_FURTHER, values)
    if found is None or balance_before(session, account, new.first_on) != new.opening:
        return None
    return found


def _begins_a_day(session: Session, account: BankAccount, near: Neighbours, new: Span) -> bool:
    """Whether it opens with what the account held when its first day began."""
    if near.before is None or near.before.last_on < new.first_on:
        return near.after is not None and near.after.first_on == new.last_on
    return balance_before(session, account, new.first_on) == new.opening


BALANCE = text(
    """
    select s.opening_minor + coalesce((
        select sum(l.amount_minor) from bank_statement_lines l where l.statement_id = s.id and l.booked_on < :day), 0)
    from bank_statements s where s.account_id = :account and s.first_on <= :day and s.last_on >= :day
    order by s.first_on, s.id limit 1
    """
)


def balance_before(session: Session, account: BankAccount, day: date) -> int:
    """What the account held when this day began, by the first statement that covers it."""
    return int(session.execute(BALANCE, {"account": account.id, "day": day}).scalar_one())


def require_edges(
    session: Session,
    account: BankAccount,
    near: Neighbours,
    new: Span,
    *,
    file: str,
    place: str,
    opening_place: str,
) -> list[str]:
    """What is to be said of both edges. Raises `BalanceDoesNotContinue`."""
    said: list[str] = []
    money = account.currency
    if near.again:
        return said
    if (before := near.before) is not None and not near.goes_on(before, new):
        shares = overlap(before, new)
        held = balance_before(session, account, new.first_on) if shares else before.closing
        if new.opening != held and (shares or follows_at_once(before, new)):
            raise BalanceDoesNotContinue(
                file=file, place=opening_place, edge="opens", side="before", day=f"{new.first_on:%-d %b %Y}",
                balance=Money(new.opening, money), difference=Money(new.opening - held, money),
                other=f"says {Money(held, money)}" if shares else f"closes with {Money(held, money)}",
            )  # fmt: skip
        if new.opening != held:
            said.append(_gap(before.last_on, new.first_on, Money(new.opening - held, money)))
    if (after := near.after) is not None and not near.goes_on(new, after) and not overlap(new, after):
        if follows_at_once(new, after):
            raise BalanceDoesNotContinue(
                file=file, place=place, edge="closes", side="after", day=f"{new.last_on:%-d %b %Y}",
                balance=Money(new.closing, money), difference=Money(new.closing - after.opening, money),
                other=f"opens with {Money(after.opening, money)}",
            )  # fmt: skip
        said.append(_gap(new.last_on, after.first_on, Money(after.opening - new.closing, money)))
    return said


# Lines of shared days: how many of the new statement an earlier one does not have, and the other way round.
ONLY_NEW = text(
    """
    select number, booked_on, amount_minor,
           (select min(s.place) from pg_temp.staged_bank_lines s where s.number = l.number) as place
    from bank_statement_lines l
    where statement_id = :statement and repeats_id is null and booked_on >= :since and booked_on < :until
    order by number limit 1
    """
)
ONLY_OLD = text(
    """
    select l.booked_on, l.amount_minor, null as place from bank_statement_lines l
    where l.account_id = :account and l.repeats_id is null and l.statement_id <> :statement
      and l.booked_on >= :since and l.booked_on < :until
      and not exists (select from bank_statement_lines r where r.repeats_id = l.id and r.statement_id = :statement)
    order by l.booked_on, l.id limit 1
    """
)


def require_agreement(
    session: Session,
    account: BankAccount,
    near: Neighbours,
    new: Span,
    statement_id: int,
    *,
    file: str,
    place: str,
) -> None:
    """On days that two statements cover whole, both have the same lines; on a day that one of them covers in part, the
    other one has its lines too; where the later one begins, both say how much was there.

    Raises `StatementsDisagree`, `BalanceDoesNotContinue`.
    """
    where = {"file": file, "place": place, "currency": account.currency}
    values = {"account": account.id, "statement": statement_id}
    if near.again:
        days = {"since": new.first_on, "until": new.last_on + timedelta(days=1)}
        _refuse(
            session.execute(ONLY_NEW, values | days).first(), new.last_on, "stands in this one only", where
        )
        return
    _require_next_opening(session, account, near, new, statement_id, file=file, place=place)
    for other in (near.before, near.after):
        if other is None or not overlap(other, new) or near.goes_on(other, new) or near.goes_on(new, other):
            continue
        days = {"since": max(other.first_on, new.first_on), "until": min(other.last_on, new.last_on)}
        for asked, words in ((ONLY_NEW, "stands in this one only"), (ONLY_OLD, "is missing from it")):
            _refuse(session.execute(asked, values | days).first(), days["until"], words, where)
        _require_last_day(session, other, new, values, where)


def _require_last_day(
    session: Session, other: Span, new: Span, values: dict[str, int], where: dict[str, str]
) -> None:
    """The last day that both cover may have been cut short by one of them, whose lines the other one then has too. It
    is never cut short by the new one where both end with it: the account would be taken to end as the new one does."""
    day = min(other.last_on, new.last_on)
    only = {"since": day, "until": day + timedelta(days=1)}
    in_new, in_old = (session.execute(asked, values | only).first() for asked in (ONLY_NEW, ONLY_OLD))
    if in_new is not None and (in_old is not None or other.last_on > day):
        _refuse(in_new, day, "stands in this one only", where)
    if new.last_on > day or other.last_on == day:
        _refuse(in_old, day, "is missing from it", where)


SINCE = text(
    "select coalesce(sum(amount_minor), 0) from bank_statement_lines"
    " where statement_id = :statement and booked_on >= :day"
)


def _require_next_opening(
    session: Session,
    account: BankAccount,
    near: Neighbours,
    new: Span,
    statement_id: int,
    *,
    file: str,
    place: str,
) -> None:
    """The statement that begins on one of its days opens with what it says of that morning."""
    after = near.after
    if after is None or not overlap(new, after) or near.goes_on(new, after):
        return
    moved = int(session.execute(SINCE, {"statement": statement_id, "day": after.first_on}).scalar_one())
    held, money = new.closing - moved, account.currency
    if held != after.opening:
        raise BalanceDoesNotContinue(
            file=file, place=place, edge="goes on", side="after", day=f"{after.first_on:%-d %b %Y}",
            balance=Money(held, money), difference=Money(held - after.opening, money),
            other=f"opens with {Money(after.opening, money)}",
        )  # fmt: skip


def _refuse(row: Any, day: date, words: str, where: dict[str, str]) -> None:
    if row is not None:
        what = f"{Money(row.amount_minor, where['currency'])} of {row.booked_on:%-d %b %Y} {words}"
        place = row.place or where["place"]
        raise StatementsDisagree(file=where["file"], place=place, day=f"{day:%-d %b %Y}", what=what)


def _span(row: BankStatement | None) -> Span | None:
    return None if row is None else Span(row.first_on, row.last_on, row.opening_minor, row.closing_minor)


def _gap(since: date, until: date, moved: Money) -> str:
    return (
        f"A statement is missing: between {since:%-d %b %Y} and {until:%-d %b %Y} the balance moves by {moved}, and no "
        "imported statement shows it."
    )
