"""What stops a release, read once for every reader: the action that releases, the dispatch, the pages that foretell it.

Whoever decides asks under the milestone's lock; whoever shows asks the same for as many milestones as are shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.actions.risk import risk_facts
from core.records import Hold, Milestone, PaymentOrder, Report, RiskReview, Ticket
from core.rules import reports
from core.rules.disputes import BLOCKING
from core.rules.holds import ActiveHold, Facts, OpenTicket


def facts(session: Session, milestone_ids: Collection[int]) -> dict[int, Facts]:
    """What may stop a release of each of these milestones, now."""
    tickets, kept = _tickets(session, milestone_ids), _holds(session, milestone_ids)
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
            open_tickets=tickets.get(number, ()),
            manual_holds=kept.get(number, ()),
            chargeback_open=number in charged_back,
            severe_content_event=number in severe,
            open_reviews=reviews.get(number, ()),
        )
        for number in milestone_ids
    }


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


def _tickets(session: Session, milestone_ids: Collection[int]) -> Mapping[int, tuple[OpenTicket, ...]]:
    found = session.execute(
        select(Ticket.milestone_id, Ticket.id, Ticket.status)
        .where(Ticket.milestone_id.in_(milestone_ids), Ticket.status.in_(BLOCKING))
        .order_by(Ticket.id)
    )
    return _grouped((row[0], OpenTicket(row[1], row[2])) for row in found)


def _holds(session: Session, milestone_ids: Collection[int]) -> Mapping[int, tuple[ActiveHold, ...]]:
    found = session.execute(
        select(Hold.milestone_id, Hold.id, Hold.kind, func.concat_ws(" ", Hold.reason, Hold.news))
        .where(Hold.milestone_id.in_(milestone_ids), Hold.released_at.is_(None))
        .order_by(Hold.id)
    )
    return _grouped((row[0], ActiveHold(row[1], row[2], row[3])) for row in found)


def _grouped(pairs: Any) -> Mapping[int, tuple[Any, ...]]:
    groups = defaultdict[int, list[Any]](list)
    for number, each in pairs:
        groups[number].append(each)
    return {number: tuple(found) for number, found in groups.items()}
