"""A payee repays a debt by instalments: until one falls due, it is not set off against releases (internal policy).

What settles the debt settles its oldest instalment first. What the payee comes to owe beyond the plan is due at once,
and so is all of it once the plan is ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import audit, notifications
from core.actions.debts import debt_reminders, receivables
from core.audit.actions import AuditAction, StoredAction
from core.audit.content_hashes import Words
from core.errors import DeskError, NotFound, Wording
from core.money import Money
from core.records import Party, RepaymentInstalment, RepaymentPlan
from core.rules import repayment_plans
from core.rules.permissions import SYSTEM, Actor, Permission, require, staff_number
from core.rules.reasons import given
from core.rules.repayment_plans import Instalment

PAID = "All instalments are paid."
LAST_JOURNAL = text("select coalesce(max(id), 0) from journals")
OPEN = text("select coalesce(sum(open_minor), 0)::bigint from repayment_progress where plan_id = :plan")


class PlanStands(DeskError):
    """{party} already repays by instalments, of which {open} is open. End that plan before another is agreed."""


class PlanEnded(DeskError):
    """This repayment plan has already ended."""


def agree(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    party_id: int,
    instalments: Sequence[Instalment],
    reason: str,
) -> RepaymentPlan:
    """Put off what the payee owes to these days. Raises `NotPermitted`, `ReasonMissing`, `NotFound`, `PlanStands`,
    `PartOnItsWay` and what `repayment_plans.check` raises."""
    require(actor, Permission.AGREE_REPAYMENT)
    reason = given(reason)
    party = receivables.locked(session, party_id)
    if not instalments:
        raise repayment_plans.TooManyInstalments(most=repayment_plans.MOST)
    currency = instalments[0].amount.currency
    _require_none(session, actor, party, currency, now=now)
    owed = receivables.owed(session, party_id, currency)
    # What arrives after the plan settles its instalments, so nothing may be on its way when they are made.
    if (pending := on_its_way(session, party_id, currency)).is_positive:
        raise repayment_plans.PartOnItsWay(amount=pending)
    repayment_plans.check(instalments, owed=owed, today=now.date())
    plan = RepaymentPlan(
        party_id=party_id,
        currency=currency,
        after_journal=session.execute(LAST_JOURNAL).scalar_one(),
        reason=reason,
        agreed_by=staff_number(actor, action="agree a repayment plan"),
        agreed_at=now,
    )
    session.add(plan)
    session.flush()
    rows = [
        RepaymentInstalment(
            plan_id=plan.id, position=position, due_on=each.due_on, amount_minor=each.amount.minor
        )
        for position, each in enumerate(instalments, start=1)
    ]
    session.add_all(rows)
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.DEBT_AGREE_PLAN.by("finance"),
        object_kind="repayment_plan",
        object_id=plan.id,
        now=now,
        reason=reason,
        after={"payee": party_id, "owed": owed.as_dict(), "instalments": len(rows)},
        contents=[plan, *rows],
    )
    notifications.tell_party(
        session,
        "repayment_plan_agreed",
        party=party,
        key=f"repayment-plan-{plan.id}",
        now=now,
        owed=owed,
        count=len(rows),
        first=instalments[0].amount,
        first_due=instalments[0].due_on,
        last=instalments[-1].amount,
        last_due=instalments[-1].due_on,
    )
    return plan


def on_its_way(session: Session, party_id: int, currency: str) -> Money:
    """What of the debt a transfer reversal or money that the payee sent is about to settle."""
    return receivables.owed(session, party_id, currency) - receivables.free(session, party_id, currency)


def end(session: Session, actor: Actor, *, now: datetime, plan_id: int, reason: str) -> RepaymentPlan:
    """What is still owed is due at once, and set off against the next releases. Raises `NotPermitted`, `ReasonMissing`,
    `NotFound` and `PlanEnded`."""
    require(actor, Permission.AGREE_REPAYMENT)
    reason = given(reason)
    plain = session.get(RepaymentPlan, plan_id)
    if plain is None:
        raise NotFound(kind="repayment plan", id=plan_id)
    party = receivables.locked(session, plain.party_id)
    plan = session.get_one(RepaymentPlan, plan_id, with_for_update=True, populate_existing=True)
    if plan.ended_at is not None:
        raise PlanEnded()
    _end(session, actor, plan, reason=reason, now=now)
    owed = receivables.owed(session, party.id, plan.currency)
    if owed.is_positive:
        key = f"repayment-plan-{plan.id}-ended"
        notifications.tell_party(session, "repayment_plan_ended", party=party, key=key, now=now, owed=owed)
    return plan


def fall_due(session: Session, instalment_id: int, *, now: datetime) -> bool:
    """The day of an instalment has come: what of it is open is set off from now on, and the payee is reminded. The
    payee is locked (`lock_of`)."""
    row = session.get_one(RepaymentInstalment, instalment_id, with_for_update=True, populate_existing=True)
    plan = session.get_one(RepaymentPlan, row.plan_id)
    if row.fell_due_at is not None or plan.ended_at is not None:
        return False
    row.fell_due_at = now
    session.flush()
    audit.record(
        session,
        SYSTEM,
        AuditAction.DEBT_INSTALMENT_DUE.by("system"),
        object_kind="repayment_plan",
        object_id=plan.id,
        now=now,
        after={"instalment": row.position, "amount": Money(row.amount_minor, plan.currency).as_dict()},
    )
    if receivables.due(session, plan.party_id, plan.currency).is_positive:
        debt_reminders.remind(session, plan.party_id, plan.currency, now=now)
    return True


def lock_of(session: Session, instalment_id: int) -> None:
    """Lock the payee whose instalment it is, as for every booking of what they owe."""
    plan_id = session.get_one(RepaymentInstalment, instalment_id).plan_id
    receivables.locked(session, session.get_one(RepaymentPlan, plan_id).party_id)


def _require_none(session: Session, actor: Actor, party: Party, currency: str, *, now: datetime) -> None:
    """A plan that is paid makes room for another. Raises `PlanStands`."""
    wanted = select(RepaymentPlan).where(
        RepaymentPlan.party_id == party.id,
        RepaymentPlan.currency == currency,
        RepaymentPlan.ended_at.is_(None),
    )
    plan = session.scalars(wanted.with_for_update()).one_or_none()
    if plan is None:
        return
    left = Money(session.execute(OPEN, {"plan": plan.id}).scalar_one(), currency)
    if left.is_positive:
        raise PlanStands(party=Wording(party.name, party.id), open=left)
    _end(session, actor, plan, reason=PAID, now=now)


def _end(session: Session, actor: Actor, plan: RepaymentPlan, *, reason: str, now: datetime) -> None:
    plan.ended_by = staff_number(actor, action="end a repayment plan")
    plan.ended_at, plan.end_reason = now, reason
    session.flush()
    action: StoredAction = AuditAction.DEBT_END_PLAN.by("finance")
    audit.record(
        session,
        actor,
        action,
        object_kind="repayment_plan",
        object_id=plan.id,
        now=now,
        reason=reason,
        contents=[Words("repayment_plan_ends", plan)],
    )
