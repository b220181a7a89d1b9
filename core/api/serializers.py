"""What is read back: projects, schedules, milestones and disputes as the marketplace sees them.

No names and no addresses: the platform knows its people, and parties are given by its own ids. Many at once are read in
the same number of statements as one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.actions.funding import charges
from core.actions.milestones.engagement import COLUMNS, Part, facts_of
from core.api import money_serializers
from core.api.models.responses.disputes import DecisionAnswer, DisputeAnswer, RequestAnswer
from core.api.models.responses.milestones import MilestoneAnswer, WaitsFor
from core.api.models.responses.parties import AccountAnswer, PartyAnswer, PaymentMethodAnswer
from core.api.models.responses.projects import (
    EngagementAnswer,
    InstalmentAnswer,
    ProjectAnswer,
    ScheduleAnswer,
)
from core.api.models.responses.reviews import RatingAnswer
from core.api.plain import known_as, moment, money, names, told
from core.queries import payee_accounts, release_blocks
from core.records import (
    Case,
    Decision,
    Engagement,
    FinalRating,
    Hold,
    Milestone,
    Notification,
    Party,
    PartyRequest,
    PayeeAccount,
    PayeeHold,
    PaymentOrder,
    Payout,
    Project,
    Refund,
)
from core.rules import engagement, holds
from core.rules import payee_accounts as account_rules
from core.rules.approvals import DecisionStatus
from core.rules.cases import CaseResolution
from core.rules.milestones import Status
from core.rules.payee_accounts import BankWait
from core.rules.payouts import PayoutStatus
from core.rules.requests import RequestStatus

__all__ = [
    "known_as",
    "moment",
    "money",
    "of_account",
    "of_dispute",
    "of_disputes",
    "of_engagement",
    "of_milestone",
    "of_milestones",
    "of_parties",
    "of_party",
    "of_project",
    "of_projects",
    "of_rating",
    "of_schedule",
    "told",
]

Row = TypeVar("Row")

FAILED = (PayoutStatus.FAILED, PayoutStatus.ADMINISTRATIVE_REVIEW)
# The parties are told of a decision once nobody has to approve it any more.
ANNOUNCED = (DecisionStatus.COOLING_OFF, DecisionStatus.EXECUTED)


def of_party(session: Session, party: Party) -> PartyAnswer:
    return of_parties(session, [party])[0]


def of_parties(session: Session, parties: Sequence[Party]) -> list[PartyAnswer]:
    newest = (
        select(FinalRating)
        .ext(distinct_on(FinalRating.party_id))
        .where(FinalRating.party_id.in_([each.id for each in parties]))
        .order_by(FinalRating.party_id, FinalRating.calculated_at.desc(), FinalRating.project_id.desc())
    )
    ratings = {each.party_id: each for each in session.scalars(newest)}
    waits = payee_accounts.new_banks(session, [each.id for each in parties])
    accounts = _by(session, PayeeAccount, PayeeAccount.party_id, [each.id for each in parties])
    kept = _many(session, PayeeHold, PayeeHold.party_id, [each.id for each in parties], order=PayeeHold.id)
    held = _shown(kept, lambda found: money_serializers.of_payee_holds(session, found))
    return [
        {
            "external_id": party.external_id,
            "role": party.role,
            "name": party.name,
            "email": party.email,
            "city": party.city,
            "country": party.country,
            "language": party.language,
            "withdrawal_method": party.withdrawal_method.sent_as,
            "known_to_provider": bool(party.stripe_customer or party.stripe_account),
            "payment_method": _payment_method(party),
            "account": of_account(accounts[party.id], waits.get(party.id, {}))
            if party.id in accounts
            else None,
            "holds": [held[each.id] for each in kept[party.id] if _told_of(each)],
            "rating": of_rating(ratings[party.id]) if party.id in ratings else None,
        }
        for party in parties
    ]


def _payment_method(party: Party) -> PaymentMethodAnswer | None:
    if party.payment_method is None:
        return None
    return {
        "type": party.method_kind,
        "brand": party.method_brand,
        "last4": party.method_last4,
        "saved": party.method_saved_at is not None,
    }


def of_account(row: PayeeAccount, waits: Mapping[str, BankWait]) -> AccountAnswer:
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
            {
                "currency": currency,
                "last4": bank["last4"],
                "usable": bank["usable"],
                "payouts_wait_until": moment(waits.get(currency, BankWait()).until),
                "refused": waits.get(currency, BankWait()).refused,
            }
            for currency, bank in sorted(row.banks.items())
        ],
        "as_of": moment(row.read_at),
    }


def of_rating(row: FinalRating) -> RatingAnswer:
    return {"tenths": row.tenths, "reviews": row.reviews, "at": moment(row.calculated_at)}


def of_project(session: Session, project: Project) -> ProjectAnswer:
    return of_projects(session, [project])[0]


def of_projects(session: Session, projects: Sequence[Project]) -> list[ProjectAnswer]:
    numbers = [each.id for each in projects]
    known = names(session, [party for each in projects for party in (each.payer_id, each.payee_id)])
    engagements = _by(session, Engagement, Engagement.project_id, numbers)
    present = Milestone.status != Status.CANCELED
    rows = _many(session, Milestone, Milestone.project_id, numbers, present, order=Milestone.position)
    canceled = _canceled(session, numbers)
    whole = [each for number in numbers for each in rows[number]]
    shown = {each["id"]: each for each in of_milestones(session, whole)}
    return [
        {
            "id": project.id,
            "bid_reference": project.bid_reference,
            "title": project.title,
            "scope": project.scope,
            "project_type": project.project_type,
            "fee_mode": project.fee_mode,
            "funding": project.funding,
            "status": project.status,
            "payer": known[project.payer_id],
            "payee": known[project.payee_id],
            "total": money(project.total_minor, project.currency),
            "created_at": moment(project.created_at),
            "completed_at": moment(project.completed_at),
            "engagement": of_engagement(engagements[project.id]),
            "milestones": [shown[each.id] for each in rows[project.id]],
            "canceled_milestones": canceled.get(project.id, 0),
        }
        for project in projects
    ]


def _canceled(session: Session, numbers: Sequence[int]) -> Mapping[int, int]:
    """How many milestones of each project are canceled: every new division may leave some, so they have a list."""
    counted = select(Milestone.project_id, func.count()).where(
        Milestone.project_id.in_(numbers), Milestone.status == Status.CANCELED
    )
    return {row[0]: row[1] for row in session.execute(counted.group_by(Milestone.project_id))}


def of_engagement(row: Engagement) -> EngagementAnswer:
    return {
        "status": row.status,
        "confirmed": [part for part in Part if getattr(row, COLUMNS[part]) is not None],
        "missing": [told(each) for each in engagement.unconfirmed(facts_of(row))],
    }


def of_milestone(session: Session, row: Milestone) -> MilestoneAnswer:
    return of_milestones(session, [row])[0]


def of_milestones(session: Session, rows: Sequence[Milestone]) -> list[MilestoneAnswer]:
    numbers = [each.id for each in rows]
    orders = _by(session, PaymentOrder, PaymentOrder.milestone_id, numbers)
    latest = select(Case.milestone_id, func.max(Case.id)).where(Case.milestone_id.in_(numbers))
    cases = {row[0]: row[1] for row in session.execute(latest.group_by(Case.milestone_id))}
    payouts = _many(session, Payout, Payout.milestone_id, numbers, order=Payout.id)
    paid = _shown(payouts, lambda found: money_serializers.of_payouts(session, found))
    refunds = _many(session, Refund, Refund.milestone_id, numbers, order=Refund.id)
    kept = _many(session, Hold, Hold.milestone_id, numbers, order=Hold.id)
    last = charges.latest(session, numbers)
    failed = {number for number, found in payouts.items() if any(each.status in FAILED for each in found)}
    waits = _waits_for(session, [(each, orders[each.id]) for each in rows], failed)
    return [
        {
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
            "next_reminder_at": moment(row.next_reminder_at),
            "verified_at": moment(row.verified_at),
            "ended_at": moment(row.ended_at),
            "payment": money_serializers.of_payment(session, orders[row.id], last.get(row.id)),
            "payouts": [paid[each.id] for each in payouts[row.id]],
            "refunds": money_serializers.of_refunds(refunds[row.id]),
            "holds": money_serializers.of_holds(each for each in kept[row.id] if _told_of(each)),
            "release_waits_for": waits.get(row.id, []),
            "dispute": cases.get(row.id),
        }
        for row in rows
    ]


def _told_of(hold: Hold | PayeeHold) -> bool:
    """In place, and of a kind that somebody is told of."""
    return hold.released_at is None and hold.kind not in holds.SILENT


def _waits_for(
    session: Session, rows: Sequence[tuple[Milestone, PaymentOrder]], failed: Collection[int]
) -> Mapping[int, list[WaitsFor]]:
    """What holds back money that is due, as far as anybody outside the desk may know it.

    Before the work is verified nothing is due, and nothing is said: a silent review would show. Of the milestones
    whose payout `failed`, that is said as well, wherever their money is meanwhile.
    """
    after_payment = release_blocks.at_the_payee(session, [row.id for row, _ in rows])
    moving = {*after_payment, *failed}
    released = [row.id for row, order in rows if order.payable_minor or row.id in moving]
    held = [row.id for row, order in rows if order.held_minor and row.status == Status.VERIFIED]
    facts = release_blocks.facts(session, {*released, *held})
    after = release_blocks.after_release(session, released)
    review = dict.fromkeys(failed, (holds.IN_REVIEW,))
    return {
        number: [
            told(each)
            for each in holds.outside(
                (*holds.blocking(facts[number]), *after.get(number, ()), *review.get(number, ()))
            )
        ]
        for number in facts
    }


def of_schedule(session: Session, project: Project) -> ScheduleAnswer:
    """What is to be paid, milestone by milestone, fees included (milestone-payment-flow, Project Setup Phase 5)."""
    instalments: list[InstalmentAnswer] = []
    so_far = 0
    wanted = select(Milestone, PaymentOrder).join(PaymentOrder, PaymentOrder.milestone_id == Milestone.id)
    wanted = wanted.where(Milestone.project_id == project.id, Milestone.status != Status.CANCELED)
    for row, order in session.execute(wanted.order_by(Milestone.position)):
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
    return of_disputes(session, [case])[0]


def of_disputes(session: Session, cases: Sequence[Case]) -> list[DisputeAnswer]:
    numbers = [each.id for each in cases]
    known_outside = select(Decision).where(Decision.case_id.in_(numbers), Decision.status.in_(ANNOUNCED))
    decisions = {each.case_id: each for each in session.scalars(known_outside)}
    written = _written_about(session, [each.id for each in decisions.values()])
    wanted = select(PartyRequest).where(
        PartyRequest.case_id.in_(numbers), PartyRequest.status == RequestStatus.OPEN
    )
    requests = {each.case_id: each for each in session.scalars(wanted)}
    asked = [each.party_id for each in requests.values()]
    known = names(session, [*asked, *(each.waiting_on for each in cases)])
    return [
        {
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
            "waiting_on": known[case.waiting_on] if case.waiting_on else None,
            "answer_due_at": moment(case.answer_due_at),
            "request": _of_request(requests[case.id], known) if case.id in requests else None,
            "resolved_at": moment(case.resolved_at),
            "resolution": CaseResolution(case.resolution) if case.resolution else None,
            "decision": (
                _of_decision(decision, written[decision.id])
                if (decision := decisions.get(case.id)) is not None
                else None
            ),
        }
        for case in cases
    ]


def _of_request(row: PartyRequest, known: Mapping[int, str]) -> RequestAnswer:
    return {
        "party": known[row.party_id],
        "kind": row.kind,
        "question": row.question,
        "asked_at": moment(row.asked_at),
        "due_at": moment(row.due_at),
    }


def _written_about(session: Session, decision_ids: Sequence[int]) -> Mapping[int, list[int]]:
    """The numbers of the e-mails to the parties about each decision."""
    wanted = select(Notification.about_id, Notification.id).where(
        Notification.about_kind == "decision",
        Notification.about_id.in_(decision_ids),
        Notification.party_id.is_not(None),
    )
    groups = defaultdict[int, list[int]](list)
    for decision_id, number in session.execute(wanted.order_by(Notification.id)):
        groups[decision_id or 0].append(number)
    return groups


def _of_decision(decision: Decision, emails: list[int]) -> DecisionAnswer:
    return {
        "status": "EXECUTED" if decision.status == DecisionStatus.EXECUTED else "COOLING_OFF",
        "outcome": decision.outcome,
        "ground": decision.ground,
        "release": money(decision.release_minor, decision.currency),
        "refund": money(decision.refund_minor, decision.currency),
        "execute_at": moment(decision.execute_at),
        "executed_at": moment(decision.executed_at),
        "emails": emails,
    }


def _by(
    session: Session, record: type[Row], column: InstrumentedAttribute[int], numbers: Iterable[int]
) -> Mapping[int, Row]:
    """One row for each number."""
    found = session.scalars(select(record).where(column.in_(numbers)))
    return {getattr(each, column.key): each for each in found}


def _many(
    session: Session,
    record: type[Row],
    column: InstrumentedAttribute[int],
    numbers: Iterable[int],
    *narrowed: ColumnElement[bool],
    order: InstrumentedAttribute[int],
) -> Mapping[int, list[Row]]:
    """All rows of each number, or those that are `narrowed` to, in this order."""
    groups = defaultdict[int, list[Row]](list)
    for each in session.scalars(select(record).where(column.in_(numbers), *narrowed).order_by(order)):
        groups[getattr(each, column.key)].append(each)
    return groups


def _shown(
    groups: Mapping[int, list[Row]], show: Callable[[Sequence[Row]], Sequence[Any]]
) -> Mapping[int, Any]:
    """What is shown of each row, by its number, with one question for all."""
    return {each["id"]: each for each in show([row for found in groups.values() for row in found])}
