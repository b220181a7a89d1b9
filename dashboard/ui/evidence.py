"""Evidence on screen: cards to choose from, one piece large or two beside each other, and never an outsider's markup.

Pictures and pages are those that the desk re-encoded, names and captions are text, and the original only leaves as a
download of no type that a browser would open. Opening a piece is recorded once, when it is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import streamlit as st

from core.actions.cases import evidence
from core.actions.cases.evidence import Opened
from core.desk import Desk
from core.errors import DeskError
from core.gateways.evidence_store import EvidenceAltered, EvidenceMissing
from core.queries.evidence import EvidenceItem
from core.rules.parties import PartyRole
from core.rules.permissions import Actor
from dashboard.ui import empty, errors
from dashboard.ui.evidence_card import STYLE, card
from dashboard.ui.evidence_lens import LensView, Marked
from dashboard.ui.evidence_shelf import Shelf
from dashboard.ui.evidence_viewer import view
from dashboard.ui.safe import html

CARDS, CARD = 24, 220  # on one page; pixels across, at least
STRIP = 900


def gallery(
    desk: Desk,
    actor: Actor,
    rows: Sequence[EvidenceItem],
    *,
    key: str,
    words: Callable[[str], str] | None = None,
    notes: Mapping[int, Sequence[Marked]] | None = None,
    may_mark: bool = False,
    whose: str | None = None,
) -> None:
    """All evidence of a case: cards, and beside them whatever is open (one piece, or two to compare).

    `words` hides names in texts, and then no original can be downloaded. `notes` by piece: those about a part are
    drawn on it. With `may_mark`, a part can be framed for a note. `whose`: what the rows say about having been opened
    is this colleague's doing, and what the reader opens does not count.
    """
    if not rows:
        empty.state(
            "No evidence yet", "Files that the payer and the payee submit appear here.", icon="photo_library"
        )
        return
    st.html(STYLE)
    shelf = Shelf(key, {row.id for row in rows}, whose=whose)
    shown = _chosen(rows, shelf)
    if not shelf.ids:
        _cards(desk, actor, shown, shelf)
        return
    table = Table(desk, actor, rows, [row.id for row in shown], shelf, notes or {}, may_mark, words)
    if shelf.large:
        _large(table)
    if len(shelf.ids) > 1:  # two pictures need the room
        _open_ones(table)
        _cards(desk, actor, shown, shelf)
        return
    strip, large = st.columns([1, 3.8], gap="small")
    with strip, st.container(height=STRIP, border=False, key=f"{key}-strip"):
        _cards(desk, actor, shown, shelf)
    with large:
        _open_ones(table)


@dataclass(frozen=True)
class Table:
    """What lies open, and whose notes are on it."""

    desk: Desk
    actor: Actor
    rows: Sequence[EvidenceItem]
    order: list[int]
    shelf: Shelf
    notes: Mapping[int, Sequence[Marked]]
    may_mark: bool
    words: Callable[[str], str] | None


def _cards(desk: Desk, actor: Actor, shown: Sequence[EvidenceItem], shelf: Shelf) -> None:
    """All of them; beside an open piece they become a strip that scrolls by itself, so that both stay in view."""
    pages = ceil(len(shown) / CARDS)
    page = st.pagination(pages, key=f"{shelf.key}-page") if pages > 1 else 1
    with st.grid(1 if len(shelf.ids) == 1 else "auto", min_column_width=CARD, gap="small"):
        for row in shown[(page - 1) * CARDS : page * CARDS]:
            card(desk, actor, row, shelf)


def _chosen(rows: Sequence[EvidenceItem], shelf: Shelf) -> list[EvidenceItem]:
    """The rows of the part that is chosen: everything, one party's, or what this member of staff has yet to open."""
    parts = {
        "All": list(rows),
        "Payer": [row for row in rows if row.uploader_role == PartyRole.PAYER],
        "Payee": [row for row in rows if row.uploader_role == PartyRole.PAYEE],
        "Not opened": [row for row in rows if not shelf.seen(row)],
    }
    part = st.segmented_control(
        "Show",
        list(parts),
        default="All",
        required=True,
        format_func=lambda name: f"{name} {len(parts[name])}",
        label_visibility="collapsed",
        key=f"{shelf.key}-part",
    )
    chosen = parts[part or "All"]
    if not chosen:
        st.caption(
            f"{shelf.whose or 'You'} {'had' if shelf.whose else 'have'} opened everything."
            if part == "Not opened"
            else f"Nothing from the {str(part).lower()}."
        )
    return chosen


def _open_ones(table: Table, *, large: bool = False) -> None:
    shelf, by_id = table.shelf, {row.id: row for row in table.rows}
    places = st.columns(len(shelf.ids), gap="small") if len(shelf.ids) > 1 else [st.container()]
    prefix = f"{shelf.key}-large" if large else shelf.key
    for place, evidence_id in zip(places, shelf.ids, strict=True):
        row = by_id[evidence_id]
        with place, st.container(border=True, key=f"{prefix}-viewer-{evidence_id}"):
            if large:
                st.html(_title(row))
            else:
                _heading(row, table.order, shelf)
            _piece(table, row, prefix, narrow=len(places) > 1)


def _piece(table: Table, row: EvidenceItem, prefix: str, *, narrow: bool) -> None:
    shelf = table.shelf
    opened = _read(table.desk, table.actor, row, shelf)
    if isinstance(opened, DeskError):
        _alarm(opened, row)
        return
    part = shelf.part
    sight = LensView(
        key=f"{prefix}-{row.id}",
        group=prefix,
        pair=narrow,
        may_mark=table.may_mark,
        notes=table.notes.get(row.id, ()),
        draft=part.area if part and part.evidence_id == row.id else None,
    )
    marked = view(table.desk, table.actor, row, opened, sight=sight, narrow=narrow, words=table.words)
    if marked:
        shelf.mark(row.id, *marked)
        shelf.enlarge(False)
        st.rerun()


def _alarm(error: DeskError, row: EvidenceItem) -> None:
    """Bytes that are gone or are not what was submitted: said loudly, with the hash that they should have."""
    errors.show(error)
    if isinstance(error, EvidenceMissing | EvidenceAltered):
        st.code(f"on record: sha256 {row.sha256}, {row.size_bytes:,} bytes", language=None, wrap_lines=True)


@st.dialog("Evidence", width="large")
def _large(table: Table) -> None:
    """The same with all the room there is. It closes by itself when the page is drawn for another reason."""
    table.shelf.enlarge(False)
    _open_ones(table, large=True)


def _title(row: EvidenceItem) -> str:
    caption = f"<span>{html(row.caption)}</span>" if row.caption else ""
    return f'<div class="ed-piece-title"><b>{html(row.file_name)}</b>{caption}</div>'


def _heading(row: EvidenceItem, order: list[int], shelf: Shelf) -> None:
    """Name and caption; to the next one, and closed again."""
    others = [each for each in shelf.ids if each != row.id]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.html(_title(row))
        if not others and row.id in order and len(order) > 1:
            _turn(order, order.index(row.id), shelf)
        st.button(
            "",
            key=f"{shelf.key}-large-{row.id}",
            help="Larger",
            icon=":material/open_in_full:",
            on_click=shelf.enlarge,
            args=(True,),
        )
        st.button(
            "Close",
            key=f"{shelf.key}-close-{row.id}",
            icon=":material/close:",
            on_click=shelf.show,
            args=tuple(others),
        )


def _turn(order: list[int], at: int, shelf: Shelf) -> None:
    with st.container(horizontal=True, width="content", gap="xsmall", key=f"{shelf.key}-turns"):
        for label, step, icon in (("Previous", -1, "chevron_left"), ("Next", 1, "chevron_right")):
            st.button(
                "",
                key=f"{shelf.key}-{label}",
                help=label,
                icon=f":material/{icon}:",
                on_click=shelf.show,
                args=(order[(at + step) % len(order)],),
            )


def _read(desk: Desk, actor: Actor, row: EvidenceItem, shelf: Shelf) -> Opened | DeskError:
    """Read and recorded once for each opening; a rerun of the page is not another."""
    if row.id not in shelf.opened:
        try:
            shelf.opened[row.id] = desk.database.run(
                lambda session: evidence.open_evidence(
                    session, actor, now=desk.clock(), store=desk.evidence, evidence_id=row.id
                )
            )
        except DeskError as error:
            shelf.opened[row.id] = error
    return shelf.opened[row.id]
