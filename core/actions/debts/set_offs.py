"""Set off by hand: what a payee owes is settled now from what is payable to them and still with us (internal policy).

A release does the same by itself (`receivables.keep_back`); this is for money that was released before the debt came.
A withdrawal that has certainly not been sent is canceled for it, and what is left of it is asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.debts import receivables
from core.actions.milestones import completion
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.payouts import pending_withdrawals, withdrawals
from core.errors import DeskError
from core.money import Money
from core.queries import set_offs
from core.queries.set_offs import SetOff, WaitingMoney
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given


class NothingToSetOff(DeskError):
    """Nothing of what the payee owes was set off. {why}"""


class SetOffChanged(DeskError):
    """Of what the payee owes, {now} can be set off now, and {shown} was shown. Nothing was booked. Look at it again."""


def set_off(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    party_id: int,
    amount: Money,
    reason: str,
) -> SetOff:
    """Set off `amount`, which is all that can be. Raises `NotPermitted`, `StepUpRequired`, `ReasonMissing`, `NotFound`,
    `NothingToSetOff`, and `SetOffChanged` where it is another amount by now."""
    require(actor, Permission.SET_OFF_DEBT, now)
    reason = given(reason)
    seen = set_offs.of_payee(session, party_id, amount.currency)
    contexts = {each.id: open_milestone(session, each.id) for each in seen.rows}
    receivables.locked(session, party_id)
    plan = set_offs.of_payee(session, party_id, amount.currency)
    if plan.total.is_zero:
        raise NothingToSetOff(why=plan.why_nothing)
    rows = [each for each in plan.rows if each.taken.is_positive]
    if plan.total != amount or not {each.id for each in rows} <= contexts.keys():
        raise SetOffChanged(now=plan.total, shown=amount)
    _cancel_withdrawals(session, contexts, rows, now=now)
    for row in rows:
        _take(session, actor, contexts[row.id], row, reason=reason, now=now)
    return plan


def _cancel_withdrawals(
    session: Session, contexts: dict[int, MilestoneContext], rows: Iterable[WaitingMoney], *, now: datetime
) -> None:
    """Only where what nobody asked for does not suffice."""
    for row in rows:
        if row.taken > row.loose:
            pending_withdrawals.cancel(
                session, contexts[row.id], reason="a debt was set off against it", now=now
            )


def _take(
    session: Session,
    actor: Actor,
    context: MilestoneContext,
    row: WaitingMoney,
    *,
    reason: str,
    now: datetime,
) -> None:
    """Book it, write to the payee, and ask again for what is left of a withdrawal that was canceled."""
    key = f"set_off.{row.id}.{context.milestone.version}"
    receivables.keep_back(
        session, context, row.taken, amount=row.amount, key=key, now=now, by=actor, reason=reason
    )
    if row.taken > row.loose and row.left.is_positive:
        withdrawals.request(session, context, row.left, key=f"{key}.rest", now=now)
    completion.finish(session, context, now=now)
