"""What the finance landing page is made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from core.money import Money
from core.policy.limits import CHARGEBACK_ALARMS
from core.queries import journals, overview
from core.queries.breaks import OpenBreaks
from core.queries.chargebacks import ChargebackRow
from core.queries.fees import FeePeriod
from core.queries.holds import Figures
from core.queries.journals import JournalRow
from core.queries.letters import Undelivered
from core.queries.oldest_waiting import Oldest, Work
from core.queries.operations import BalanceShortfall
from core.queries.overview import AgedFunds, CurrencyTotals, sums
from core.queries.payouts import PayoutTotal
from core.queries.reconciliation import ReconciliationStatus
from core.rules.chargebacks import unanswered
from core.rules.operations import OperationStatus, OperationView
from core.rules.payouts import PayoutStatus
from core.rules.periods import Span
from core.rules.reconciliation import RunStatus, RunView
from dashboard import navigation
from dashboard.finance import periods
from dashboard.finance.books import JOURNALS, POSTINGS_FILE
from dashboard.ui import cards, deadlines, header, tables
from dashboard.ui.safe import plain
from dashboard.ui.status import pill

AT_REST = (RunStatus.CLEAN, RunStatus.RUNNING, RunView.EMPTY)
STUCK_TABS = {Work.STRIPE_EVENT: "Webhook inbox", Work.EMAIL: "E-mails"}


def money_row(totals: Sequence[CurrencyTotals], earned: dict[str, list[FeePeriod]], month: str) -> None:
    """Held, payable, refunds, fees: one card each, every currency in it."""
    net: list[Money] = [
        period.platform + period.withdrawal for periods in earned.values() for period in periods
    ]
    with st.grid(columns=4, min_column_width=165, gap="small", row_height="content"):
        cards.figure(
            "Client funds held",
            _or_none(totals, "held"),
            link="Accounts",
            page="trial_balance",
            **_line(totals, "held"),
        )
        cards.figure(
            "Payee payables",
            _or_none(totals, "payable"),
            link="Accounts",
            page="trial_balance",
            **_line(totals, "payee_payable"),
        )
        cards.figure(
            "Refunds payable",
            _or_none(totals, "refundable"),
            link="Accounts",
            page="trial_balance",
            **_line(totals, "refund_payable"),
        )
        cards.figure(
            f"Fees earned in {month}",
            _fees(net),
            link="By day",
            page="fees",
            note="Platform and withdrawal fees",
        )


def _fees(net: Sequence[Money]) -> Sequence[Money | str]:
    """One figure a currency."""
    return sums(net) or ["None"]


def _or_none(totals: Sequence[CurrencyTotals], name: str) -> Sequence[Money | str]:
    return sums([getattr(each, name) for each in totals]) or ["None"]


def _line(totals: Sequence[CurrencyTotals], line: str) -> dict[str, Any]:
    return {"line": line, "currency": totals[0].currency if totals else "USD"}


def watch_row(
    counts: Sequence[PayoutTotal],
    calls: dict[str, int],
    reconciled: ReconciliationStatus,
    aged: Sequence[AgedFunds],
    alarms: int,
    open_breaks: OpenBreaks,
    *,
    now: datetime,
) -> None:
    """What may need a person: payouts, calls, the last reconciliation and its breaks, the age of what is held."""
    review = sum(each.number for each in counts if each.status == PayoutStatus.ADMINISTRATIVE_REVIEW)
    amounts = [each.total.text() for each in counts if each.status == PayoutStatus.ADMINISTRATIVE_REVIEW]
    stuck = calls.get(OperationStatus.BLOCKED, 0) + calls.get(OperationStatus.REVIEW, 0)
    waiting = sum(
        calls.get(each, 0) for each in (OperationStatus.QUEUED, OperationStatus.SENDING, OperationView.SENT)
    )
    with st.grid(columns=4, min_column_width=165, gap="small"):
        cards.figure(
            "Payouts in review",
            [review],
            note=" · ".join(amounts) or "None has failed",
            tone="bad" if review else "quiet",
            link="Review them",
            page="payouts",
            **({"status": PayoutStatus.ADMINISTRATIVE_REVIEW.value} if review else {}),
        )
        cards.figure(
            "Operations blocked or in review",
            [stuck],
            note=f"{waiting} more under way" if waiting else "None under way",
            tone="wait" if stuck else "quiet",
            link="Operations",
            page="operations",
        )
        _reconciled(reconciled, open_breaks, now)
        cards.figure(
            "Held longest",
            [deadlines.span(now - aged[0].since) if aged else "Nothing held"],
            note=_ages(alarms, aged),
            tone="bad" if alarms else "quiet",
            link="Project",
            page="project" if aged else "projects",
            **({"id": aged[0].id} if aged else {}),
        )


def owed_and_stopped(
    owed: Sequence[tuple[Money, tuple[Money, ...]]],
    held: Figures,
    to_answer: Sequence[ChargebackRow],
    now: datetime,
) -> None:
    """What payees owe in each currency, with its parts by age; what holds stop, and what banks wait for."""
    old = [ages[-1].text() for _, ages in owed if ages[-1].is_positive]
    due = next((each.due_by for each in to_answer if each.due_by), None)
    with st.grid(columns=3, min_column_width=165, gap="small"):
        cards.figure(
            "Receivables from payees",
            [total for total, _ in owed],
            note=f"{' · '.join(old)} over 90 days" if old else "",
            tone="bad" if old else "quiet",
            link="By age",
            page="receivables",
        )
        cards.figure(
            "Holds in force",
            [held.active],
            note=" · ".join(each.text() for each in held.stopped),
            link="Holds",
            page="holds",
        )
        cards.figure(
            "Chargebacks to answer",
            [len(to_answer)],
            note=f"The first {deadlines.words(due, now)}" if due else "",
            tone="wait" if to_answer else "quiet",
            link="Chargebacks",
            page="chargebacks",
        )


def _ages(alarms: int, aged: Sequence[AgedFunds]) -> str:
    if alarms:
        return f"{alarms} beyond the age alarm"
    return f"Alarm on {aged[0].alarm_at:%-d %b %Y}" if aged else "Nothing is held"


def _reconciled(standing: ReconciliationStatus, breaks: OpenBreaks, now: datetime) -> None:
    """What is known of the last run; a failed or an old one is never shown as a good one."""
    last, known = standing.newest, standing.compared
    if last is None:
        cards.figure("Last reconciliation", ["Never"], link="Run one", page="reconciliation", tone="bad")
        return
    state = standing.verdict(now)
    words: dict[str, str] = {
        RunStatus.CLEAN: "Everything matches",
        RunStatus.SUSPENSE: f"{known.in_suspense or 0:,} in suspense" if known else "",
        RunStatus.BREAKS: breaks.words if breaks.open else "Breaks, closed since",
        RunStatus.RUNNING: "Running",
        RunView.OLD: f"{deadlines.span(now - known.until)} old" if known else "",
    }
    cards.figure(
        "Last reconciliation",
        (words.get(state) or pill("reconciliation", state).label).split(", ", 1),
        note=_compared(standing, state, now) + _open(breaks, state, now),
        tone="quiet"
        if state in (RunStatus.CLEAN, RunStatus.RUNNING, RunView.EMPTY)
        else pill("reconciliation", state).tone,
        link=f"Open breaks ({breaks.open:,})" if breaks.open else f"Run {last.reference}",
        page="reconciliation",
        **({} if breaks.open else {"id": last.id}),
    )


def _open(breaks: OpenBreaks, state: str, now: datetime) -> str:
    """Those that are open on every statement, of whichever run: the one count of breaks on the card."""
    if not breaks.open or breaks.oldest is None:
        return ""
    age = deadlines.span(now - breaks.oldest)
    if state == RunStatus.BREAKS:
        return f" · oldest break {age} old"
    return f" · {breaks.words}, the oldest {age} old"


def _compared(standing: ReconciliationStatus, state: str, now: datetime) -> str:
    known = standing.compared
    if known is None:
        return "Nothing was ever compared"
    counts = (
        f"{known.matched:,} of {known.lines:,} of Stripe's lines matched · {deadlines.ago(known.until, now)}"
    )
    return f"Before that: {counts}" if state in (RunStatus.FAILED, RunView.BROKEN_OFF) else counts


def alarm(aged: Sequence[AgedFunds], alarms: int) -> None:
    """Money held too long, named, on top of everything: after 90 days Stripe would not let it wait any longer."""
    if not alarms:
        return
    late = aged[: min(alarms, 3)]
    names = ", ".join(f"{plain(each.project)} ({plain(each.held.text())})" for each in late)
    more = f" and {alarms - len(late)} more" if alarms > len(late) else ""
    st.error(
        f"**Held too long:** {names}{more}. Stripe lets money wait for 90 days.", icon=":material/alarm:"
    )


def bank_alarm(to_answer: Sequence[ChargebackRow], now: datetime) -> None:
    """Chargebacks whose answer is due within three days, the most urgent first."""
    near = timedelta(days=CHARGEBACK_ALARMS[1])
    late = [each for each in to_answer if each.due_by and each.due_by - now <= near]
    if not late:
        return
    first = late[0]
    more = f" and {len(late) - 1} more" if len(late) > 1 else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.error(
            f"**A bank waits for an answer {deadlines.words(first.due_by, now)}:** {first.reference}, "
            f"{plain(first.amount.text())}{more}. {unanswered(first.status)}",
            icon=":material/alarm:",
        )
        navigation.link("chargebacks", first.reference, icon=":material/arrow_forward:", id=first.id)


def short_of_money(stuck: Sequence[BalanceShortfall]) -> None:
    """Calls that Stripe refused because the platform's balance is too small: they go by themselves when it is not."""
    if not stuck:
        return
    sums_ = ", ".join(f"{plain(each.amount.text())} ({each.number})" for each in stuck)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(
            f"**Waiting for money at Stripe:** {sums_}. The platform's balance there is too small; top it up, and they "
            "are sent within the hour.",
            icon=":material/account_balance_wallet:",
        )
        navigation.link("operations", "Operations", icon=":material/arrow_forward:", q="", status="QUEUED")


def letters_alarm(found: Undelivered) -> None:
    """Letters that do not reach anybody: the parties and the colleagues do not know what they were to be told."""
    if not found:
        return
    counts = [
        f"{number:,} {what}" for number, what in ((found.failed, "given up"), (found.late, "late")) if number
    ]
    why = f" A reason: {found.reason.rstrip('.')}." if found.reason else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.error(
            f"**E-mails are not delivered:** {' and '.join(counts)}.{plain(why)}",
            icon=":material/unsubscribe:",
        )
        navigation.link(
            "operations", "E-mails", icon=":material/arrow_forward:", **{"operations-tab": "E-mails"}
        )


def events_alarm(given_up: int) -> None:
    """Events from Stripe that cannot be applied: what they say may be missing here until somebody has looked."""
    if not given_up:
        return
    events = f"{given_up:,} event{'s' if given_up > 1 else ''} from Stripe"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.error(f"**Could not be applied:** {events}. Each says why.", icon=":material/sync_problem:")
        navigation.link(
            "operations",
            "Webhook inbox",
            icon=":material/arrow_forward:",
            **{"operations-tab": "Webhook inbox", "state": "FAILED"},
        )


def stuck_alarm(waiting: Sequence[Oldest], now: datetime) -> None:
    """Work that goes by itself and does not: named with how long the oldest of its kind has waited."""
    late = [each for each in waiting if each.too_old(now)]
    if not late:
        return
    named = ", ".join(f"{each.work.label} ({deadlines.span(each.age(now))})" for each in late)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.error(
            f"**Waiting too long:** {named}. Each says why on Operations.",
            icon=":material/hourglass_disabled:",
        )
        tab = STUCK_TABS.get(late[0].work)
        navigation.link(
            "operations",
            "Operations",
            icon=":material/arrow_forward:",
            **({"operations-tab": tab} if tab else {}),
        )


def close_alarm(due: Span | None, now: datetime) -> None:
    """A day or month of the books that should be closed by now, and the way to its checklist."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if periods.overdue(due, now):
            navigation.link("periods", "Close it", icon=":material/arrow_forward:")


AGED_COLUMNS = [
    tables.text("project", "Project", width=230),
    tables.text("milestone", "Milestone"),
    tables.status("status", "Status", axis="milestone", width=130),
    tables.money("held", "Held", width=110),
]


AGED_FILE = [
    tables.text("id", "Project number"),
    tables.text("project", "Project"),
    tables.text("milestone_id", "Milestone number"),
    tables.text("milestone", "Milestone"),
    tables.text("payee", "Payee"),
    tables.status("status", "Status", axis="milestone"),
    tables.money("held", "Held"),
    tables.when("since", "Held since"),
    tables.when("alarm_at", "Alarm"),
]


def latest_journals(latest: Sequence[JournalRow]) -> None:
    """The newest few; the file has every posting."""
    header.section("Latest journals")
    tables.table(
        latest,
        JOURNALS,
        key="latest",
        download=tables.Table(
            "journals",
            lambda session: journals.postings(session, journals.JournalFilter()),
            columns=POSTINGS_FILE,
        ),
        name="Latest journals",
        empty_state=("Nothing posted", "No money has moved yet."),
    )


def held_longest(aged: Sequence[AgedFunds], now: datetime) -> None:
    columns = [
        *AGED_COLUMNS,
        tables.text("since", "Held for", value=lambda each: deadlines.span(now - each.since), width=90),
        tables.due("alarm_at", "Alarm", now=now, width=110),
    ]
    chosen = tables.table(
        aged,
        columns,
        key="oldest",
        download=tables.Table(
            "held-longest", lambda session: overview.oldest(session, limit=None), columns=AGED_FILE
        ),
        id="milestone_id",
        select=True,
        name="Money held longest",
        empty_state=("Nothing is held", "When a payer funds a milestone, its money shows here."),
    )
    if chosen is not None:
        st.session_state.pop("oldest:chosen", None)
        navigation.go("project", id=next(each.id for each in aged if each.milestone_id == chosen))
