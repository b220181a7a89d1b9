"""Repayment by instalments, on screen: what was agreed, what of it is due, and a form for another agreement."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.actions.debts import repayment_plans
from core.queries.receivables import Debt, PlanRow
from core.rules import repayment_plans as rules
from core.rules.permissions import Permission
from core.rules.repayment_plans import Every, Instalment
from dashboard import request_context
from dashboard.ui import cards, confirm, deadlines, errors, header, reasons, tables, text_fields

INTERVALS = {Every.WEEK: "A week apart", Every.TWO_WEEKS: "Two weeks apart", Every.MONTH: "A month apart"}
INSTALMENTS = [
    tables.count("position", "Instalment", width=90),
    tables.day("due_on", "Due on", width=130),
    tables.money("amount", "Amount", width=110),
    tables.money("open", "Open", width=110),
    tables.text("state", "State", width=90),
]
PREVIEW = [
    tables.day("due_on", "Due on", width=130),
    tables.money("amount", "Amount", width=110),
]


def section(row: Debt, plans: Sequence[PlanRow]) -> None:
    """The plan that stands, those of before, and the form where none stands."""
    standing = next((each for each in plans if each.ended_at is None), None)
    may = request_context.may(Permission.AGREE_REPAYMENT)
    if standing is not None:
        _standing(row, standing, may=may)
    for each in plans:
        if each.ended_at is not None:
            cards.note(
                f"Repayment by instalments, agreed by {each.agreed_by} on {deadlines.exact(each.agreed_at)}, ended by "
                f"{each.ended_by} on {deadlines.exact(each.ended_at)}: {each.end_reason}"
            )
    if may and (standing is None or not any(each.open.is_positive for each in standing.instalments)):
        _agree(row)


def _standing(row: Debt, plan: PlanRow, *, may: bool) -> None:
    header.section(
        "Repayment by instalments", f"Agreed by {plan.agreed_by} on {deadlines.exact(plan.agreed_at)}"
    )
    st.text(plan.reason)
    tables.small(plan.instalments, INSTALMENTS, name="Instalments")
    if not may:
        return
    with st.expander("End the plan", key=f"end-plan-{plan.id}"):
        cards.note(
            "What is still owed is due at once, and set off against the next releases. The payee gets an e-mail."
        )
        place = text_fields.named("party", row.party_id, f"end-plan-{row.owed.currency.lower()}")
        reason = reasons.line(place, "Why it ends", key=f"end-plan-reason-{row.id}")
        if intent := confirm.pressed("End the plan", key="end-plan", type="secondary"):
            confirm.carry_out(
                intent,
                lambda session, actor, now: repayment_plans.end(
                    session, actor, now=now, plan_id=plan.id, reason=reason
                ),
                done="The plan has ended. What is owed is due at once.",
                sent=[place],
            )


def _agree(row: Debt) -> None:
    with st.expander("Agree on instalments", key=f"agree-plan-{row.id}"):
        cards.note(
            "As agreed with the payee. Until an instalment falls due, it is not set off against releases; then it is, "
            "and the payee is reminded. The payee gets an e-mail with the plan."
        )
        with request_context.reading() as session:
            pending = repayment_plans.on_its_way(session, row.party_id, row.owed.currency)
        if pending.is_positive:
            cards.note(rules.PartOnItsWay(amount=pending).message)
            return
        planned = _planned(row)
        if planned:
            tables.small(planned, PREVIEW, name="Planned instalments")
        place = text_fields.named("party", row.party_id, f"plan-{row.owed.currency.lower()}")
        reason = reasons.line(place, "How it was agreed", key=f"plan-reason-{row.id}")
        intent = confirm.pressed("Save plan", key="agree-plan", type="secondary", disabled=not planned)
        if intent:
            confirm.carry_out(
                intent,
                lambda session, actor, now: repayment_plans.agree(
                    session, actor, now=now, party_id=row.party_id, instalments=planned, reason=reason
                ),
                done="The plan is saved. The payee gets an e-mail.",
                sent=[place],
            )


def _planned(row: Debt) -> list[Instalment]:
    today = request_context.now().date()
    count_at, first_at, every_at = st.columns(3)
    count = count_at.number_input(
        "Instalments", min_value=1, max_value=rules.MOST, value=3, step=1, key=f"plan-count-{row.id}"
    )
    first = first_at.date_input(
        "First due on (UTC)", value=today, min_value=today, format="YYYY-MM-DD", key=f"plan-first-{row.id}"
    )
    every = every_at.selectbox(
        "Then", list(INTERVALS), index=2, format_func=INTERVALS.__getitem__, key=f"plan-every-{row.id}"
    )
    try:
        return rules.equal(row.owed, count=int(count), first=first, every=every)
    except rules.TooManyInstalments as refusal:
        errors.show(refusal)
        return []
