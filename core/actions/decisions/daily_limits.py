"""What the decisions of the last 24 hours gave to the two parties of a case: many small decisions count as one large
one.

Decisions about the same parties are made one after the other, so that each counts those before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from core.actions.decisions.recorded_decision import LIVE
from core.actions.milestones.milestone_context import MilestoneContext
from core.money import Money
from core.records import Decision, Milestone, Party, Project
from core.rules.splits import Split

DAY = timedelta(days=1)
TO_PAYEE, TO_PAYER = Project.payee_id == bindparam("payee"), Project.payer_id == bindparam("payer")
SAME = Decision.currency == bindparam("currency")
GIVEN = (
    select(
        func.count().filter(TO_PAYEE),
        func.count().filter(TO_PAYER),
        func.coalesce(func.sum(Decision.release_minor).filter(TO_PAYEE, SAME), 0),
        func.coalesce(func.sum(Decision.refund_minor).filter(TO_PAYER, SAME), 0),
    )
    .select_from(Decision)
    .join(Milestone, Milestone.id == Decision.milestone_id)
    .join(Project, Project.id == Milestone.project_id)
    .where(or_(TO_PAYEE, TO_PAYER), Decision.status.in_(LIVE), Decision.made_at > bindparam("since"))
)
"""How many decisions favored either party, and what they gave them."""


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
    given = {
        "payee": context.payee.id,
        "payer": context.payer.id,
        "currency": context.milestone.currency,
        "since": now - DAY,
    }
    to_payee, to_payer, *before = session.execute(GIVEN, given).one()
    count = to_payee if split.release >= split.refund else to_payer
    got = zip((split.release, split.refund), map(context.money, map(int, before)), strict=True)
    return GivenToday(
        int(count), tuple(share + given for share, given in got if share.is_positive and given.is_positive)
    )
