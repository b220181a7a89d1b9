"""What blocks a release, and the payment that follows it, read in one way by the action that releases, by dispatch,
and by the pages that preview it.

Whoever decides asks under the milestone's lock; pages ask the same for as many milestones as they show.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.actions.operations.operation_states import SHORT_OF_MONEY
from core.actions.risk import risk_facts
from core.queries import payee_accounts
from core.records import Case, Hold, Milestone, PayeeHold, PaymentOrder, Payout, Project, Report, RiskReview
from core.rules import client_funds, holds, reports
from core.rules import payee_accounts as account_rules
from core.rules.cases import BLOCKING
from core.rules.holds import ActiveHold, Facts, OpenCase
from core.rules.payouts import PayoutStatus
from core.rules.refusal_reasons import Block


def facts(session: Session, milestone_ids: Collection[int]) -> dict[int, Facts]:
    """What may block a release of each of these milestones now."""
    cases, kept = _cases(session, milestone_ids), _holds(session, milestone_ids)
    severe, reviews = _severe_events(session, milestone_ids), _open_reviews(session, milestone_ids)
    charged_back = set(
        session.scalars(
            select(PaymentOrder.milestone_id).where(
                PaymentOrder.milestone_id.in_(milestone_ids), PaymentOrder.chargeback_open
            )
        )
    )
    return {
        number: Facts(
            open_cases=cases.get(number, ()),
            manual_holds=kept.get(number, ()),
            chargeback_open=number in charged_back,
            severe_content_event=number in severe,
            open_reviews=reviews.get(number, ()),
        )
        for number in milestone_ids
    }


PAYMENTS = text(
    """
    select o.milestone_id, o.currency, p.payee_id, y.stripe_account is null as no_account,
           exists (select from payout_stops s where s.currency = o.currency and s.released_at is null) as stopped,
           exists (select from outgoing_operations c where c.milestone_id = o.milestone_id and c.kind = 'TRANSFER'
                   and c.status = 'QUEUED' and c.last_error = :short) as short,
           exists (select from payouts w where w.milestone_id = o.milestone_id
                   and w.status = 'ADMINISTRATIVE_REVIEW' and w.stripe_transfer is null) as in_review
    from payment_orders o
    join milestones m on m.id = o.milestone_id
    join projects p on p.id = m.project_id
    join parties y on y.id = p.payee_id
    where o.milestone_id = any(:milestones)
    """
)
BALANCE_TOO_SMALL = Block("balance_too_small", SHORT_OF_MONEY)


def after_release(session: Session, milestone_ids: Collection[int]) -> dict[int, tuple[Block, ...]]:
    """What blocks the payment of released money, besides everything that blocks a release."""
    values = {"milestones": list(milestone_ids), "short": SHORT_OF_MONEY}
    rows = session.execute(PAYMENTS, values).all()
    accounts = payee_accounts.facts(session, {row.payee_id for row in rows})
    return {
        row.milestone_id: (
            *((holds.NO_ACCOUNT,) if row.no_account else ()),
            *account_rules.blocking(accounts.get(row.payee_id), row.currency),
            *((client_funds.stopped(row.currency),) if row.stopped else ()),
            *((BALANCE_TOO_SMALL,) if row.short else ()),
            *((holds.IN_REVIEW,) if row.in_review else ()),
        )
        for row in rows
    }


def at_the_payee(session: Session, milestone_ids: Collection[int]) -> dict[int, int]:
    """What was transferred to the payee's account of each of these milestones and has not left for their bank yet, in
    minor units; only where there is any."""
    found = session.execute(
        select(Payout.milestone_id, func.sum(Payout.amount_minor - Payout.fee_minor))
        .where(Payout.milestone_id.in_(milestone_ids), Payout.status == PayoutStatus.TRANSFERRED)
        .group_by(Payout.milestone_id)
    )
    return {number: int(minor) for number, minor in found}


def _severe_events(session: Session, milestone_ids: Collection[int]) -> set[int]:
    """Those about which, or about whose project, something severe is reported and not settled."""
    found = session.execute(
        select(Milestone.id, Report)
        .join(Report, Report.project_id == Milestone.project_id)
        .where(
            Milestone.id.in_(milestone_ids), Report.settled_at.is_(None), risk_facts.concerns(Milestone.id)
        )
    )
    unsettled = _grouped((number, risk_facts.as_known(row)) for number, row in found)
    return {number for number, known in unsettled.items() if reports.severe_event(known)}


def _open_reviews(session: Session, milestone_ids: Collection[int]) -> Mapping[int, tuple[str, ...]]:
    """The reasons of each milestone's open review, in one sentence each."""
    found = session.execute(
        select(RiskReview.milestone_id, RiskReview.reasons)
        .where(RiskReview.milestone_id.in_(milestone_ids), RiskReview.settled_at.is_(None))
        .order_by(RiskReview.id)
    )
    return _grouped((number, reason["sentence"]) for number, reasons in found for reason in reasons)


def _cases(session: Session, milestone_ids: Collection[int]) -> Mapping[int, tuple[OpenCase, ...]]:
    found = session.execute(
        select(Case.milestone_id, Case.id, Case.status)
        .where(Case.milestone_id.in_(milestone_ids), Case.status.in_(BLOCKING))
        .order_by(Case.id)
    )
    return _grouped((row[0], OpenCase(row[1], row[2])) for row in found)


def _holds(session: Session, milestone_ids: Collection[int]) -> Mapping[int, tuple[ActiveHold, ...]]:
    found = session.execute(
        select(Hold.milestone_id, Hold.id, Hold.kind, func.concat_ws(" ", Hold.reason, Hold.news))
        .where(Hold.milestone_id.in_(milestone_ids), Hold.released_at.is_(None))
        .order_by(Hold.id)
    )
    of_payees = session.execute(
        select(Milestone.id, PayeeHold.id, PayeeHold.kind, PayeeHold.reason)
        .join(Project, Project.id == Milestone.project_id)
        .join(PayeeHold, PayeeHold.party_id == Project.payee_id)
        .where(Milestone.id.in_(milestone_ids), PayeeHold.released_at.is_(None))
        .order_by(PayeeHold.id)
    )
    of_milestone = [(row[0], ActiveHold(row[1], row[2], row[3])) for row in found]
    return _grouped([*of_milestone, *((row[0], ActiveHold(*row[1:], of_payee=True)) for row in of_payees)])


def _grouped(pairs: Any) -> Mapping[int, tuple[Any, ...]]:
    groups = defaultdict[int, list[Any]](list)
    for number, each in pairs:
        groups[number].append(each)
    return {number: tuple(found) for number, found in groups.items()}
