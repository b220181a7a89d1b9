"""Journals and calls as an accountant wants to see them: two columns that have the same sum."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from core.ledger import accounts
from core.money import Money
from core.queries.case_money import Leg
from dashboard.ui.safe import html


def journal(title: str, note: str, legs: Sequence[Leg], names: dict[str, str] | None = None) -> str:
    """A journal as a table, debits before credits, with the sum of each column under it."""
    currency = (legs[0].debit or legs[0].credit or Money.zero("USD")).currency
    body = "".join(_line(each, names or {}) for each in legs)
    debits = Money.total((each.debit for each in legs if each.debit), currency)
    credits = Money.total((each.credit for each in legs if each.credit), currency)
    return (
        f'<table class="ed-book"><caption>{html(title)}<small>{html(note)}</small></caption>'
        '<thead><tr><th>Account</th><th class="ed-num">Debit</th><th class="ed-num">Credit</th></tr></thead>'
        f'<tbody>{body}</tbody><tfoot><tr><td>Sum</td><td class="ed-num">{html(debits)}</td>'
        f'<td class="ed-num">{html(credits)}</td></tr></tfoot></table>'
    )


def _line(each: Leg, names: dict[str, str]) -> str:
    title = names.get(each.account, each.title)
    return (
        f"<tr><td>{html(title)}<small>{html(each.account)}</small></td>"
        f'<td class="ed-num">{html(each.debit or "")}</td><td class="ed-num">{html(each.credit or "")}</td></tr>'
    )


def legs_of(planned: dict[str, Any]) -> list[Leg]:
    """The postings of a journal in a plan."""
    from core.queries.case_money import leg

    each = [leg(one["account"], Money(one["amount"], planned["currency"])) for one in planned["postings"]]
    return sorted(each, key=lambda one: one.debit is None)


def balances(rows: Sequence[dict[str, Any]], currency: str) -> str:
    """Before and after of the milestone's own accounts; the change of accounts that others move meanwhile."""
    body = "".join(_balance(each, currency) for each in rows)
    return (
        '<table class="ed-book"><thead><tr><th>Account</th><th class="ed-num">Before</th><th class="ed-num">Change</th>'
        f'<th class="ed-num">After</th></tr></thead><tbody>{body}</tbody></table>'
    )


def _balance(each: dict[str, Any], currency: str) -> str:
    shared = "change" in each
    change = Money(each["change"] if shared else each["after"] - each["before"], currency)
    before = "shared" if shared else Money(each["before"], currency).text()
    after = "shared" if shared else Money(each["after"], currency).text()
    sign = "+" if change.is_positive else ""
    return (
        f"<tr><td>{html(accounts.account_type(each['account']).title)}<small>{html(each['account'])}</small></td>"
        f'<td class="ed-num">{html(before)}</td><td class="ed-num">{html(sign + change.text())}</td>'
        f'<td class="ed-num">{html(after)}</td></tr>'
    )


def call(each: dict[str, Any]) -> str:
    """One call of a plan, as it will go over the wire."""
    on = f"\nStripe-Account: {each['account']}" if each.get("account") else ""
    params = json.dumps(each["params"], indent=2, ensure_ascii=False)
    return f"{each['method']} {each['path']}{on}\nIdempotency-Key: {each['idempotency_key']}\n\n{params}"
