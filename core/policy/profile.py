"""What a profile is: frozen data, each line with its label and where its number comes from.

Durations are whole seconds when stored; fees are hundredths of a percent (bps) and minor units. Where a specification
names no number, the source says "the desk's choice".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

from core.errors import DeskError
from core.money import CURRENCIES, Money, UnknownCurrency

FLOW = "milestone-payment-flow"
RULES = "payment-escrow-rules"
CHOICE = "the desk's choice"


class Platform(StrEnum):
    HOME_SERVICES = "home_services"
    LEGAL_SERVICES = "legal_services"


class WithdrawalMethod(StrEnum):
    STANDARD = "standard"
    INSTANT = "instant"
    CHECK = "check"
    WIRE = "wire"


class SnapshotUnreadable(DeskError):
    """This policy snapshot cannot be read: {why}."""


@dataclass(frozen=True)
class PerCurrency:
    """One amount in each currency, in minor units."""

    minor: Mapping[str, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "minor", MappingProxyType(dict(self.minor)))

    def __hash__(self) -> int:
        return hash(tuple(sorted(self.minor.items())))

    # A mapping proxy does not pickle by itself.
    def __reduce__(self) -> tuple[Any, ...]:
        return PerCurrency, (dict(self.minor),)

    def of(self, currency: str) -> Money:
        if currency not in self.minor:
            raise UnknownCurrency(currency=currency)
        return Money(self.minor[currency], currency)

    @classmethod
    def nothing(cls) -> PerCurrency:
        return cls(dict.fromkeys(CURRENCIES, 0))


@dataclass(frozen=True)
class Tariff:
    """A withdrawal costs `bps` of the amount, at least `minimum`, plus `fixed`."""

    bps: int = 0
    minimum: PerCurrency = field(default_factory=PerCurrency.nothing)
    fixed: PerCurrency = field(default_factory=PerCurrency.nothing)


def _rule(label: str, home: str, legal: str) -> Any:
    return field(metadata={"label": label, Platform.HOME_SERVICES: home, Platform.LEGAL_SERVICES: legal})


_PASSED_THROUGH = f"{FLOW}, Key Business Rules 4"
_WITHDRAWAL = f"{FLOW}, Key Business Rules 4: variable by withdrawal method; the amounts are {CHOICE}"
_TIMERS = f"{FLOW}, Key Business Rules"


@dataclass(frozen=True, kw_only=True)
class Profile:
    platform: Platform
    version: int = 1
    platform_fee_bps: int = _rule("Platform fee, paid by the payer on top", f"{_TIMERS} 4", CHOICE)
    processor_bps: int = _rule("Processor fee, passed through to the payer", _PASSED_THROUGH, CHOICE)
    processor_fixed: PerCurrency = _rule("Processor fee, fixed part", _PASSED_THROUGH, CHOICE)
    standard: Tariff = _rule("Withdrawal to a bank account", _WITHDRAWAL, CHOICE)
    instant: Tariff = _rule("Instant withdrawal", _WITHDRAWAL, CHOICE)
    check: Tariff = _rule("Withdrawal by check", _WITHDRAWAL, CHOICE)
    wire: Tariff = _rule("Withdrawal by wire", _WITHDRAWAL, CHOICE)
    first_reminder_after: timedelta | None = _rule("First reminder to verify", f"{_TIMERS} 2", "no reminders")
    reminder_every: timedelta | None = _rule("Then a reminder every", f"{_TIMERS} 2", "no reminders")
    dispute_window: timedelta | None = _rule(
        "Dispute window after the notice", f"{_TIMERS} 3", f"{RULES}, Release Rules: until release"
    )
    auto_approve: bool = _rule(
        "Silence is approval", f"{_TIMERS} 5", f"{RULES}, Milestone Rules: per acceptance rule"
    )
    auto_approve_after: timedelta = _rule(
        "Silence needed for approval", f"{_TIMERS} 5", f"{RULES}, Release Rules: 72h"
    )
    consultation_grace: timedelta | None = _rule(
        "Grace after a consultation", "no consultations", f"{RULES}, Release Rules: 24h"
    )
    mediation_after: timedelta | None = _rule(
        "Mediation after a dispute opened", f"{_TIMERS} 6", "on ticket UNDER_REVIEW"
    )
    deadlock_after: timedelta = _rule(
        "Deadlock, to the administrators", f"{FLOW}, Error Handling 3; the length is {CHOICE}", CHOICE
    )
    high_value_review: PerCurrency = _rule("High-value review above", CHOICE, f"{RULES}, Risk Controls")
    second_person_above: PerCurrency = _rule("Second person above", CHOICE, CHOICE)
    decisions_a_day: int = _rule("Decisions for one beneficiary in 24 h without a second person", CHOICE, CHOICE)
    cooling_off: timedelta = _rule("Cooling-off before a decision is executed", CHOICE, CHOICE)
    held_age_alarm: timedelta = _rule("Alarm when funds are held for", CHOICE, CHOICE)
    contact_attempts: int = _rule("Off-platform contact attempts before review", CHOICE, f"{RULES}, Risk Controls")

    @property
    def name(self) -> str:
        return self.platform.value

    def tariff(self, method: WithdrawalMethod) -> Tariff:
        tariff = getattr(self, method.value)
        assert isinstance(tariff, Tariff)
        return tariff

    def revised(self, **changes: Any) -> Self:
        """The next version, with these changes; it is used only when `lint` has no error for it."""
        return replace(self, version=self.version + 1, **changes)

    def snapshot(self) -> dict[str, Any]:
        """As JSON keeps it: seconds for durations, minor units by currency, whole numbers only."""
        return {item.name: _plain(getattr(self, item.name)) for item in fields(self)}

    @classmethod
    def from_snapshot(cls, snapshot: Mapping[str, Any]) -> Self:
        names = {item.name: str(item.type) for item in fields(cls)}
        if odd := names.keys() ^ snapshot.keys():
            raise SnapshotUnreadable(why=f"fields missing or unknown: {', '.join(sorted(odd))}")
        return cls(**{name: _rich(snapshot[name], kind, name) for name, kind in names.items()})

    def lines(self) -> Iterator[tuple[str, str, Any, str]]:
        """(field, label, value, where it comes from), in the order of the table, for the policy page and letters."""
        for item in fields(self):
            if item.metadata:
                value = getattr(self, item.name)
                yield item.name, item.metadata["label"], value, item.metadata[self.platform]


def _plain(value: Any) -> Any:
    match value:
        case timedelta():
            return value // timedelta(seconds=1)
        case PerCurrency():
            return dict(value.minor)
        case Tariff():
            return {"bps": value.bps, "minimum": dict(value.minimum.minor), "fixed": dict(value.fixed.minor)}
        case StrEnum():
            return value.value
    return value


def _rich(value: Any, kind: str, name: str) -> Any:
    try:
        match kind:
            case "Platform":
                return Platform(value)
            case "PerCurrency":
                return PerCurrency(value)
            case "Tariff":
                return Tariff(value["bps"], PerCurrency(value["minimum"]), PerCurrency(value["fixed"]))
            case "timedelta | None" if value is None:
                return None
            case "timedelta" | "timedelta | None" if type(value) is int:
                return timedelta(seconds=value)
            case "int" | "bool" if type(value).__name__ == kind:
                return value
    except (KeyError, TypeError, ValueError) as unreadable:
        raise SnapshotUnreadable(why=f"{name} is {value!r}") from unreadable
    raise SnapshotUnreadable(why=f"{name} is {value!r}")
