"""Who is written to because of a decision, and when: the one table that the plan shows and its execution follows.

Letters of another course (a bank refuses, someone stops the money, the case changes) stand in place of these and are
not among them; nor is what the next milestone or the reviews bring with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.rules.grounds import DecisionOutcome

BOTH = ("payer", "payee")


class Moment(StrEnum):
    CONFIRMED = "CONFIRMED"  # by its maker
    DECIDED = "DECIDED"  # for good: confirmed, or approved where a second person must
    CARRIED_OUT = "CARRIED_OUT"  # once the cooling-off is over
    REFUND_SENT = "REFUND_SENT"
    PAYOUT_SENT = "PAYOUT_SENT"
    OVER = "OVER"  # no money of the milestone waits to move


class Sequel(StrEnum):
    """What comes of the project when the milestone is over."""

    NEXT = "NEXT"
    REVIEWS = "REVIEWS"
    NOTHING = "NOTHING"


@dataclass(frozen=True)
class Due:
    """The letter `template` is written to `audience` then."""

    template: str
    audience: str
    moment: Moment


@dataclass(frozen=True)
class Course:
    """Whatever of a decision says who is written to. `in_place_of`: the case is another mediator's; `refund` and
    `payout`: something is sent to the payer or the payee by itself."""

    outcome: DecisionOutcome
    cools_off: bool
    kept_back: bool
    refund: bool
    payout: bool
    sequel: Sequel
    in_place_of: bool = False
    agreed: bool = False  # by the parties themselves: no mediator decides, and nothing cools off


def template_of(outcome: DecisionOutcome) -> str:
    return f"decision_{outcome.value.lower()}"


def announced(*, cools_off: bool) -> tuple[Due, ...]:
    """Only a decision that waits is announced before it is carried out."""
    return _both("decision_announced", Moment.DECIDED) if cools_off else ()


def carried_out(outcome: DecisionOutcome) -> tuple[Due, ...]:
    return _both(template_of(outcome), Moment.CARRIED_OUT)


def agreed() -> tuple[Due, ...]:
    return _both("settlement_proposal_accepted", Moment.CARRIED_OUT)


def sequel(what: Sequel) -> tuple[Due, ...]:
    """The next milestone is to be funded, or both are asked to review each other."""
    match what:
        case Sequel.NEXT:
            return (
                Due("next_milestone_funding", "payer", Moment.OVER),
                Due("next_milestone_active", "payee", Moment.OVER),
            )
        case Sequel.REVIEWS:
            return _both("project_review_request", Moment.OVER)
    return ()


def all_of(course: Course) -> tuple[Due, ...]:
    """Every letter of a decision, or of an agreement, that takes its course, in the order of time."""
    own = (
        (course.in_place_of, Due("case_decided_by_another", "staff", Moment.CONFIRMED)),
        *((True, each) for each in announced(cools_off=course.cools_off)),
        *((True, each) for each in (agreed() if course.agreed else carried_out(course.outcome))),
        (course.kept_back, Due("debt_kept_back", "payee", Moment.CARRIED_OUT)),
        (course.refund, Due("refund_sent", "payer", Moment.REFUND_SENT)),
        (course.payout, Due("payment_sent", "payee", Moment.PAYOUT_SENT)),
    )
    return (*(due for there, due in own if there), *sequel(course.sequel))


def _both(template: str, moment: Moment) -> tuple[Due, ...]:
    return tuple(Due(template, side, moment) for side in BOTH)
