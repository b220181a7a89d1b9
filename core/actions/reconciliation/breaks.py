"""Breaks: opened by the first run that sees one, followed by later ones, closed by the run or people that explain it.

What staff do about one in between (who looks at it, what they noted, how long it waits) changes nothing in the books.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.audit.actions import AuditAction
from core.errors import DeskError, NotFound
from core.money import Money
from core.records import (
    BalanceTransaction,
    BankLine,
    Break,
    LineCorrection,
    PayeeStatementLine,
    Staff,
    StaffRole,
    StatementLine,
    SuspenseItem,
)
from core.rules import breaks as rules
from core.rules.breaks import BreakClass, BreakStatus, ClosedAs, Side
from core.rules.permissions import SYSTEM, TABLE, Actor, Permission, Role, require
from core.rules.reasons import given
from core.rules.reconciliation import BreakKind
from core.rules.suspense import SuspenseStatus


class NotAtStripe(DeskError):
    """This break is not about anything at Stripe, so there is nothing to fetch again."""


class NotAnOwner(DeskError):
    """Only someone of finance who works here can own a break."""


@dataclass(frozen=True)
class BreakFinding:
    """What a run, or whatever booked a line to suspense, saw: where, what, since when."""

    side: Side
    object: str
    currency: str
    kind: BreakKind
    class_: BreakClass
    theirs: Money | None
    ours: Money | None
    since: datetime
    transaction_id: str | None = None
    journal_id: int | None = None
    suspense_item_id: int | None = None
    bank_line_id: int | None = None

    @property
    def name(self) -> tuple[Side, str, str]:
        return self.side, self.object, self.currency


def follow(
    session: Session, found: Iterable[BreakFinding], *, run_id: int | None, now: datetime
) -> dict[tuple[Side, str, str], int]:
    """Open what is new, follow what was open, open again what was closed; returns the number of each break."""
    return {each.name: _follow(session, each, run_id=run_id, now=now).id for each in found}


def _follow(session: Session, finding: BreakFinding, *, run_id: int | None, now: datetime) -> Break:
    wanted = select(Break).where(
        Break.side == finding.side, Break.object == finding.object, Break.currency == finding.currency
    )
    row = session.scalars(wanted.with_for_update()).one_or_none()
    before = row.class_ if row is not None else None
    again = row is not None and row.status == BreakStatus.CLOSED
    if row is None:
        row = Break(side=finding.side, object=finding.object, currency=finding.currency, since=finding.since,
                    opened_at=now, first_run_id=run_id)  # fmt: skip
        session.add(row)
    if again:
        audit.become(row, BreakStatus.OPEN, now=now)
        row.closed_at = row.closed_as = row.closed_by = None
    row.kind, row.class_ = finding.kind, finding.class_
    row.theirs = None if finding.theirs is None else finding.theirs.minor
    row.ours = None if finding.ours is None else finding.ours.minor
    row.ours_currency = None if finding.ours is None else finding.ours.currency
    row.transaction_id, row.journal_id = finding.transaction_id, finding.journal_id
    row.suspense_item_id = finding.suspense_item_id
    row.bank_line_id = finding.bank_line_id
    row.last_seen_at, row.last_run_id = now, run_id or row.last_run_id
    session.flush()
    if before is None or again or before != finding.class_:
        what = (
            AuditAction.BREAK_OPEN
            if before is None
            else AuditAction.BREAK_REOPEN
            if again
            else AuditAction.BREAK_FOLLOW
        )
        _note(session, SYSTEM, what, row, now=now, before=before, run_id=run_id)
    return row


def line_in_suspense(session: Session, item: SuspenseItem, *, now: datetime) -> Break:
    """A line was booked to suspense: from now on it is open, without waiting for a run."""
    if item.transaction_id is None:
        return _follow(session, bank_item(session, item, now=now), run_id=None, now=now)
    booked = session.get_one(BalanceTransaction, item.transaction_id)
    amount = Money(item.amount_minor, item.currency)
    stated = session.get(StatementLine, item.transaction_id)
    facts = rules.Facts(
        Side.STRIPE, amount, None, now - booked.created_at, booked.kind, booked.reporting_category, in_suspense=True,
        difference=item.journal_id is not None,
        only_fee_differs=stated is not None and (stated.amount == booked.amount) and stated.fee != booked.fee,
    )  # fmt: skip
    finding = BreakFinding(
        Side.STRIPE, item.transaction_id, item.currency, BreakKind.IN_SUSPENSE, rules.classify(facts), amount, None,
        booked.created_at, item.transaction_id, item.journal_id or booked.journal_id, item.id,
    )  # fmt: skip
    return _follow(session, finding, run_id=None, now=now)


def bank_item(session: Session, item: SuspenseItem, *, now: datetime) -> BreakFinding:
    """What of our bank's line, or of its difference, lies in suspense."""
    line = session.get_one(BankLine, item.bank_line_id)
    amount, since = Money(item.amount_minor, item.currency), midnight(line.booked_on)
    whole = item.amount_minor == line.amount_minor
    facts = rules.Facts(Side.BANK, amount, None, now - since, in_suspense=True, difference=not whole)
    return BreakFinding(
        Side.BANK, line_name(line.id), item.currency, BreakKind.IN_SUSPENSE, rules.classify(facts), amount, None, since,
        journal_id=item.journal_id, suspense_item_id=item.id, bank_line_id=line.id,
    )  # fmt: skip


def line_name(line_id: int) -> str:
    """What a break is called that is about a line of Stripe's statement."""
    return f"line:{line_id}"


def posting_name(journal_id: int) -> str:
    """What a break is called that is about a posting of ours."""
    return f"posting:{journal_id}"


def midnight(day: date) -> datetime:
    """Banks name days; they begin in UTC here."""
    return datetime.combine(day, time(), UTC)


def explained(session: Session, actor: Actor, item: SuspenseItem, *, now: datetime) -> None:
    """Two people said what the amount was: its break is closed, unless Stripe states the line otherwise again."""
    wanted = select(Break).where(Break.suspense_item_id == item.id, Break.status == BreakStatus.OPEN)
    for row in session.scalars(wanted.with_for_update()).all():
        again = _stated_otherwise(session, row, now=now) if row.side == Side.STRIPE else None
        if again is None:
            _close(session, actor, row, ClosedAs.EXPLAINED, now=now)
        else:
            _follow(session, again, run_id=None, now=now)


def _stated_otherwise(session: Session, row: Break, *, now: datetime) -> BreakFinding | None:
    """What Stripe's line differs by from all that was booked of it, if it does."""
    stated = session.get(StatementLine, row.transaction_id, populate_existing=True)
    booked = session.get(BalanceTransaction, row.transaction_id, populate_existing=True)
    if stated is None or booked is None or _same(session, stated, booked):
        return None
    net = booked.net + sum(each.net for each in corrections(session, booked.id))
    theirs, ours = Money(stated.net, stated.currency), Money(net, booked.currency)
    facts = rules.Facts(Side.STRIPE, theirs, ours, now - row.since, stated.kind, stated.reporting_category)
    return BreakFinding(
        Side.STRIPE, row.object, row.currency, BreakKind.AMOUNT_DIFFERS, rules.classify(facts), theirs, ours, row.since,
        row.transaction_id, booked.journal_id,
    )  # fmt: skip


def corrections(session: Session, transaction_id: str) -> Sequence[LineCorrection]:
    """What was booked of a line since, because Stripe stated it otherwise, in order."""
    wanted = select(LineCorrection).where(LineCorrection.transaction_id == transaction_id)
    return session.scalars(wanted.order_by(LineCorrection.id)).all()


def _same(session: Session, stated: StatementLine, booked: BalanceTransaction) -> bool:
    """Whether a line is booked, with its corrections, as Stripe states it."""
    booked_in_all = (booked, *corrections(session, booked.id))
    return stated.currency == booked.currency and all(
        getattr(stated, name) == sum(getattr(each, name) for each in booked_in_all)
        for name in ("amount", "fee", "net")
    )


def close_unseen(
    session: Session, seen: Collection[int], sides: Collection[Side], *, run_id: int, until: datetime,
    balances_of: Collection[str], payees: Collection[str], now: datetime,
) -> int:  # fmt: skip
    """What a run compared and did not see any more agrees: it is closed. `balances_of`: currencies whose balances it
    compared; `payees`: their accounts that it read to the end. What moved after `until` was not looked at."""
    wanted = (
        select(Break)
        .where(Break.status == BreakStatus.OPEN, Break.side.in_(sides), Break.since <= until)
        .order_by(Break.id)
        .with_for_update()
    )
    closed = 0
    for row in session.scalars(wanted):
        unread = row.side == Side.PAYEE and row.object.partition(":")[0] not in payees
        if (
            row.id in seen
            or unread
            or (row.kind == BreakKind.BALANCE_DIFFERS and row.currency not in balances_of)
        ):
            continue
        _close(session, SYSTEM, row, ClosedAs.AGREES, now=now, run_id=run_id)
        closed += 1
    return closed


def matched(
    session: Session, actor: Actor, names: Collection[str], currency: str, *, reason: str, now: datetime
) -> None:
    """A person matched these by hand: their breaks are closed, but for what is in suspense."""
    reason = given(reason)
    for row in _at_the_bank(session, names, currency, BreakStatus.OPEN):
        if row.kind != BreakKind.IN_SUSPENSE:
            _close(session, actor, row, ClosedAs.MATCHED, now=now, reason=reason)


def reversed_by(
    session: Session, actor: Actor, journal_ids: Collection[int], currency: str, *, reason: str, now: datetime
) -> None:
    """Two people reversed what was booked: the breaks of both postings are closed."""
    reason, names = given(reason), [posting_name(each) for each in journal_ids]
    for row in _at_the_bank(session, names, currency, BreakStatus.OPEN):
        _close(session, actor, row, ClosedAs.REVERSED, now=now, reason=reason)


def booked(
    session: Session, actor: Actor, break_id: int, *, journal_id: int, reason: str, now: datetime
) -> None:
    """Two people said what a line of a payee's was, and it is in the memorandum book: its break is closed."""
    row = locked(session, break_id)
    row.journal_id = journal_id
    _close(session, actor, row, ClosedAs.EXPLAINED, now=now, reason=given(reason))


def is_closed(session: Session, break_id: int) -> bool:
    return session.get_one(Break, break_id, populate_existing=True).status == BreakStatus.CLOSED


def day(session: Session, break_id: int) -> date:
    """The day on which the money moved, UTC."""
    return session.get_one(Break, break_id).since.astimezone(UTC).date()


def payee_line(session: Session, row: Break) -> PayeeStatementLine | None:
    """The line of a payee's account that a break on that side is about, if it is about one."""
    return session.get(PayeeStatementLine, row.object.partition(":")[2])


def named_by_payee(session: Session, break_id: int) -> dict[str, object]:
    """What the entry for such a line names: the line, and of a payout its id, by which both sides find each other."""
    line = payee_line(session, session.get_one(Break, break_id))
    assert line is not None
    payout = {"payout": line.source} if line.kind.startswith("payout") else {}
    return {"break": break_id, "payee_line": line.id, **payout}


def unmatched(
    session: Session, actor: Actor, names: Collection[str], currency: str, *, reason: str, now: datetime
) -> None:
    """A match by hand was undone: what it had closed is open again."""
    reason = given(reason)
    for row in _at_the_bank(session, names, currency, BreakStatus.CLOSED):
        audit.become(row, BreakStatus.OPEN, now=now, by=actor)
        row.closed_at = row.closed_as = row.closed_by = None
        session.flush()
        _note(session, actor, AuditAction.BREAK_REOPEN, row, now=now, reason=reason)


def whole_line_again(session: Session, actor: Actor, line: BankLine, *, reason: str, now: datetime) -> None:
    """What was in suspense of a line of our bank's is reversed: all of the line is open again."""
    reason = given(reason)
    (row,) = _at_the_bank(session, [line_name(line.id)], line.currency, BreakStatus.OPEN)
    before, amount = row.class_, Money(line.amount_minor, line.currency)
    row.class_ = rules.classify(rules.Facts(Side.BANK, amount, None, now - row.since))
    row.kind, row.theirs, row.ours = BreakKind.NOT_IN_LEDGER, amount.minor, None
    row.journal_id = row.suspense_item_id = None
    session.flush()
    _note(session, actor, AuditAction.BREAK_FOLLOW, row, now=now, before=before, reason=reason)


def _at_the_bank(
    session: Session, names: Collection[str], currency: str, status: BreakStatus
) -> Sequence[Break]:
    wanted = select(Break).where(
        Break.side == Side.BANK,
        Break.object.in_(names),
        Break.currency == currency,
        Break.status == status,
    )
    return session.scalars(wanted.order_by(Break.id).with_for_update()).all()


def _close(
    session: Session, actor: Actor, row: Break, closed_as: ClosedAs, *, now: datetime, run_id: int | None = None,
    reason: str | None = None,
) -> None:  # fmt: skip
    audit.become(row, BreakStatus.CLOSED, now=now, by=actor)
    row.closed_at, row.closed_as, row.waits_until = now, closed_as, None
    row.closed_by = actor.id if actor.kind == "staff" else None
    session.flush()
    _note(session, actor, AuditAction.BREAK_CLOSE, row, now=now, run_id=run_id, reason=reason)


def assign(
    session: Session, actor: Actor, *, now: datetime, break_id: int, owner_id: int | None, reason: str
) -> Break:
    """Someone of finance looks after it; None: nobody does any more. Raises `BreakIsClosed`, `NotAnOwner`."""
    require(actor, Permission.WORK_BREAKS)
    reason = given(reason)
    row = locked(session, break_id)
    if owner_id is not None and owner_id not in owners(session):
        raise NotAnOwner()
    before, row.owner_id = row.owner_id, owner_id
    _note(
        session,
        actor,
        AuditAction.BREAK_ASSIGN,
        row,
        now=now,
        reason=reason,
        facts={"owner": owner_id, "before": before},
    )
    return row


def owners(session: Session) -> dict[int, str]:
    """Whoever can own a break, by name."""
    roles = [str(each) for each in Role if each in TABLE[Permission.WORK_BREAKS]]
    wanted = (
        select(Staff.id, Staff.name)
        .where(Staff.active, Staff.id.in_(select(StaffRole.staff_id).where(StaffRole.role.in_(roles))))
        .order_by(Staff.name, Staff.id)
    )
    return {row.id: row.name for row in session.execute(wanted)}


def remark(session: Session, actor: Actor, *, now: datetime, break_id: int, words: str) -> Break:
    """What whoever looks at it next should know. Raises `BreakIsClosed`."""
    require(actor, Permission.WORK_BREAKS)
    row = locked(session, break_id)
    row.remark = given(words)
    _note(session, actor, AuditAction.BREAK_REMARK, row, now=now, reason=row.remark)
    return row


def wait(
    session: Session, actor: Actor, *, now: datetime, break_id: int, until: datetime, reason: str
) -> Break:
    """It can wait until then; from that moment on it is among the open ones again. Raises `BreakIsClosed`,
    `WaitsTooShort`, `WaitsTooLong`."""
    require(actor, Permission.WORK_BREAKS)
    reason = given(reason)
    row = locked(session, break_id)
    if until <= now:
        raise rules.WaitsTooShort()
    if until > now + rules.LONGEST_WAIT + timedelta(days=1):
        raise rules.WaitsTooLong(days=rules.LONGEST_WAIT.days)
    row.waits_until = until
    _note(session, actor, AuditAction.BREAK_WAIT, row, now=now, reason=reason, facts={"until": until})
    return row


def ask_again(session: Session, actor: Actor, *, now: datetime, break_id: int, reason: str) -> Break:
    """Someone wants it fetched from Stripe again, which happens after this (`core.processes.break_refetch`).

    Raises `BreakIsClosed`, `NotAtStripe`.
    """
    require(actor, Permission.WORK_BREAKS)
    reason = given(reason)
    row = locked(session, break_id)
    if row.transaction_id is None and row.side != Side.PAYEE:
        raise NotAtStripe()
    _note(session, actor, AuditAction.BREAK_REFETCH, row, now=now, reason=reason)
    return row


def agrees_with_payee(session: Session, row: Break, *, now: datetime) -> None:
    """The payee's account was read again and compared, and nothing of this differs any more."""
    _close(session, SYSTEM, row, ClosedAs.AGREES, now=now)


def agrees(session: Session, row: Break, *, now: datetime) -> bool:
    """Close it if its line is booked now as Stripe states it, and is not in suspense. Returns whether it is closed."""
    stated = session.get(StatementLine, row.transaction_id, populate_existing=True)
    booked = session.get(BalanceTransaction, row.transaction_id, populate_existing=True)
    if stated is None or booked is None:
        return False
    item = session.get(SuspenseItem, row.suspense_item_id) if row.suspense_item_id else None
    if not _same(session, stated, booked) or (item is not None and item.status == SuspenseStatus.OPEN):
        return False
    _close(session, SYSTEM, row, ClosedAs.AGREES, now=now)
    return True


def locked(session: Session, break_id: int) -> Break:
    """Raises `NotFound`, `BreakIsClosed`."""
    row = session.get(Break, break_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(kind="break", id=break_id)
    if row.status == BreakStatus.CLOSED:
        by = session.get_one(Staff, row.closed_by).name if row.closed_by else None
        raise rules.BreakIsClosed(when=row.closed_at, how=rules.closed_how(row.closed_as, by))
    return row


def _note(
    session: Session, actor: Actor, action: AuditAction, row: Break, *, now: datetime, reason: str | None = None,
    before: str | None = None, run_id: int | None = None, facts: dict[str, object] | None = None,
) -> None:  # fmt: skip
    audit.record(
        session,
        actor,
        action.by("finance" if actor.kind == "staff" else actor.kind),
        object_kind="break",
        object_id=row.id,
        now=now,
        reason=reason,
        before={"class": before} if before else None,
        after=(facts or {}) | {"class": row.class_, "theirs": row.theirs, "ours": row.ours, "run": run_id},
    )
