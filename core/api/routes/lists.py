"""Everything that a marketplace can list: one mechanism, one line of a table for each.

What belongs to another marketplace is in no list, also when it is asked for by name: such a list is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from starlette.responses import JSONResponse, Response

from core.api import debt_serializers, serializers, word_serializers
from core.api import money_serializers as money
from core.api.http.api_keys import Caller
from core.api.http.dependencies import CurrentCaller, ReadSession, Route
from core.api.http.pages import CursorUnfit, Sorts, page
from core.api.models import filters
from core.api.models.filters import Listed
from core.api.models.responses.chargebacks import ChargebacksAnswer
from core.api.models.responses.debts import DebtsAnswer
from core.api.models.responses.disputes import DisputesAnswer
from core.api.models.responses.evidence import EvidencesAnswer
from core.api.models.responses.messages import EmailsAnswer
from core.api.models.responses.milestones import MilestonesAnswer
from core.api.models.responses.parties import PartiesAnswer
from core.api.models.responses.payments import PaymentsAnswer
from core.api.models.responses.payouts import PayoutsAnswer
from core.api.models.responses.projects import ProjectsAnswer
from core.api.models.responses.receipts import ReceiptsAnswer
from core.api.models.responses.refunds import RefundsAnswer
from core.api.models.responses.risk import (
    HoldsAnswer,
    PayeeHoldsAnswer,
    ReportsAnswer,
    RiskReviewsAnswer,
)
from core.api.openapi.descriptions import refusals
from core.records import (
    Case,
    Chargeback,
    Evidence,
    Hold,
    Milestone,
    Notification,
    Party,
    PayeeHold,
    PaymentOrder,
    Payout,
    Project,
    Receipt,
    Refund,
    Report,
    RiskReview,
)
from core.rules import holds
from core.rules.risk import ReviewOutcome

Wanted = Select[Any]


@dataclass(frozen=True)
class Listing:
    """A list: where, what may be asked of it, which rows are the caller's, in which orders, and how they look."""

    path: str
    tag: str
    words: str
    asked: type[Listed]
    answer: Any
    wanted: Callable[[Caller, Any], Wanted]
    show: Callable[[Session, Sequence[Any]], Sequence[Any]]
    sorts: Sorts

    @property
    def key(self) -> InstrumentedAttribute[Any]:
        """The first of the orders: it tells every two rows apart."""
        return next(iter(self.sorts.values()))


def of_party(caller: Caller, name: str) -> Any:
    """The number of the caller's party of this name; none is nobody's."""
    wanted = select(Party.id).where(Party.platform == caller.platform, Party.external_id == name)
    return wanted.scalar_subquery()


def _sides(caller: Caller, name: str | None) -> list[ColumnElement[bool]]:
    if name is None:
        return []
    party = of_party(caller, name)
    return [or_(Project.payer_id == party, Project.payee_id == party)]


def _of_milestones(record: Any, column: Any, **narrowed: Any) -> Callable[[Caller, Any], Wanted]:
    """The rows about the caller's milestones: by the filters that all of these lists have, and by those of this one,
    each with the column that it asks for."""

    def statement(caller: Caller, asked: Any) -> Wanted:
        rows = select(record).join(Milestone, Milestone.id == column)
        rows = rows.join(Project, Project.id == Milestone.project_id)
        rows = rows.where(Project.platform == caller.platform, *_sides(caller, asked.party))
        own = {each: getattr(asked, name) for name, each in narrowed.items()}
        return _equal(rows, {column: asked.milestone, Milestone.project_id: asked.project, **own})

    return statement


def _equal(rows: Wanted, wanted: Mapping[Any, Any]) -> Wanted:
    """Only those that have what is asked for: one value, one of several, or anything where nothing is asked for."""
    for column, value in wanted.items():
        if isinstance(value, list):
            rows = rows.where(column.in_(value)) if value else rows
        elif value is not None:
            rows = rows.where(column == value)
    return rows


def _and(
    rows: Callable[[Caller, Any], Wanted], more: Callable[[Wanted, Any], Wanted]
) -> Callable[[Caller, Any], Wanted]:
    return lambda caller, asked: more(rows(caller, asked), asked)


def _projects(caller: Caller, asked: filters.Projects) -> Wanted:
    rows = select(Project).where(Project.platform == caller.platform)
    if asked.payer is not None:
        rows = rows.where(Project.payer_id == of_party(caller, asked.payer))
    if asked.payee is not None:
        rows = rows.where(Project.payee_id == of_party(caller, asked.payee))
    return _equal(
        rows,
        {
            Project.bid_reference: asked.bid_reference,
            Project.status: asked.status,
            Project.project_type: asked.project_type,
        },
    )


def _milestones(caller: Caller, asked: filters.Milestones) -> Wanted:
    rows = select(Milestone).join(Project, Project.id == Milestone.project_id)
    rows = rows.join(PaymentOrder, PaymentOrder.milestone_id == Milestone.id)
    rows = rows.where(Project.platform == caller.platform, *_sides(caller, asked.party))
    return _equal(
        rows,
        {
            Milestone.project_id: asked.project,
            Milestone.status: asked.status,
            PaymentOrder.state: asked.payment_state,
        },
    )


def _reports(caller: Caller, asked: filters.Reports) -> Wanted:
    """What the marketplace and its parties reported; what staff noted is the desk's own."""
    rows = select(Report).join(Project, Project.id == Report.project_id)
    rows = rows.where(Project.platform == caller.platform, Report.author_kind != "staff")
    if asked.open is not None:
        rows = rows.where(Report.settled_at.is_(None) if asked.open else Report.settled_at.is_not(None))
    return _equal(rows, {Report.project_id: asked.project, Report.kind: asked.kind})


def _parties(caller: Caller, asked: filters.Parties) -> Wanted:
    rows = select(Party).where(Party.platform == caller.platform)
    return _equal(rows, {Party.external_id: asked.external_id, Party.role: asked.role})


def _emails(caller: Caller, asked: filters.Emails) -> Wanted:
    """Those to the caller's parties; what is written to staff has no party."""
    rows = select(Notification).join(Party, Party.id == Notification.party_id)
    rows = rows.where(Party.platform == caller.platform)
    if asked.dispute is not None:
        rows = rows.where(word_serializers.about_dispute(asked.dispute))
    return _equal(
        rows,
        {
            Party.external_id: asked.party,
            Notification.project_id: asked.project,
            Notification.milestone_id: asked.milestone,
            Notification.status: asked.status,
        },
    )


def _holds(rows: Wanted, asked: filters.Holds) -> Wanted:
    return _told(rows, Hold, active=asked.active)


def _payee_holds(caller: Caller, asked: filters.PayeeHolds) -> Wanted:
    rows = select(PayeeHold).join(Party, Party.id == PayeeHold.party_id)
    rows = rows.where(Party.platform == caller.platform)
    return _equal(_told(rows, PayeeHold, active=asked.active), {Party.external_id: asked.party})


def _debts(caller: Caller, asked: filters.Debts) -> Wanted:
    """The payees who owe anything now."""
    rows = select(Party).where(Party.platform == caller.platform, Party.id.in_(debt_serializers.OWING))
    return _equal(rows, {Party.external_id: asked.party})


def _told(rows: Wanted, record: type[Hold] | type[PayeeHold], *, active: bool | None) -> Wanted:
    """Of a hold that nobody is told of there is nothing here, whatever is asked."""
    rows = rows.where(record.kind.not_in(holds.SILENT))
    if active is None:
        return rows
    return rows.where(record.released_at.is_(None) if active else record.released_at.is_not(None))


def _reviews(rows: Wanted, asked: filters.RiskReviews) -> Wanted:
    """One that ended in a hold goes on for those who are not told of the hold."""
    if asked.open is None:
        return rows
    cleared = RiskReview.outcome == ReviewOutcome.CLEARED
    return rows.where(cleared if not asked.open else or_(RiskReview.outcome.is_(None), ~cleared))


LISTS = (
    Listing(
        "projects",
        "Projects",
        "Projects with their engagements and milestones, and where the money is.",
        filters.Projects,
        ProjectsAnswer,
        _projects,
        serializers.of_projects,
        {"id": Project.id, "created_at": Project.created_at},
    ),
    Listing(
        "milestones",
        "Milestones",
        "Milestones of all projects; in the order of a deadline those without it come last.",
        filters.Milestones,
        MilestonesAnswer,
        _milestones,
        serializers.of_milestones,
        {
            "id": Milestone.id,
            "dispute_until": Milestone.dispute_until,
            "auto_approve_at": Milestone.auto_approve_at,
            "answer_due_at": Milestone.answer_due_at,
        },
    ),
    Listing(
        "disputes",
        "Disputes",
        "Disputes: where each stands, what is asked of whom, and how it was decided.",
        filters.Disputes,
        DisputesAnswer,
        _of_milestones(Case, Case.milestone_id, status=Case.status),
        serializers.of_disputes,
        {"id": Case.id, "opened_at": Case.opened_at},
    ),
    Listing(
        "payments",
        "Payments",
        "What is paid for each milestone, in its nine states; by `funded_at`, what was not funded comes last.",
        filters.Payments,
        PaymentsAnswer,
        _of_milestones(PaymentOrder, PaymentOrder.milestone_id, state=PaymentOrder.state),
        money.of_payments,
        {"milestone": PaymentOrder.milestone_id, "funded_at": PaymentOrder.funded_at},
    ),
    Listing(
        "payouts",
        "Payouts",
        "Withdrawals to payees.",
        filters.Payouts,
        PayoutsAnswer,
        _of_milestones(Payout, Payout.milestone_id, status=Payout.status),
        money.of_payouts,
        {"id": Payout.id, "requested_at": Payout.requested_at},
    ),
    Listing(
        "refunds",
        "Payments",
        "Money on its way back to payers, or there.",
        filters.Refunds,
        RefundsAnswer,
        _of_milestones(Refund, Refund.milestone_id, status=Refund.status),
        lambda session, rows: money.of_refunds(rows),
        {"id": Refund.id, "created_at": Refund.created_at},
    ),
    Listing(
        "receipts",
        "Payments",
        "Receipts, invoices and credit notes; each is a PDF too.",
        filters.Receipts,
        ReceiptsAnswer,
        _of_milestones(Receipt, Receipt.milestone_id, kind=Receipt.kind),
        money.of_receipts,
        {"id": Receipt.id},
    ),
    Listing(
        "debts",
        "Payouts",
        "Payees who owe the platform: how much, what of it is due, and the instalments that were agreed.",
        filters.Debts,
        DebtsAnswer,
        _debts,
        debt_serializers.of_debts,
        {"payee": Party.id},
    ),
    Listing(
        "chargebacks",
        "Payments",
        "Payments that a payer's bank disputes, as far as the bank says. What the desk answers is not here.",
        filters.Chargebacks,
        ChargebacksAnswer,
        _of_milestones(Chargeback, Chargeback.milestone_id, status=Chargeback.status),
        lambda session, rows: money.of_chargebacks(rows),
        {"id": Chargeback.id, "due_by": Chargeback.due_by},
    ),
    Listing(
        "holds",
        "Risk",
        "Holds that somebody was told of; why they are there is for staff.",
        filters.Holds,
        HoldsAnswer,
        _and(_of_milestones(Hold, Hold.milestone_id), _holds),
        lambda session, rows: money.of_holds(rows),
        {"id": Hold.id},
    ),
    Listing(
        "payee-holds",
        "Risk",
        "Holds on all money of a payee that the payee was told of; why they are there is for staff.",
        filters.PayeeHolds,
        PayeeHoldsAnswer,
        _payee_holds,
        money.of_payee_holds,
        {"id": PayeeHold.id},
    ),
    Listing(
        "risk-reviews",
        "Risk",
        "Milestones that a person looks at before money moves; at what is for staff.",
        filters.RiskReviews,
        RiskReviewsAnswer,
        _and(_of_milestones(RiskReview, RiskReview.milestone_id), _reviews),
        lambda session, rows: money.of_risk_reviews(rows),
        {"id": RiskReview.id},
    ),
    Listing(
        "reports",
        "Risk",
        "What the marketplace and its parties reported, and what came of it.",
        filters.Reports,
        ReportsAnswer,
        _reports,
        word_serializers.of_reports,
        {"id": Report.id},
    ),
    Listing(
        "parties",
        "Parties",
        "Payers and payees with their ratings; by `external_id` the one that bears it.",
        filters.Parties,
        PartiesAnswer,
        _parties,
        serializers.of_parties,
        {"id": Party.id},
    ),
    Listing(
        "evidence",
        "Messages and evidence",
        "What the parties submitted; each file can be fetched.",
        filters.Evidences,
        EvidencesAnswer,
        _of_milestones(Evidence, Evidence.milestone_id, kind=Evidence.kind, dispute=Evidence.case_id),
        word_serializers.of_evidence,
        {"id": Evidence.id},
    ),
    Listing(
        "emails",
        "Messages and evidence",
        "E-mails to the parties, and what became of them; those of a dispute with those of its decision.",
        filters.Emails,
        EmailsAnswer,
        _emails,
        word_serializers.of_emails,
        {"id": Notification.id},
    ),
)

router = APIRouter(route_class=Route)


def shown(
    session: Session,
    wanted: Wanted,
    asked: Listed,
    sorts: Sorts,
    show: Callable[[Session, Sequence[Any]], Sequence[Any]],
) -> Response:
    """One page of these rows as an answer."""
    found = page(session, wanted, asked, key=next(iter(sorts.values())), sorts=sorts)
    items = show(session, found.rows) if found.rows else []
    return JSONResponse({"items": list(items), "has_more": found.next is not None, "next": found.next})


def _read(listing: Listing) -> Callable[..., Response]:
    def read(caller: CurrentCaller, session: ReadSession, asked: Any) -> Response:
        return shown(session, listing.wanted(caller, asked), asked, listing.sorts, listing.show)

    read.__annotations__["asked"] = Annotated[listing.asked, Query()]
    return read


for each in LISTS:
    router.add_api_route(
        f"/{each.path}",
        _read(each),
        methods=["GET"],
        name=f"list_{each.path.replace('-', '_')}",
        summary=f"List {each.path.replace('-', ' ').replace('emails', 'e-mails')}",
        description=each.words,
        response_model=each.answer,
        responses=refusals(CursorUnfit),
        tags=[each.tag],
    )
