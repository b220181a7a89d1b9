"""Reconciliation on screen: a run's result, and a run under way.

A run speaks with Stripe for as long as the statement takes, so it has a thread of its own: closing the page, or
another click, does not interrupt it. What it found stands in the database, where the page looks every second.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.actions import reconcile
from core.queries import reconciliation
from core.queries.reconciliation import Balance, Break, Matched, Run
from dashboard import current, navigation
from dashboard.ui import cards, empty, header, status, tables
from dashboard.ui.cards import Kpi
from dashboard.ui.safe import plain
from dashboard.ui.status import Pill


def agrees(each: Balance) -> str:
    if each.difference is None:
        return "Booked since"
    return "CLEAN" if each.difference.is_zero else "BREAKS"


RUNS = [
    tables.opens("reference", "Run", page="reconciliation", width=70),
    tables.status("status", "Result", axis="reconciliation", width=130),
    tables.count("lines", "Lines", width=90),
    tables.count("matched", "Matched", width=90),
    tables.count("breaks", "Breaks", width=80),
    tables.when("until", "Statement up to", width=160),
    tables.when("started_at", "Started", width=150),
    tables.text("started_by", "By", width=160),
    tables.text("error", "Trouble"),
]
BREAKS = [
    tables.status("kind", "What is wrong", axis="reconciliation", width=140),
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
    tables.money("at_provider", "Stripe says"),
    tables.money("in_ledger", "The ledger says"),
    tables.money("statement", "Sum of the statement"),
    tables.money("difference", "Difference"),
    tables.status("agrees", "", axis="reconciliation", value=agrees),
]


def begin() -> None:
    """Start a run by whoever is signed in, in a thread of its own."""
    desk, actor = current.desk(), current.actor()
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
    """Drawn while a run newer than run `before` is awaited or under way; the page is drawn anew when it is over."""
    with current.reading() as session:
        last = next(iter(reconciliation.runs(session, limit=1)), None)
        fetched = reconciliation.fetched_since(session, last.started_at) if last and last.id > before else 0
    if last is not None and last.id > before and last.state(current.now()) != "RUNNING":
        st.session_state.pop("reconciliation:awaited", None)
        if last.status == "CLEAN":
            header.say(f"Run {last.reference} is over: everything matches.")
        navigation.go("reconciliation", id=last.id)
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(":material/sync: **Reconciling**", width="content")
        st.caption(f"{fetched:,} lines of the statement read. You can leave this page meanwhile.")


def result(run: Run, now: datetime) -> None:
    """Figures and balances of a run."""
    cards.kpis(
        [
            Kpi("Lines of the statement", run.lines),
            Kpi("Matched", run.matched, note="to the last minor unit" if run.matched else ""),
            Kpi(
                "Breaks",
                run.breaks,
                note="look at each" if run.breaks else "none",
                tone="bad" if run.breaks else "good",
            ),
            Kpi("Took", _took(run)),
        ]
    )
    if run.error:
        st.error(plain(run.error), icon=":material/cloud_off:")
    if run.balances:
        header.section("Balances", "At the moment of the run.")
        with cards.panel():
            tables.small(run.balances, BALANCES, name="Balances")


def _took(run: Run) -> str:
    if run.finished_at is None:
        return "—"
    seconds = (run.finished_at - run.started_at).total_seconds()
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


def breaks(rows: Sequence[Break], cursor: tables.Cursor, run: Run) -> None:
    """What does not match; a row opens the journal, where there is one."""
    if not rows and cursor.before is None:
        empty.state("Every line matches", "Stripe and the ledger tell the same story.", icon="task_alt")
        return
    chosen = tables.table(
        rows,
        BREAKS,
        key="breaks",
        select=True,
        cursor=cursor,
        download=tables.Table(
            "breaks",
            lambda session: tables.every(
                lambda before, limit: reconciliation.breaks(session, run.id, before=before, limit=limit)
            ),
            filter={"run": run.reference},
        ),
        name="Breaks",
    )
    found = next((each for each in rows if each.id == chosen), None)
    if found and found.journal_id:
        st.session_state.pop("breaks:chosen", None)
        navigation.go("journal", id=found.journal_id)


def matched(rows: Sequence[Matched], cursor: tables.Cursor, run: Run) -> None:
    tables.table(
        rows,
        MATCHED,
        key="matched",
        cursor=cursor,
        download=tables.Table(
            "matched-lines",
            lambda session: tables.every(
                lambda before, limit: reconciliation.matched(session, run.until, before=before, limit=limit)
            ),
            filter={"run": run.reference},
        ),
        name="Matched lines",
    )


def badge(run: Run, now: datetime) -> Pill:
    return status.pill("reconciliation", run.state(now))
