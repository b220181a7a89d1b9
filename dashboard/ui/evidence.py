"""Evidence on screen: cards to choose from, one piece large or two beside each other, and never an outsider's markup.

Pictures and pages are those that the desk drew anew, names and captions are text, and the original only leaves as a
download of no type that a browser would open. Opening a piece is recorded once, when it is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil

import streamlit as st

from core.actions import evidence
from core.actions.evidence import Opened
from core.desk import Desk
from core.errors import DeskError
from core.rules.permissions import Actor
from dashboard.ui import empty, errors
from dashboard.ui.evidence_card import STYLE, card
from dashboard.ui.evidence_shelf import Piece, Shelf
from dashboard.ui.evidence_viewer import view
from dashboard.ui.safe import html

CARDS, CARD = 24, 220  # on one page; pixels across, at least
STRIP = 900


def gallery(
    desk: Desk,
    actor: Actor,
    rows: Sequence[Piece],
    *,
    key: str,
    words: Callable[[str], str] | None = None,
) -> None:
    """All evidence of a case: cards, and beside them whatever is open (one piece, or two to compare).

    `words` hides names in texts, and then no original can be downloaded.
    """
    if not rows:
        empty.state(
            "No evidence yet", "Files that payer and payee hand in appear here.", icon="photo_library"
        )
        return
    st.html(STYLE)
    shelf = Shelf(key, {row.id for row in rows})
    shown = _chosen(rows, shelf)
    if not shelf.ids:
        _cards(desk, actor, shown, shelf)
        return
    strip, large = st.columns([1, 3.8], gap="small")
    with strip, st.container(height=STRIP, border=False, key=f"{key}-strip"):
        _cards(desk, actor, shown, shelf)
    with large:
        _open_ones(desk, actor, rows, [row.id for row in shown], shelf, words)


def _cards(desk: Desk, actor: Actor, shown: Sequence[Piece], shelf: Shelf) -> None:
    """All of them; beside an open piece they become a strip that scrolls by itself, so that both stay in view."""
    pages = ceil(len(shown) / CARDS)
    page = st.pagination(pages, key=f"{shelf.key}-page") if pages > 1 else 1
    with st.grid(1 if shelf.ids else "auto", min_column_width=CARD, gap="small"):
        for row in shown[(page - 1) * CARDS : page * CARDS]:
            card(desk, actor, row, shelf)


def _chosen(rows: Sequence[Piece], shelf: Shelf) -> list[Piece]:
    """The rows of the part that is chosen: everything, one party's, or what this member of staff has yet to open."""
    parts = {
        "All": list(rows),
        "Payer": [row for row in rows if row.uploader_role == "PAYER"],
        "Payee": [row for row in rows if row.uploader_role == "PAYEE"],
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
            "You have opened everything."
            if part == "Not opened"
            else f"Nothing from the {str(part).lower()}."
        )
    return chosen


def _open_ones(
    desk: Desk,
    actor: Actor,
    rows: Sequence[Piece],
    order: list[int],
    shelf: Shelf,
    words: Callable[[str], str] | None,
) -> None:
    by_id = {row.id: row for row in rows}
    places = st.columns(len(shelf.ids), gap="small") if len(shelf.ids) > 1 else [st.container()]
    for place, evidence_id in zip(places, shelf.ids, strict=True):
        row = by_id[evidence_id]
        with place, st.container(border=True, key=f"{shelf.key}-viewer-{evidence_id}"):
            _heading(row, order, shelf)
            opened = _read(desk, actor, row, shelf)
            if isinstance(opened, DeskError):
                errors.show(opened)
            else:
                view(
                    desk,
                    actor,
                    row,
                    opened,
                    key=f"{shelf.key}-{evidence_id}",
                    narrow=len(places) > 1,
                    words=words,
                )


def _heading(row: Piece, order: list[int], shelf: Shelf) -> None:
    """Name and caption; to the next one, and closed again."""
    others = [each for each in shelf.ids if each != row.id]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        caption = f"<span>{html(row.caption)}</span>" if row.caption else ""
        st.html(f'<div class="ed-piece-title"><b>{html(row.file_name)}</b>{caption}</div>')
        if not others and row.id in order and len(order) > 1:
            at = order.index(row.id)
            for label, step, icon in (("Previous", -1, "chevron_left"), ("Next", 1, "chevron_right")):
                target = order[(at + step) % len(order)]
                name = f"{shelf.key}-{label}"
                st.button(
                    "", key=name, help=label, icon=f":material/{icon}:", on_click=shelf.show, args=(target,)
                )
        st.button(
            "Close",
            key=f"{shelf.key}-close-{row.id}",
            icon=":material/close:",
            on_click=shelf.show,
            args=tuple(others),
        )


def _read(desk: Desk, actor: Actor, row: Piece, shelf: Shelf) -> Opened | DeskError:
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
