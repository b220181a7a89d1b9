"""The notes of staff on evidence, under the gallery: about whatever is open, or all of them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.actions import notes
from core.queries import notes as noted
from core.queries.cases import Case
from core.queries.exhibits import Piece
from core.queries.notes import Noted
from core.rules.permissions import Permission
from dashboard import current
from dashboard.case import names as naming
from dashboard.ui import confirm, deadline, header
from dashboard.ui.safe import html, plain


def show(case: Case, pieces: Sequence[Piece]) -> None:
    if not pieces:
        return
    with current.reading() as session:
        found = noted.of_milestone(session, case.dossier.milestone.id)
    header.section("Notes on the evidence", "for staff only")
    for piece in pieces:
        if piece.id in found:
            st.caption(plain(piece.file_name))
            for each in found[piece.id]:
                _note(case, each)
    if current.may(Permission.WORK_TICKET):
        _add(case, pieces)


def _note(case: Case, each: Noted) -> None:
    words = "<br>".join(html(line) for line in naming.within(case, each.body).splitlines())
    st.html(
        f'<blockquote class="ed-quote">{words}<br>'
        f"<small>{html(each.author)}, {html(deadline.exact(each.at))}</small></blockquote>"
    )


def _add(case: Case, pieces: Sequence[Piece]) -> None:
    """The piece that is open is the one that is meant, unless another is chosen."""
    names = {each.id: each.file_name for each in pieces}
    shown = [each for each in st.session_state.get(f"evidence-{case.id}:open", []) if each in names]
    with st.container(border=True, key="evidence-note"):
        about = st.selectbox(
            "About",
            list(names),
            index=list(names).index(shown[0]) if shown else 0,
            format_func=lambda number: names[number],
            key=f"note-about-{case.id}-{shown[0] if shown else 0}",
        )
        body = st.text_area("Note", key=f"note-body-{case.id}", height=80, max_chars=10_000)
        intent = confirm.pressed("Add note", key="note-add", type="secondary", icon=":material/edit_note:")
        if intent:
            confirm.carry_out(
                intent,
                lambda session, actor, now: notes.note(
                    session, actor, now=now, evidence_id=about or 0, body=body or ""
                ),
                done="Noted, for staff only.",
                then=lambda _: _written(case.id),
            )


def _written(case_id: int) -> None:
    st.session_state.pop(f"note-body-{case_id}", None)
    st.rerun()
