"""What the decisions of the last 24 hours gave to the two parties of a case: many small decisions count as one large
one.

Decisions about the same parties are made one after the other, so that each counts those before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

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
    context.locked_parties.update(ids)


@dataclass(frozen=True)
class GivenToday:
    """How many earlier decisions favored the party that gets more of this one, and what each party gets within 24
    hours, this decision included; only parties that got something before it."""

    count: int
    sums: tuple[Money, ...]


def given_today(session: Session, context: MilestoneContext, split: Split, *, now: datetime) -> GivenToday:
    to_payee, to_payer = Project.payee_id == context.payee.id, Project.payer_id == context.payer.id
    same = Decision.currency == context.milestone.currency
    favored = to_payee if split.release >= split.refund else to_payer
    wanted = (
        select(
            func.count().filter(favored),
            func.coalesce(func.sum(Decision.release_minor).filter(to_payee, same), 0),
            func.coalesce(func.sum(Decision.refund_minor).filter(to_payer, same), 0),
        )
        .select_from(Decision)
        .join(Milestone, Milestone.id == Decision.milestone_id)
        .join(Project, Project.id == Milestone.project_id)
        .where(or_(to_payee, to_payer), Decision.status.in_(LIVE), Decision.made_at > now - DAY)
    )
    count, *before = session.execute(wanted).one()
    got = zip((split.release, split.refund), map(context.money, map(int, before)), strict=True)
    return GivenToday(
        int(count), tuple(share + given for share, given in got if share.is_positive and given.is_positive)
    )
