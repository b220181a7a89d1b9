"""The payment schedule of a project: its milestones laid out and priced, and laid out again by the payer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit
from core.actions.funding import settlement_currency
from core.actions.milestones import orders
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.milestones.projects import lock_whole, milestones_of
from core.audit.actions import AuditAction
from core.money import Money
from core.notifications import tell
from core.policy import Profile
from core.records import Engagement, Milestone, PaymentOrder, PolicyVersion, Project
from core.rules import amount_limits, engagement, fees, milestones, outside_words, schedule
from core.rules.payment_states import Cause, CauseKind
from core.rules.permissions import Actor, require_party


def adjust(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    project_id: int,
    planned: Sequence[schedule.PlannedMilestone],
) -> None:
    """The payer rearranges milestones that are not yet being paid for; their sum stays the accepted total.

    Raises `ScheduleRefused`, and `AmountOutsideLimits` where Stripe would not take an amount.
    """
    project, rows = lock_whole(session, project_id)
    require_party(actor, project.payer_id)
    for row in rows:
        orders.require_idle(session.get_one(PaymentOrder, row.id, populate_existing=True), row)
    settlement_currency.require(session, project.currency)
    schedule.check_adjustment(
        planned,
        total=Money(project.total_minor, project.currency),
        platform=project.platform,
        statuses=[milestones.Status(row.status) for row in rows],
    )
    profile = Profile.from_snapshot(session.get_one(PolicyVersion, project.policy_version_id).snapshot)
    limits = amount_limits.milestone_limits(project.currency, profile)
    for place, each in enumerate(planned):
        amount_limits.require_between(each.amount, limits, field=f"milestones[{place}].amount")
    before = _amounts(rows)
    lay_out(session, project, profile, planned, now, rows)
    # Titles are the payer's words: they stand in the milestones, and not in a log that nobody can erase.
    audit.record(
        session,
        actor,
        AuditAction.MILESTONES_ADJUST.by("party"),
        object_kind="project",
        object_id=project_id,
        now=now,
        before={"milestones": before},
        after={"milestones": _amounts(milestones_of(session, project_id))},
        project_id=project_id,
    )
    _tell_changed(session, project, now=now)


def lines(rows: Sequence[Milestone]) -> list[tuple[str, Money]]:
    """Title and amount of each milestone, for a letter."""
    return [(row.title, Money(row.amount_minor, row.currency)) for row in rows]


def _tell_changed(session: Session, project: Project, *, now: datetime) -> None:
    """Tell both parties of a changed schedule; they know it only once the engagement is active."""
    if session.get_one(Engagement, project.id).status != engagement.EngagementStatus.ACTIVE:
        return
    rows = milestones_of(session, project.id)
    for template, party_id in (
        ("payment_schedule", project.payer_id),
        ("schedule_changed", project.payee_id),
    ):
        tell(
            session,
            template,
            party_id=party_id,
            project_id=project.id,
            key=f"project-{project.id}-{template}-{now.isoformat()}",
            now=now,
            schedule=lines(rows),
            total=Money(project.total_minor, project.currency),
        )


def _amounts(rows: Sequence[Milestone]) -> list[dict[str, int]]:
    return [{"milestone": row.id, "minor": row.amount_minor} for row in rows]


def lay_out(
    session: Session,
    project: Project,
    profile: Profile,
    planned: Sequence[schedule.PlannedMilestone],
    now: datetime,
    existing: Sequence[Milestone] = (),
) -> None:
    """Write the plan over the existing rows, add what is more and cancel what is left over.

    A canceled milestone keeps its position, so what is added comes after every position that was ever used.
    """
    last = session.scalar(select(func.max(Milestone.position)).where(Milestone.project_id == project.id)) or 0
    more = range(last + 1, last + 1 + len(planned) - len(existing))
    added = [Milestone(project_id=project.id, position=position) for position in more]
    for row, plan in zip((*existing[: len(planned)], *added), planned, strict=True):
        row.title, row.deliverable = outside_words.line(plan.title, field="title"), plan.deliverable
        row.amount_minor, row.currency = plan.amount.minor, plan.amount.currency
        row.acceptance_rule, row.target_date = plan.acceptance_rule, plan.target_date
        session.add(row)
        session.flush()
        _price(session, row, profile, now)
    for row in existing[len(planned) :]:
        cancel(session, open_milestone(session, row.id), now=now)
    session.flush()


def _price(session: Session, milestone: Milestone, profile: Profile, now: datetime) -> None:
    """What the payer will be charged for this milestone, fees on top (milestone-payment-flow, Key Business Rules 4)."""
    quote = fees.quote(Money(milestone.amount_minor, milestone.currency), profile)
    order = session.get(PaymentOrder, milestone.id)
    if order is None:
        order = PaymentOrder(milestone_id=milestone.id, created_at=now)
        session.add(order)
    order.currency, order.amount_minor = quote.total.currency, quote.milestone.minor
    order.platform_fee_minor = quote.platform_fee.minor
    order.processing_fee_minor = quote.processing_fee.minor
    order.charge_minor = quote.total.minor
    session.flush()


def cancel(session: Session, context: MilestoneContext, *, now: datetime) -> None:
    """End a milestone before it was funded; its payment order follows."""
    context.move(milestones.Event.CANCEL, now=now)
    context.order.canceled, context.order.next_retry_at = True, None
    orders.follow(session, context, now=now, cause=Cause(CauseKind.MILESTONE_CANCELED, "milestone canceled"))
