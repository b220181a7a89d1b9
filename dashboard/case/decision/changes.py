"""What is no longer as it was, side by side and in words."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.queries import decision_changes
from core.queries.cases import CaseView
from core.queries.decision_changes import Comparison
from core.queries.decisions import RecordedDecision
from core.rules.approvals import DecisionStatus
from core.rules.plan_diff import Difference
from dashboard import request_context
from dashboard.ui import cards, deadlines, errors, header
from dashboard.ui.safe import html, plain

STOPPED = {
    DecisionStatus.AWAITING_APPROVAL: "It cannot be approved while this stands in the way",
    DecisionStatus.COOLING_OFF: "It is not carried out while this stands in the way",
}
VOID = {
    DecisionStatus.AWAITING_APPROVAL: "It no longer stands; approving will void the decision",
    DecisionStatus.COOLING_OFF: "It no longer stands: this is not carried out, and becomes void",
}
OTHERWISE = "The plan would no longer be the same."


def show(case: CaseView, recorded: RecordedDecision) -> None:
    """What came since the decision, and what differs from the one that came back before it."""
    with request_context.reading() as session:
        found = decision_changes.of(session, case, recorded)
    _since(case, recorded, found)
    if found.returned is not None:
        _before(found.returned, found.before)


def _since(case: CaseView, recorded: RecordedDecision, found: Comparison) -> None:
    waiting = DecisionStatus(recorded.record.status)
    if found.stops:
        errors.reasons([each.sentence for each in found.stops], title=STOPPED[waiting])
    if found.void:
        why = [*recorded.changes, *([found.refused] if found.refused else [])]
        errors.reasons(why or [OTHERWISE], title=VOID[waiting])
        if found.now:
            table(found.now, "When it was decided", "As it would be now")
        elif not found.refused:
            cards.note("Every amount and every word of the plan would still be the same.")
    else:
        cards.note("No changes since this decision.")
    if waiting is DecisionStatus.COOLING_OFF:
        _when(case, recorded, found)
    if recorded.news:
        many = "message" if recorded.news == 1 else "messages"
        st.info(
            f"Since then the parties wrote {recorded.news} {many}. "
            "This does not void the decision; read it before you answer.",
            icon=":material/mark_chat_unread:",
        )


def _when(case: CaseView, recorded: RecordedDecision, found: Comparison) -> None:
    """When it is carried out, in words and exact; only if it will be, as things stand."""
    at, now = recorded.record.execute_at, request_context.now()
    if at is None or found.void:
        return
    if found.stops:
        words = f"Cooling off until {deadlines.exact(at)}. It is not carried out while the above stands in the way."
    elif now >= at:
        words = "The cooling-off is over; it is being carried out."
    else:
        left = deadlines.span(at - now)
        words = (
            f"Cooling off: carried out in {left}, {deadlines.exact(at)}, unless new evidence or another change of the "
            f"case comes in: then it is void{_back_to(case, recorded)}."
        )
    st.info(plain(words), icon=":material/hourglass_top:")


def _back_to(case: CaseView, recorded: RecordedDecision) -> str:
    return f" and returns to {recorded.maker} at once" if recorded.again else ""


def _before(returned: RecordedDecision, differs: Sequence[Difference]) -> None:
    sent_back = returned.record.status == DecisionStatus.RETURNED
    header.section("Compared with the one before", "returned" if sent_back else "void")
    if returned.record.check_note:
        who = returned.checker if sent_back else "Void"
        st.caption(plain(f"{who}: {returned.record.check_note}"))
    if differs:
        table(differs, "Before", "Now")
    else:
        cards.note("Nothing was changed: the same outcome, amounts, reasons, citations and e-mails.")


def table(rows: Sequence[Difference], before: str, after: str) -> None:
    """Three columns: what, as it was, as it is. The words may be a party's or a mediator's."""
    body = "".join(
        f'<tr><td>{html(each.what)}</td><td class="ed-was">{html(each.before)}</td>'
        f'<td class="ed-is">{html(each.after)}</td></tr>'
        for each in rows
    )
    st.html(
        '<table class="ed-book ed-compare"><thead>'
        f"<tr><th></th><th>{html(before)}</th><th>{html(after)}</th></tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )
