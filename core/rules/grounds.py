"""Why a decision is made: each ground, the outcomes it carries, and who bears the processor's fee.

(payment-escrow-rules, Refund Rules.) Every decision that refunds cites four things: the engagement scope, the message
history, the milestone evidence and the resolution notes of the case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.errors import DeskError
from core.rules.transitions import label, words


class DecisionOutcome(StrEnum):
    FULL_RELEASE = "FULL_RELEASE"
    PARTIAL_RELEASE = "PARTIAL_RELEASE"
    FULL_REFUND = "FULL_REFUND"

    @property
    def label(self) -> str:
        return label(self)


FULL_RELEASE, PARTIAL_RELEASE, FULL_REFUND = DecisionOutcome


class Ground(StrEnum):
    WORK_DELIVERED = "WORK_DELIVERED"
    PARTIAL_WORK = "PARTIAL_WORK"
    WORK_NOT_AS_AGREED = "WORK_NOT_AS_AGREED"
    SERVICE_NOT_STARTED = "SERVICE_NOT_STARTED"
    PROVIDER_NO_SHOW = "PROVIDER_NO_SHOW"
    DUPLICATE_PAYMENT = "DUPLICATE_PAYMENT"
    AGREED_CANCELLATION = "AGREED_CANCELLATION"
    OUTCOME_DISSATISFACTION = "OUTCOME_DISSATISFACTION"
    AGREED_SPLIT = "AGREED_SPLIT"

    @property
    def label(self) -> str:
        return label(self)


@dataclass(frozen=True)
class Terms:
    """`platform_absorbs`: the platform pays the processor's fee back to the payer, on top of what was held."""

    outcomes: frozenset[DecisionOutcome]
    explanation: str
    platform_absorbs: bool = False
    second_person: bool = False


TERMS: Mapping[Ground, Terms] = {
    Ground.WORK_DELIVERED: Terms(frozenset({FULL_RELEASE}), "The agreed work was delivered."),
    Ground.PARTIAL_WORK: Terms(frozenset({PARTIAL_RELEASE}), "Part of the agreed work was delivered."),
    # Not in the specification, which knows only legal work: work that is done but is not what was agreed.
    Ground.WORK_NOT_AS_AGREED: Terms(
        frozenset({PARTIAL_RELEASE, FULL_REFUND}), "What was delivered is not what was agreed."
    ),
    Ground.SERVICE_NOT_STARTED: Terms(
        frozenset({FULL_REFUND}), "The work was never begun.", platform_absorbs=True
    ),
    Ground.PROVIDER_NO_SHOW: Terms(
        frozenset({FULL_REFUND}), "The payee did not appear.", platform_absorbs=True
    ),
    Ground.DUPLICATE_PAYMENT: Terms(
        frozenset({FULL_REFUND}), "The same was paid twice.", platform_absorbs=True
    ),
    Ground.AGREED_CANCELLATION: Terms(frozenset({FULL_REFUND}), "Both parties agreed to cancel."),
    Ground.OUTCOME_DISSATISFACTION: Terms(
        frozenset({PARTIAL_RELEASE, FULL_REFUND}),
        "The payer is unhappy with the result; the work itself is not in question.",
        second_person=True,
    ),
    # Carries no decision: the parties themselves have agreed, through a settlement proposal.
    Ground.AGREED_SPLIT: Terms(frozenset(), "Both parties agreed on how to divide what is held."),
}


class Reference(StrEnum):
    ENGAGEMENT_SCOPE = "ENGAGEMENT_SCOPE"
    MESSAGE_HISTORY = "MESSAGE_HISTORY"
    MILESTONE_EVIDENCE = "MILESTONE_EVIDENCE"
    RESOLUTION_NOTES = "RESOLUTION_NOTES"

    @property
    def label(self) -> str:
        return label(self)


FOUR_REFERENCES = tuple(Reference)


class GroundDoesNotFit(DeskError):
    """“{ground}” is no ground for a {outcome}."""


class OutcomeNotGuaranteed(DeskError):
    """The agreed work was delivered, and its outcome was never guaranteed: there is no refund for dissatisfaction.

    An override is possible, and a second person must approve it (payment-escrow-rules, Refund Rules).
    """


class ReferencesMissing(DeskError):
    """A decision that refunds anything must cite {missing}."""


def outcomes(ground: Ground) -> frozenset[DecisionOutcome]:
    return TERMS[ground].outcomes


def for_outcome(outcome: DecisionOutcome) -> tuple[Ground, ...]:
    """The grounds that can carry this outcome, in the order they are offered."""
    return tuple(ground for ground in Ground if outcome in TERMS[ground].outcomes)


def check(
    ground: Ground, outcome: DecisionOutcome, *, delivered: bool = False, override: bool = False
) -> None:
    """May this ground carry this outcome? `override`: although the agreed work was `delivered`, for approval."""
    if outcome not in TERMS[ground].outcomes:
        raise GroundDoesNotFit(ground=ground.label, outcome=words(outcome))
    if ground is Ground.OUTCOME_DISSATISFACTION and delivered and not override:
        raise OutcomeNotGuaranteed()


# After these the mediator chooses whether the project goes on (internal policy): nobody works on it any more.
MAY_END_PROJECT = frozenset({Ground.SERVICE_NOT_STARTED, Ground.PROVIDER_NO_SHOW, Ground.AGREED_CANCELLATION})


class ProjectGoesOn(DeskError):
    """A decision on the ground “{ground}” does not end the project."""


def check_end(ground: Ground, *, ends_project: bool) -> None:
    if ends_project and ground not in MAY_END_PROJECT:
        raise ProjectGoesOn(ground=ground.label)


def platform_absorbs(ground: Ground) -> bool:
    """Does the platform bear the processor's fee? Otherwise the payer does, who paid it."""
    return TERMS[ground].platform_absorbs


def needs_second_person(ground: Ground) -> bool:
    return TERMS[ground].second_person


def missing_references(citations: Iterable[str]) -> tuple[Reference, ...]:
    """Which of the four kinds of reference are not among the cited kinds."""
    cited = set(citations)
    return tuple(reference for reference in FOUR_REFERENCES if reference.value not in cited)


def require_references(citations: Iterable[str]) -> None:
    if missing := missing_references(citations):
        raise ReferencesMissing(missing=", ".join(words(reference) for reference in missing))
