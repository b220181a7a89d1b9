"""The two profiles, in their first version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from core.money import CURRENCIES
from core.policy.profile import PerCurrency, Platform, Profile, Tariff


def _each(dollars: int, *, JPY: int, KWD: int, **others: int) -> PerCurrency:
    return PerCurrency({**dict.fromkeys(CURRENCIES, dollars), "JPY": JPY, "KWD": KWD, **others})


# Internal policy where it names only dollars: about the same worth in yen and dinars, Stripe's own fixed parts in
# euros and pounds.
_PROCESSOR_FIXED = _each(30, JPY=40, KWD=100, EUR=25, GBP=20)
_FIVE_THOUSAND = _each(500_000, JPY=750_000, KWD=1_500_000)

HOME_SERVICES = Profile(
    platform=Platform.HOME_SERVICES,
    platform_fee_bps=250,
    processor_bps=290,
    processor_fixed=_PROCESSOR_FIXED,
    standard=Tariff(),
    instant=Tariff(bps=150, minimum=_each(50, JPY=75, KWD=150)),
    check=Tariff(fixed=_each(200, JPY=300, KWD=600)),
    wire=Tariff(fixed=_each(1500, JPY=2250, KWD=4500)),
    reminders=True,
    first_reminder_after=timedelta(hours=72),
    reminder_every=timedelta(hours=24),
    dispute_window=timedelta(days=5),
    auto_approve=True,
    auto_approve_after=timedelta(days=7),
    consultation_grace=None,
    mediation_after=timedelta(days=3),
    deadlock_after=timedelta(days=7),
    high_value_review=_FIVE_THOUSAND,
    second_person_above=_FIVE_THOUSAND,
    decisions_a_day=2,
    cooling_off=timedelta(0),
    held_age_alarm=timedelta(days=75),
    contact_attempts=2,
    contact_window=timedelta(days=30),
    bank_change_hold=timedelta(days=3),
    documents_kept=timedelta(days=10 * 365),
    person_kept=timedelta(days=5 * 365),
    newcomer_kept=timedelta(days=2 * 365),
)

LEGAL_SERVICES = replace(
    HOME_SERVICES,
    platform=Platform.LEGAL_SERVICES,
    platform_fee_bps=0,
    reminders=False,
    first_reminder_after=None,
    reminder_every=None,
    dispute_window=None,
    auto_approve_after=timedelta(hours=72),
    consultation_grace=timedelta(hours=24),
    mediation_after=None,
    cooling_off=timedelta(hours=24),
    person_kept=timedelta(days=10 * 365),
)

# Which default milestones a project begins with: from the first total on it is of medium size, from the second large.
MEDIUM_FROM = _each(250_000, JPY=375_000, KWD=750_000)
LARGE_FROM = _each(1_500_000, JPY=2_250_000, KWD=4_500_000)

PROFILES: Mapping[Platform, Profile] = {
    profile.platform: profile for profile in (HOME_SERVICES, LEGAL_SERVICES)
}
