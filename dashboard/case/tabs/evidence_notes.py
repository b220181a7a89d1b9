"""The notes of staff on evidence, under the gallery: about a piece, or about a part of it that was marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.actions.cases import evidence_notes
from core.queries.cases import CaseView
from core.queries.evidence import EvidenceItem
from core.queries.evidence_notes import Noted
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.ui import confirm, deadlines, evidence_shelf, header, text_fields
from dashboard.ui.safe import html
from dashboard.ui.timeline import html_lines


def show(
    case: CaseView, pieces: Sequence[EvidenceItem], found: Mapping[int, Sequence[Noted]], *, add: bool = True
) -> None:
    if not pieces:
        return
    header.section("Notes on the evidence", "for staff only")
    noted = [piece for piece in pieces if piece.id in found]
    if noted:
        st.html("".join(_about(piece, found[piece.id]) for piece in noted))
    if add and request_context.may(Permission.WORK_CASE):
        _add(case, pieces)


def _about(piece: EvidenceItem, each: Sequence[Noted]) -> str:
    quotes = "".join(_note(one) for one in each)
    return f'<div class="ed-noted"><b dir="auto">{html(piece.file_name)}</b>{quotes}</div>'


def _note(each: Noted) -> str:
    where = f"part {each.number}, " if each.area else ""
    where += f"page {each.page}, " if each.page else ""
    return (
        f'<blockquote class="ed-quote" dir="auto">{html_lines(each.body)}<br>'
        f"<small>{html(where)}{html(each.author)}, {html(deadlines.exact(each.at))}</small></blockquote>"
    )


@st.fragment
def _add(case: CaseView, pieces: Sequence[EvidenceItem]) -> None:
    """The part that was marked is meant; else the piece that is open, unless another is chosen."""
    key = f"evidence-{case.id}"
    names = {each.id: each.file_name for each in pieces}
    part = evidence_shelf.part(key)
    part = part if part and part.evidence_id in names else None
    shown = [each for each in st.session_state.get(f"{key}:open", []) if each in names]
    with st.container(border=True, key="evidence-note"):
        if part:
            about = part.evidence_id
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                page = f", page {part.page}" if part.page else ""
                st.html(f"<b>About the marked part of {html(names[about])}{page}</b>")
                st.button(
                    "Discard annotation", key="note-unmark", type="tertiary", on_click=_unmark, args=(key,)
                )
        else:
            about = (
                st.selectbox(
                    "About",
                    list(names),
                    index=list(names).index(shown[0]) if shown else 0,
                    format_func=lambda number: names[number],
                    key=f"note-about-{case.id}-{shown[0] if shown else 0}",
                )
                or 0
            )
        place = text_fields.named("case", case.id, "note")
        body = text_fields.area(place, "Note", height=80)
        intent = confirm.pressed("Add note", key="note-add", type="secondary", icon=":material/edit_note:")
        if intent:
            confirm.carry_out(
                intent,
                lambda session, actor, now: evidence_notes.note(
                    session,
                    actor,
                    now=now,
                    evidence_id=about,
                    body=body,
                    area=part.area if part else None,
                    page=part.page if part else None,
                ),
                done="Noted, for staff only.",
                then=lambda _: _written(key),
                sent=[place],
            )


def _unmark(key: str) -> None:
    evidence_shelf.unmark(key)


def _written(key: str) -> None:
    evidence_shelf.unmark(key)
    st.rerun()
