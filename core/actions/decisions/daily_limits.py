"""What the decisions of the last 24 hours gave to the two parties of a case: many small decisions count as one large
one.

Decisions about the same parties are made one after the other, so that each counts those before it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.actions.decisions.recorded_decision import LIVE
from core.actions.milestones.milestone_context import MilestoneContext
from core.money import Money
from core.records import Decision, Milestone, Party, Project
from core.rules.splits import Split

DAY = timedelta(days=1)


def lock_parties(session: Session, context: MilestoneContext) -> None:
    """Locks both parties, in the order of their ids, until this decision is recorded."""
    ids = sorted({context.payer.id, context.payee.id})
    wanted = select(Party.id).where(Party.id.in_(ids)).order_by(Party.id)
    session.execute(wanted.with_for_update(key_share=True))


def count(session: Session, context: MilestoneContext, split: Split, *, now: datetime) -> int:
    """How many earlier decisions favored the party that gets more of this one."""
    to_payee = split.release >= split.refund
    party = Project.payee_id == context.payee.id if to_payee else Project.payer_id == context.payer.id
    return int(_of_the_day(session, func.count(), party, now=now))


def sums(session: Session, context: MilestoneContext, split: Split, *, now: datetime) -> tuple[Money, ...]:
    """What each party gets within 24 hours, this decision included; only parties that got something before it."""
    sides = (
        (split.release, Decision.release_minor, Project.payee_id == context.payee.id),
        (split.refund, Decision.refund_minor, Project.payer_id == context.payer.id),
    )
    got = ((share, _given(session, share, minor, party, now=now)) for share, minor, party in sides)
    return tuple(share + before for share, before in got if share.is_positive and before.is_positive)


def _given(
    session: Session,
    share: Money,
    minor: InstrumentedAttribute[int],
    party: ColumnElement[bool],
    *,
    now: datetime,
) -> Money:
    same = Decision.currency == share.currency
    given = _of_the_day(session, func.coalesce(func.sum(minor), 0), party, same, now=now)
    return Money(int(given), share.currency)


def _of_the_day(
    session: Session, what: ColumnElement[int], *where: ColumnElement[bool], now: datetime
) -> int:
    wanted = (
        select(what)
        .select_from(Decision)
        .join(Milestone, Milestone.id == Decision.milestone_id)
        .join(Project, Project.id == Milestone.project_id)
        .where(*where, Decision.status.in_(LIVE), Decision.made_at > now - DAY)
    )
    return session.scalar(wanted) or 0
