"""A decision that was carried out is corrected by a case of its own; both cases show the way to each other."""

from __future__ import annotations

import streamlit as st

from core.actions.decisions import corrections as correction
from core.actions.decisions.corrections import CorrectionOutcome
from core.queries import corrections
from core.queries.cases import CaseView
from core.queries.corrections import Corrections
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.case import redaction
from dashboard.case.decision import plan_view
from dashboard.case.decision.preview import people
from dashboard.ui import cards, confirm, header, reasons, text_fields
from dashboard.ui.status import in_words

DRAWER = "correction"
FINDINGS = {CorrectionOutcome.UPHELD: "The decision stands", CorrectionOutcome.CORRECTED: "It was corrected"}


def around(case: CaseView) -> Corrections:
    with request_context.reading() as session:
        return corrections.around(session, case.record)


def links(case: CaseView) -> None:
    """Under a decision that was carried out: the cases that correct it, and the way to open one."""
    found = around(case)
    for each in found.by:
        ended = in_words(each.resolution) if each.resolution else "open"
        navigation.link("case", f"Corrected by D-{each.id} ({ended})", icon=":material/link:", id=each.id)
    if _open(found) is None and not case.tie and request_context.may(Permission.WORK_CASE):
        st.button(
            "Open a correction",
            key="correction-open",
            icon=":material/published_with_changes:",
            type="tertiary",
            help="A new case, linked to this one, in other hands. This decision stays as it is.",
            on_click=confirm.open_drawer,
            args=(DRAWER,),
        )


def _open(found: Corrections) -> int | None:
    """The case that corrects it now."""
    return next((each.id for each in found.by if each.resolved_at is None), None)


def drawer(case: CaseView) -> None:
    if case.decision is not None and confirm.drawer(DRAWER) is not None:
        _dialog(case)


@st.dialog("Open a correction", position="right", on_dismiss=confirm.close_drawer)
def _dialog(case: CaseView) -> None:
    if opened := _open(around(case)):
        confirm.changed_meanwhile(f"D-{opened} corrects this decision already, and is open.")
        return
    cards.note(
        f"{case.reference} stays as it was decided. The new case is about the same milestone, goes to a mediator who "
        "neither made nor approved the decision, and blocks what has not been paid out yet."
    )
    place = text_fields.named("case", case.id, "correction")
    reason = reasons.area(place, "What must be looked at again, and why", key="correction-why")
    intent = confirm.pressed("Open correction", key="correction", icon=":material/published_with_changes:")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: correction.open_correction(
                session, actor, now=now, case_id=case.id, reason=reason
            ),
            done=lambda made: f"Case D-{made.id} is open.",
            then=lambda made: navigation.go("case", id=made.id),
            sent=[place],
        )


def show(case: CaseView) -> None:
    """The panel of a case that is itself a correction."""
    found = around(case)
    header.section("Correction", f"of the decision in D-{case.record.corrects_id}")
    navigation.link(
        "case", f"Open D-{case.record.corrects_id}", icon=":material/link:", id=case.record.corrects_id or 0
    )
    cards.note(redaction.redact(case, case.record.details))
    if found.of is not None:
        plan_view.division(found.of.plan, people(case))
    if not case.open:
        cards.facts(
            {"Finding": in_words(case.record.resolution or "—"), "When": case.record.resolved_at}, columns=2
        )
        cards.note(redaction.redact(case, case.record.resolution_notes or ""))
    elif request_context.may(Permission.WORK_CASE):
        _close(case)


def _close(case: CaseView) -> None:
    if not confirm.step_up("correction-close"):
        return
    finding = st.segmented_control(
        "Finding", list(FINDINGS), format_func=FINDINGS.__getitem__, key=f"finding-{case.id}", width="stretch"
    )
    place = text_fields.named("case", case.id, "finding")
    notes = reasons.area(
        place,
        "Why, and what was done about the money",
        key=f"finding-notes-{case.id}",
        help="Money that must go back is moved by finance: a transfer reversal, a refund, or another payout.",
    )
    intent = confirm.pressed(
        "Close correction",
        key=f"correction-close-{case.id}",
        money=True,
        disabled=finding is None,
        width="stretch",
    )
    if intent and finding is not None:
        confirm.carry_out(
            intent,
            lambda session, actor, now: correction.close_correction(
                session, actor, now=now, case_id=case.id, finding=finding, notes=notes
            ),
            done="The correction is closed.",
            sent=[place],
        )
