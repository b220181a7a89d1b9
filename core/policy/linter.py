"""Do the numbers of a profile fit together? Errors refuse it; warnings are shown to whoever approves it.

A timer that leaves a gap strands money (nothing would ever move it); timers that contradict each other move money that
somebody may still dispute.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import timedelta
from enum import StrEnum

from core.errors import DeskError
from core.money import CURRENCIES, WHOLE_BPS, percent, stripe_step
from core.policy import bounds
from core.policy.named import PROFILES
from core.policy.profile import PerCurrency, Profile, Tariff, WithdrawalMethod
from core.policy.wording import exact_span

LONGEST_HELD = timedelta(days=90)
STEEP = 1_000
_STEP = {currency: stripe_step(currency) for currency in CURRENCIES}


class Level(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class PolicyFinding:
    level: Level
    code: str
    sentence: str


class PolicyContradicts(DeskError):
    """This profile cannot be used: {findings}"""


def lint(profile: Profile) -> list[PolicyFinding]:
    return [
        *_durations(profile),
        *_fees(profile),
        *_tariffs(profile),
        *_documents(profile),
        *_silence(profile),
        *_disputes(profile),
        *_amounts(profile),
        *_bounds(profile),
    ]


def accept(profile: Profile) -> list[PolicyFinding]:
    """The warnings of a profile that can be used; `PolicyContradicts` for one that cannot."""
    findings = lint(profile)
    if errors := [finding.sentence for finding in findings if finding.level is Level.ERROR]:
        raise PolicyContradicts(findings=" ".join(errors))
    return findings


def _error(code: str, sentence: str) -> PolicyFinding:
    return PolicyFinding(Level.ERROR, code, sentence)


def _warning(code: str, sentence: str) -> PolicyFinding:
    return PolicyFinding(Level.WARNING, code, sentence)


def _durations(profile: Profile) -> Iterator[PolicyFinding]:
    for name, label, value, _ in profile.lines():
        if not isinstance(value, timedelta):
            continue
        if value < timedelta(0) or (not value and name != "cooling_off"):
            yield _error("duration_not_positive", f"{label}: the time must be longer than nothing.")
        if value % timedelta(seconds=1):
            yield _error("duration_not_whole", f"{label}: the time must be whole seconds.")


def _fees(profile: Profile) -> Iterator[PolicyFinding]:
    tariffs = [value for _, _, value, _ in profile.lines() if isinstance(value, Tariff)]
    own = [profile.platform_fee_bps, profile.processor_bps, profile.tax_bps]
    rates = [*own, *(tariff.bps for tariff in tariffs)]
    if not all(0 <= rate < WHOLE_BPS for rate in rates):
        yield _error("rate_out_of_range", "Every fee rate must be at least 0 % and below 100 %.")


def _documents(profile: Profile) -> Iterator[PolicyFinding]:
    if profile.tax_bps and not (profile.issuer_name and profile.issuer_address and profile.tax_id):
        yield _error(
            "tax_of_nobody", "A document that states tax needs its issuer, their address and their tax id."
        )


def _tariffs(profile: Profile) -> Iterator[PolicyFinding]:
    """What a payee pays to withdraw: it can be moved, leaves something to withdraw, and there is a cheap way out."""
    labels = {name: label for name, label, value, _ in profile.lines() if isinstance(value, Tariff)}
    for name, label in labels.items():
        tariff: Tariff = getattr(profile, name)
        for currency in CURRENCIES:
            least = tariff.minimum.minor.get(currency, 0) + tariff.fixed.minor.get(currency, 0)
            if tariff.minimum.minor.get(currency, 0) % _STEP.get(currency, 1) or least % _STEP.get(
                currency, 1
            ):
                yield _error("tariff_step", f"{label}: amounts in {currency} must end in 0 to be moved.")
            if least and least >= profile.high_value_review.minor.get(currency, 0):
                yield _error(
                    "tariff_swallows",
                    f"{label}: in {currency} the least fee reaches the amount that counts as high.",
                )
        if tariff.bps > STEEP:
            yield _warning("tariff_steep", f"{label}: more than 10 % of a withdrawal would be kept.")
    dear = [labels[each] for each in labels if each != WithdrawalMethod.STANDARD and _cheaper(profile, each)]
    if dear:
        yield _warning(
            "standard_costly",
            f"A method that would cost everything gives way to the standard one, which costs more than: "
            f"{', '.join(dear)}.",
        )


def _cheaper(profile: Profile, name: str) -> bool:
    """Whether this method costs less than the standard one, in some currency, however much is withdrawn."""
    other, standard = getattr(profile, name), profile.standard
    return other.bps <= standard.bps and any(
        _least(other, currency) < _least(standard, currency) for currency in CURRENCIES
    )


def _least(tariff: Tariff, currency: str) -> int:
    return tariff.minimum.minor.get(currency, 0) + tariff.fixed.minor.get(currency, 0)


def _silence(profile: Profile) -> Iterator[PolicyFinding]:
    window, silence, reminder = (
        profile.dispute_window,
        profile.auto_approve_after,
        profile.first_reminder_after,
    )
    if profile.reminders and None in (reminder, profile.reminder_every):
        yield _error("reminders_half_set", "Reminders need both the first delay and the interval.")
    reminder = reminder if profile.reminders else None
    if not profile.auto_approve:
        if reminder is None:
            yield _error(
                "silence_never_ends", "Without auto-approval and reminders, silence holds the money for ever."
            )
        else:
            yield _warning("silence_waits", "Without auto-approval, funds stay held until the payer answers.")
        return
    if window is not None and silence < window:
        yield _error(
            "approved_while_disputable", "Silence would approve while the dispute window is still open."
        )
    if window is not None and window < silence:
        yield _warning(
            "complaint_gap",
            "The dispute window closes before silence approves: a complaint in between can only ask for a hold.",
        )
    if reminder is not None and reminder >= silence:
        yield _error("reminder_too_late", "The first reminder would come after silence has approved.")
    elif reminder is None:
        yield _warning("silence_unwarned", "Silence approves without a reminder before it.")
    elif window is not None and reminder >= window:
        yield _warning(
            "reminded_after_window", "The first reminder comes after the dispute window has closed."
        )


def _disputes(profile: Profile) -> Iterator[PolicyFinding]:
    path = profile.auto_approve_after + (profile.mediation_after or timedelta(0)) + profile.deadlock_after
    if profile.held_age_alarm >= LONGEST_HELD:
        yield _error(
            "alarm_too_late", "The alarm for old held funds must come before 90 days, when they must move."
        )
    elif profile.held_age_alarm <= path + profile.cooling_off:
        yield _warning(
            "alarm_in_ordinary_course", "The alarm for old held funds would sound in an ordinary dispute."
        )
    if profile.cooling_off >= profile.deadlock_after:
        yield _warning("cooling_off_long", "Cooling-off is as long as a deadlock.")


def _amounts(profile: Profile) -> Iterator[PolicyFinding]:
    tables = [getattr(profile, item.name) for item in fields(profile)]
    amounts = [table for table in tables if isinstance(table, PerCurrency)]
    for tariff in (table for table in tables if isinstance(table, Tariff)):
        amounts += [tariff.minimum, tariff.fixed]
    if any(table.minor.keys() != CURRENCIES.keys() for table in amounts):
        yield _error("currency_missing", "Every amount must be given in every currency.")
    elif any(minor < 0 for table in amounts for minor in table.minor.values()):
        yield _error("amount_negative", "No amount may be negative.")
    if profile.decisions_a_day < 1 or profile.contact_attempts < 1:
        yield _error("count_not_positive", "Counts must be at least 1.")


def _bounds(profile: Profile) -> Iterator[PolicyFinding]:
    """Each number within what is possible; outside of what is usual two people confirm that it is meant."""
    for name, label, value, _ in profile.lines():
        if isinstance(value, Tariff) and value.bps > bounds.TARIFF_POSSIBLE:
            yield _error("out_of_bounds", f"{label}: a rate above 20 % is refused: {bounds.TARIFF_WHY}.")
        if (known := bounds.BOUNDS.get(name)) is None or value is None:
            continue
        low, high = known.possible
        if not low <= value <= high:
            yield _error("out_of_bounds", f"{label}: {_range(name, low, high)} is possible: {known.why}.")
        elif not known.usual[0] <= value <= known.usual[1]:
            yield _warning("unusual", f"{label}: outside of what is usual, {_range(name, *known.usual)}.")
    yield from _amount_bounds(profile)


def _amount_bounds(profile: Profile) -> Iterator[PolicyFinding]:
    first = PROFILES[profile.platform]
    for name, label, value, _ in profile.lines():
        if not isinstance(value, PerCurrency):
            continue
        for currency, minor in sorted(value.minor.items()):
            measure = getattr(first, name).minor.get(currency, 0)
            if not measure or minor < 0:
                continue
            if not measure <= minor * bounds.TIMES_POSSIBLE or minor > measure * bounds.TIMES_POSSIBLE:
                yield _error("out_of_bounds", f"{label} in {currency} is refused: {bounds.AMOUNTS_WHY}.")
            elif not measure <= minor * bounds.TIMES_USUAL or minor > measure * bounds.TIMES_USUAL:
                yield _warning(
                    "unusual", f"{label} in {currency}: more than ten times off the first version."
                )


def _range(name: str, low: int | timedelta, high: int | timedelta) -> str:
    return f"from {_said(name, low)} to {_said(name, high)}"


def _said(name: str, value: int | timedelta) -> str:
    match value:
        case timedelta():
            return exact_span(value)
        case _ if name.endswith("_bps"):
            return percent(value)
    return str(value)
