"""Settlement proposals: how one party proposes a division to the other, and how that ends.

Internal policy, beside the direct resolution of milestone-payment-flow, Dispute Resolution Process 3a: the parties
can settle a dispute themselves at any time before it is decided. A proposal ends by itself after three days; a new one
of either side takes the place of the old one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from core.errors import DeskError
from core.money import Money
from core.policy.limits import SETTLEMENT_PROPOSAL_STANDS
from core.rules.grounds import DecisionOutcome
from core.rules.transitions import MoveEvent, label, move


class SettlementProposalStatus(StrEnum):
    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"
    WITHDRAWN = "WITHDRAWN"
    REPLACED = "REPLACED"
    """Its maker proposed again."""
    EXPIRED = "EXPIRED"

    @property
    def label(self) -> str:
        return label(self)


class SettlementProposalEvent(MoveEvent):
    ACCEPT = "ACCEPT", "it cannot be accepted"
    DECLINE = "DECLINE", "it cannot be declined"
    WITHDRAW = "WITHDRAW", "it cannot be withdrawn"
    REPLACE = "REPLACE", "it cannot be replaced"
    EXPIRE = "EXPIRE", "it cannot expire"


MOVES: Mapping[tuple[SettlementProposalStatus, SettlementProposalEvent], SettlementProposalStatus] = {
    (SettlementProposalStatus.OPEN, SettlementProposalEvent.ACCEPT): SettlementProposalStatus.ACCEPTED,
    (SettlementProposalStatus.OPEN, SettlementProposalEvent.DECLINE): SettlementProposalStatus.DECLINED,
    (SettlementProposalStatus.OPEN, SettlementProposalEvent.WITHDRAW): SettlementProposalStatus.WITHDRAWN,
    (SettlementProposalStatus.OPEN, SettlementProposalEvent.REPLACE): SettlementProposalStatus.REPLACED,
    (SettlementProposalStatus.OPEN, SettlementProposalEvent.EXPIRE): SettlementProposalStatus.EXPIRED,
}


class SettlementProposalExpired(DeskError):
    """This settlement proposal was open until {until:%d %B %Y at %H:%M} UTC. Make a new one."""


class SettlementProposalNotYours(DeskError, tells=("settlement_proposal", "proposed_by")):
    """{who} made this settlement proposal, so only the other side can {what} it."""


def after(status: SettlementProposalStatus | str, event: SettlementProposalEvent) -> SettlementProposalStatus:
    return move("settlement proposal", MOVES, SettlementProposalStatus(status), event)


def expires_at(made_at: datetime) -> datetime:
    return made_at + SETTLEMENT_PROPOSAL_STANDS


def require_standing(until: datetime, now: datetime) -> None:
    """A proposal can be accepted up to its last instant, exclusive."""
    if now >= until:
        raise SettlementProposalExpired(until=until)


def outcome(release: Money, held: Money) -> DecisionOutcome:
    """What a division amounts to."""
    if release == held:
        return DecisionOutcome.FULL_RELEASE
    return DecisionOutcome.PARTIAL_RELEASE if release.minor else DecisionOutcome.FULL_REFUND
