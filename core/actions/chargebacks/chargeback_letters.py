"""Who is told of a chargeback: both parties, and staff with the bank's last moment."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core import notifications
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.money import Money
from core.records import Chargeback
from core.rules import chargebacks as rules
from core.rules.chargebacks import ChargebackStatus
from core.rules.permissions import Role


def alarm(session: Session, *, now: datetime, chargeback_id: int, days: int) -> bool:
    """Tell finance and compliance again: the bank's last moment is `days` away, and nobody has answered."""
    plain = session.get_one(Chargeback, chargeback_id)
    context = open_milestone(session, plain.milestone_id)
    row = session.get_one(Chargeback, chargeback_id, with_for_update=True, populate_existing=True)
    if row.status not in rules.ANSWERABLE or row.due_by is None:
        return False
    tell_staff(session, context, row, f"alarm-{days}", now=now)
    return True


def tell_staff(
    session: Session, context: MilestoneContext, row: Chargeback, what: str, *, now: datetime
) -> None:
    """Write to everybody in finance and compliance that a response is due; once for each `what`."""
    who = [*notifications.staff_of(session, Role.FINANCE), *notifications.staff_of(session, Role.COMPLIANCE)]
    notifications.tell_staff(
        session,
        "chargeback_due",
        staff_ids=who,
        project_id=context.project.id,
        milestone_id=context.milestone.id,
        about=("chargeback", row.id),
        key=f"chargeback-{row.id}-{what}",
        now=now,
        chargeback=f"CB-{row.id}",
        amount=row.amount,
        due_by=row.due_by,
    )


def tell(
    session: Session,
    context: MilestoneContext,
    row: Chargeback,
    before: str,
    owed: Money | None,
    *,
    now: datetime,
) -> None:
    """Both parties hear of a chargeback and of its end; an inquiry is between the bank and us. Staff hear of both."""
    if row.status in rules.ANSWERABLE and row.status != before and row.due_by is not None:
        tell_staff(session, context, row, row.status, now=now)
    opened = before not in rules.UNDECIDED and row.status in rules.UNDECIDED
    ended = row.status in (ChargebackStatus.WON, ChargebackStatus.LOST) and row.status != before
    if not opened and not ended:
        return
    template = "chargeback_opened" if opened else f"chargeback_{row.status}"
    for party in (context.payer, context.payee):
        context.tell(
            session,
            template,
            party,
            key=f"{row.stripe_dispute}-{template}-{party.id}",
            now=now,
            about=("chargeback", row.id),
            disputed=row.amount,
            owed=owed if owed and owed.is_positive else None,
        )
