"""What is in force for the caller's marketplace: what may be agreed, what it costs, and which times run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from core.actions.funding import settlement_currency
from core.actions.staff import policy_in_force
from core.api.http.dependencies import CurrentCaller, CurrentDesk, ReadSession, Route
from core.api.models.responses.platform import (
    CurrencyAnswer,
    DeadlinesAnswer,
    PlatformAnswer,
    ProjectTypeAnswer,
    WithdrawalTariffAnswer,
)
from core.api.plain import money
from core.money import CURRENCIES
from core.policy import OFFERED, REVIEWS_HIDDEN_FOR, Profile, WithdrawalMethod
from core.policy.limits import SETTLEMENT_PROPOSAL_STANDS
from core.rules.amount_limits import milestone_limits
from core.rules.engagement import needs_conflict_check
from core.rules.schedule import NOT_SUPPORTED, FeeMode
from core.rules.templates import ProjectType

router = APIRouter(route_class=Route, tags=["Platform"])


@router.get("/platform", summary="Read what is in force", response_model=PlatformAnswer)
def read_platform(caller: CurrentCaller, desk: CurrentDesk, session: ReadSession) -> Response:
    """Types, fee modes, fees, smallest and largest amounts and times, as a project that begins now gets them.

    A project keeps what was in force when its bid was accepted.
    """
    profile = policy_in_force.of(session, caller.platform, desk.clock())[1]
    return JSONResponse(of_platform(session, profile))


def of_platform(session: Session, profile: Profile) -> PlatformAnswer:
    settled = {row.currency: row.settles for row in settlement_currency.known(session)}
    return {
        "platform": profile.platform,
        "policy_version": profile.version,
        "project_types": [_type(each) for each in ProjectType if each.platform is profile.platform],
        "fee_modes": [each for each in FeeMode if each not in NOT_SUPPORTED],
        "conflict_check": needs_conflict_check(profile.platform),
        "platform_fee_bps": profile.platform_fee_bps,
        "processing_fee_bps": profile.processor_bps,
        "currencies": [_currency(each, profile, settled) for each in CURRENCIES],
        "withdrawals": [_tariff(method, currency, profile) for method in OFFERED for currency in CURRENCIES],
        "deadlines": _deadlines(profile),
    }


def _type(type: ProjectType) -> ProjectTypeAnswer:
    return {"project_type": type, "acceptance_rule": type.acceptance_rule}


def _currency(currency: str, profile: Profile, settled: Mapping[str, bool]) -> CurrencyAnswer:
    smallest, largest = milestone_limits(currency, profile)
    return {
        "currency": currency,
        "digits": CURRENCIES[currency].digits,
        "payable": settled.get(currency, False),
        "step": CURRENCIES[currency].stripe_step,
        "smallest_milestone": money(smallest.minor, currency),
        "largest_milestone": money(largest.minor, currency),
        "processing_fee_fixed": money(profile.processor_fixed.of(currency).minor, currency),
    }


def _tariff(method: WithdrawalMethod, currency: str, profile: Profile) -> WithdrawalTariffAnswer:
    tariff = profile.tariff(method)
    return {
        "method": method,
        "bps": tariff.bps,
        "minimum": money(tariff.minimum.of(currency).minor, currency),
        "fixed": money(tariff.fixed.of(currency).minor, currency),
    }


def _deadlines(profile: Profile) -> DeadlinesAnswer:
    """In seconds; None where there is no such time on this marketplace."""
    reminded = profile.reminders
    return {
        "first_reminder_after": _seconds(profile.first_reminder_after if reminded else None),
        "reminder_every": _seconds(profile.reminder_every if reminded else None),
        "dispute_window": _seconds(profile.dispute_window),
        "auto_release_after": _seconds(profile.auto_approve_after if profile.auto_approve else None),
        "session_grace": _seconds(profile.consultation_grace),
        "mediation_after": _seconds(profile.mediation_after),
        "decision_within": int(profile.deadlock_after.total_seconds()),
        "decision_cooling_off": int(profile.cooling_off.total_seconds()),
        "settlement_proposal_stands": int(SETTLEMENT_PROPOSAL_STANDS.total_seconds()),
        "reviews_hidden_for": int(REVIEWS_HIDDEN_FOR.total_seconds()),
    }


def _seconds(span: timedelta | None) -> int | None:
    return int(span.total_seconds()) if span is not None else None
