"""What a person must look at before money moves (payment-escrow-rules, Risk Controls)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from core.money import Money
from core.policy import Profile
from core.rules.references import reference
from core.rules.refusal_reasons import Block, Blocked


class ReviewOutcome(StrEnum):
    """CLEARED: nothing stands in the way any more. HELD: a hold takes the review's place."""

    CLEARED = "CLEARED"
    HELD = "HELD"


class ReviewStillNeeded(Blocked):
    """This review cannot be settled before its causes are: {reasons}"""


@dataclass(frozen=True, kw_only=True)
class RiskFacts:
    """`value_reviewed`: someone has settled a review of this amount already, and it is not reviewed twice.

    `open_reports`: every report about the milestone or its project that nobody has settled.
    """

    amount: Money
    contact_attempts: int = 0
    threat_reports: int = 0
    severe_reports: int = 0
    open_reports: tuple[int, ...] = ()
    practice_mismatch: bool = False
    value_reviewed: bool = False


MISMATCH = Block("practice_mismatch", "The practice is licensed in another state, and this is not resolved.")


def high_value(amount: Money, profile: Profile) -> bool:
    """Above the threshold of its currency; the threshold itself is not above."""
    return amount > profile.high_value_review.of(amount.currency)


def reviews(facts: RiskFacts, profile: Profile) -> tuple[Block, ...]:
    """Every reason for a risk review; empty when there is none."""
    return tuple(_reasons(facts, profile))


def require_settled(facts: RiskFacts, profile: Profile) -> None:
    """A review ends once every report about its milestone is settled and its mismatch is resolved.

    What was upheld, and a high value, is only looked at: the outcome says what follows.
    """
    if blocks := tuple(_unsettled(facts)):
        raise ReviewStillNeeded(blocks)


def _reasons(facts: RiskFacts, profile: Profile) -> Iterator[Block]:
    if facts.contact_attempts >= profile.contact_attempts:
        days = profile.contact_window // timedelta(days=1)
        yield Block(
            "off_platform_contact",
            f"{facts.contact_attempts} attempts to make contact off the platform within {days} days, "
            "upheld or not yet settled.",
        )
    if facts.threat_reports > 0:
        yield Block("threat_report", "Harassment or a threat was reported.")
    if facts.severe_reports > 0:
        yield Block("severe_report", "A severe report was upheld.")
    if high_value(facts.amount, profile) and not facts.value_reviewed:
        limit = profile.high_value_review.of(facts.amount.currency)
        yield Block("high_value", f"{facts.amount} is above {limit}.")
    if facts.practice_mismatch:
        yield MISMATCH


def _unsettled(facts: RiskFacts) -> Iterator[Block]:
    for number in facts.open_reports:
        yield Block("open_report", f"Report {reference('report', number)} is not settled.")
    if facts.practice_mismatch:
        yield MISMATCH
