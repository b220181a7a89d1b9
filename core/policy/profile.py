"""What a profile is: frozen data. Durations are whole seconds when stored; rates are hundredths of a percent (bps)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

from core.errors import DeskError
from core.money import CURRENCIES, Money, UnknownCurrency
from core.policy.sources import LINES

# Fields that came after profiles had been stored.
LATER: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "bank_change_hold": lambda _: 3 * 86_400,
    "blind": lambda _: False,
    "contact_window": lambda _: 30 * 86_400,
    "issuer_name": lambda _: "",
    "issuer_address": lambda _: "",
    "tax_id": lambda _: "",
    "tax_bps": lambda _: 0,
    "documents_kept": lambda _: 10 * 365 * 86_400,
    "person_kept": lambda then: (10 if then["platform"] == Platform.LEGAL_SERVICES else 5) * 365 * 86_400,
    "newcomer_kept": lambda _: 2 * 365 * 86_400,
    "reminders": lambda then: then.get("first_reminder_after") is not None,
}


class Platform(StrEnum):
    HOME_SERVICES = "home_services"
    LEGAL_SERVICES = "legal_services"


class WithdrawalMethod(StrEnum):
    """How a payee is paid. Stripe pays out to a bank account, standard or instant, and in no other way: checks and
    wires stand in rows and versions of before only, and what was asked for so went as a standard bank payout."""

    STANDARD = "standard"
    INSTANT = "instant"
    CHECK = "check"
    WIRE = "wire"

    @property
    def sent_as(self) -> WithdrawalMethod:
        """What Stripe is asked for."""
        return self if self in OFFERED else WithdrawalMethod.STANDARD


OFFERED = (WithdrawalMethod.STANDARD, WithdrawalMethod.INSTANT)


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


@dataclass(frozen=True, kw_only=True)
class Profile:
    platform: Platform
    version: int = 1
    platform_fee_bps: int
    processor_bps: int
    processor_fixed: PerCurrency
    standard: Tariff
    instant: Tariff
    check: Tariff
    wire: Tariff
    reminders: bool
    first_reminder_after: timedelta | None
    reminder_every: timedelta | None
    dispute_window: timedelta | None
    auto_approve: bool
    auto_approve_after: timedelta
    consultation_grace: timedelta | None
    mediation_after: timedelta | None
    deadlock_after: timedelta
    high_value_review: PerCurrency
    second_person_above: PerCurrency
    decisions_a_day: int
    cooling_off: timedelta
    held_age_alarm: timedelta
    contact_attempts: int
    contact_window: timedelta
    bank_change_hold: timedelta
    documents_kept: timedelta
    person_kept: timedelta
    newcomer_kept: timedelta
    blind: bool = False
    issuer_name: str = ""
    issuer_address: str = ""
    tax_id: str = ""
    tax_bps: int = 0

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
        """What was stored before a field was known has its default: the rules of then."""
        snapshot = {**{name: default(snapshot) for name, default in LATER.items()}, **snapshot}
        names = {item.name: str(item.type) for item in fields(cls)}
        if odd := names.keys() ^ snapshot.keys():
            raise SnapshotUnreadable(why=f"fields missing or unknown: {', '.join(sorted(odd))}")
        return cls(**{name: _rich(snapshot[name], kind, name) for name, kind in names.items()})

    def lines(self) -> Iterator[tuple[str, str, Any, str]]:
        """(field, label, value, where it comes from), in the order of the table, for the policy page and letters."""
        for name, (label, home, legal) in LINES.items():
            source = home if self.platform is Platform.HOME_SERVICES else legal
            yield name, label, getattr(self, name), source


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
            case "int" | "bool" | "str" if type(value).__name__ == kind:
                return value
    except (KeyError, TypeError, ValueError) as unreadable:
        raise SnapshotUnreadable(why=f"{name} is {value!r}") from unreadable
    raise SnapshotUnreadable(why=f"{name} is {value!r}")
