"""A plan, readable: what will be booked, what Stripe will be asked, what both parties will read. Nothing is left out,
because its hash is what a person confirms or approves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.actions.decisions.planned_calls import Wait
from core.actions.milestones import project_progression
from core.actions.milestones.milestone_context import open_milestone
from core.money import Money
from core.queries.letters_ahead import Ahead
from core.rules.grounds import TERMS, DecisionOutcome, Ground, Reference
from core.rules.items import in_words as in_words_of
from core.rules.items import recorded
from core.rules.projects import ProjectStatus
from dashboard import request_context
from dashboard.case import journal_table
from dashboard.case.decision import letter_list
from dashboard.ui import cards, money
from dashboard.ui.safe import html
from dashboard.ui.status import Tone, in_words

CALLS = {
    "REFUND": "Refund to the payer's card",
    "TRANSFER": "Transfer to the payee's Stripe account",
    "PAYOUT": "Payout to the payee's bank",
}
HEIGHT = 440  # so that what follows the plan stays in sight
TABS = ("Postings", "Stripe requests", "Balances", "E-mails", "Reasons")


def show(
    plan: dict[str, Any],
    plan_hash: str,
    *,
    key: str,
    people: dict[str, str],
    letters: list[tuple[str, Ahead]],
    words: Callable[[str], str] = str,
) -> None:
    """`people` names the payer and the payee by audience; `letters`: each with its moment; `words` hides names."""
    division(plan, people)
    st.html(f'<div class="ed-hash"><span>Plan hash</span><code>{html(plan_hash)}</code></div>')
    tabs = st.tabs(TABS, key=f"{key}-tabs", height=HEIGHT)
    with tabs[0]:
        _postings(plan)
    with tabs[1]:
        _calls(plan)
    with tabs[2]:
        st.html(journal_table.balances(plan["balances"], plan["amounts"]["currency"]))
        cards.note("Shared accounts move for other milestones too, so only their change is exact.")
    with tabs[3]:
        letter_list.show(letters, people, key=key, words=words)
    with tabs[4]:
        _reasons(plan, words)


def division(plan: dict[str, Any], people: dict[str, str]) -> None:
    """One bar: all that the payer paid, and where it goes."""
    amounts = plan["amounts"]

    def part(name: str) -> Money:
        return Money(amounts.get(name, 0), amounts["currency"])

    parties: list[tuple[str, Money, Tone]] = [
        (f"{people['payee']} receives", part("payee_net"), "good"),
        (f"{people['payer']} is refunded", part("refund_total"), "info"),
    ]
    others: list[tuple[str, Money, Tone]] = [
        ("Set off against their debt", part("kept_back"), "bad"),
        ("Withdrawal fee", part("withdrawal_fee"), "quiet"),
        ("Platform fee kept", part("fee_kept"), "wait"),
    ]
    money.split([*parties, *(each for each in others if each[1].is_positive)], caption=_from(amounts))


def _from(amounts: dict[str, Any]) -> str:
    currency = amounts["currency"]
    words = f"Held {Money(amounts['held'], currency)} of {Money(amounts['charged'], currency)} paid"
    if amounts["concession"]:
        words += f"; {Money(amounts['concession'], currency)} of the refund is absorbed by the platform"
    return f"{words}."


def _postings(plan: dict[str, Any]) -> None:
    first = plan["journal"]
    st.html(journal_table.journal("Posted immediately", first["key"], journal_table.legs_of(first)))
    for later in plan["expected"]:
        st.html(
            journal_table.journal(
                f"Posted on Stripe's confirmation: {in_words(later['kind']).lower()}",
                later["key"],
                journal_table.legs_of(later),
            )
        )


def _calls(plan: dict[str, Any]) -> None:
    if not plan["operations"]:
        st.caption("No request: nothing is refunded, and nothing is sent to the payee automatically.")
    for each in plan["operations"]:
        amount = Money(each["params"]["amount"], plan["amounts"]["currency"])
        st.markdown(
            f"**{CALLS.get(each['kind'], each['kind'])}** · {amount.text().replace('$', chr(92) + '$')}"
        )
        if waits := each.get("waits"):
            st.caption(Wait(waits).sentence)
        st.code(journal_table.call(each), language=None, wrap_lines=True)


def _text(text: str) -> str:
    return "\n".join(html(line) for line in text.splitlines())


def _reasons(plan: dict[str, Any], words: Callable[[str], str]) -> None:
    ground = Ground(plan["ground"])
    cards.facts(
        {
            "Outcome": DecisionOutcome(plan["outcome"]).label,
            "Ground": ground.label,
            "Why this ground": TERMS[ground].explanation,
            "The project": _project(plan),
            "Override": "Yes: for a second person" if plan["override"] else "No",
        },
        columns=2,
    )
    st.html(f'<blockquote class="ed-quote">{_text(words(plan["reasons"]))}</blockquote>')
    if "items" in plan:
        st.html(_items(plan))
    for each in plan["citations"]:
        st.html(
            f'<div class="ed-hash"><span>{html(Reference(each["reference"]).label)} {html(each["id"])}</span>'
            f"<code>sha256 {html(each['sha256'])}</code></div>"
        )


def _project(plan: dict[str, Any]) -> str:
    """What becomes of it once this milestone has ended, as the others stand now; afterwards, what it is."""
    ends = bool(plan.get("ends_project"))
    refunded = plan["outcome"] == DecisionOutcome.FULL_REFUND
    with request_context.reading() as session:
        context = open_milestone(session, plan["milestone"], lock=False)
        status = project_progression.status_foreseen(session, context, refunded=refunded, ends=ends)
    if context.milestone.ended_at is not None:
        return f"{ProjectStatus(context.project.status).label} now"
    if status is not ProjectStatus.ACTIVE:
        return f"Ends with this milestone: {status.label.lower()}"
    return "Ends once its other funded milestones have ended" if ends else "Goes on"


def _items(plan: dict[str, Any]) -> str:
    """What was found of each item of the work, and the sum."""
    currency = plan["amounts"]["currency"]
    each = recorded(plan["items"], currency)
    body = "".join(
        f"<tr><td>{html(item.title)}<small>{html(in_words_of(item, earned))}</small></td>"
        f'<td class="ed-num">{html(item.value)}</td><td class="ed-num">{html(earned)}</td></tr>'
        for item, earned in each
    )
    whole = Money.total((item.value for item, _ in each), currency)
    earned = Money.total((part for _, part in each), currency)
    return (
        '<table class="ed-book ed-plain"><caption>Item by item</caption><thead><tr><th>Item</th>'
        '<th class="ed-num">Worth</th><th class="ed-num">Earned</th></tr></thead>'
        f'<tbody>{body}</tbody><tfoot><tr><td>Sum</td><td class="ed-num">{html(whole)}</td>'
        f'<td class="ed-num">{html(earned)}</td></tr></tfoot></table>'
    )
