"""Every page: where its script is, what it is called, who it is for. Order here is order on screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qs, urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.rules.permissions import Actor, Permission, Role, allowed

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

SCRIPTS = Path(__file__).resolve().parent.parent / "pages"
HOME, MISSING, ADDRESS = "home", "no-page", "address"
SHOWN = 80  # characters of an address at which there is no page
PAGE = "desk:page"  # the page of the run before


class PageEnds(Exception):
    """Nothing more of this page is drawn, and the desk finishes it. After `st.stop` it could not."""


@dataclass(frozen=True)
class PageEntry:
    """One page. `name` is its script and its address; a hidden one is reached from another with an id. Outside a demo
    there is none that is `of_a_demo`."""

    name: str
    title: str
    icon: str
    group: str
    permission: Permission
    help: str
    hidden: bool = False
    of_a_demo: bool = False

    @property
    def script(self) -> Path:
        return SCRIPTS / f"{self.name}.py"


ENTRIES: Sequence[PageEntry] = (
    PageEntry(
        "disputes",
        "Cases",
        "balance",
        "Work",
        Permission.READ_CASES,
        "Open cases, the most urgent first.",
    ),
    PageEntry("case", "Case", "folder_open", "Work", Permission.READ_CASES, "One case.", hidden=True),
    PageEntry(
        "approvals",
        "Approvals",
        "fact_check",
        "Work",
        Permission.APPROVE_DECISION,
        "Decisions awaiting a second person.",
    ),
    PageEntry(
        "projects",
        "Projects",
        "home_work",
        "Work",
        Permission.READ_CASES,
        "Projects, milestones and where their money is.",
    ),
    PageEntry("project", "Project", "home_work", "Work", Permission.READ_CASES, "One project.", hidden=True),
    PageEntry("holds", "Holds", "lock", "Work", Permission.READ_CASES, "Holds, risk reviews and reports."),
    PageEntry(
        "overview",
        "Overview",
        "monitoring",
        "Money",
        Permission.READ_LEDGER,
        "What is held, owed and earned today.",
    ),
    PageEntry(
        "held_funds",
        "Client funds held",
        "savings",
        "Money",
        Permission.READ_LEDGER,
        "For whom money is held, and for how long.",
        hidden=True,
    ),
    PageEntry(
        "trial_balance",
        "Trial balance",
        "account_balance",
        "Money",
        Permission.READ_LEDGER,
        "Every account, summing to zero.",
    ),
    PageEntry(
        "financial_statements",
        "Financial statements",
        "summarize",
        "Money",
        Permission.READ_LEDGER,
        "Balance sheet and income statement, of any day and period.",
    ),
    PageEntry(
        "periods",
        "Periods",
        "event_available",
        "Money",
        Permission.READ_LEDGER,
        "Days and months: closed, to be closed, reopened.",
    ),
    PageEntry(
        "journals",
        "Journals",
        "menu_book",
        "Money",
        Permission.READ_LEDGER,
        "All posted journals.",
    ),
    PageEntry(
        "manual_journals",
        "Manual journals",
        "edit_note",
        "Money",
        Permission.READ_LEDGER,
        "Journals that two people post by hand.",
    ),
    PageEntry(
        "journal", "Journal", "menu_book", "Money", Permission.READ_LEDGER, "One journal.", hidden=True
    ),
    PageEntry(
        "t_accounts",
        "T-accounts",
        "account_balance",
        "Money",
        Permission.READ_LEDGER,
        "One milestone, account by account.",
        hidden=True,
    ),
    PageEntry(
        "marketplace_statement",
        "Marketplace statements",
        "storefront",
        "Money",
        Permission.READ_LEDGER,
        "A marketplace's year, month by month.",
    ),
    PageEntry(
        "party_statement",
        "Statement",
        "receipt_long",
        "Money",
        Permission.READ_LEDGER,
        "One party's month.",
        hidden=True,
    ),
    PageEntry(
        "account", "Account", "account_balance", "Money", Permission.READ_LEDGER, "One account.", hidden=True
    ),
    PageEntry(
        "documents",
        "Documents",
        "receipt",
        "Money",
        Permission.READ_LEDGER,
        "Receipts, invoices and credit notes, and whether a file is one of ours.",
    ),
    PageEntry("fees", "Fees", "percent", "Money", Permission.READ_LEDGER, "Fees earned, and what they cost."),
    PageEntry(
        "payouts",
        "Payouts",
        "payments",
        "Money",
        Permission.READ_PAYOUTS,
        "Withdrawals, stopped money and failed payouts.",
    ),
    PageEntry(
        "bank_changes",
        "Bank changes",
        "account_balance_wallet",
        "Money",
        Permission.READ_PAYOUTS,
        "Payees' new bank accounts, and whether payouts go there.",
    ),
    PageEntry(
        "receivables",
        "Receivables",
        "request_quote",
        "Money",
        Permission.READ_LEDGER,
        "What payees owe us, by age.",
    ),
    PageEntry(
        "chargebacks",
        "Chargebacks",
        "credit_card_off",
        "Money",
        Permission.READ_CHARGEBACKS,
        "Payments disputed by payers' banks.",
    ),
    PageEntry(
        "reconciliation",
        "Reconciliation",
        "compare_arrows",
        "Money",
        Permission.READ_LEDGER,
        "The ledger compared with Stripe's statement and our banks'.",
    ),
    PageEntry(
        "bank_statements",
        "Bank statements",
        "account_balance_wallet",
        "Money",
        Permission.READ_LEDGER,
        "The platform's own bank, line by line.",
    ),
    PageEntry(
        "operations",
        "Operations",
        "sync_alt",
        "Money",
        Permission.READ_PAYOUTS,
        "Requests to Stripe, its webhook events, and e-mails.",
    ),
    PageEntry(
        "audit",
        "Audit log",
        "verified_user",
        "Oversight",
        Permission.READ_AUDIT,
        "Who did what, with proof.",
    ),
    PageEntry(
        "entry",
        "Audit entry",
        "verified_user",
        "Oversight",
        Permission.READ_AUDIT,
        "One entry of the audit log.",
        hidden=True,
    ),
    PageEntry(
        "registers",
        "Registers",
        "library_books",
        "Oversight",
        Permission.READ_AUDIT,
        "Payment intents, holds and releases, refund decisions, administration, receipts.",
    ),
    PageEntry(
        "checks", "Checks", "fact_check", "Oversight", Permission.RUN_CHECKS, "The invariants of the books."
    ),
    PageEntry(
        "people",
        "People",
        "group",
        "Oversight",
        Permission.READ_PEOPLE,
        "Staff, their roles, ties and sessions.",
    ),
    PageEntry(
        "personal_data",
        "Personal data",
        "shield_person",
        "Oversight",
        Permission.READ_PERSONAL_DATA,
        "What is held about a person, and legal holds.",
    ),
    PageEntry(
        "policy",
        "Policy",
        "gavel",
        "Oversight",
        Permission.READ_POLICY,
        "The numbers in force and where they come from.",
    ),
    PageEntry(
        "api_access",
        "API access",
        "key",
        "Oversight",
        Permission.MANAGE_PLATFORM_KEYS,
        "Keys and webhook endpoints of the marketplaces.",
    ),
    PageEntry(
        "demo_clock",
        "Demo clock",
        "more_time",
        "Oversight",
        Permission.ADVANCE_DEMO_CLOCK,
        "What falls due, and a way to get there.",
        of_a_demo=True,
    ),
)
LANDING: Mapping[Role, str] = {
    Role.MEDIATOR: "disputes",
    Role.FINANCE: "overview",
    Role.COMPLIANCE: "audit",
    Role.ADMINISTRATOR: "disputes",
}


@cache
def on_disk() -> Mapping[str, PageEntry]:
    return {entry.name: entry for entry in ENTRIES if entry.script.is_file()}


def landing_page(roles: frozenset[Role]) -> str:
    """The page on which a day begins, by the first role in the order of `Role`."""
    wanted = [LANDING[role] for role in Role if role in roles]
    return next((name for name in [*wanted, *on_disk()] if name in on_disk()), "")


def choose(actor: Actor) -> StreamlitPage:
    """Draw the navigation for this person and return the page asked for.

    A page that the person may not see stays reachable, hidden, so that a link to it explains itself.
    """
    groups: dict[str, list[StreamlitPage]] = {"": [_home(actor), _missing()]}
    demo = _in_a_demo()
    for entry in on_disk().values():
        if entry.of_a_demo and not demo:
            continue
        groups.setdefault(entry.group, []).append(_page(entry, actor))
    return st.navigation(groups, position="sidebar", expanded=True)


def leads_nowhere(path: str) -> str | None:
    """Where to send a visitor who asks for this path as for a page, if there is none; None where there is one."""
    asked = path.strip("/")
    if asked in (HOME, MISSING) or asked in on_disk():
        return None
    return f"/{MISSING}?{urlencode({ADDRESS: asked[:SHOWN]})}"


def keep_address() -> None:
    """What a link asks for is in the address when its page is drawn.

    On the way from one page to another Streamlit takes away whatever a filter of the page before is bound to, even if
    the link to the next page says it.
    """
    run = get_script_run_ctx()
    if run is None or st.session_state.get(PAGE) == run.page_script_hash:
        return
    st.session_state[PAGE] = run.page_script_hash
    asked = parse_qs(run.query_string, keep_blank_values=True)
    if asked.keys() <= st.query_params.keys():
        return
    st.query_params.from_dict(asked)
    with run.session_state.query_params() as address:
        address.set_initial_query_params_from_current()


def group(page: StreamlitPage) -> str:
    """Which part of the desk it belongs to: Work, Money or Oversight; nothing for whatever is no page of ours."""
    entry = on_disk().get(page.url_path)
    return entry.group if entry else ""


def go(name: str, **params: Any) -> NoReturn:
    """Leave for another page, in this session."""
    st.switch_page(on_disk()[name].script, query_params=_query(params))


def end() -> NoReturn:
    """The page is whole as it is."""
    raise PageEnds


def link(name: str, label: str, *, icon: str | None = None, **params: Any) -> None:
    """The same as a link."""
    st.page_link(on_disk()[name].script, label=label, icon=icon, query_params=_query(params) or None)


def _query(params: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """A list stands in the address as the same name several times."""
    return {
        key: [str(each) for each in value] if isinstance(value, list) else str(value)
        for key, value in params.items()
    }


def asked(key: str = "id") -> int | None:
    """The whole number under this name in the address; None when there is none. What is no number is said."""
    from dashboard.ui import filters

    return filters.asked_number(key, "Number" if key == "id" else key.capitalize())


def _in_a_demo() -> bool:
    from dashboard import request_context

    return request_context.demo_sign_in()


def _page(entry: PageEntry, actor: Actor) -> StreamlitPage:
    seen = not entry.hidden and allowed(actor, entry.permission)
    return st.Page(
        entry.script,
        title=entry.title,
        icon=f":material/{entry.icon}:",
        url_path=entry.name,
        visibility="visible" if seen else "hidden",
        help=entry.help,
    )


def _home(actor: Actor) -> StreamlitPage:
    """`/` is nobody's page: the server sends on to the landing page, and so does this."""

    def home() -> None:
        if name := landing_page(actor.roles):
            go(name)
        st.caption("No page is installed.")

    return st.Page(home, title="Escrow Desk", url_path=HOME, default=True, visibility="hidden")


def _missing() -> StreamlitPage:
    """Where the server leads an address at which there is no page: Streamlit would show another page in its place."""

    def missing() -> None:
        from dashboard.ui import empty, header

        header.page("No page")
        asked = st.query_params.get(ADDRESS)
        empty.unknown(
            "page", asked and f"/{asked}", "Choose one on the left, or search for a number or a name."
        )

    return st.Page(missing, title="No page", url_path=MISSING, visibility="hidden")
