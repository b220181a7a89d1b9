"""Reopening a closed period: one person asks with a reason, another agrees.

What was closed after it is reopened with it, because the books are open from one day on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core import audit
from core.actions.periods import year_end
from core.actions.staff import proposals
from core.actions.staff.proposals import Waiting
from core.audit.actions import AuditAction, StoredAction
from core.audit.content_hashes import Words
from core.db import Record
from core.errors import NotFound
from core.records import Period, PeriodReopening
from core.rules import periods as rules
from core.rules import proposals as proposal_rules
from core.rules.periods import PeriodKind, PeriodStatus
from core.rules.permissions import SYSTEM, Actor, Permission, require, require_one
from core.rules.proposals import ProposalKind, ProposalStatus, ended
from core.rules.reasons import given

OPEN_ALREADY = "The period was reopened in the meantime, with an earlier one."


def propose(session: Session, actor: Actor, *, now: datetime, period_id: int, reason: str) -> PeriodReopening:
    """Ask for it. Nothing is open yet. Raises `PeriodNotClosed`, `ProposalWaits`."""
    require(actor, Permission.REOPEN_PERIOD)
    reason = given(reason)
    period = _period(session, period_id)
    if period.status != PeriodStatus.CLOSED:
        raise rules.PeriodNotClosed(period=words(period))
    me = proposals.require_maker(session, actor)
    waits = select(PeriodReopening).where(
        PeriodReopening.period_id == period_id, PeriodReopening.status == ProposalStatus.PROPOSED
    )
    if other := session.scalars(waits).one_or_none():
        what = f"to reopen {words(period)}"
        raise proposals.waits(session, maker_id=other.proposed_by, made_at=other.proposed_at, what=what)
    row = PeriodReopening(period_id=period_id, reason=reason, proposed_by=me, proposed_at=now)
    session.add(row)
    session.flush()
    asked = AuditAction.PERIOD_PROPOSE_REOPENING.by("staff")
    _note(session, actor, asked, row, period, reason=reason, now=now, contents=[row])
    return row


def approve(
    session: Session, actor: Actor, *, now: datetime, reopening_id: int, reason: str = ""
) -> list[Period]:
    """Agree: this period and all that were closed after it are open again; returns them, oldest first.

    Raises what `proposals.require_checker` does, `ProposalEnded`, `PeriodNotClosed`, `ProposalFallen`.
    """
    require(actor, Permission.CONFIRM_REOPENING, now)
    said = given(reason) if reason.strip() else None
    row = _open(session, reopening_id)
    proposals.require_checker(session, actor, waiting(row), now=now)
    first = _period(session, row.period_id)
    if first.status != PeriodStatus.CLOSED:
        raise rules.PeriodNotClosed(period=words(first))
    if why := _closed_since(session, row, first):
        raise proposal_rules.fallen(ProposalKind.PERIOD_REOPENING, why)
    why, asked = said or row.reason, _span(first)
    proposals.settle(row, ProposalStatus.DONE, actor, now=now)
    row.note = said
    session.flush()
    found = list(session.scalars(_open_with(first).with_for_update()))
    for period in found:
        audit.become(period, PeriodStatus.REOPENED, now=now, by=actor)
        period.reopening_id = row.id
        reopened, ends = AuditAction.PERIOD_REOPEN.by("staff"), [Words("period_ends", period)]
        if period.kind == PeriodKind.YEAR:
            session.flush()
            ends += year_end.reverse(session, period)
        its_own = why if period.id == first.id else rules.reopened_with(asked, row.reason)
        _note(session, actor, reopened, row, period, reason=its_own, now=now, contents=ends)
    agreed = AuditAction.PERIOD_CONFIRM_REOPENING.by("staff")
    _note(session, actor, agreed, row, first, reason=why, now=now, contents=[_answer(row)])
    session.flush()
    return found


def reject(session: Session, actor: Actor, *, now: datetime, reopening_id: int, reason: str) -> None:
    """It stays closed: whoever asked withdraws it, anybody else rejects it. Raises `ProposalEnded`."""
    require_one(actor, Permission.REOPEN_PERIOD, Permission.CONFIRM_REOPENING)
    reason = given(reason)
    row = _open(session, reopening_id)
    proposals.settle(row, proposals.outcome(actor, row.proposed_by), actor, now=now)
    row.note = reason
    withdrawn = row.status is ProposalStatus.WITHDRAWN
    action = AuditAction.PERIOD_WITHDRAW_REOPENING if withdrawn else AuditAction.PERIOD_REJECT_REOPENING
    period = _period(session, row.period_id)
    _note(session, actor, action.by("staff"), row, period, reason=reason, now=now, contents=[_answer(row)])
    session.flush()


def stale(session: Session, *, now: datetime) -> list[int]:
    """Which can no longer be approved, whoever wants to. Nothing is locked or written."""
    wanted = select(PeriodReopening).where(PeriodReopening.status == ProposalStatus.PROPOSED)
    return [row.id for row in session.scalars(wanted) if fallen(session, row, now=now)]


def fallen(session: Session, row: PeriodReopening, *, now: datetime) -> str | None:
    """Why: its maker, its time, that the period is open, or that more would be opened than was asked for."""
    first = session.get_one(Period, row.period_id)
    if first.status != PeriodStatus.CLOSED:
        return OPEN_ALREADY
    return _closed_since(session, row, first) or proposals.flaw(session, waiting(row), now=now)


def return_stale(session: Session, *, now: datetime, number: int) -> bool:
    """What can no longer be approved goes back to its maker, with the reason."""
    row = _open(session, number)
    why = fallen(session, row, now=now)
    if why is None:
        return False
    proposals.settle(row, ProposalStatus.RETURNED, SYSTEM, now=now)
    row.note = why
    period = _period(session, row.period_id)
    returned = AuditAction.PERIOD_RETURN_REOPENING.by("system")
    _note(session, SYSTEM, returned, row, period, reason=why, now=now, contents=[_answer(row)])
    what = f"reopening of {words(period)}"
    proposals.tell_returned(
        session, waiting(row), what=what, why=why, about=("period_reopening", row.id), now=now
    )
    session.flush()
    return True


def waiting_of(session: Session, reopening_id: int) -> Waiting:
    """As it waits, for whoever reads of it."""
    return waiting(session.get_one(PeriodReopening, reopening_id))


def waiting(row: PeriodReopening) -> Waiting:
    """The request as what waits for a second person."""
    return Waiting(ProposalKind.PERIOD_REOPENING, row.proposed_by, row.proposed_at)


def _open_with(first: Period) -> Select[Period]:
    """The period and all that are closed after it, oldest first."""
    closed = select(Period).where(Period.status == PeriodStatus.CLOSED, Period.last_day >= first.first_day)
    return closed.order_by(Period.first_day, Period.id)


def _closed_since(session: Session, row: PeriodReopening, first: Period) -> str | None:
    """Nobody agrees to more than was asked for."""
    closed = [words(each) for each in session.scalars(_open_with(first)) if each.closed_at > row.proposed_at]
    return rules.closed_since_asked(", ".join(closed)) if closed else None


def words(period: Period) -> str:
    """The period in words, as `October 2026` or a day."""
    return _span(period).words


def _span(period: Period) -> rules.Span:
    return rules.Span(PeriodKind(period.kind), period.first_day, period.last_day)


def _period(session: Session, period_id: int) -> Period:
    found = session.get(Period, period_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(kind="period", id=period_id)
    return found


def _open(session: Session, reopening_id: int) -> PeriodReopening:
    row = session.get(PeriodReopening, reopening_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(kind="proposal", id=reopening_id)
    if row.status != ProposalStatus.PROPOSED:
        raise ended(ProposalKind.PERIOD_REOPENING, row.status)
    return row


def _answer(row: PeriodReopening) -> Words:
    return Words("period_reopening_ends", row)


def _note(
    session: Session,
    actor: Actor,
    action: StoredAction,
    row: PeriodReopening,
    period: Period,
    *,
    reason: str,
    now: datetime,
    contents: Sequence[Record | Words],
) -> None:
    about_period = action.endswith(AuditAction.PERIOD_REOPEN.value)
    audit.record(
        session,
        actor,
        action,
        object_kind="period" if about_period else "period_reopening",
        object_id=period.id if about_period else row.id,
        now=now,
        reason=reason,
        after={
            "period": period.id,
            "first": period.first_day.isoformat(),
            "last": period.last_day.isoformat(),
        },
        contents=contents,
    )
