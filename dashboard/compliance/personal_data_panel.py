"""One person whose data the desk holds: their erasure, the legal holds on them, and their drawers."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.actions.privacy import legal_holds, subject_access
from core.errors import NotFound
from core.queries import personal_data
from core.queries import readings as read_by
from core.queries.personal_data import LegalHoldRow, PersonRow
from core.queries.readings import NEWEST
from core.rules.permissions import Actor, Permission
from core.rules.readings import ReadingKind
from dashboard import readings, request_context
from dashboard.compliance import erasure_panel
from dashboard.ui import cards, confirm, deadlines, download, errors, header, reasons, tables, text_fields
from dashboard.ui.safe import html, plain
from dashboard.ui.status import in_words

NEVER = "While a legal hold stands, nothing about this person is erased, whatever anybody asks. It stops no money."


def show(party_id: int) -> None:
    """The person with this number."""
    try:
        with request_context.reading() as session:
            row = personal_data.one(session, party_id)
            holds = personal_data.legal_holds(session, party_id)
    except NotFound as missing:
        errors.show(missing)
        return
    readings.note(ReadingKind.PARTY, party_id)
    st.markdown(f"**{plain(row.name)}**")
    cards.facts(
        {
            "External id": row.external_id,
            "Role": in_words(row.role),
            "Marketplace": in_words(row.platform),
            "Known since": row.created_at,
        },
        columns=2,
    )
    if row.erased_at is None and request_context.may(Permission.EXPORT_PERSONAL_DATA):
        _access(row)
    erasure_panel.show(row)
    if row.erased_at is None or holds:
        _legal_holds(row, holds)
    _readers(party_id)


def _named(kinds: list[str]) -> str:
    *others, last = kinds
    said = f"{', '.join(others)} and {last}"
    return said[:1].upper() + said[1:]


def _readers(party_id: int) -> None:
    """Whoever looks at this now among them."""
    with request_context.reading() as session:
        read = read_by.of_party(session, party_id)
    header.section("Who read it")
    cards.note(
        f"{_named(list(read_by.KINDS.values()))}, by colleague and hour. Each hour stands in the "
        "audit log when it is over."
    )
    tables.table(
        read,
        [
            tables.text("name", "Who", width=120),
            tables.text("what", "What", width=150),
            tables.when("last_at", "Last", width=138),
            tables.when("first_at", "From", width=138),
            tables.text("roles", "As", width=110, value=lambda each: in_words(each.roles.replace(",", ", "))),
        ],
        key="person-readings",
        download=None,  # it names colleagues, and is looked up here
        name="Who read what is held about this person",
        empty_state=("Nobody has", "Whoever opens something about this person is named here."),
    )
    if len(read) == NEWEST:
        cards.note(f"The latest {NEWEST}.")


def _access(row: PersonRow) -> None:
    header.section("Subject access")
    cards.note(
        "One file for this person of all that is held about them, with their own files. The other side is called the "
        "payer or the payee in it."
    )
    if not confirm.step_up("subject-access"):
        return
    desk = request_context.desk()

    def content(actor: Actor, now: datetime) -> bytes:
        return desk.database.run(
            lambda session: (
                subject_access.take(session, actor, now=now, store=desk.evidence, party_id=row.id).content
            )
        )

    download.button(
        "All that is held",
        key=f"subject-access-{row.id}",
        permission=Permission.EXPORT_PERSONAL_DATA,
        name=f"person-{row.id}.zip",
        media_type="application/zip",
        content=content,
        help="It contains personal data, so the audit log records who took it.",
    )


def _legal_holds(row: PersonRow, holds: list[LegalHoldRow]) -> None:
    header.section("Legal hold")
    cards.note(NEVER)
    for each in holds:
        _hold(each)
    if not request_context.may(Permission.PLACE_LEGAL_HOLD):
        return
    label, icon, name = (
        ("Lift legal hold", ":material/lock_open:", "lift-legal-hold")
        if row.held_since
        else ("Place legal hold", ":material/gavel:", "place-legal-hold")
    )
    st.button(
        label,
        key=f"open-{name}",
        icon=icon,
        on_click=confirm.open_drawer,
        args=(name,),
        kwargs={"party_id": row.id, "external_id": row.external_id},
    )


def _hold(each: LegalHoldRow) -> None:
    with cards.panel(f"legal-hold-{each.id}"):
        st.markdown(f"**Placed by {plain(each.placed_by)}, {deadlines.exact(each.placed_at)}**")
        st.html(f'<p class="ed-quote">{html(each.reason)}</p>')
        if each.lifted_at is not None:
            cards.note(f"Lifted by {each.lifted_by}, {deadlines.exact(each.lifted_at)}, because")
            st.html(f'<p class="ed-quote">{html(each.lift_reason or "")}</p>')


def drawers() -> None:
    """Whichever is open."""
    if erasure_panel.drawers():
        return
    if facts := confirm.drawer("place-legal-hold"):
        _place(**facts)
    elif facts := confirm.drawer("lift-legal-hold"):
        _lift(**facts)


@st.dialog("Place legal hold", position="right", on_dismiss=confirm.close_drawer)
def _place(party_id: int, external_id: str) -> None:
    cards.note(NEVER)
    place = text_fields.named("person", party_id, "legal-hold")
    reason = reasons.area(
        place, "Reason", key="legal-hold-reason", placeholder="Which lawsuit, investigation or authority"
    )
    intent = confirm.pressed("Place legal hold", key="place-legal-hold", money=True, icon=":material/gavel:")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: legal_holds.place(
                session, actor, now=now, party_id=party_id, reason=reason
            ),
            done=f"Nothing about {external_id} is erased until the legal hold is lifted.",
            sent=[place],
        )


@st.dialog("Lift legal hold", position="right", on_dismiss=confirm.close_drawer)
def _lift(party_id: int, external_id: str) -> None:
    cards.note("Then this person can be erased, where nothing else is in the way.")
    place = text_fields.named("person", party_id, "legal-hold-lift")
    reason = reasons.area(place, "Why it can be lifted", key="legal-hold-lift-reason")
    intent = confirm.pressed(
        "Lift legal hold", key="lift-legal-hold", money=True, icon=":material/lock_open:"
    )
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: legal_holds.lift(
                session, actor, now=now, party_id=party_id, reason=reason
            ),
            done=f"The legal hold on {external_id} is lifted.",
            sent=[place],
        )
