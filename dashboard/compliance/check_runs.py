"""Runs of checks on screen: what the last night found, how far one is, and the buttons that ask for one."""

from __future__ import annotations

import streamlit as st

from core.actions.platform import check_runs as action
from core.queries import check_runs, health
from core.queries.check_runs import CheckRuns, RunOfChecks
from core.rules.check_runs import PART_WORDS, CheckPart, PartResult
from dashboard import navigation, request_context
from dashboard.ui import cards, confirm, deadlines, header
from dashboard.ui.cards import Kpi
from dashboard.ui.safe import plain

POLL = "2s"
SEEN = "check-runs:seen"


def read() -> CheckRuns:
    """Once for all that a page says of it."""
    with request_context.reading() as session:
        return check_runs.standing(session, now=request_context.now())


def alarm(standing: CheckRuns, *, here: bool = False) -> None:
    """Where the last run found something, was given up, or is missing; nothing while all is well. `here`: on the page
    that the words lead to."""
    found = health.nightly_check(standing)
    if not found.ok:
        words = found.words.replace(": page Checks", "") if here else found.words
        st.error(f"**Checks:** {plain(words)}.", icon=":material/nights_stay:")


def line(standing: CheckRuns) -> None:
    """The way to the page, and where all is well, since when."""
    last = standing.finished
    words = "Checks"
    if last is not None and health.nightly_check(standing).ok:
        words = f"Checks: all passed {deadlines.ago(last.started_at, request_context.now())}"
    navigation.link("checks", words, icon=":material/fact_check:")


def of_the_books(standing: CheckRuns) -> None:
    """The button that asks for a run of the books alone, or how far that run is."""
    if standing.books_under_way:
        _progress(standing.books_under_way.id)
    else:
        _ask("Run again" if standing.books else "Run now", "check-books", books_only=True)


def _ask(label: str, key: str, *, books_only: bool) -> None:
    if intent := confirm.pressed(label, key=key, type="secondary", icon=":material/play_arrow:"):
        confirm.carry_out(
            intent,
            lambda session, actor, now: action.request(session, actor, books_only=books_only, now=now),
            done="The run begins within seconds, where a worker runs.",
        )


def section(standing: CheckRuns) -> None:
    """What the last run found, part by part."""
    header.section(
        "Nightly check",
        "At 02:00 UTC: these checks, the record against its seals, every evidence file, and the case file of every "
        "decided case.",
    )
    if standing.under_way:
        _progress(standing.under_way.id)
    else:
        _ask("Run the nightly check now", "check-run", books_only=False)
    if standing.last is None:
        cards.note("No run has ended yet.")
    else:
        _result(standing.last)


@st.fragment(run_every=POLL)
def _progress(run_id: int) -> None:
    """Drawn while this run is under way; the page is drawn again when it is over."""
    standing = read()
    run = next(
        (each for each in (standing.under_way, standing.books_under_way) if each and each.id == run_id), None
    )
    if run is None:
        st.rerun()
    share = min(1.0, run.done / run.total) if run.total else 0.0
    st.progress(share, text=_how_far(run))


def _how_far(run: RunOfChecks) -> str:
    if run.part is None:
        return "Waiting for a worker. You can leave this page."
    of = f": {run.done:,} of {run.total:,}" if run.total else ""
    return f"{PART_WORDS[run.part]}{of}. You can leave this page."


def _result(run: RunOfChecks) -> None:
    asked = f", requested by {plain(run.requested_by)}" if run.requested_by else ""
    cards.note(f"Run {run.id} began {deadlines.exact(run.started_at)}{asked}.")
    if run.failure:
        st.error(plain(run.failure), icon=":material/error:")
    by_part = {each.part: each for each in run.results}
    cards.kpis([_figure(part, by_part.get(part)) for part in CheckPart])
    for each in run.results:
        for sentence in each.first:
            st.error(plain(sentence), icon=":material/gpp_bad:")
        if each.wrong > len(each.first):
            cards.note(f"{PART_WORDS[each.part]}: the first {len(each.first)} of {each.wrong:,} are shown.")


def _figure(part: CheckPart, found: PartResult | None) -> Kpi:
    if found is None:
        return Kpi(PART_WORDS[part], "Not checked", "the run ended before", "wait")
    if found.wrong:
        return Kpi(PART_WORDS[part], f"{found.wrong:,} wrong", f"of {found.checked:,}", "bad")
    if not found.checked:
        return Kpi(PART_WORDS[part], "None yet", "nothing to check")
    return Kpi(PART_WORDS[part], "All well", f"{found.checked:,} checked", "good")
