"""Evidence on screen: cards to choose from, one piece large or two beside each other, and never an outsider's markup.

Pictures and pages are those that the desk drew anew, names and captions are text, and the original only leaves as a
download of no type that a browser would open. Opening a piece is recorded once, when it is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import ceil
from typing import Protocol

import streamlit as st

from core.actions import evidence
from core.actions.evidence import Opened
from core.desk import Desk
from core.errors import DeskError
from core.rules.evidence import in_words
from core.rules.permissions import Actor
from dashboard.ui import deadline, empty, errors
from dashboard.ui.evidence_viewer import view
from dashboard.ui.safe import html, plain

CARDS, CARD = 24, 220  # on one page; pixels across, at least
STRIP = 900
LABELS = {"IMAGE": "Picture", "PDF": "PDF", "TEXT": "Text", "OTHER": "Document"}
ROLES = {"PAYER": "Payer", "PAYEE": "Payee"}


class Piece(Protocol):
    """One row of evidence as a query gives it; `opened_at` is when this member of staff first opened it."""

    id: int
    kind: str
    file_name: str
    media_type: str
    size_bytes: int
    sha256: str
    caption: str
    uploader: str
    uploader_role: str
    at: datetime
    taken_at: datetime | None
    opened_at: datetime | None


def gallery(desk: Desk, actor: Actor, rows: Sequence[Piece], *, key: str) -> None:
    """All evidence of a case: cards, and above them whatever is open (one piece, or two to compare)."""
    if not rows:
        empty.state(
            "No evidence yet", "Files that payer and payee hand in appear here.", icon="photo_library"
        )
        return
    st.html(STYLE)
    shelf = _Shelf(key, {row.id for row in rows})
    shown = _chosen(rows, shelf)
    if not shelf.ids:
        _cards(desk, actor, shown, shelf)
        return
    strip, large = st.columns([1, 3.8], gap="small")
    with strip, st.container(height=STRIP, border=False, key=f"{key}-strip"):
        _cards(desk, actor, shown, shelf)
    with large:
        _open_ones(desk, actor, rows, [row.id for row in shown], shelf)


def _cards(desk: Desk, actor: Actor, shown: Sequence[Piece], shelf: _Shelf) -> None:
    """All of them; beside an open piece they become a strip that scrolls by itself, so that both stay in view."""
    pages = ceil(len(shown) / CARDS)
    page = st.pagination(pages, key=f"{shelf.key}-page") if pages > 1 else 1
    with st.grid(1 if shelf.ids else "auto", min_column_width=CARD, gap="small"):
        for row in shown[(page - 1) * CARDS : page * CARDS]:
            _card(desk, actor, row, shelf)


class _Shelf:
    """Which pieces are open in this browser, and what they show: read once when opened, kept while open."""

    def __init__(self, key: str, there: set[int]) -> None:
        self.key = key
        self.opened: dict[int, Opened | DeskError] = st.session_state.setdefault(f"{key}:opened", {})
        self.ids: list[int] = [each for each in st.session_state.get(f"{key}:open", []) if each in there]
        for gone in self.opened.keys() - set(self.ids):
            del self.opened[gone]

    def show(self, *ids: int) -> None:
        st.session_state[f"{self.key}:open"] = list(ids)
        if ids:
            seen: set[int] = st.session_state.setdefault(f"{self.key}:seen", set())
            seen.update(ids)

    def seen(self, row: Piece) -> bool:
        return row.opened_at is not None or row.id in st.session_state.get(f"{self.key}:seen", ())


def _chosen(rows: Sequence[Piece], shelf: _Shelf) -> list[Piece]:
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


def _open_ones(desk: Desk, actor: Actor, rows: Sequence[Piece], order: list[int], shelf: _Shelf) -> None:
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
                view(desk, actor, row, opened, key=f"{shelf.key}-{evidence_id}", narrow=len(places) > 1)


def _heading(row: Piece, order: list[int], shelf: _Shelf) -> None:
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


def _read(desk: Desk, actor: Actor, row: Piece, shelf: _Shelf) -> Opened | DeskError:
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


def _card(desk: Desk, actor: Actor, row: Piece, shelf: _Shelf) -> None:
    open_now = row.id in shelf.ids
    with st.container(border=True, key=f"{shelf.key}-card-{row.id}", gap="xsmall"):
        _face(desk, actor, row)
        st.html(_words(row, seen=shelf.seen(row)))
        with st.container(horizontal=True, gap="xsmall"):
            st.button(
                "Showing" if open_now else "Open",
                key=f"{shelf.key}-open-{row.id}",
                type="primary" if open_now else "secondary",
                disabled=open_now,
                on_click=shelf.show,
                args=(row.id,),
            )
            if shelf.ids and not open_now:
                st.button(
                    "Compare",
                    key=f"{shelf.key}-beside-{row.id}",
                    type="tertiary",
                    icon=":material/splitscreen_right:",
                    on_click=shelf.show,
                    args=(shelf.ids[0], row.id),
                )


def _face(desk: Desk, actor: Actor, row: Piece) -> None:
    """The thumbnail, or what kind of file it is where there is nothing to draw."""
    try:
        small = _thumbnail(actor.id, row.sha256, row.id, desk, actor)
    except DeskError:
        st.html('<div class="ed-piece-face ed-ink-bad">Cannot be shown: open it to see why</div>')
        return
    if small is None:
        ending = row.file_name.rpartition(".")[2][:5].upper()
        st.html(f'<div class="ed-piece-face"><b>{html(ending)}</b>{html(LABELS.get(row.kind, "File"))}</div>')
    else:
        st.image(small, width="stretch", alt=f"{LABELS.get(row.kind, 'File')} {plain(row.file_name)}")


@st.cache_data(max_entries=1_000, ttl=3_600, show_spinner=False)
def _thumbnail(
    staff_id: int | None, sha256: str, evidence_id: int, _desk: Desk, _actor: Actor
) -> bytes | None:
    """Kept for each person apart: what one may see says nothing about another."""
    return _desk.database.run(
        lambda session: evidence.thumbnail(session, _actor, store=_desk.evidence, evidence_id=evidence_id)
    )


def _words(row: Piece, *, seen: bool) -> str:
    """What is known about a piece, in our own markup around words that cannot become markup."""
    state = ("quiet", "Opened") if seen else ("info", "Not opened")
    tip = f' title="{html(deadline.exact(row.opened_at))}"' if row.opened_at else ""
    camera = f"<span>Camera {html(deadline.brief(row.taken_at))}</span>" if row.taken_at else ""
    caption = f"<p>{html(row.caption)}</p>" if row.caption else ""
    return (
        f'<div class="ed-piece"><b title="{html(row.file_name)}">{html(row.file_name)}</b>{caption}'
        f"<span>{html(ROLES.get(row.uploader_role, row.uploader_role))} · {html(row.uploader)}</span>"
        f"<span>{html(deadline.exact(row.at))}</span>{camera}"
        f"<span>{html(in_words(row.size_bytes))} · <code>{html(row.sha256[:10])}</code></span>"
        f'<i class="ed-pill ed-{state[0]}"{tip}>{state[1]}</i></div>'
    )


STYLE = """<style>
.ed-piece { display: grid; gap: 1px; font-size: 0.9rem; min-width: 0; }
.ed-piece b { font-size: 1rem; font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.ed-piece p { margin: 0 0 3px; overflow-wrap: anywhere; }
.ed-piece span { color: var(--ed-dim); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.ed-piece code { padding: 0; background: none; color: inherit; font-size: 0.86rem; }
.ed-piece i { font-style: normal; justify-self: start; margin-top: 5px; }
.ed-piece-face { display: grid; place-content: center; justify-items: center; text-align: center; gap: 2px;
  aspect-ratio: 4 / 3; padding: 12px; border-radius: 6px; background: var(--ed-soft); color: var(--ed-dim); }
.ed-piece-face b { font-size: 1.4rem; font-weight: 620; letter-spacing: 0.04em; }
.ed-piece-title { display: grid; min-width: 0; }
.ed-piece-title b { font-weight: 620; overflow-wrap: anywhere; }
.ed-piece-title span { color: var(--ed-dim); overflow-wrap: anywhere; }
.ed-full { max-height: 76vh; overflow: auto; border: 1px solid var(--ed-line); border-radius: 6px; }
.ed-full img { display: block; max-width: none; }
[class*="-card-"] [data-testid="stImage"] img { aspect-ratio: 4 / 3; border-radius: 6px; background: var(--ed-soft); }
[class*="-card-"] [data-testid="stElementToolbar"] { display: none; }
[class*="-viewer-"] [data-testid="stImageContainer"] img { max-height: 62vh; width: auto !important; max-width: 100%;
  border: 1px solid var(--ed-line); }
</style>"""
