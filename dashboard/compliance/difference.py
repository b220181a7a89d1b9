"""Before and after, as rows of what changed. Nothing in the values is interpreted: outsiders wrote some of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.money import CURRENCIES, Money
from dashboard.ui import deadlines
from dashboard.ui.safe import html
from dashboard.ui.status import in_words

Facts = Mapping[str, Any] | None
AMOUNTS = frozenset({"refund", "release", "held", "amount", "fee"})
MISSING = object()


@dataclass(frozen=True)
class FieldChange:
    """One field. A side where the field was not there is None."""

    field: str
    before: str | None
    after: str | None

    @property
    def changed(self) -> bool:
        return self.before != self.after


Named = Callable[[str, Any], str | None]


def lines(
    before: Facts, after: Facts, *, currency: str | None = None, named: Named | None = None
) -> list[FieldChange]:
    """Every field of either side, in the order in which they were written. `currency` reads bare whole amounts;
    `named` puts a name to a number, by field."""
    old, new = flat(before), flat(after)

    def words(side: Mapping[str, Any], field: str) -> str | None:
        value = side.get(field, MISSING)
        if value is MISSING:
            return None
        return (named(field, value) if named else None) or say(field, value, currency)

    fields = [*old, *(field for field in new if field not in old)]
    return [
        FieldChange(in_words(field.replace(".", " · ")), words(old, field), words(new, field))
        for field in fields
    ]


def flat(facts: Facts, above: str = "") -> dict[str, Any]:
    """Nested facts by dotted name. An amount with its currency is one value."""
    found: dict[str, Any] = {}
    for name, value in (facts or {}).items():
        path = f"{above}{name}"
        if isinstance(value, Mapping) and not _amount(value) and value:
            found |= flat(value, f"{path}.")
        else:
            found[path] = value
    return found


def say(field: str, value: Any, currency: str | None) -> str:
    """A value as a person reads it: amounts with their currency, times exact, lists with commas."""
    if (money := _amount(value)) is not None:
        return money.text()
    match value:
        case None | "" | []:
            return "—"
        case bool():
            return "Yes" if value else "No"
        case int() if currency and field.rpartition(".")[2] in AMOUNTS:
            return Money(value, currency).text()
        case int():
            return str(value)
        case list():
            return ", ".join(say(field, each, currency) for each in value)
        case str() if value.isupper() and value.replace("_", "").isalpha() and len(value) > 3:
            return in_words(value)
        case str():
            return _time(value) or value
    return str(value)


def table(each: list[FieldChange]) -> str:
    """The rows as HTML: two columns of values when something was there before, one otherwise."""
    both = any(line.before is not None for line in each)
    head = "<th>Field</th>" + ("<th>Before</th><th>After</th>" if both else "<th>Recorded</th>")
    body = "".join(
        f"<tr><td>{html(line.field)}</td>"
        + (f"<td>{_side(line.before, 'del', line)}</td>" if both else "")
        + f"<td>{_side(line.after, 'ins' if both else '', line)}</td></tr>"
        for line in each
    )
    kind = "ed-diff ed-both" if both else "ed-diff"
    return f'<table class="{kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _side(words: str | None, mark: str, line: FieldChange) -> str:
    if words is None:
        return '<span class="ed-none">not noted</span>'
    shown = f'<span class="ed-hash">{html(words)}</span>' if _is_code(words) else html(words)
    return f"<{mark}>{shown}</{mark}>" if mark and line.changed else shown


def _is_code(words: str) -> bool:
    return " " not in words and len(words) > 16 and any(letter.isdigit() for letter in words)


def _amount(value: Any) -> Money | None:
    if (
        isinstance(value, Mapping)
        and value.keys() == {"minor", "currency"}
        and value["currency"] in CURRENCIES
    ):
        return Money(value["minor"], value["currency"]) if type(value["minor"]) is int else None
    return None


def _time(value: str) -> str | None:
    if len(value) < 20 or value[4:5] != "-" or "T" not in value:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return deadlines.exact(at) if at.tzinfo else None
