"""Reconciliation on screen: a run's result, and a run under way.

A run speaks with Stripe for as long as the statement takes, so it has a thread of its own: closing the page, or
another click, does not interrupt it. What it found stands in the database, where the page looks every second.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.processes import reconciliation as reconcile
from core.queries import bank_matches, reconciliation
from core.queries.reconciliation import Balance, Matched, ReconciliationStatus, RunSummary, Sighting, Unread
from core.rules.reconciliation import RunStatus, RunView
from dashboard import navigation, request_context
from dashboard.finance import bank_match_panel
from dashboard.ui import cards, deadlines, empty, filters, header, status, tables
from dashboard.ui.cards import Kpi
from dashboard.ui.safe import plain
from dashboard.ui.status import Pill


def agrees(each: Balance) -> str:
    if each.difference is None:
        return "NOT_COMPARED"
    return "MATCHED" if each.difference.is_zero else "BALANCE_DIFFERS"


def counted(run: RunSummary, number: int | None) -> int | None:
    """A count of a run that came to an end; a failed one has counted nothing."""
    return number if run.compared else None


RUNS = [
    tables.opens("reference", "Run", page="reconciliation", width=60),
    tables.status("state", "Result", axis="reconciliation", width=120),
    tables.count("lines", "Stripe's lines", value=lambda run: counted(run, run.lines), width=92),
    tables.count("matched", "Matched", value=lambda run: counted(run, run.matched), width=72),
    tables.count("in_suspense", "In suspense", value=lambda run: counted(run, run.in_suspense), width=86),
    tables.count("unmatched", "Unmatched", value=lambda run: counted(run, run.unmatched), width=80),
    tables.count("breaks", "Breaks", value=lambda run: counted(run, run.breaks), width=58),
    tables.when("until", "Statement up to", width=140),
    tables.when("started_at", "Started", width=140),
    tables.text("started_by", "By", width=120),
    tables.text("trouble", "Error"),
]
BREAKS = [
    tables.leads(
        "reference",
        "Break",
        to=lambda seen: ("reconciliation", {"break": seen.break_id}) if seen.break_id else None,
        width=70,
    ),
    tables.status("kind", "Break type", axis="reconciliation", width=140),
    tables.mono("transaction_id", "Balance transaction", width=230),
    tables.text("what", "What it is"),
    tables.money("at_provider", "Stripe", width=120),
    tables.money("in_ledger", "Ledger", width=120),
    tables.money("difference", "Difference", width=120),
]
MATCHED = [
    tables.opens("journal", "Journal", page="journal", value=lambda each: f"J-{each.id}", width=80),
    tables.mono("transaction_id", "Balance transaction", width=240),
    tables.text("category", "Category", width=130),
    tables.mono("source", "Source", width=230),
    tables.money("amount", "Amount", width=120),
    tables.money("fee", "Fee", width=100),
    tables.money("net", "Net", width=120),
    tables.when("created_at", "At Stripe", width=150),
]
BALANCES = [
    tables.text("currency", "Currency"),
    tables.money("at_provider", "Stripe's own balance"),
    tables.money("in_ledger", "The ledger's figure"),
    tables.money("statement", "Sum of the statement"),
    tables.money("difference", "Difference"),
    tables.status("agrees", "", axis="reconciliation", value=agrees),
]


def listed(runs: Sequence[RunSummary], cursor: tables.Cursor) -> None:
    header.section("Runs", "Newest first.")
    tables.table(
        runs,
        RUNS,
        key="runs",
        cursor=cursor,
        download=tables.Table(
            "reconciliation-runs",
            lambda session: tables.every(
                lambda before, limit: reconciliation.runs(session, before=before, limit=limit)
            ),
        ),
        name="Runs, newest first",
        empty_state=(
            "Never run",
            "Run it now. While a worker runs, it also runs once for each day that is over.",
        ),
    )


def begin() -> None:
    """Start a run by whoever is signed in, in a thread of its own."""
    desk, actor = request_context.desk(), request_context.actor()
    threading.Thread(target=_run, args=(desk, actor), name="reconciliation", daemon=True).start()


def _run(desk: object, actor: object) -> None:
    """A failure is kept in the run, whose page shows it."""
    try:
        reconcile.run(desk, actor)  # type: ignore[arg-type]
    except Exception:
        import structlog

        structlog.get_logger(__name__).exception("reconciliation.failed")


@st.fragment(run_every="1s")
def progress(before: int) -> None:
    """Drawn while a run newer than run `before` is awaited or under way; the page is drawn again when it is over."""
    with request_context.reading() as session:
        last = next(iter(reconciliation.runs(session, limit=1)), None)
        fetched = reconciliation.fetched_since(session, last.started_at) if last and last.id > before else 0
    if last is not None and last.id > before and last.state != RunStatus.RUNNING:
        st.session_state.pop("reconciliation:awaited", None)
        header.say(over(last))
        navigation.go("reconciliation", id=last.id)
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(":material/sync: **Reconciling**", width="content")
        st.caption(f"{fetched:,} lines of the statement read. You can leave this page while it runs.")


def over(run: RunSummary) -> str:
    """What came of a run, in one sentence that is true of each."""
    words = {
        "CLEAN": f"all {run.lines:,} lines match, and nothing is in suspense.",
        "SUSPENSE": f"in suspense {_amounts(run.in_suspense or 0)}; nobody has explained that yet.",
        "BREAKS": "1 break." if run.breaks == 1 else f"{run.breaks:,} breaks.",
        "EMPTY": "the statement had no line, so nothing was compared.",
    }
    return f"Run {run.reference} is over: {words.get(run.state, 'it failed, so nothing is known.')}"


def _amounts(number: int) -> str:
    return "is 1 amount" if number == 1 else f"are {number:,} amounts"


def whole(run: RunSummary, explained: int) -> None:
    """One run: its result, and both kinds of its lines."""
    result(run, explained)
    broken, agreed, bank = filters.tabs(["Breaks", "Matched lines", "Bank matches"], key="run-tab")
    if broken.open:
        with broken:
            cursor = tables.cursor("seen", size=50)
            with request_context.reading() as session:
                rows = reconciliation.breaks(session, run.id, before=cursor.before, limit=cursor.limit)
            breaks(rows, cursor, run)
    elif agreed.open:
        with agreed:
            cursor = tables.cursor("before", size=50)
            with request_context.reading() as session:
                lines = reconciliation.matched(session, run, before=cursor.before, limit=cursor.limit)
            matched(lines, cursor, run)
    elif bank.open:
        with bank:
            _of_the_bank(run)


def _of_the_bank(run: RunSummary) -> None:
    cursor = tables.cursor("before", size=50)
    with request_context.reading() as session:
        rows = bank_matches.made_by(session, run.id, before=cursor.before, limit=cursor.limit)
    tables.table(
        rows,
        bank_match_panel.MATCHES,
        key="bank-matches",
        cursor=cursor,
        download=tables.Table(
            "bank-matches",
            lambda session: tables.every(
                lambda before, limit: bank_matches.made_by(session, run.id, before=before, limit=limit)
            ),
            filter={"run": run.reference},
        ),
        name="Matches with our bank",
        empty_state=("Nothing was matched", "This run matched no line of our bank's with a posting."),
    )


def result(run: RunSummary, explained: int) -> None:
    """Figures and balances of a run; of one that did not come to an end only why. `explained`: of the lines in
    suspense then, how many have been explained since."""
    if run.trouble:
        st.error(plain(run.trouble), icon=":material/cloud_off:")
    if not run.compared:
        return
    unsaid = "not counted then"
    cards.kpis(
        [
            Kpi("Lines of Stripe's statement", run.lines),
            Kpi("Matched", run.matched, note="to the last minor unit" if run.matched else ""),
            Kpi(
                "In suspense",
                "—" if run.in_suspense is None else run.in_suspense,
                note=unsaid if run.in_suspense is None else _in_suspense(run.in_suspense, explained),
                tone="wait" if run.in_suspense else None,
            ),
            Kpi(
                "Unmatched",
                "—" if run.unmatched is None else run.unmatched,
                note=unsaid if run.unmatched is None else "on every statement: Stripe's, banks', payees'",
                tone="bad" if run.unmatched else None,
            ),
            Kpi("Breaks", run.breaks, note=_broken(run), tone="bad" if run.breaks else None),
            Kpi("Took", _took(run)),
        ]
    )
    if run.balances:
        header.section("Balances", f"Both as they were at {deadlines.exact(run.finished_at)}.")
        with cards.panel():
            tables.small(run.balances, BALANCES, name="Balances")


def _in_suspense(then: int, explained: int) -> str:
    if not then:
        return ""
    since = "none" if not explained else "all" if explained >= then else f"{explained:,}"
    return f"on every statement, unexplained then; {since} cleared since"


def _broken(run: RunSummary) -> str:
    apart = run.breaks - (run.unmatched or 0)
    if not run.breaks:
        return "none"
    return f"with {apart} of the balances" if run.unmatched is not None and apart else "review each"


def _took(run: RunSummary) -> str:
    if run.finished_at is None:
        return "—"
    seconds = (run.finished_at - run.started_at).total_seconds()
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


def breaks(rows: Sequence[Sighting], cursor: tables.Cursor, run: RunSummary) -> None:
    """What did not match then; a row opens its break, where what is so now stands."""
    if not rows and cursor.before is None:
        empty.state(*_nothing_broken(run))
        return
    tables.table(
        rows,
        BREAKS,
        key="seen",
        cursor=cursor,
        download=tables.Table(
            "breaks-of-a-run",
            lambda session: tables.every(
                lambda before, limit: reconciliation.breaks(session, run.id, before=before, limit=limit)
            ),
            filter={"run": run.reference},
        ),
        name="Breaks",
    )


def _nothing_broken(run: RunSummary) -> tuple[str, str]:
    """Why no break is listed, which is good news of a clean run only."""
    match run.state:
        case RunStatus.CLEAN:
            return (
                "Every line matches",
                f"All {run.lines:,} lines of the statement are booked as what they are.",
            )
        case RunStatus.SUSPENSE:
            return (
                "No line differs",
                f"In suspense {_amounts(run.in_suspense or 0)} as of that run, which nobody had explained.",
            )
        case RunView.NOT_COUNTED:
            return "No line differs", "This run was before money in suspense was counted."
        case RunView.EMPTY:
            return "Nothing was compared", "The statement had no line up to then."
        case RunStatus.RUNNING:
            return "The run is under way", "Breaks are listed when it is over."
    return "Nothing was compared", "The run did not come to an end, so nothing is known of its lines."


def show_status(found: ReconciliationStatus, now: datetime) -> None:
    """Above the list of runs: a loud line as long as nothing good is known of today."""
    match found.verdict(now):
        case RunView.NEVER:
            st.warning("The ledger was never compared with Stripe.", icon=":material/history:")
        case RunStatus.FAILED | RunView.BROKEN_OFF as state:
            assert found.newest
            st.error(
                f"{failure(found, state, now)} {plain(found.newest.trouble or '')}", icon=":material/error:"
            )
        case RunView.OLD:
            assert found.compared
            st.error(
                f"The last comparison with Stripe is {deadlines.span(now - found.compared.until)} old "
                f"(run {found.compared.reference}). Nothing is known of what came since.",
                icon=":material/history:",
            )


def unread(found: Unread) -> None:
    """Payees' accounts of which nothing is known: a run compares what it could read."""
    if found.accounts:
        one = found.accounts == 1
        many = "1 payee's account" if one else f"{found.accounts:,} payees' accounts"
        st.warning(
            f"{many} at Stripe could not be read, so nothing is known of {'it' if one else 'them'}. "
            f"{plain(found.why or '')}",
            icon=":material/cloud_off:",
        )


def failure(found: ReconciliationStatus, state: str, now: datetime) -> str:
    """A failed run, and how old what is known is."""
    assert found.newest
    what = "failed" if state == RunStatus.FAILED else "was broken off"
    last = found.compared
    if last is None:
        return f"Run {found.newest.reference} {what}; nothing was ever compared."
    breaks = f", and found {last.breaks:,} break{'' if last.breaks == 1 else 's'}" if last.breaks else ""
    return (
        f"Run {found.newest.reference} {what}; the last comparison, {last.reference}, is "
        f"{deadlines.span(now - last.until)} old{breaks}."
    )


def matched(rows: Sequence[Matched], cursor: tables.Cursor, run: RunSummary) -> None:
    cards.note(
        f"Lines up to {deadlines.exact(run.until)} as they are booked now. What was booked since the run is among them."
    )
    tables.table(
        rows,
        MATCHED,
        key="matched",
        cursor=cursor,
        download=tables.Table(
            "matched-lines",
            lambda session: tables.every(
                lambda before, limit: reconciliation.matched(session, run, before=before, limit=limit)
            ),
            filter={"run": run.reference},
        ),
        name="Matched lines",
    )


def badge(run: RunSummary) -> Pill:
    return status.pill("reconciliation", run.state)
