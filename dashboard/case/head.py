"""The head of a case: what it is, on which of the three axes it stands where, its amounts, its limits, its blocks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import streamlit as st

from core.actions.cases import read_markers
from core.money import Money
from core.queries.cases import CaseView
from core.rules.approvals import DecisionStatus
from dashboard import request_context
from dashboard.case import party_request, redaction
from dashboard.case.decision.outcome_amounts import bearer
from dashboard.ui import deadlines, errors, header, status
from dashboard.ui.safe import html
from dashboard.ui.status import Pill, Tone, in_words
from dashboard.ui.timeline import html_lines

AGAIN = timedelta(minutes=1)


def show(case: CaseView, *, me: int | None, now: datetime) -> st.delta_generator.DeltaGenerator:
    """Draws the head and returns the place for the buttons."""
    project, milestone = case.context.project, case.context.milestone
    buttons = header.page(
        f"{case.reference} · {milestone.title}",
        f"{project.title} · {redaction.of(case, case.context.payer)} and {redaction.of(case, case.context.payee)} · "
        f"{in_words(project.platform)}",
        badges=list(_badges(case, me)),
        back=("disputes", "Cases"),
    )
    st.html(
        f'<div class="ed-head"><dl class="ed-strip">{_states(case)}{_limits(case, now)}</dl>'
        f'<dl class="ed-strip">{_amounts(case)}</dl></div>'
    )
    _passed(case, me, now)
    party_request.show(case, now=now)
    if case.blocks:
        errors.reasons([each.sentence for each in case.blocks], title="Nothing can be released now")
    _seen(case, now)
    return buttons


def _passed(case: CaseView, me: int | None, now: datetime) -> None:
    """The last handover's words, for as long as whoever got the case has to do with it."""
    passed = case.passed
    if passed is None or not case.open:
        return
    to = f" to {passed.to}" if passed.to else ""
    st.html(
        f'<blockquote class="ed-quote"><small>Handed over{html(to)} by {html(passed.by)}, '
        f'<time title="{html(deadlines.exact(passed.at))}">{html(deadlines.ago(passed.at, now))}</time></small><br>'
        f"{html_lines(passed.note)}</blockquote>"
    )


def _seen(case: CaseView, now: datetime) -> None:
    """What is here is no news to the reader any more; what was new when they came is kept for the timeline."""
    actor, key = request_context.actor(), f"case-{case.id}:since"
    if key not in st.session_state:
        with request_context.reading() as session:
            st.session_state[key] = read_markers.last(session, actor, case_id=case.id)
    last: datetime | None = st.session_state.get(f"case-{case.id}:noted")
    if last is None or now - last >= AGAIN:
        request_context.desk().database.run(
            lambda session: read_markers.seen(session, actor, now=now, case_id=case.id)
        )
        st.session_state[f"case-{case.id}:noted"] = now


def _badges(case: CaseView, me: int | None) -> Iterator[Pill]:
    if case.open:
        if case.record.escalated:
            yield status.pill("mark", "ESCALATED")
        if case.record.mediator_id is None:
            yield status.pill("mark", "UNASSIGNED")
        elif case.record.mediator_id == me:
            yield status.pill("mark", "MINE")
    if case.tie:
        yield status.pill("mark", "TIED")
    if case.left_by(me):
        yield status.pill("mark", "RECUSED")
    amount = case.context.amount
    if amount > case.context.profile.second_person_above.of(amount.currency):
        yield status.pill("mark", "HIGH_VALUE")
    yield from _decided(case)


def _decided(case: CaseView) -> Iterator[Pill]:
    """How far the decision of an open case is: as the queue marks it."""
    latest = case.decisions[0] if case.decisions else None
    if latest is None or not case.open:
        return
    if latest.pending or latest.record.status == DecisionStatus.VOIDED:
        yield status.pill("mark", latest.record.status)
    if latest.news:
        yield status.pill("mark", "SINCE")


def _states(case: CaseView) -> str:
    waits = f"for {redaction.of(case, case.waiting_on)}" if case.waiting_on else case.reason
    return (
        _cell("Milestone", _pill("milestone", case.context.milestone.status))
        + _cell("Payment", _pill("payment", case.context.order.state))
        + _cell("Case", _pill("case", case.record.status), waits)
        + _cell(
            "Mediator",
            html(case.mediator or ("Unassigned" if case.open else "None")),
            f"opened {case.record.opened_at:%-d %b %Y}",
        )
    )


def _limits(case: CaseView, now: datetime) -> str:
    """The limits that still run, each in words and exact; a closed case says when it was closed."""
    record = case.record
    if not case.open:
        return _cell(
            "Closed", html(deadlines.ago(record.resolved_at, now)), deadlines.exact(record.resolved_at)
        )
    recorded = case.decision
    limits: tuple[tuple[str, datetime | None], ...] = (
        ("Answer due", record.answer_due_at),
        ("Mediation starts", None if record.in_mediation_at else record.mediation_due_at),
        ("Decide by", None if recorded else record.decision_due_at),
        ("Carried out", recorded.record.execute_at if recorded else None),
    )
    if not any(at for _, at in limits):
        limits = (("Due", record.due_at),)
    return "".join(
        _cell(label, _urgent(deadlines.words(at, now), deadlines.tone(at, now)), deadlines.exact(at))
        for label, at in limits
        if at is not None
    )


def _amounts(case: CaseView) -> str:
    order, money = case.context.order, case.context.money
    kept = order.fee_kept_minor
    return (
        _amount("Paid by the payer", money(order.charge_minor), "total")
        + _amount("Funded", money(order.funded_minor))
        + _amount("Held", money(order.held_minor))
        + _amount("Released", money(order.released_minor), _also(money(order.payable_minor), "payable"))
        + _amount("Refunded, with fees", case.refunded.sent, _also(case.refunded.waiting, "not yet"))
        + (_amount("Withdrawn by the bank", case.refunded.by_bank) if case.refunded.by_bank.minor else "")
        + _amount("Platform fee", money(order.platform_fee_minor), f"{money(kept)} earned")
        + _amount("Processing fee", money(order.processing_fee_minor), bearer(case.concession))
    )


def _also(amount: Money, words: str) -> str:
    return f"{amount} {words}" if amount.minor else ""


def _amount(label: str, amount: Money, note: str = "") -> str:
    return _cell(label, html(amount.text()), note)


def _pill(axis: str, value: str) -> str:
    each = status.pill(axis, value)
    return (
        f'<span class="ed-pill ed-{each.tone}" title="{html(each.meaning or "")}">{html(each.label)}</span>'
    )


def _urgent(words: str, tone: Tone) -> str:
    return html(words) if tone == "quiet" else f'<span class="ed-ink-{tone}">{html(words)}</span>'


def _cell(label: str, value: str, note: str = "") -> str:
    """`value` is HTML of ours; label and note are escaped."""
    small = f"<small>{html(note)}</small>" if note else ""
    return f"<div><dt>{html(label)}</dt><dd>{value}{small}</dd></div>"
