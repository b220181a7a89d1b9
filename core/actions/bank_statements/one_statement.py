"""One statement of a file on its way in: is it ours, does it add up, and does it fit what was there before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.actions.bank_statements import continuity
from core.actions.bank_statements.staging import Bounds, Staging
from core.actions.platform import opening_balances
from core.db import one_at_a_time
from core.errors import DeskError
from core.gateways.bank_statements.parsed import Begin, End, Line
from core.ledger import accounts
from core.money import Money
from core.records import BankAccount, BankLine, BankStatement, BankStatementFile
from core.rules import file_names
from core.rules.bank_statements import EARLIEST, Balances, Span, days, same_account
from core.rules.references import reference

Progress = Callable[[int], None]


class AnotherBankAccount(DeskError):
    """{file}, {place}: the statement is of account {stated}, and {code} is {identifier}. Nothing was imported."""


class AnotherCurrency(DeskError):
    """{file}, {place}: the statement is in {stated}, and {code} is in {currency}. Nothing was imported."""


class DayOutOfRange(DeskError):
    """{file}, {place}: {day} {why} Nothing was imported."""


class StatementDoesNotAddUp(DeskError):
    """{file}, {place}: the opening balance of {opening} and the lines ({lines}) make {made}, but the closing balance is
    {closing}: off by {difference}. Nothing was imported."""


class DayCovered(DeskError):
    """{file}, {place}: {day} is in a statement that was imported before. This file has none of its lines and states no
    balance, so nothing shows that it goes on from there. Import whole days; or, if it does go on after the last line of
    that statement, give the opening balance of {held}. Nothing was imported."""


class OpeningUnknown(DeskError):
    """{file}, {place}: the file states no balance, and nothing was imported before it that it could go on from. Give
    the opening balance of the account."""


@dataclass(frozen=True)
class Taken:
    """What came in of one statement. `said`: what a person should know of it; `look_at`: and what they should do
    something about, a gap or an odd line."""

    id: int
    reference: str
    first_on: date
    last_on: date
    opening: Money
    closing: Money
    balances: Balances
    lines: int
    repeated: int
    odd: int
    said: tuple[str, ...]
    look_at: bool


@dataclass(frozen=True)
class Known:
    """A statement of the file that is there already, with the same days, balances and lines, or whose every line is in
    one that goes further: nothing of it was kept."""

    id: int
    first_on: date
    last_on: date
    lines: int
    further: bool = False

    @property
    def reference(self) -> str:
        return reference("bank statement", self.id)

    @property
    def sentence(self) -> str:
        period = days(self.first_on, self.last_on)
        if self.further:
            return f"Every line of the statement of {period} is in statement {self.reference}, which goes further."
        return f"The statement of {period} is already imported as statement {self.reference}."


@dataclass
class Job:
    """A file on its way in. `keep` stores it: with its first statement that is new, so a file of none is not kept."""

    session: Session
    account: BankAccount
    name: str
    keep: Callable[[], BankStatementFile]
    now: datetime
    opening: int | None
    staging: Staging
    progress: Progress
    file: BankStatementFile | None = None
    taken: list[Taken] = field(default_factory=list)
    known: list[Known] = field(default_factory=list)
    rows: list[BankStatement] = field(default_factory=list)
    begin: Begin | None = None

    @property
    def called(self) -> str:
        """What the bank calls the statement that is read now; empty where it has no number."""
        assert self.begin is not None
        return file_names.words(self.begin.reference, longest=140)


def require_ours(job: Job, begin: Begin) -> None:
    """The statement is of the account that it is imported into. Raises `AnotherBankAccount` or `AnotherCurrency`."""
    account, file = job.account, job.name
    if begin.account is not None and not same_account(begin.account, account.identifier, account.currency):
        raise AnotherBankAccount(
            file=file,
            place=begin.place,
            stated=begin.account[:60],
            code=account.code,
            identifier=account.identifier,
        )
    if begin.currency != account.currency:
        raise AnotherCurrency(
            file=file, place=begin.place, stated=begin.currency, code=account.code, currency=account.currency
        )


def require_day(job: Job, line: Line) -> None:
    """Raises `DayOutOfRange` before 1 January 2000, and more than a day after today, UTC."""
    # A bank's day may have begun where ours has not.
    if line.booked_on > job.now.astimezone(UTC).date() + timedelta(days=1):
        why = "is still to come, and nothing can be booked on it yet."
    elif line.booked_on < EARLIEST:
        why = "is before this desk's first day (1 January 2000)."
    else:
        return
    raise DayOutOfRange(file=job.name, place=line.place, day=f"{line.booked_on:%-d %b %Y}", why=why)


def _require_after_opening(job: Job, last: date, end: End) -> None:
    """A statement of before the opening entry has nothing in the ledger that it could be matched with; most likely its
    year is wrong. Raises `DayOutOfRange`."""
    opened = opening_balances.opened_on(job.session, accounts.BANK, job.account.currency)
    if opened is not None and last < opened:
        why = (
            f"is before the books of {job.account.code} begin on {opened:%-d %b %Y}; their opening balance holds what "
            "was before. Is the year right?"
        )
        raise DayOutOfRange(file=job.name, place=end.place, day=f"{last:%-d %b %Y}", why=why)


def finish(job: Job, end: End) -> None:
    """The statement has ended: its period, balances and neighbours are held against each other, and it is written
    with its lines, unless it is there already. Raises what `_balances` and `continuity.require_edges` do."""
    bounds = job.staging.bounds()
    first, last, said = _period(job, bounds, end)
    _require_after_opening(job, last, end)
    near = continuity.neighbours(job.session, job.account, first)
    opening, closing, balances = _balances(job, bounds, end, near, first)
    new = Span(first, last, opening, closing)
    if (
        there := continuity.already_there(job.session, job.account, new, job.called, bounds.count)
    ) is not None:
        job.known.append(Known(there, first, last, bounds.count))
        return
    if (further := continuity.goes_further(job.session, job.account, new, bounds.count)) is not None:
        job.known.append(Known(further, first, last, bounds.count, further=True))
        return
    if job.staging.shared(job.account.id):
        near = continuity.with_lines_shared(job.session, job.account, near, new)
    where = {"file": job.name, "place": end.place}
    gaps = continuity.require_edges(
        job.session, job.account, near, new, **where, opening_place=end.opening_place or end.place
    )
    said += gaps
    number = _next_number(job.session)
    days = near.goes_on_from(new)
    job.staging.insert(number, job.account.id, job.account.currency, goes_on_from=days)
    continuity.require_agreement(job.session, job.account, near, new, number, **where)
    _write(job, number, new, balances, bounds.count)
    if end.left_out:
        said.append(f"{end.left_out} entries are not booked yet and were left out.")
    _tell(job, number, new, balances, bounds.count, said, gap=bool(gaps))


def _period(job: Job, bounds: Bounds, end: End) -> tuple[date, date, list[str]]:
    """The days that are stated where the lines lie within them; else those of the lines and of the closing balance."""
    tomorrow = job.now.astimezone(UTC).date() + timedelta(days=1)
    stated = end.last_on or end.until_on or bounds.last_on or end.first_on or tomorrow
    first = bounds.first_on or min(stated, end.first_on or stated)
    last = max(bounds.last_on or first, first, min(stated, tomorrow))
    since, until = end.first_on, end.until_on or last
    if since is None:
        return first, last, []
    if since <= first and until >= (bounds.last_on or since):
        return since, last, []
    said = f"The file calls this the statement of {days(since, until)}, and its lines are of other days."
    return first, last, [said]


def _balances(
    job: Job, bounds: Bounds, end: End, near: continuity.Neighbours, first: date
) -> tuple[int, int, Balances]:
    total = bounds.total
    if end.opening is not None and end.closing is not None:
        if end.opening + total != end.closing:
            money = job.account.currency
            raise StatementDoesNotAddUp(
                file=job.name, place=end.place, opening=Money(end.opening, money), lines=Money(total, money),
                made=Money(end.opening + total, money), closing=Money(end.closing, money),
                difference=Money(end.closing - end.opening - total, money),
            )  # fmt: skip
        return end.opening, end.closing, Balances.STATED
    if end.closing is not None:
        return end.closing - total, end.closing, Balances.CLOSING
    opening = end.opening if end.opening is not None else _carried(job, near, first, end)
    return opening, opening + total, Balances.CARRIED


def _carried(job: Job, near: continuity.Neighbours, first: date, end: End) -> int:
    """The balance before the first day, by the statements that are there."""
    if near.before is None:
        if job.opening is None:
            raise OpeningUnknown(file=job.name, place=end.place)
        return job.opening
    if near.before.last_on < first:
        return near.before.closing
    if job.staging.shared(job.account.id):
        return continuity.balance_before(job.session, job.account, first)
    if job.opening is None:
        held = Money(near.before.closing, job.account.currency)
        raise DayCovered(file=job.name, place=end.place, day=f"{first:%-d %b %Y}", held=held)
    return job.opening


def _next_number(session: Session) -> int:
    """One after the last statement that is there: a dry run and a refused file leave no gap, as a sequence would. One
    import at a time has it until its transaction ends."""
    one_at_a_time(session, "bank_statements.number")
    return 1 + (session.scalar(select(func.max(BankStatement.id))) or 0)


def _write(job: Job, number: int, new: Span, balances: Balances, lines: int) -> None:
    job.file = job.file or job.keep()
    row = BankStatement(
        id=number,
        file_id=job.file.id,
        account_id=job.account.id,
        number=len(job.rows) + len(job.known) + 1,
        reference=job.called,
        currency=job.account.currency,
        first_on=new.first_on,
        last_on=new.last_on,
        opening_minor=new.opening,
        closing_minor=new.closing,
        balances=balances,
        lines=lines,
        lines_hash=job.session.scalars(select(func.bank_lines_hash(number))).one(),
    )
    job.session.add(row)
    job.session.flush()
    job.rows.append(row)


def _tell(
    job: Job, number: int, new: Span, balances: Balances, lines: int, said: list[str], *, gap: bool
) -> None:
    mine = select(func.count()).where(BankLine.statement_id == number)
    repeated = job.session.scalar(mine.where(BankLine.repeats_id.is_not(None))) or 0
    odd = job.session.scalar(mine.where(BankLine.odd != [])) or 0
    if odd:
        said.append(f"{odd} of {lines} lines are not as they should be; each says what.")
    if repeated:
        said.append(f"{repeated} of {lines} lines were imported before; they are not counted again.")
    if balances is Balances.CLOSING:
        said.append("The file states no opening balance; it is the closing balance less the lines.")
    if balances is Balances.CARRIED:
        said.append("The file states no balances; they go on from what was there before.")
    money, row = job.account.currency, job.rows[-1]
    job.taken.append(
        Taken(
            number,
            row.reference,
            new.first_on,
            new.last_on,
            Money(new.opening, money),
            Money(new.closing, money),
            balances,
            lines,
            repeated,
            odd,
            tuple(said),
            gap or odd > 0,
        )
    )
