"""Settlement proposals."""

from __future__ import annotations

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.api.models.responses.plain import Moment, MoneyAnswer, PageAnswer
from core.rules.settlement_proposals import SettlementProposalStatus


class SettlementProposalAnswer(TypedDict):
    id: int
    dispute: int
    proposed_by: str
    release: MoneyAnswer
    refund: MoneyAnswer
    note: str
    status: SettlementProposalStatus
    made_at: Moment
    expires_at: Moment
    ended_at: Moment | None


class SettlementProposalsAnswer(PageAnswer):
    items: list[SettlementProposalAnswer]
