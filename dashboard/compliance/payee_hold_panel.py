"""Holds on payees as a whole: each that stands, and the drawers that place, lift and put off."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import streamlit as st

from core.actions.risk import hold_ends, payee_holds
from core.errors import NotFound
from core.queries import payee_holds as queries
from core.queries.payee_holds import PayeeHoldRow
from core.rules.holds import OF_PAYEE, TOLD, HoldKind
from core.rules.permissions import Permission
from dashboard import lift_preview, lifting, payee_choice, request_context
from dashboard.ui import cards, confirm, deadlines, header, money, reasons, status, text_fields
from dashboard.ui.cards import Fact
from dashboard.ui.safe import html, plain, words_of

PLACING = {
    (): "The payee is not told, and neither is the marketplace: no e-mail and no event.",
    ("payee",): (
        "The payee gets an e-mail at once that payments to them are under review, without the reason; the marketplace "
        "gets an event."
    ),
}


def show(hold_id: int) -> bool:
    """The one with this number; whether there is one."""
    try:
        with request_context.reading() as session:
            row = queries.one(session, hold_id)
    except NotFound:
        return False
    _panel(row, columns=2)
    return True


def section(state: str | None, *, since: datetime | None, but: int | None) -> None:
    """Nothing at all where none stands. `but`: this one is shown already."""
    with request_context.reading() as session:
        rows = [row for row in queries.page(session, state=state, since=since) if row.id != but]
    if not rows:
        return
    header.section(
        "Holds on payees",
        "While one is in force, all money of the payee is stopped, whatever milestone it is of.",
    )
    for row in rows:
        _panel(row)


def _panel(row: PayeeHoldRow, *, columns: int = 6) -> None:
    now = request_context.now()
    with cards.panel(f"payee-hold-{row.id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{plain(row.reference)} · {plain(row.payee)}**", width="content")
            status.show("hold", row.state)
            status.show("hold", row.kind)
            if row.released_at is None:
                _buttons(row)
        facts: dict[str, Fact] = {
            "Amount on hold": money.sums(row.stopped) or "None now",
            "Milestones with money": row.milestones,
            "Placed": row.placed_at,
            "By": row.placed_by,
            "In force for": deadlines.span(row.stood(now)),
            "Expected end": row.expected_end,
        }
        lifted: dict[str, Fact] = {"Lifted": row.released_at, "Lifted by": row.released_by}
        cards.facts(facts | (lifted if row.released_at else {}), columns=columns)
        st.html(f'<p class="ed-quote">{html(row.reason)}</p>')
        if row.released_at is None:
            lifting.proposed(row.id)
        if row.release_reason:
            st.caption("Lifted, because")
            st.html(f'<p class="ed-quote">{html(row.release_reason)}</p>')


def _buttons(row: PayeeHoldRow) -> None:
    if request_context.may(Permission.RELEASE_HOLD):
        own = not lifting.may_begin(row.id, row.placed_by_id)
        st.button(
            "Lift",
            key=f"open-lift-payee-{row.id}",
            icon=":material/lock_open:",
            disabled=own,
            help=lift_preview.OWN if own else None,
            on_click=confirm.open_drawer,
            args=("lift-payee-hold",),
            kwargs={"hold_id": row.id},
        )
    extend_button(row.id)


def extend_button(hold_id: int) -> None:
    if request_context.may(Permission.PLACE_HOLD):
        st.button(
            "Change end",
            key=f"open-extend-{hold_id}",
            icon=":material/event:",
            on_click=confirm.open_drawer,
            args=("extend-hold",),
            kwargs={"hold_id": hold_id},
        )


def button() -> None:
    st.button(
        "Hold a payee",
        icon=":material/person_off:",
        key="open-place-payee",
        on_click=confirm.open_drawer,
        args=("place-payee-hold",),
    )


def drawers() -> bool:
    """Whichever is open."""
    if confirm.drawer("place-payee-hold") is not None:
        _place()
    elif facts := confirm.drawer("lift-payee-hold"):
        _lift(**facts)
    elif facts := confirm.drawer("extend-hold"):
        _extend(**facts)
    else:
        return False
    return True


def end_of(day: date | None) -> datetime | None:
    """The end of that day, UTC."""
    return datetime.combine(day + timedelta(days=1), time(), UTC) if day else None


def ask_end(key: str) -> datetime | None:
    """The last day on which it is expected to stand; none is known where it is left empty."""
    today = request_context.now().date()
    day = st.date_input(
        "Expected to end on (UTC)",
        value=None,
        min_value=today,
        format="YYYY-MM-DD",
        key=key,
        help="When that day is over, whoever placed it gets an e-mail. Nothing lifts it by itself.",
    )
    return end_of(day if isinstance(day, date) else None)


@st.dialog("Hold a payee", position="right", on_dismiss=confirm.close_drawer)
def _place() -> None:
    st.caption(
        "Stops every release and payout to one payee, of all their milestones, until someone lifts it."
    )
    chosen = payee_choice.choose("payee-hold", in_projects=True)
    labels = status.labels("hold")
    kind = st.segmented_control(
        "Reason type",
        list(OF_PAYEE),
        default=HoldKind.MANUAL,
        required=True,
        format_func=labels.__getitem__,
        key="payee-hold-kind",
    )
    cards.note(PLACING[TOLD[kind or HoldKind.MANUAL]])
    end = ask_end("payee-hold-end")
    place = text_fields.named("hold", 0, "payee")
    reason = reasons.area(
        place, "Reason", key="payee-hold-reason", placeholder="What was seen, and what would settle it"
    )
    intent = confirm.pressed(
        "Place hold", key="place-payee-hold", icon=":material/lock:", disabled=chosen is None
    )
    if intent and chosen:
        confirm.carry_out(
            intent,
            lambda session, actor, now: (
                payee_holds.place(
                    session,
                    actor,
                    now=now,
                    party_id=chosen,
                    reason=reason,
                    kind=kind or HoldKind.MANUAL,
                    expected_end=end,
                ).id
            ),
            done=lambda number: f"Hold H-{number} stops all money of this payee.",
            sent=[place],
        )


@st.dialog("Lift a hold on a payee", position="right", on_dismiss=confirm.close_drawer)
def _lift(hold_id: int) -> None:
    if not confirm.step_up("payee-lift"):
        return
    with request_context.reading() as session:
        row = queries.one(session, hold_id)
    if row.released_at is not None:
        confirm.changed_meanwhile(f"{row.reference} is lifted already, by {row.released_by}.")
        return
    st.text(words_of(f"{row.reference} · {row.payee}"))
    st.html(f'<p class="ed-quote">{html(row.reason)}</p>')
    lifting.form(row.id, row.kind, placed_by_id=row.placed_by_id, of_payee=True, key="lift-payee-hold")


@st.dialog("Change the expected end", position="right", on_dismiss=confirm.close_drawer)
def _extend(hold_id: int) -> None:
    st.caption("The hold stands until someone lifts it; at its expected end, whoever placed it is reminded.")
    end = ask_end("extend-end")
    place = text_fields.named("hold", hold_id, "extend")
    reason = reasons.area(place, "Why it is expected to end then", key="extend-reason")
    intent = confirm.pressed("Change end", key="extend-hold", icon=":material/event:", disabled=end is None)
    if intent and end:
        confirm.carry_out(
            intent,
            lambda session, actor, now: hold_ends.extend(
                session, actor, now=now, hold_id=hold_id, until=end, reason=reason
            ),
            sent=[place],
            done=f"Hold H-{hold_id} is expected to end before {deadlines.exact(end)}.",
        )
