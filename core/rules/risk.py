"""What a person must look at before money moves (payment-escrow-rules, Risk Controls)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.money import Money
from core.policy import Profile
from core.rules.blocks import Block


@dataclass(frozen=True, kw_only=True)
class RiskFacts:
    amount: Money
    contact_attempts: int = 0
    threat_reports: int = 0
    practice_mismatch: bool = False


def high_value(amount: Money, profile: Profile) -> bool:
    """Above the threshold of its currency; the threshold itself is not above."""
    return amount > profile.high_value_review.of(amount.currency)


def reviews(facts: RiskFacts, profile: Profile) -> tuple[Block, ...]:
    """Every reason for a manual review; empty when there is none."""
    return tuple(_reasons(facts, profile))


def _reasons(facts: RiskFacts, profile: Profile) -> Iterator[Block]:
    if facts.contact_attempts >= profile.contact_attempts:
        yield Block(
            "off_platform_contact", f"{facts.contact_attempts} attempts to make contact off the platform."
        )
    if facts.threat_reports > 0:
        yield Block("threat_report", "Harassment or a threat was reported.")
    if high_value(facts.amount, profile):
        limit = profile.high_value_review.of(facts.amount.currency)
        yield Block("high_value", f"{facts.amount} is above {limit}.")
    if facts.practice_mismatch:
        yield Block(
            "practice_mismatch", "The practice is licensed in another state, and this is not resolved."
        )
