"""A decision being carried out: every call with its state, looked at every two seconds until nothing moves any more."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.queries import decision_progress
from core.queries.decision_progress import CallProgress, Execution
from core.rules.operations import OperationKind, OperationStatus
from dashboard import request_context
from dashboard.ui import deadlines, status
from dashboard.ui.safe import html

EVERY = 2.0
NAMES = {
    "REFUND": "Refund to the payer",
    "TRANSFER": "Transfer to the payee",
    "PAYOUT": "Payout to the payee's bank",
}
NEXT = {
    "PLANNED": "The payer is asked to fund it when its turn comes.",
    "AWAITING_FUNDING": "The payer is asked to fund it.",
}
MOVING = frozenset({"PLANNED", "QUEUED", "SENDING"})


def show(decision_id: int) -> None:
    settled = _read(decision_id).settled(request_context.now())
    st.fragment(_watch, run_every=None if settled else EVERY)(decision_id, settled)


def _watch(decision_id: int, settled: bool) -> None:
    now = request_context.now()
    execution = _read(decision_id)
    st.html(f'<div class="ed-steps">{"".join(_steps(execution, now))}</div>')
    if not settled and execution.settled(now):
        st.rerun()  # the whole page: amounts, states and the next milestone have changed with it


def _read(decision_id: int) -> Execution:
    with request_context.reading() as session:
        return decision_progress.execution(session, decision_id)


def _steps(execution: Execution, now: datetime) -> list[str]:
    rows = [_row("good", "Booked", "The journal of the plan is posted.", "Done")]
    rows += [_call(each, now) for each in execution.steps]
    milestone = status.pill("milestone", execution.milestone_status)
    ended = (
        f"Settled {deadlines.exact(execution.ended_at)}"
        if execution.ended_at
        else "Ends when the money has moved"
    )
    rows.append(_row(milestone.tone, "Milestone", ended, milestone.label))
    if execution.next_title:
        following = status.pill("milestone", execution.next_status)
        rows.append(
            _row(
                following.tone,
                f"Next: {execution.next_title}",
                NEXT.get(execution.next_status or "", "It goes on as it stands."),
                following.label,
            )
        )
    for name, subject, state in execution.letters:
        letter = status.pill("notification", state)
        rows.append(_row(letter.tone, f"E-mail to {name}", subject, letter.label))
    return rows


def _call(step: CallProgress, now: datetime) -> str:
    away = (
        step.status == OperationStatus.QUEUED and step.sent is not None and step.sent.provider_id is not None
    )
    pill = status.pill("operation", "SENT" if away else step.status)
    return _row(
        pill.tone,
        f"{NAMES.get(step.kind, step.kind)} · {step.amount}",
        _detail(step, now),
        pill.label,
        moving=step.status in MOVING and not away,
    )


def _detail(step: CallProgress, now: datetime) -> str:
    sent = step.sent
    if sent is None:
        return "Follows the transfer." if step.kind == OperationKind.PAYOUT else "Not yet queued."
    words = [sent.provider_id or sent.key]
    if sent.tries > 1:
        words.append(f"try {sent.tries}")
    if sent.reason:
        words.append(sent.reason)
    if step.status == OperationStatus.QUEUED and step.kind == OperationKind.PAYOUT and step.arrival_at:
        words.append(f"Stripe expects it on {deadlines.day(step.arrival_at)}")
    elif step.status in (OperationStatus.QUEUED, OperationStatus.BLOCKED) and sent.next_try_at > now:
        words.append(f"again {deadlines.words(sent.next_try_at, now)}")
    return " · ".join(words)


def _row(tone: str, title: str, detail: str, state: str, *, moving: bool = False) -> str:
    return (
        f'<div class="ed-{tone}"><i class="{"ed-moving" if moving else ""}"></i>'
        f"<div>{html(title)}<small>{html(detail)}</small></div>"
        f'<span class="ed-pill ed-{tone}">{html(state)}</span></div>'
    )
