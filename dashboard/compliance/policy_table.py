"""The values of a policy in words, and the table that puts both profiles side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.money import CURRENCIES, Money
from core.policy import PerCurrency, Platform, Tariff, wording
from core.policy.reach import IN_EVERY_PROJECT, RETENTION
from core.policy.sources import FLOW, RULES
from core.queries.policy import Change, Rule, Version
from dashboard.ui import tables
from dashboard.ui.safe import html
from dashboard.ui.status import in_words

# The first rule of each group, and what the group is called.
GROUPS: Mapping[str, str] = {
    "platform_fee_bps": "Fees",
    "standard": "Withdrawals, paid by the payee",
    "reminders": "Verification and silence",
    "mediation_after": "Cases",
    "high_value_review": "Approval and cooling off",
    "held_age_alarm": "Alarms and risk",
    "issuer_name": "Receipts, invoices and credit notes",
}


NEWEST = dict.fromkeys(RETENTION, "For everybody, by the version in force") | dict.fromkeys(
    IN_EVERY_PROJECT, "In every project, by the version in force"
)


@dataclass(frozen=True)
class FixedAmounts:
    """What a marketplace's fees have beside a percentage, in one currency."""

    currency: str
    platform: Platform
    processing: Money
    standard: Money
    instant: Money
    minimum: Money


def fixed_amounts(shown: Mapping[Platform, Version]) -> list[FixedAmounts]:
    """Every currency, for each marketplace."""
    profiles = {platform: version.profile for platform, version in shown.items()}
    return [
        FixedAmounts(
            currency,
            platform,
            profile.processor_fixed.of(currency),
            profile.standard.fixed.of(currency),
            profile.instant.fixed.of(currency),
            profile.instant.minimum.of(currency),
        )
        for currency in CURRENCIES
        for platform, profile in profiles.items()
    ]


def show_fixed_amounts(shown: Mapping[Platform, Version]) -> None:
    """As plain rows: they are few, and read side by side."""
    tables.small(
        fixed_amounts(shown),
        [
            tables.text("currency", "Currency"),
            tables.text("platform", "Marketplace", value=lambda row: in_words(row.platform.value)),
            tables.money("processing", "Processing fee, fixed part"),
            tables.money("standard", "Standard payout, fixed"),
            tables.money("instant", "Instant payout, fixed"),
            tables.money("minimum", "Instant payout, at least"),
        ],
        name="Fixed amounts of the policy by currency",
    )


def difference(change: Change, currency: str) -> list[str]:
    """Old → new, in every currency in which they differ: nothing of a change is out of sight."""
    by_currency = isinstance(change.before, PerCurrency | Tariff)
    told = [currency, *(each for each in CURRENCIES if each != currency)] if by_currency else [currency]
    pairs = (
        tuple(wording.in_words(change.name, value, each) for value in (change.before, change.after))
        for each in told
    )
    return list(dict.fromkeys(f"{old} → {new}" for old, new in pairs if old != new))


def changes(version: Version, currency: str) -> str:
    """What is not as in the version before."""
    each = (f"{change.label}: {', '.join(difference(change, currency))}" for change in version.changes)
    return "; ".join(each) or ("First version" if version.version == 1 else "Nothing")


def table(rules: list[Rule], shown: Mapping[Platform, Version], currency: str) -> str:
    """Rules down, marketplaces across; under each value the line of the specification that it comes from."""
    heads = "".join(
        f"<th>{html(in_words(platform.value))}<small>version {each.version}, {html(_under(each))}</small></th>"
        for platform, each in shown.items()
    )
    body = "".join(_rows(rules, currency, len(shown)))
    return (
        f'<table class="ed-rules"><thead><tr><th>Rule</th>{heads}</tr></thead><tbody>{body}</tbody></table>'
    )


def _under(version: Version) -> str:
    return f"{version.projects:,} projects, {version.active:,} active"


def _rows(rules: list[Rule], currency: str, platforms: int) -> Iterator[str]:
    for rule in rules:
        if group := GROUPS.get(rule.name):
            yield f'<tr class="ed-group"><td colspan="{platforms + 1}">{html(group)}</td></tr>'
        cells = "".join(
            _cell(wording.in_words(rule.name, value, currency), rule.sources[platform])
            for platform, value in rule.values.items()
        )
        reach = f"<small>{NEWEST[rule.name]}</small>" if rule.name in NEWEST else ""
        yield f"<tr><td>{html(rule.label)}{reach}</td>{cells}</tr>"


def _cell(value: str, source: str) -> str:
    said = source if source.startswith((FLOW, RULES)) else source[:1].upper() + source[1:]
    off = ' class="ed-off"' if value in ("None", "No", "Not set") else ""
    return f"<td><b{off}>{html(value)}</b><small>{html(said)}</small></td>"
