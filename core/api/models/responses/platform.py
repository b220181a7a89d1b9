"""What is in force for a marketplace."""

from __future__ import annotations

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.api.models.names import AcceptanceRuleName, CurrencyCode
from core.api.models.responses.plain import MoneyAnswer
from core.policy import Platform, WithdrawalMethod
from core.rules.schedule import FeeMode
from core.rules.templates import ProjectType


class ProjectTypeAnswer(TypedDict):
    """A type that is offered, and how its milestones are accepted unless the payer says otherwise."""

    project_type: ProjectType
    acceptance_rule: AcceptanceRuleName


class CurrencyAnswer(TypedDict):
    """`payable`: whether payments in it can be taken. Amounts are multiples of `step` minor units. The processing fee
    is its basis points of the whole charge, and this fixed part."""

    currency: CurrencyCode
    digits: int
    payable: bool
    step: int
    smallest_milestone: MoneyAnswer
    largest_milestone: MoneyAnswer
    processing_fee_fixed: MoneyAnswer


class WithdrawalTariffAnswer(TypedDict):
    """A withdrawal costs `bps` hundredths of a percent of it, at least `minimum`, plus `fixed`."""

    method: WithdrawalMethod
    bps: int
    minimum: MoneyAnswer
    fixed: MoneyAnswer


class DeadlinesAnswer(TypedDict):
    """In seconds; null where there is no such time on this marketplace."""

    first_reminder_after: int | None
    reminder_every: int | None
    dispute_window: int | None
    auto_release_after: int | None
    session_grace: int | None
    mediation_after: int | None
    decision_within: int
    decision_cooling_off: int
    settlement_proposal_stands: int
    reviews_hidden_for: int


class PlatformAnswer(TypedDict):
    """What is in force for this marketplace. Fees in hundredths of a percent, paid by the payer on top."""

    platform: Platform
    policy_version: int
    project_types: list[ProjectTypeAnswer]
    fee_modes: list[FeeMode]
    conflict_check: bool
    platform_fee_bps: int
    processing_fee_bps: int
    currencies: list[CurrencyAnswer]
    withdrawals: list[WithdrawalTariffAnswer]
    deadlines: DeadlinesAnswer
