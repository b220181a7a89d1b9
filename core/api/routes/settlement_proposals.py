"""Settlement proposals in a dispute: one party proposes a division, the other accepts or declines it, or the first
withdraws it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from core.actions.cases import settlement_proposals
from core.actions.cases.mediator_assignment import CaseClosed
from core.api import lookups
from core.api.http.dependencies import Change, CurrentCaller, ReadSession, Route
from core.api.http.pages import CursorUnfit
from core.api.http.problem_details import CaseDecided
from core.api.models import filters, requests
from core.api.models.responses.settlement_proposals import SettlementProposalAnswer, SettlementProposalsAnswer
from core.api.openapi.descriptions import refusals
from core.api.routes import lists
from core.api.word_serializers import of_settlement_proposals
from core.money import AmountNotStripeExact, CurrencyMismatch, UnknownCurrency
from core.records import SettlementProposal
from core.rules.amount_limits import PayoutTooSmall
from core.rules.holds import ReleaseBlocked
from core.rules.permissions import NotYours
from core.rules.settlement_proposals import SettlementProposalExpired, SettlementProposalNotYours
from core.rules.splits import MoreThanHeld, NothingHeld
from core.rules.transitions import IllegalMove


@dataclass(frozen=True)
class Reply:
    """What a party does with a settlement proposal that stands."""

    path: str
    summary: str
    action: Callable[..., SettlementProposal]
    words: str


REPLIES = (
    Reply(
        "accept",
        "Accept a settlement proposal",
        settlement_proposals.accept,
        "The other side agrees: the held funds move as proposed, and the dispute is closed.",
    ),
    Reply(
        "decline",
        "Decline a settlement proposal",
        settlement_proposals.decline,
        "The other side does not agree; the dispute goes on.",
    ),
    Reply(
        "withdraw",
        "Withdraw a settlement proposal",
        settlement_proposals.withdraw,
        "Whoever proposed it withdraws it.",
    ),
)
FAILING = (
    NotYours,
    SettlementProposalNotYours,
    SettlementProposalExpired,
    IllegalMove,
    CaseDecided,
    CaseClosed,
    ReleaseBlocked,
)


router = APIRouter(route_class=Route, tags=["Settlement proposals"])


@router.post(
    "/disputes/{dispute_id}/settlement-proposals",
    summary="Propose a division",
    status_code=201,
    response_model=SettlementProposalAnswer,
    responses=refusals(
        NotYours,
        CaseClosed,
        CaseDecided,
        NothingHeld,
        MoreThanHeld,
        CurrencyMismatch,
        UnknownCurrency,
        AmountNotStripeExact,
        PayoutTooSmall,
    ),
)
def propose_settlement(dispute_id: requests.DisputeId, body: requests.Proposal, change: Change) -> Response:
    """Either party proposes how the held funds are divided. One that stands is replaced by it, where it is their
    own, or else declined."""

    def act(session: Session, now: datetime) -> Mapping[str, Any]:
        lookups.dispute(session, change.caller, dispute_id)
        actor = lookups.actor(session, change.caller, body.party)
        share, note = body.release.money(), body.note
        made = settlement_proposals.propose(
            session, actor, now=now, case_id=dispute_id, release=share, note=note
        )
        return of_settlement_proposals(session, [made])[0]

    return change.once(act)


@router.get(
    "/disputes/{dispute_id}/settlement-proposals",
    summary="List the settlement proposals of a dispute",
    response_model=SettlementProposalsAnswer,
    responses=refusals(CursorUnfit),
)
def read_settlement_proposals(
    caller: CurrentCaller,
    session: ReadSession,
    dispute_id: requests.DisputeId,
    asked: Annotated[filters.SettlementProposals, Query()],
) -> Response:
    """Every settlement proposal in a dispute, the newest first; at most one of them stands."""
    lookups.dispute(session, caller, dispute_id)
    made = select(SettlementProposal).where(SettlementProposal.case_id == dispute_id)
    if asked.status:
        made = made.where(SettlementProposal.status.in_(asked.status))
    return lists.shown(session, made, asked, {"id": SettlementProposal.id}, of_settlement_proposals)


def _answered(action: Callable[..., SettlementProposal]) -> Callable[..., Response]:
    def answer(
        settlement_proposal_id: requests.SettlementProposalId, body: requests.ByParty, change: Change
    ) -> Response:
        def act(session: Session, now: datetime) -> Mapping[str, Any]:
            lookups.settlement_proposal(session, change.caller, settlement_proposal_id)
            actor = lookups.actor(session, change.caller, body.party)
            answered = action(session, actor, now=now, proposal_id=settlement_proposal_id)
            return of_settlement_proposals(session, [answered])[0]

        return change.once(act)

    return answer


for reply in REPLIES:
    router.add_api_route(
        f"/settlement-proposals/{{settlement_proposal_id}}/{reply.path}",
        _answered(reply.action),
        methods=["POST"],
        name=f"{reply.path}_settlement_proposal",
        summary=reply.summary,
        description=reply.words,
        response_model=SettlementProposalAnswer,
        responses=refusals(*FAILING),
    )
