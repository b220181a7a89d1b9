"""From an accepted bid to a project that can be paid for, and on to its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit
from core.actions.funding import settlement_currency
from core.actions.milestones import orders, ratings
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.db import one_at_a_time
from core.errors import DeskError, NotFound, another
from core.money import Money
from core.notifications import tell
from core.policy import Profile
from core.records import Engagement, Milestone, Party, PaymentOrder, PolicyVersion, Project
from core.rules import decision_letters, engagement, fees, milestones, schedule
from core.rules import projects as project_rules
from core.rules.decision_letters import Sequel
from core.rules.permissions import Actor, require_party
from core.rules.projects import Funding


class WrongRole(DeskError):
    """{party} is a {role}, and this needs a {needed}."""


class OtherPlatform(DeskError):
    """{party} belongs to another platform than the payer. A bid is between two parties of one platform."""


class BidKnownOtherwise(DeskError):
    """Bid {bid} was accepted here before, with another {what}. Nothing was changed."""


NOT_FUNDED = (milestones.Status.PLANNED, milestones.Status.AWAITING_FUNDING)


def current_policy(session: Session, platform: str, now: datetime) -> tuple[PolicyVersion, Profile]:
    """The version of a platform's profile that is in force: new projects take a reference to it."""
    version = session.scalars(
        select(PolicyVersion)
        .where(PolicyVersion.profile == platform, PolicyVersion.effective_at <= now)
        .order_by(PolicyVersion.version.desc())
        .limit(1)
    ).one_or_none()
    if version is None:
        raise NotFound(kind="policy profile", id=platform)
    return version, Profile.from_snapshot(version.snapshot)


def accept_bid(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    payer_id: int,
    payee_id: int,
    bid_reference: str,
    title: str,
    scope: str,
    project_type: str,
    fee_mode: str,
    total: Money,
    funding: Funding | None = None,
) -> Project:
    """The payer accepts a bid: project, engagement and default milestones (milestone-payment-flow, Phase 1).

    The same bid on the same terms gives the same project, also at the same moment. Raises `BidKnownOtherwise` for the
    same bid on other terms, `WrongRole`, `CurrencyNotSettled` where Stripe would convert what is paid, and
    `FeeModeNotSupported` for open-ended hourly billing and trust-account handling (payment-escrow-rules, Escrow Scope).
    """
    require_party(actor, payer_id)
    payer, payee = _two_sides(session, payer_id, payee_id)
    mode = schedule.accept_fee_mode(fee_mode)
    terms = {
        "payer": payer_id,
        "payee": payee_id,
        "total": total,
        "title": title,
        "scope": scope,
        "project_type": project_type,
        "fee_mode": mode,
        **({} if funding is None else {"funding": funding}),
    }
    if (known := _known_bid(session, payer.platform, bid_reference)) is not None:
        return _as_it_was(known, terms)
    settlement_currency.require(session, total.currency)
    version, profile = current_policy(session, payer.platform, now)
    planned = schedule.defaults(payer.platform, project_type, total)
    project = Project(
        platform=payer.platform,
        bid_reference=bid_reference,
        title=title,
        scope=scope,
        project_type=project_type,
        size=schedule.size_of(total),
        fee_mode=mode,
        funding=funding or Funding.IN_TURN,
        payer_id=payer_id,
        payee_id=payee_id,
        currency=total.currency,
        total_minor=total.minor,
        policy_version_id=version.id,
        created_at=now,
    )
    session.add(project)
    session.flush()
    # Accepting a bid is not yet an engagement: each side confirms (payment-escrow-rules, Positioning).
    checked = engagement.needs_conflict_check(profile.platform)
    session.add(Engagement(project_id=project.id, conflict_check_required=checked))
    _lay_out(session, project, profile, planned, now)
    audit.record(
        session,
        actor,
        "party:bid:accept",
        object_kind="project",
        object_id=project.id,
        now=now,
        after={
            "total": total.as_dict(),
            "payee": payee.id,
            "policy_version": version.id,
            "funding": project.funding,
        },
        project_id=project.id,
    )
    tell(
        session,
        "milestones_proposed",
        party_id=payer_id,
        project_id=project.id,
        key=f"project-{project.id}-proposed",
        now=now,
        schedule=_schedule(_milestones(session, project.id)),
        total=total,
    )
    return project


def _two_sides(session: Session, payer_id: int, payee_id: int) -> tuple[Party, Party]:
    """A payer and a payee, of one platform."""
    payer, payee = session.get_one(Party, payer_id), session.get_one(Party, payee_id)
    for party, needed in ((payer, "PAYER"), (payee, "PAYEE")):
        if party.role != needed:
            raise WrongRole(party=party.external_id, role=party.role.lower(), needed=needed.lower())
    if payee.platform != payer.platform:
        raise OtherPlatform(party=payee.external_id)
    return payer, payee


def _known_bid(session: Session, platform: str, bid_reference: str) -> Project | None:
    """The project of this bid; whoever accepts it at the same moment waits here for us."""
    one_at_a_time(session, f"bid {platform} {bid_reference}")
    wanted = select(Project).where(Project.platform == platform, Project.bid_reference == bid_reference)
    return session.scalars(wanted).one_or_none()


def _as_it_was(project: Project, terms: dict[str, Any]) -> Project:
    before = {
        "payer": project.payer_id,
        "payee": project.payee_id,
        "total": Money(project.total_minor, project.currency),
        "title": project.title,
        "scope": project.scope,
        "project_type": project.project_type,
        "fee_mode": project.fee_mode,
        "funding": project.funding,
    }
    if odd := [field for field, said in terms.items() if said != before[field]]:
        raise BidKnownOtherwise(bid=project.bid_reference, what=another(odd), fields=odd)
    return project


def choose_funding(
    session: Session, actor: Actor, *, now: datetime, project_id: int, funding: Funding
) -> None:
    """The payer chooses whether milestones may be funded before it is their turn; what is paid stays paid."""
    project = locked(session, project_id)
    require_party(actor, project.payer_id)
    before, project.funding = project.funding, Funding(funding)
    if before == project.funding:
        return
    session.flush()
    audit.record(
        session,
        actor,
        "party:project:choose_funding",
        object_kind="project",
        object_id=project_id,
        now=now,
        before={"funding": before},
        after={"funding": project.funding},
        project_id=project_id,
    )


def adjust_milestones(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    project_id: int,
    planned: Sequence[schedule.PlannedMilestone],
) -> None:
    """The payer rearranges milestones that are not yet being paid for; their sum stays the accepted total."""
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
    before = _amounts(rows)
    profile = Profile.from_snapshot(session.get_one(PolicyVersion, project.policy_version_id).snapshot)
    _lay_out(session, project, profile, planned, now, rows)
    # Titles are the payer's words: they stand in the milestones, and not in a log that nobody can erase.
    audit.record(
        session,
        actor,
        "party:milestones:adjust",
        object_kind="project",
        object_id=project_id,
        now=now,
        before={"milestones": before},
        after={"milestones": _amounts(_milestones(session, project_id))},
        project_id=project_id,
    )
    _tell_changed(session, project, now=now)


def _schedule(rows: Sequence[Milestone]) -> list[tuple[str, Money]]:
    return [(row.title, Money(row.amount_minor, row.currency)) for row in rows]


def _tell_changed(session: Session, project: Project, *, now: datetime) -> None:
    """Both sides know the schedule once the engagement is active; what is changed after that they are told."""
    if session.get_one(Engagement, project.id).status != engagement.EngagementStatus.ACTIVE:
        return
    rows = _milestones(session, project.id)
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
            schedule=_schedule(rows),
            total=Money(project.total_minor, project.currency),
        )


def _amounts(rows: Sequence[Milestone]) -> list[dict[str, int]]:
    return [{"milestone": row.id, "minor": row.amount_minor} for row in rows]


def locked(session: Session, project_id: int) -> Project:
    """The project's row, ours until the end; what is written about it by others meanwhile does not wait for us."""
    return session.get_one(Project, project_id, with_for_update={"key_share": True}, populate_existing=True)


def lock_whole(session: Session, project_id: int) -> tuple[Project, Sequence[Milestone]]:
    """A project with every milestone in its order, which is the order of the ids too: milestones first, then the
    project, as whoever ends a milestone does (`core.actions.milestones.milestone_context`)."""
    wanted = select(Milestone.id).where(Milestone.project_id == project_id).order_by(Milestone.id)
    session.execute(wanted.with_for_update())
    return locked(session, project_id), _milestones(session, project_id)


def _milestones(session: Session, project_id: int) -> Sequence[Milestone]:
    """As they stand now."""
    return session.scalars(
        select(Milestone)
        .where(Milestone.project_id == project_id, Milestone.status != milestones.Status.CANCELED)
        .order_by(Milestone.position)
        .execution_options(populate_existing=True)
    ).all()


def _lay_out(
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
    for index, plan in enumerate(planned):
        row = (
            existing[index]
            if index < len(existing)
            else Milestone(project_id=project.id, position=last + index - len(existing) + 1)
        )
        row.title, row.deliverable = plan.title, plan.deliverable
        row.amount_minor, row.currency = plan.amount.minor, plan.amount.currency
        row.acceptance_rule, row.target_date = plan.acceptance_rule, plan.target_date
        session.add(row)
        session.flush()
        _price(session, row, profile, now)
    for row in existing[len(planned) :]:
        _cancel(session, open_milestone(session, row.id), now=now)
    session.flush()


def _cancel(session: Session, context: MilestoneContext, *, now: datetime) -> None:
    context.move(milestones.Event.CANCEL, now=now)
    context.order.canceled, context.order.next_retry_at = True, None
    orders.follow(session, context, now=now, cause="milestone canceled")


def cancel_unfunded(session: Session, context: MilestoneContext, *, now: datetime) -> None:
    """The project ends with this milestone: what is not paid for is canceled. What is funded, or is being paid for at
    this moment, goes on to its own end, and the project is over with the last of it."""
    project = locked(session, context.project.id)
    for row in _milestones(session, project.id):
        if row.id == context.milestone.id or row.status not in NOT_FUNDED:
            continue
        other = open_milestone(session, row.id)
        if _falls_away(session, other.milestone):
            _cancel(session, other, now=now)


def _falls_away(session: Session, row: Milestone) -> bool:
    """With the end of its project: it is not paid for, nor being paid for at this moment."""
    return row.status in NOT_FUNDED and not session.get_one(PaymentOrder, row.id).in_flight


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


def start(session: Session, actor: Actor, project: Project, *, now: datetime) -> None:
    """Show the payment schedule, tell the payee, ask for the first milestone (milestone-payment-flow, Phase 1)."""
    rows = _milestones(session, project.id)
    total = Money(project.total_minor, project.currency)
    key, first = f"project-{project.id}", open_milestone(session, rows[0].id)
    tell(
        session,
        "payment_schedule",
        party_id=project.payer_id,
        project_id=project.id,
        key=f"{key}-schedule",
        now=now,
        schedule=_schedule(rows),
        total=total,
        first=first.milestone.title,
        first_amount=first.amount,
        first_total=first.money(first.order.charge_minor),
    )
    tell(
        session,
        "project_started",
        party_id=project.payee_id,
        project_id=project.id,
        key=f"{key}-started",
        now=now,
        count=len(rows),
        total=total,
    )
    activate(session, actor, first, now=now)


def activate(session: Session, actor: Actor, context: MilestoneContext, *, now: datetime) -> None:
    """The milestone may be funded now (milestone-payment-flow, Phase 2 and 4)."""
    context.move(milestones.Event.ACTIVATE, now=now)
    context.milestone.activated_at = now
    context.note(session, actor, "system:milestone:activate", now=now)


def _tell_next(session: Session, context: MilestoneContext, *, refunded: bool, now: datetime) -> None:
    """The payer is asked to fund the next milestone, the payee is told; of the first one the schedule speaks."""
    parties = {"payer": context.payer, "payee": context.payee}
    for due in decision_letters.sequel(Sequel.NEXT):
        context.tell(
            session,
            due.template,
            parties[due.audience],
            key=f"milestone-{context.milestone.id}-{due.template}",
            now=now,
            **next_told(context, refunded=refunded),
        )


def next_told(context: MilestoneContext, *, refunded: bool) -> dict[str, Any]:
    """What both read of the next milestone; `refunded`: how the one before it ended."""
    return {"total": context.money(context.order.charge_minor).text(), "refunded": refunded}


def foreseen(
    session: Session, context: MilestoneContext, *, refunded: bool, ends: bool
) -> tuple[Sequel, Milestone | None]:
    """What `go_on` would do if this milestone ended now, and the milestone that would be next; `ends`: after
    `cancel_unfunded`. Nothing is locked or written."""
    rows, statuses = _once_ended(session, context, refunded=refunded, ends=ends)
    upcoming = project_rules.next_to_activate(statuses)
    if upcoming is not None:
        return Sequel.NEXT, rows[upcoming]
    status = project_rules.project_after(statuses)
    completes = status == project_rules.ProjectStatus.COMPLETED and status != context.project.status
    return (Sequel.REVIEWS if completes else Sequel.NOTHING), None


def status_foreseen(
    session: Session, context: MilestoneContext, *, refunded: bool, ends: bool
) -> project_rules.ProjectStatus:
    """What the project would be if this milestone ended now; `ends`: after `cancel_unfunded`."""
    return project_rules.project_after(_once_ended(session, context, refunded=refunded, ends=ends)[1])


def could_cancel(session: Session, context: MilestoneContext) -> bool:
    """Whether anything falls away if the project ends with this milestone."""
    others = (row for row in _milestones(session, context.project.id) if row.id != context.milestone.id)
    return any(_falls_away(session, row) for row in others)


def _once_ended(
    session: Session, context: MilestoneContext, *, refunded: bool, ends: bool
) -> tuple[list[Milestone], list[milestones.Status]]:
    """The milestones of the project, and how they would stand once this one has ended."""
    ended = milestones.Status.REFUNDED if refunded else milestones.Status.COMPLETED
    rows, statuses = [], []
    for row in _milestones(session, context.project.id):
        this = row.id == context.milestone.id
        if this or not ends or not _falls_away(session, row):
            rows.append(row)
            statuses.append(ended if this else row.status)
    return rows, statuses


def advance(session: Session, actor: Actor, context: MilestoneContext, *, now: datetime) -> None:
    """After a milestone has ended: the next one, or the end of the project (milestone-payment-flow, Phase 4).

    Two that end at once see each other, because the project is locked. Siblings are not: only the one whose turn
    comes, which comes after all that have ended.
    """
    project = locked(session, context.project.id)
    rows = _milestones(session, project.id)
    upcoming = project_rules.next_to_activate([row.status for row in rows])
    if upcoming is not None:
        following = open_milestone(session, rows[upcoming].id)
        activate(session, actor, following, now=now)
        _tell_next(session, following, refunded=context.status is milestones.Status.REFUNDED, now=now)
        return
    status = project_rules.project_after([row.status for row in rows])
    if status == project.status:
        return
    audit.become(project, status, now=now, by=actor)
    project.completed_at = now
    audit.record(
        session,
        actor,
        "system:project:complete",
        object_kind="project",
        object_id=project.id,
        now=now,
        project_id=project.id,
    )
    if status == project_rules.ProjectStatus.COMPLETED:
        ratings.ask(session, project, now=now)
