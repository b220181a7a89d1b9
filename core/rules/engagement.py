"""Before any payment: five things must be true (payment-escrow-rules, Preconditions Before Payment)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.policy import Platform
from core.rules.refusal_reasons import Block, Blocked
from core.rules.transitions import MoveEvent, label, move, words


class EngagementStatus(StrEnum):
    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    ENDED = "ENDED"

    @property
    def label(self) -> str:
        return label(self)


class EngagementEvent(MoveEvent):
    ACTIVATE = "ACTIVATE", "it cannot be activated"
    END = "END", "it cannot be ended"


# The codes of what `unconfirmed` and `missing` name.
MISSING = ("not_active", "scope", "fee", "conflict_check", "disclaimers")

MOVES: Mapping[tuple[EngagementStatus, EngagementEvent], EngagementStatus] = {
    (EngagementStatus.DRAFT, EngagementEvent.ACTIVATE): EngagementStatus.ACTIVE,
    (EngagementStatus.DRAFT, EngagementEvent.END): EngagementStatus.ENDED,
    (EngagementStatus.ACTIVE, EngagementEvent.END): EngagementStatus.ENDED,
}


class EngagementIncomplete(Blocked):
    """This cannot be paid for yet. {reasons}"""


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """What both sides have confirmed so far. The conflict check concerns attorneys; where it does not apply, say so."""

    status: EngagementStatus | str
    scope_confirmed_by_payer: bool = False
    scope_confirmed_by_payee: bool = False
    fee_confirmed: bool = False
    conflict_check_required: bool = True
    conflict_check_acknowledged: bool = False
    disclaimers_acknowledged: bool = False


def after(status: EngagementStatus | str, event: EngagementEvent) -> EngagementStatus:
    return move("engagement", MOVES, EngagementStatus(status), event)


def needs_conflict_check(platform: Platform | str) -> bool:
    """Only attorneys check for conflicts of interest."""
    return Platform(platform) is Platform.LEGAL_SERVICES


def unconfirmed(facts: Confirmation) -> tuple[Block, ...]:
    """The four confirmations that an engagement needs to become active; each names what is missing."""
    sides = (("the payer", facts.scope_confirmed_by_payer), ("the payee", facts.scope_confirmed_by_payee))
    who = " and ".join(side for side, confirmed in sides if not confirmed)
    conflict_checked = facts.conflict_check_acknowledged or not facts.conflict_check_required
    wanted = (
        (not who, "scope", f"The service scope summary is not confirmed by {who}."),
        (facts.fee_confirmed, "fee", "The fee mode and the price are not confirmed."),
        (conflict_checked, "conflict_check", "The attorney has not acknowledged the conflict check."),
        (facts.disclaimers_acknowledged, "disclaimers", "The platform's disclaimers are not acknowledged."),
    )
    return tuple(Block(code, sentence) for met, code, sentence in wanted if not met)


def missing(facts: Confirmation) -> tuple[Block, ...]:
    """All that stands between this engagement and a payment: its status and the four confirmations."""
    status = EngagementStatus(facts.status)
    if status is EngagementStatus.ACTIVE:
        return unconfirmed(facts)
    return (Block("not_active", f"The engagement is {words(status)}, not active."), *unconfirmed(facts))


def require_complete(facts: Confirmation) -> None:
    if blocks := missing(facts):
        raise EngagementIncomplete(blocks)
