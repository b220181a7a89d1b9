"""An accepted bid: a project with its engagement and its default milestones (milestone-payment-flow, Phase 1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions.funding import settlement_currency
from core.actions.milestones import payment_schedule
from core.actions.milestones.projects import milestones_of
from core.actions.parties import payee_accounts
from core.actions.staff import policy_in_force
from core.audit.actions import AuditAction
from core.db import one_at_a_time
from core.errors import DeskError, Wording, another
from core.money import Money
from core.notifications import tell
from core.policy import Profile
from core.records import Engagement, Party, PolicyVersion, Project
from core.rules import amount_limits, engagement, outside_words, schedule
from core.rules.parties import PartyRole, require_not_erased
from core.rules.permissions import Actor, require_party
from core.rules.projects import Funding
from core.rules.visible_text import tidy


class WrongRole(DeskError):
    """{party} is a {role}, and this needs a {needed}."""


class OtherPlatform(DeskError):
    """{party} belongs to another marketplace than the payer. A bid is between two parties of one marketplace."""


class BidKnownOtherwise(DeskError, tells=("fields",)):
    """Bid {bid} was accepted here before, with another {what}. Nothing was changed."""


@dataclass(frozen=True, kw_only=True)
class Bid:
    """What was agreed outside the desk: `reference` is the marketplace's own id of the bid; no `funding`: in turn."""

    reference: str
    payer_id: int
    payee_id: int
    total: Money
    title: str
    scope: str
    project_type: str
    fee_mode: str
    funding: Funding | None = None


def accept(session: Session, actor: Actor, *, now: datetime, bid: Bid) -> Project:
    """The payer accepts a bid: project, engagement and default milestones (milestone-payment-flow, Phase 1).

    The same bid on the same terms gives the same project, also at the same moment. Raises `BidKnownOtherwise` for the
    same bid on other terms, `WrongRole`, `CurrencyNotSettled` where Stripe would convert what is paid,
    `AmountOutsideLimits` where Stripe would not take it, `CurrencyNotTaken` where no bank of the payee takes it, and
    `FeeModeNotSupported` for open-ended hourly billing and trust-account handling (payment-escrow-rules, Escrow Scope).
    """
    require_party(actor, bid.payer_id)
    payer, payee = _two_sides(session, bid.payer_id, bid.payee_id)
    mode = schedule.accept_fee_mode(bid.fee_mode)
    if (known := _known_bid(session, payer.platform, bid.reference)) is not None:
        _require_same(known, bid, mode)
        return known
    settlement_currency.require(session, bid.total.currency)
    payee_accounts.require_taken(session, payee, bid.total.currency)
    version, profile = policy_in_force.of(session, payer.platform, now)
    planned = _divided(bid, profile)
    project = _agreed(session, payer.platform, bid, mode, version, now=now)
    # Accepting a bid is not yet an engagement: each side confirms (payment-escrow-rules, Positioning).
    checked = engagement.needs_conflict_check(profile.platform)
    session.add(Engagement(project_id=project.id, conflict_check_required=checked))
    payment_schedule.lay_out(session, project, profile, planned, now)
    _note_and_tell(session, actor, project, bid, now=now)
    return project


def _divided(bid: Bid, profile: Profile) -> tuple[schedule.PlannedMilestone, ...]:
    """The default milestones, each of which can be charged and paid out. Raises `AmountOutsideLimits`."""
    limits = amount_limits.total_limits(bid.total.currency, profile, bid.project_type)
    amount_limits.require_between(bid.total, limits, field="total")
    return schedule.defaults(profile.platform, bid.project_type, bid.total, least=limits[0])


def _agreed(
    session: Session, platform: str, bid: Bid, mode: str, version: PolicyVersion, *, now: datetime
) -> Project:
    project = Project(
        platform=platform,
        bid_reference=outside_words.identifier(bid.reference, field="bid reference"),
        title=outside_words.line(bid.title, field="title"),
        scope=bid.scope,
        project_type=bid.project_type,
        size=schedule.size_of(bid.total),
        fee_mode=mode,
        funding=bid.funding or Funding.IN_TURN,
        payer_id=bid.payer_id,
        payee_id=bid.payee_id,
        currency=bid.total.currency,
        total_minor=bid.total.minor,
        policy_version_id=version.id,
        created_at=now,
    )
    session.add(project)
    session.flush()
    return project


def _note_and_tell(session: Session, actor: Actor, project: Project, bid: Bid, *, now: datetime) -> None:
    audit.record(
        session,
        actor,
        AuditAction.BID_ACCEPT.by("party"),
        object_kind="project",
        object_id=project.id,
        now=now,
        after={
            "total": bid.total.as_dict(),
            "payee": bid.payee_id,
            "policy_version": project.policy_version_id,
            "funding": project.funding,
        },
        project_id=project.id,
    )
    tell(
        session,
        "milestones_proposed",
        party_id=bid.payer_id,
        project_id=project.id,
        key=f"project-{project.id}-proposed",
        now=now,
        schedule=payment_schedule.lines(milestones_of(session, project.id)),
        total=bid.total,
    )


def _two_sides(session: Session, payer_id: int, payee_id: int) -> tuple[Party, Party]:
    """A payer and a payee, of one marketplace."""
    payer, payee = session.get_one(Party, payer_id), session.get_one(Party, payee_id)
    for party, needed in ((payer, PartyRole.PAYER), (payee, PartyRole.PAYEE)):
        require_not_erased(party.external_id, party.erased_at)
        if party.role != needed:
            raise WrongRole(
                party=party.external_id,
                role=Wording(party.role.lower(), party.role),
                needed=Wording(needed.lower(), needed),
            )
    if payee.platform != payer.platform:
        raise OtherPlatform(party=payee.external_id)
    return payer, payee


def _known_bid(session: Session, platform: str, bid_reference: str) -> Project | None:
    """The project of this bid; whoever accepts it at the same moment waits here for us."""
    one_at_a_time(session, f"bid {platform} {bid_reference}")
    wanted = select(Project).where(Project.platform == platform, Project.bid_reference == bid_reference)
    return session.scalars(wanted).one_or_none()


def _require_same(project: Project, bid: Bid, mode: str) -> None:
    """The terms given now are those accepted before. A funding setting that is not named may have changed since."""
    terms = {
        "payer": (project.payer_id, bid.payer_id),
        "payee": (project.payee_id, bid.payee_id),
        "total": (Money(project.total_minor, project.currency), bid.total),
        "title": (project.title, tidy(bid.title)),
        "scope": (project.scope, bid.scope),
        "project_type": (project.project_type, bid.project_type),
        "fee_mode": (project.fee_mode, mode),
        "funding": (project.funding, bid.funding or project.funding),
    }
    if odd := [field for field, (stored, said) in terms.items() if said != stored]:
        raise BidKnownOtherwise(bid=bid.reference, what=another(odd), fields=odd)
