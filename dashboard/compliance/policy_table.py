"""The values of a policy in words, and the table that puts both profiles side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from core.money import CURRENCIES, Money, percent
from core.policy import PerCurrency, Platform, Tariff
from core.policy.sources import FLOW, RULES
from core.queries.policy import Change, Rule, Version
from dashboard.ui.safe import html
from dashboard.ui.status import in_words

# The first rule of each group, and what the group is called.
GROUPS: Mapping[str, str] = {
    "platform_fee_bps": "Fees",
    "standard": "Withdrawals, paid by the payee",
    "reminders": "Verification and silence",
    "mediation_after": "Disputes",
    "high_value_review": "Two people, and time to think",
    "held_age_alarm": "Watching",
}


def words(name: str, value: Any, currency: str) -> str:
    """One value: `2.5 %`, `$0.30`, `5 days`, `1.5 %, at least $0.50`, `None`."""
    match value:
        case None:
            return "None"
        case bool():
            return "Yes" if value else "No"
        case timedelta():
            return span(value)
        case PerCurrency():
            return value.of(currency).text()
        case Tariff():
            return _tariff(value, currency)
        case int() if name.endswith("_bps"):
            return percent(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def difference(change: Change, currency: str) -> list[str]:
    """Old → new, in every currency in which they differ: nothing of a change is out of sight."""
    by_currency = isinstance(change.before, PerCurrency | Tariff)
    told = [currency, *(each for each in CURRENCIES if each != currency)] if by_currency else [currency]
    pairs = (
        tuple(words(change.name, value, each) for value in (change.before, change.after)) for each in told
    )
    return list(dict.fromkeys(f"{old} → {new}" for old, new in pairs if old != new))


def changes(version: Version, currency: str) -> str:
    """What is not as in the version before."""
    each = (f"{change.label}: {', '.join(difference(change, currency))}" for change in version.changes)
    return "; ".join(each) or ("First version" if version.version == 1 else "Nothing")


def span(length: timedelta) -> str:
    """Exact, in the largest unit that leaves nothing over; three days and less are told in hours."""
    seconds = length // timedelta(seconds=1)
    if not seconds:
        return "None"
    hours = seconds % 3600 == 0 and (
        (seconds <= 72 * 3600 and seconds % 86_400) or seconds in (86_400, 259_200)
    )
    units = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
    size, unit = (3600, "hour") if hours else next(each for each in units if seconds % each[0] == 0)
    count = seconds // size
    return f"{count} {unit}{'' if count == 1 else 's'}"


def table(rules: list[Rule], shown: Mapping[Platform, Version], currency: str) -> str:
    """Rules down, platforms across; under each value the line of the specification that it comes from."""
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
            _cell(words(rule.name, value, currency), rule.sources[platform])
            for platform, value in rule.values.items()
        )
        yield f"<tr><td>{html(rule.label)}</td>{cells}</tr>"


def _cell(value: str, source: str) -> str:
    said = source if source.startswith((FLOW, RULES)) else source[:1].upper() + source[1:]
    off = ' class="ed-off"' if value in ("None", "No") else ""
    return f"<td><b{off}>{html(value)}</b><small>{html(said)}</small></td>"


def _tariff(tariff: Tariff, currency: str) -> str:
    minimum, fixed = tariff.minimum.of(currency), tariff.fixed.of(currency)
    parts = [percent(tariff.bps)] if tariff.bps else []
    parts += [f"at least {minimum.text()}"] if minimum.minor else []
    parts += [("plus " if parts else "") + fixed.text()] if fixed.minor else []
    return ", ".join(parts) or f"Free ({Money.zero(currency).text()})"
