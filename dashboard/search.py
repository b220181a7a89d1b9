"""The search, on every page: Ctrl-K or ⌘K opens it, and Enter goes to what is named, or shows what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from core.queries import search
from core.queries.search import STATUS_AXES, Hit, Result
from core.rules.masking import SEARCH
from core.rules.search import MOST_CHARACTERS, SHORTEST, Found, meaning
from dashboard import navigation, readings, request_context
from dashboard.ui import components, confirm, money, status
from dashboard.ui.safe import plain

DRAWER = "search"
WORDS = "search:words"
TITLES: Mapping[Found, str] = {
    Found.CASE: "Cases",
    Found.PROJECT: "Projects",
    Found.MILESTONE: "Milestones",
    Found.PARTY: "Parties",
    Found.PAYOUT: "Payouts",
    Found.PLATFORM_PAYOUT: "Platform payouts",
    Found.REFUND: "Refunds",
    Found.CHARGEBACK: "Chargebacks",
    Found.HOLD: "Holds",
    Found.REPORT: "Reports",
    Found.RISK_REVIEW: "Risk reviews",
    Found.RECEIPT: "Receipts",
    Found.LETTER: "E-mails",
    Found.JOURNAL: "Journals",
    Found.ACCOUNT: "Accounts",
    Found.SUSPENSE: "Suspense items",
    Found.BREAK: "Breaks",
    Found.MANUAL_JOURNAL: "Manual journals",
    Found.BANK_STATEMENT: "Bank statements",
    Found.RUN: "Reconciliation runs",
    Found.OPERATION: "Operations",
    Found.WEBHOOK_EVENT: "Webhook events",
    Found.AUDIT_ENTRY: "Audit entries",
}
Place = tuple[str, dict[str, Any]]


def _project(hit: Hit) -> Place:
    return "project", {"id": hit.project_id}


def _case_or_project(hit: Hit) -> Place:
    return ("case", {"id": hit.case_id}) if hit.case_id else _project(hit)


PLACES: Mapping[Found, Callable[[Hit], Place]] = {
    Found.CASE: lambda hit: ("case", {"id": hit.id}),
    Found.PROJECT: _project,
    Found.MILESTONE: _project,
    Found.PARTY: lambda hit: ("projects", {"q": f"#{hit.id}"}),
    Found.PAYOUT: lambda hit: ("payouts", {"id": hit.id}),
    Found.PLATFORM_PAYOUT: lambda hit: ("reconciliation", {"payout": hit.id}),
    Found.REFUND: _case_or_project,
    Found.CHARGEBACK: lambda hit: ("chargebacks", {"id": hit.id}),
    Found.HOLD: lambda hit: ("holds", {"id": hit.id}),
    Found.REPORT: _project,
    Found.RISK_REVIEW: _project,
    Found.RECEIPT: _project,
    Found.LETTER: _project,
    Found.JOURNAL: lambda hit: ("journal", {"id": hit.id}),
    Found.ACCOUNT: lambda hit: ("account", {"code": hit.id, "iso": hit.currency}),
    Found.SUSPENSE: lambda hit: ("reconciliation", {"suspense": hit.id}),
    Found.BREAK: lambda hit: ("reconciliation", {"break": hit.id}),
    Found.MANUAL_JOURNAL: lambda hit: ("manual_journals", {}),
    Found.BANK_STATEMENT: lambda hit: ("bank_statements", {"id": hit.id}),
    Found.RUN: lambda hit: ("reconciliation", {"id": hit.id}),
    Found.OPERATION: lambda hit: ("operations", {"id": hit.id}),
    Found.WEBHOOK_EVENT: lambda hit: ("operations", {"operations-tab": "Webhook inbox", "about": hit.id}),
    Found.AUDIT_ENTRY: lambda hit: ("entry", {"id": hit.id}),
}


def button() -> None:
    """At the top of every page; drawn before the page, so that it works on each."""
    with st.container(key="desk-search-keys"):
        components.mount("search", key="search-keys", data={}, triggers=())
    with st.container(key="desk-search", width="content"):
        st.button(
            "Search",
            key="search-open",
            icon=":material/search:",
            type="tertiary",
            shortcut="Mod+K",
            on_click=_open,
            help="Numbers, Stripe ids, amounts, names",
        )
    if (facts := confirm.drawer(DRAWER)) is not None:
        if facts["at"] == request_context.here():
            _dialog()
        else:
            confirm.close_drawer()


def _open() -> None:
    st.session_state.pop(WORDS, None)
    confirm.open_drawer(DRAWER, at=request_context.here())


@st.dialog("Search", width="large", on_dismiss=confirm.close_drawer)
def _dialog() -> None:
    with st.container(key="search-dialog"):
        words = st.text_input(
            "What to look for",
            key=WORDS,
            type="search",
            max_chars=MOST_CHARACTERS,
            placeholder="D-42, pi_…, 1,043.56, a name",
            label_visibility="collapsed",
        )
    if not (words and words.strip()):
        st.caption(
            "A number that the desk prints (D-42, P-7, W-12, HR-2026-000017), an id of Stripe’s, an amount, "
            "a name or an e-mail address. Enter goes to the one thing that is named, or shows what was found."
        )
        return
    readings.looked_for(words, page=SEARCH)
    with request_context.reading(SEARCH) as session:
        result = search.search(session, request_context.actor(), words, now=request_context.now())
    if result.direct and st.session_state.get("search:gone") != words:
        st.session_state["search:gone"] = words
        page, parameters = PLACES[result.direct.kind](result.direct)
        confirm.close_drawer()
        navigation.go(page, **parameters)
    show(result, words)


def show(result: Result, words: str) -> None:
    """What was found, by kind; each line is a link."""
    if not result.hits:
        _nothing(words)
        return
    for kind in Found:
        hits = [hit for hit in result.hits if hit.kind == kind]
        if not hits:
            continue
        more = f" · the newest {len(hits)}" if kind in result.more else ""
        st.caption(f"{TITLES[kind]}{more}")
        for hit in hits:
            _line(hit)


def _nothing(words: str) -> None:
    if meaning(words).is_none:
        st.caption(f"Type at least {SHORTEST} characters.")
        return
    st.caption("Nothing that you may see bears this number, id, amount or name.")


def _line(hit: Hit) -> None:
    page, parameters = PLACES[hit.kind](hit)
    label = " · ".join(plain(part) for part in dict.fromkeys((hit.reference, hit.title)) if part)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        navigation.link(page, label, **parameters)
        if hit.detail:
            st.caption(plain(hit.detail), width="content")
        if hit.amount is not None:
            st.markdown(plain(money.text(hit.amount)), width="content")
        if hit.matched is not None:
            st.caption(plain(f"{money.text(hit.matched)} {hit.matched_as}"), width="content")
        if hit.status and hit.kind in STATUS_AXES:
            status.show(STATUS_AXES[hit.kind], hit.status)
        elif hit.status_words:
            st.caption(plain(hit.status_words), width="content")
