"""One hold, and the drawers that place and lift holds. The reason is required, and kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st

from core.actions.risk import holds as hold
from core.errors import NotFound
from core.queries import holds
from core.queries.holds import Candidate, Figures, HoldRow
from core.rules.holds import BY_STAFF, PLACING, TOLD, HoldKind
from core.rules.masking import MASK
from core.rules.permissions import Permission
from core.rules.readings import ReadingKind
from core.rules.references import reference
from dashboard import lift_preview, lifting, navigation, readings, request_context
from dashboard.case.queue import opening
from dashboard.compliance import payee_hold_panel
from dashboard.ui import cards, confirm, deadlines, kept_choices, reasons, status, text_fields
from dashboard.ui.master_detail import close
from dashboard.ui.safe import html, plain, words_of

LIFTED_LATELY = "LATELY"


def cards_above(figures: Figures, now: datetime) -> None:
    """What stands now, and how it went; each figure leads to the holds that it is of."""
    to_oldest: dict[str, Any] = {"state": holds.ACTIVE}
    if figures.oldest_id:
        to_oldest["id"] = figures.oldest_id
    with st.grid(columns=5, min_column_width=150, gap="small", row_height="content"):
        cards.figure(
            "In force",
            [figures.active],
            note="hold" if figures.active == 1 else "holds",
            tone="wait" if figures.active else "quiet",
            link="In force",
            page="holds",
            state=holds.ACTIVE,
        )
        cards.figure(
            "Amount on hold",
            [*figures.stopped] or ["—"],
            note="held or payable",
            link="What is stopped",
            page="holds",
            state=holds.ACTIVE,
        )
        cards.figure(
            "Longest in force",
            [deadlines.span(now - figures.oldest) if figures.oldest else "—"],
            note="of those that are now",
            link=reference("hold", figures.oldest_id) if figures.oldest_id else "In force",
            page="holds",
            **to_oldest,
        )
        cards.figure(
            "Lifted",
            [figures.lifted],
            note=f"in the last {holds.LATELY.days} days",
            link="Lifted since",
            page="holds",
            state=LIFTED_LATELY,
        )
        cards.figure(
            "Median time",
            [deadlines.span(figures.median) if figures.median else "—"],
            note="from placing to lifting",
            link="All that were lifted",
            page="holds",
            state=holds.RELEASED,
        )


def show(hold_id: int) -> None:
    """The panel beside the list: a hold on a milestone, or one on a payee, which has its number in the same series."""
    try:
        with request_context.reading() as session:
            row = holds.one(session, hold_id)
    except NotFound:
        if not payee_hold_panel.show(hold_id):
            st.text(f"There is no hold {reference('hold', hold_id)}.")
        st.button("Close", on_click=close, args=("holds",))
        return
    if row.kind == HoldKind.COMPLAINT and row.reason != MASK:
        readings.note(ReadingKind.HOLD, row.id)
    _head(row)
    _facts(row)
    st.html(f'<p class="ed-quote">{html(row.reason)}</p>')
    if row.released_at is None:
        lifting.proposed(row.id)
    if row.release_reason:
        st.caption("Lifted, because")
        st.html(f'<p class="ed-quote">{html(row.release_reason)}</p>')
    _ways(row)


def _head(row: HoldRow) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(plain(row.reference), anchor=False, width="content")
        status.show("hold", row.state)
        status.show("hold", row.kind)
        own = row.released_at is None and not lifting.may_begin(row.id, row.placed_by_id)
        if row.released_at is None and request_context.may(Permission.RELEASE_HOLD):
            st.button(
                "Lift",
                key="open-lift",
                icon=":material/lock_open:",
                disabled=own,
                help=lift_preview.OWN if own else None,
                on_click=confirm.open_drawer,
                args=("lift-hold",),
                kwargs={"hold_id": row.id},
            )
        if row.released_at is None:
            payee_hold_panel.extend_button(row.id)
        if own:
            st.caption(lift_preview.OWN, width="content")
        if row.released_at is None and opening.possible(row.milestone_status, row.held):
            opening.button(row.milestone_id)


def _facts(row: HoldRow) -> None:
    now = request_context.now()
    cards.facts(
        {
            "Milestone": f"M-{row.milestone_id} · {row.milestone}",
            "Project": f"P-{row.project_id} · {row.project}",
            "Payer": row.payer,
            "Payee": row.payee,
            "Milestone is": status.pill("milestone", row.milestone_status),
            "Amount on hold": row.stopped if row.released_at is None else None,
            "Placed": row.placed_at,
            "By": row.placed_by,
            "Was in force for" if row.released_at else "In force for": deadlines.span(row.stood(now)),
            "Expected end": row.expected_end,
            "Report": reference("report", row.report_id) if row.report_id else None,
            **({"Lifted": row.released_at, "Lifted by": row.released_by} if row.released_at else {}),
        },
        columns=2,
    )


def _ways(row: HoldRow) -> None:
    with st.container(horizontal=True, gap="small"):
        if row.case_id:
            navigation.link("case", f"Case D-{row.case_id}", icon=":material/folder_open:", id=row.case_id)
        navigation.link(
            "project", f"Project P-{row.project_id}", icon=":material/home_work:", id=row.project_id
        )
        if request_context.may(Permission.READ_PERSONAL_DATA):
            for role, number in (("payer", row.payer_id), ("payee", row.payee_id)):
                navigation.link(
                    "personal_data", f"Who read what of the {role}", icon=":material/person:", id=number
                )
        if request_context.may(Permission.READ_AUDIT) and "audit" in navigation.on_disk():
            navigation.link(
                "audit", "In the audit log", icon=":material/verified_user:", object="Hold", number=row.id
            )


def button() -> None:
    st.button(
        "Place a hold",
        icon=":material/lock:",
        key="open-place",
        on_click=confirm.open_drawer,
        args=("place-hold",),
    )


def drawers() -> None:
    """Whichever is open."""
    if opening.drawer():
        return
    if confirm.drawer("place-hold") is not None:
        _place()
    elif facts := confirm.drawer("lift-hold"):
        _lift(**facts)


@st.dialog("Place a hold", position="right", on_dismiss=confirm.close_drawer)
def _place() -> None:
    st.caption("Stops every release and payout of one milestone until someone lifts it.")
    typed = st.text_input(
        "Milestone", key="hold-milestone", placeholder="M-17, a title, or a party", max_chars=100
    )
    readings.looked_for(typed or "")
    with request_context.reading() as session:
        found = {each.id: each for each in holds.candidates(session, typed or "")}
    if typed and not found:
        st.caption("No matching milestone can be put on hold.")
    chosen = None
    if found:
        chosen = st.selectbox(
            "Which one", list(found), key="hold-which", format_func=lambda number: _option(found[number])
        )
    labels = status.labels("hold")
    place = text_fields.named("milestone", chosen or 0, "hold")
    if chosen:
        kept_choices.choice_key(place, "kind", list(BY_STAFF), default=HoldKind.MANUAL, key="hold-kind")
    st.session_state.setdefault("hold-kind", HoldKind.MANUAL)
    kind = st.segmented_control(
        "Reason type",
        list(BY_STAFF),
        required=True,
        format_func=labels.__getitem__,
        key="hold-kind",
    )
    cards.note(PLACING[TOLD[kind or HoldKind.MANUAL]])
    report = (
        st.number_input(
            "Number of the report", value=None, min_value=1, max_value=2**53 - 1, step=1, key="hold-report"
        )
        if kind == HoldKind.REPORT
        else None
    )
    end = payee_hold_panel.ask_end("hold-end")
    reason = reasons.area(
        place,
        "Reason",
        key="hold-reason",
        placeholder="What was seen, and what would settle it",
    )
    intent = confirm.pressed("Place hold", key="place-hold", icon=":material/lock:", disabled=chosen is None)
    if intent and chosen:
        confirm.carry_out(
            intent,
            lambda session, actor, now: (
                hold.place(
                    session,
                    actor,
                    now=now,
                    milestone_id=chosen,
                    reason=reason,
                    kind=kind or HoldKind.MANUAL,
                    report_id=int(report) if report else None,
                    expected_end=end,
                ).id
            ),
            done=lambda number: f"Hold H-{number} is in place.",
            then=_show,
            sent=[place],
        )


@st.dialog("Lift a hold", position="right", on_dismiss=confirm.close_drawer)
def _lift(hold_id: int) -> None:
    if not confirm.step_up("holding-lift"):
        return
    with request_context.reading() as session:
        row = holds.one(session, hold_id)
    if row.released_at is not None:
        by, at = row.released_by or "the system", deadlines.exact(row.released_at)
        confirm.changed_meanwhile(f"{row.reference} is lifted already, by {by} on {at}.")
        return
    st.text(words_of(f"{row.reference} · {row.about}"))
    st.html(f'<p class="ed-quote">{html(row.reason)}</p>')
    lifting.form(row.id, row.kind, placed_by_id=row.placed_by_id, of_payee=False, key="lift-hold")


def _show(hold_id: int) -> None:
    """The page again, with this hold open."""
    st.query_params["id"] = str(hold_id)
    st.rerun()


def _option(each: Candidate) -> str:
    money = f" · {each.stopped.text()}" if each.stopped.minor else ""
    return f"M-{each.id} {each.title} · {each.project} · {each.payer}{money}"
