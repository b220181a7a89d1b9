"""What one person proposes and a second confirms: one kind or another, and one law for all of them.

Maker and checker are two people, and administrators are not exempt. Neither has a tie to a party of what is proposed,
nor recused themselves from a case about it. Whoever proposed it must still be someone who may when it is confirmed: a
proposal stands on its maker. Nothing waits for ever (docs/decisions/0022).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.errors import DeskError
from core.policy.limits import PROPOSAL_STANDS
from core.rules.permissions import TABLE, Permission, Role


class ProposalKind(StrEnum):
    DECISION = "DECISION"
    POLICY_CHANGE = "POLICY_CHANGE"
    CHARGEBACK_ACCEPTANCE = "CHARGEBACK_ACCEPTANCE"
    CHARGEBACK_ANSWER = "CHARGEBACK_ANSWER"
    REFUND_RETURN = "REFUND_RETURN"
    SUSPENSE_EXPLANATION = "SUSPENSE_EXPLANATION"
    PERIOD_REOPENING = "PERIOD_REOPENING"
    DEBT_WRITE_OFF = "DEBT_WRITE_OFF"
    MANUAL_JOURNAL = "MANUAL_JOURNAL"
    BANK_CHANGE = "BANK_CHANGE"
    HOLD_LIFT = "HOLD_LIFT"
    ROLE_GRANT = "ROLE_GRANT"
    ERASURE = "ERASURE"


class ProposalStatus(StrEnum):
    PROPOSED = "PROPOSED"
    PUBLISHED = "PUBLISHED"
    """A policy change: another has published it."""
    ACCEPTED = "ACCEPTED"
    """The acceptance of a chargeback: another has accepted it."""
    DONE = "DONE"
    """A refund's return: another has confirmed that it left our bank. A period: another has reopened it. A debt:
    another has written it off. A bank change: another has agreed to accept it, refuse it or let it wait longer.
    A hold: another has lifted it. Roles: another administrator has given them.
    A person: another has approved that they are erased, and they are."""
    POSTED = "POSTED"
    """A manual journal: another has approved it, and it is in the ledger."""
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"
    RETURNED = "RETURNED"
    """It fell by itself, and its maker was told why."""


REFUSED = (ProposalStatus.REJECTED, ProposalStatus.WITHDRAWN)
# What may become of a proposal, by what it is about.
ENDS: Mapping[ProposalKind, tuple[ProposalStatus, ...]] = {
    ProposalKind.POLICY_CHANGE: (ProposalStatus.PUBLISHED, *REFUSED, ProposalStatus.RETURNED),
    ProposalKind.CHARGEBACK_ACCEPTANCE: (ProposalStatus.ACCEPTED, *REFUSED, ProposalStatus.RETURNED),
    ProposalKind.REFUND_RETURN: (ProposalStatus.DONE, *REFUSED),
    ProposalKind.PERIOD_REOPENING: (ProposalStatus.DONE, *REFUSED, ProposalStatus.RETURNED),
    ProposalKind.DEBT_WRITE_OFF: (ProposalStatus.DONE, *REFUSED, ProposalStatus.RETURNED),
    ProposalKind.BANK_CHANGE: (ProposalStatus.DONE, *REFUSED, ProposalStatus.RETURNED),
    ProposalKind.HOLD_LIFT: (ProposalStatus.DONE, *REFUSED, ProposalStatus.RETURNED),
    ProposalKind.ROLE_GRANT: (ProposalStatus.DONE, *REFUSED, ProposalStatus.RETURNED),
    ProposalKind.ERASURE: (ProposalStatus.DONE, *REFUSED, ProposalStatus.RETURNED),
    ProposalKind.MANUAL_JOURNAL: (ProposalStatus.POSTED, *REFUSED, ProposalStatus.RETURNED),
}


def statuses_of(kind: ProposalKind) -> tuple[ProposalStatus, ...]:
    return (ProposalStatus.PROPOSED, *ENDS[kind])


@dataclass(frozen=True)
class Terms:
    """`noun` and the verbs are those of the sentences; `make`: one of these is what its maker needs.

    `stands`: it says what was done already, so time alone takes nothing of it away.
    """

    noun: str
    made: str
    confirm: str
    make: tuple[Permission, ...]
    stands: bool = False


TERMS: Mapping[ProposalKind, Terms] = {
    ProposalKind.DECISION: Terms(
        "decision", "made this decision", "approve it", (Permission.DECIDE, Permission.DECIDE_ESCALATED)
    ),
    ProposalKind.POLICY_CHANGE: Terms(
        "policy change", "proposed this change", "publish it", (Permission.CHANGE_POLICY,)
    ),
    ProposalKind.CHARGEBACK_ACCEPTANCE: Terms(
        "proposal to accept the chargeback",
        "proposed this",
        "accept the chargeback",
        (Permission.ANSWER_CHARGEBACK,),
    ),
    # The bank's last moment ends it.
    ProposalKind.CHARGEBACK_ANSWER: Terms(
        "answer to the bank",
        "drafted this answer",
        "send it to the bank",
        (Permission.ANSWER_CHARGEBACK,),
        stands=True,
    ),
    # The money may have left: a debt whose record lapsed by itself would be paid twice.
    ProposalKind.REFUND_RETURN: Terms(
        "record of an external refund",
        "recorded this refund",
        "confirm it",
        (Permission.PROPOSE_RETURN,),
        stands=True,
    ),
    ProposalKind.DEBT_WRITE_OFF: Terms(
        "write-off", "proposed this write-off", "approve it", (Permission.WRITE_OFF_DEBT,)
    ),
    ProposalKind.SUSPENSE_EXPLANATION: Terms(
        "explanation", "explained this amount", "approve it", (Permission.SETTLE_SUSPENSE,)
    ),
    ProposalKind.MANUAL_JOURNAL: Terms(
        "manual journal", "proposed this journal", "approve it", (Permission.PROPOSE_JOURNAL,)
    ),
    ProposalKind.BANK_CHANGE: Terms(
        "proposal about the bank account",
        "proposed this",
        "approve it",
        (Permission.DECIDE_BANK_CHANGE,),
    ),
    ProposalKind.HOLD_LIFT: Terms(
        "proposal to lift a hold", "proposed to lift this hold", "approve it", (Permission.RELEASE_HOLD,)
    ),
    ProposalKind.ROLE_GRANT: Terms(
        "proposal to give roles", "proposed these roles", "approve them", (Permission.MANAGE_STAFF,)
    ),
    ProposalKind.ERASURE: Terms(
        "erasure", "proposed this erasure", "approve it", (Permission.PROPOSE_ERASURE,)
    ),
    ProposalKind.PERIOD_REOPENING: Terms(
        "request to reopen a period",
        "asked for this period to be reopened",
        "reopen it",
        (Permission.REOPEN_PERIOD,),
    ),
}


class MakerIsChecker(DeskError):
    """You {made}, so someone else must {confirm}."""


class ProposalEnded(DeskError):
    """This {noun} is {status}, so nothing waits for a second person any more."""


class ProposalWaits(DeskError):
    """{who} proposed {what} ({when:%-d %b %Y, %H:%M} UTC). That has to be confirmed, rejected or withdrawn first.

    `what` goes on after "proposed": `to reopen October 2026`, `that the bank account be accepted`.
    """


class ProposalFallen(DeskError):
    """{why} This {noun} can no longer be confirmed. Someone who may can propose it again."""


class TiedToParty(DeskError):
    """You have a tie to a party concerned, so someone else must do this."""


class RecusedFromCase(DeskError):
    """You recused yourself from a case about this milestone, so someone else must do this."""


GONE = "Whoever proposed it no longer works here."
NO_ROLE = "Whoever proposed it no longer has a role that may."
TIED = "Whoever proposed it has declared a tie to a party since."
RECUSED = "The proposer has since been recused from the case."
OLD = "Nobody confirmed it within {days} days."


@dataclass(frozen=True)
class Maker:
    """What is known now of whoever proposed it, or wants to."""

    active: bool
    roles: Collection[Role]
    tied: bool
    recused: bool


def flaw(kind: ProposalKind, maker: Maker) -> str | None:
    """Why a proposal no longer stands on its maker, in one sentence that names nobody; None while it does."""
    if not maker.active:
        return GONE
    if not any(TABLE[each] & frozenset(maker.roles) for each in TERMS[kind].make):
        return NO_ROLE
    if maker.tied:
        return TIED
    if maker.recused:
        return RECUSED
    return None


def expired(kind: ProposalKind, made_at: datetime, now: datetime) -> str | None:
    """That it has waited for too long, in one sentence; None as long as it has not."""
    if TERMS[kind].stands or now - made_at <= PROPOSAL_STANDS:
        return None
    return OLD.format(days=PROPOSAL_STANDS.days)


def check_two(kind: ProposalKind, *, maker_id: int | None, checker_id: int | None) -> None:
    """Two people, always; the database says so too. Raises `MakerIsChecker`."""
    if maker_id == checker_id:
        raise MakerIsChecker(made=TERMS[kind].made, confirm=TERMS[kind].confirm)


def ended(kind: ProposalKind, status: str) -> ProposalEnded:
    return ProposalEnded(noun=TERMS[kind].noun, status=status.replace("_", " ").lower())


def fallen(kind: ProposalKind, why: str) -> ProposalFallen:
    return ProposalFallen(noun=TERMS[kind].noun, why=why)
