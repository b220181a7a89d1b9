"""What is read back: projects, schedules, milestones and disputes as the marketplace sees them.

No names and no addresses: the platform knows its people, and parties are given by its own ids.
"""

from __future__ import annotations

from datetime import date
from typing import overload

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.milestones.engagement import COLUMNS, Part, facts_of
from core.actions.milestones.milestone_context import open_milestone
from core.actions.payouts import release
from core.api.models.responses import (
    AccountAnswer,
    DecisionAnswer,
    DisputeAnswer,
    EngagementAnswer,
    InstalmentAnswer,
    MilestoneAnswer,
    MoneyAnswer,
    PartyAnswer,
    PaymentAnswer,
    ProjectAnswer,
    RatingAnswer,
    RequestAnswer,
    ScheduleAnswer,
    WaitsFor,
)
from core.queries import payee_accounts
from core.queries.release_blocks import after_release, at_the_payee
from core.records import (
    Case,
    Decision,
    Engagement,
    FinalRating,
    Milestone,
    Party,
    PartyRequest,
    PayeeAccount,
    PaymentOrder,
    Project,
)
from core.rules import engagement, holds
from core.rules import payee_accounts as account_rules
from core.rules.approvals import DecisionStatus
from core.rules.cases import CaseResolution
from core.rules.milestones import Status
from core.rules.refusal_reasons import Block
from core.rules.requests import RequestStatus


def of_party(session: Session, party: Party) -> PartyAnswer:
    latest = select(FinalRating).where(FinalRating.party_id == party.id)
    rating = session.scalars(
        latest.order_by(FinalRating.calculated_at.desc(), FinalRating.project_id.desc()).limit(1)
    ).one_or_none()
    return {
        "external_id": party.external_id,
        "role": party.role,
        "city": party.city,
        "country": party.country,
        "withdrawal_method": party.withdrawal_method.sent_as,
        "known_to_provider": bool(party.stripe_customer or party.stripe_account),
        "account": of_account(session, party),
        "rating": of_rating(rating) if rating else None,
    }


def of_account(session: Session, party: Party) -> AccountAnswer | None:
    row = session.get(PayeeAccount, party.id)
    if row is None:
        return None
    reason = None if row.can_be_paid else account_rules.reason(payee_accounts.of(row))
    return {
        "can_be_paid": row.can_be_paid,
        "transfers": row.transfers,
        "payouts_enabled": row.payouts_enabled,
        "details_submitted": row.details_submitted,
        "currently_due": row.currently_due,
        "past_due": row.past_due,
        "pending_verification": row.pending_verification,
        "due_at": moment(row.due_at),
        "disabled_reason": row.disabled_reason,
        "reason": f"{reason[0].upper()}{reason[1:]}." if reason else None,
        "banks": [
            {"currency": currency, "last4": bank["last4"], "usable": bank["usable"]}
            for currency, bank in sorted(row.banks.items())
        ],
        "as_of": moment(row.read_at),
    }


def of_rating(row: FinalRating) -> RatingAnswer:
    return {"tenths": row.tenths, "reviews": row.reviews, "at": moment(row.calculated_at)}


def of_project(session: Session, project: Project) -> ProjectAnswer:
    payer, payee = (session.get_one(Party, each) for each in (project.payer_id, project.payee_id))
    return {
        "id": project.id,
        "bid_reference": project.bid_reference,
        "title": project.title,
        "scope": project.scope,
        "project_type": project.project_type,
        "fee_mode": project.fee_mode,
        "funding": project.funding,
        "status": project.status,
        "payer": payer.external_id,
        "payee": payee.external_id,
        "total": money(project.total_minor, project.currency),
        "engagement": of_engagement(session.get_one(Engagement, project.id)),
        "milestones": [of_milestone(session, each) for each in _milestones(session, project)],
    }


def of_engagement(row: Engagement) -> EngagementAnswer:
    return {
        "status": row.status,
        "confirmed": [part for part in Part if getattr(row, COLUMNS[part]) is not None],
        "missing": [told(each) for each in engagement.unconfirmed(facts_of(row))],
    }


def of_milestone(session: Session, row: Milestone) -> MilestoneAnswer:
    case = session.scalars(
        select(Case.id).where(Case.milestone_id == row.id).order_by(Case.id.desc()).limit(1)
    ).one_or_none()
    return {
        "id": row.id,
        "project": row.project_id,
        "position": row.position,
        "title": row.title,
        "deliverable": row.deliverable,
        "amount": money(row.amount_minor, row.currency),
        "acceptance_rule": row.acceptance_rule,
        "target_date": moment(row.target_date),
        "status": row.status,
        "outcome": row.outcome,
        "funded_at": moment(row.funded_at),
        "completion_notice_at": moment(row.completion_notice_at),
        "dispute_until": moment(row.dispute_until),
        "auto_approve_at": moment(row.auto_approve_at),
        "answer_due_at": moment(row.answer_due_at),
        "verified_at": moment(row.verified_at),
        "ended_at": moment(row.ended_at),
        "payment": of_payment(session.get_one(PaymentOrder, row.id)),
        "release_waits_for": waits_for(session, row),
        "dispute": case,
    }


def waits_for(session: Session, row: Milestone) -> list[WaitsFor]:
    """What holds back money that is due, as far as anybody outside the desk may know it.

    Before the work is verified nothing is due, and nothing is said: a silent review would show.
    """
    order = session.get_one(PaymentOrder, row.id)
    released = order.payable_minor or at_the_payee(session, [row.id])
    if not (released or (order.held_minor and row.status == Status.VERIFIED)):
        return []
    blocks = holds.blocking(release.facts_of(session, open_milestone(session, row.id, lock=False)))
    if released:
        blocks = (*blocks, *after_release(session, [row.id])[row.id])
    return [told(each) for each in holds.outside(blocks)]


def told(block: Block) -> WaitsFor:
    return {"code": block.code, "sentence": block.sentence}


def of_payment(order: PaymentOrder) -> PaymentAnswer:
    return {
        "state": order.state,
        "charge": money(order.charge_minor, order.currency),
        "platform_fee": money(order.platform_fee_minor, order.currency),
        "processing_fee": money(order.processing_fee_minor, order.currency),
        "held": money(order.held_minor, order.currency),
        "payable": money(order.payable_minor, order.currency),
        "refundable": money(order.refundable_minor, order.currency),
        "released": money(order.released_minor, order.currency),
        "refunded": money(order.refunded_minor, order.currency),
        "in_flight": order.in_flight,
        "failure": order.failure,
    }


def of_schedule(session: Session, project: Project) -> ScheduleAnswer:
    """What is to be paid, milestone by milestone, fees included (milestone-payment-flow, Project Setup Phase 5)."""
    instalments: list[InstalmentAnswer] = []
    so_far = 0
    for row in _milestones(session, project):
        if row.status == Status.CANCELED:
            continue
        order = session.get_one(PaymentOrder, row.id)
        so_far += order.charge_minor
        instalments.append(
            {
                "milestone": row.id,
                "position": row.position,
                "title": row.title,
                "status": row.status,
                "amount": money(row.amount_minor, row.currency),
                "platform_fee": money(order.platform_fee_minor, order.currency),
                "processing_fee": money(order.processing_fee_minor, order.currency),
                "charge": money(order.charge_minor, order.currency),
                "charges_so_far": money(so_far, order.currency),
            }
        )
    return {
        "project": project.id,
        "instalments": instalments,
        "total": money(so_far, project.currency),
    }


def of_dispute(session: Session, case: Case) -> DisputeAnswer:
    waiting = known_as(session, case.waiting_on) if case.waiting_on else None
    decision = session.scalars(
        select(Decision).where(Decision.case_id == case.id, Decision.status == DecisionStatus.EXECUTED)
    ).first()
    return {
        "id": case.id,
        "milestone": case.milestone_id,
        "status": case.status,
        "escalated": case.escalated,
        "reason": case.reason,
        "details": case.details,
        "opened_at": moment(case.opened_at),
        "mediation_due_at": moment(case.mediation_due_at),
        "in_mediation_at": moment(case.in_mediation_at),
        "decision_due_at": moment(case.decision_due_at),
        "waiting_on": waiting,
        "answer_due_at": moment(case.answer_due_at),
        "request": _open_request(session, case),
        "resolved_at": moment(case.resolved_at),
        "resolution": CaseResolution(case.resolution) if case.resolution else None,
        "decision": of_decision(decision) if decision else None,
    }


def _open_request(session: Session, case: Case) -> RequestAnswer | None:
    wanted = select(PartyRequest).where(
        PartyRequest.case_id == case.id, PartyRequest.status == RequestStatus.OPEN
    )
    row = session.scalars(wanted).one_or_none()
    if row is None:
        return None
    return {
        "party": known_as(session, row.party_id),
        "kind": row.kind,
        "question": row.question,
        "asked_at": moment(row.asked_at),
        "due_at": moment(row.due_at),
    }


def known_as(session: Session, party_id: int) -> str:
    """The platform's own id of a party."""
    return session.get_one(Party, party_id).external_id


def of_decision(decision: Decision) -> DecisionAnswer:
    return {
        "outcome": decision.outcome,
        "release": money(decision.release_minor, decision.currency),
        "refund": money(decision.refund_minor, decision.currency),
        "executed_at": moment(decision.executed_at),
    }


def money(minor: int, currency: str) -> MoneyAnswer:
    return {"minor": minor, "currency": currency}


@overload
def moment(at: date) -> str: ...
@overload
def moment(at: None) -> None: ...
@overload
def moment(at: date | None) -> str | None: ...
def moment(at: date | None) -> str | None:
    """A day, or an instant in UTC, as ISO 8601."""
    return at.isoformat() if at is not None else None


def _milestones(session: Session, project: Project) -> list[Milestone]:
    return list(
        session.scalars(
            select(Milestone).where(Milestone.project_id == project.id).order_by(Milestone.position)
        )
    )
