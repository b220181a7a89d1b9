"""One piece of evidence among others: a card with its thumbnail, what is known about it, and how to open it."""

from __future__ import annotations

import streamlit as st

from core.actions.cases import evidence
from core.desk import Desk
from core.errors import DeskError
from core.queries.evidence import EvidenceItem
from core.rules.evidence import in_words
from core.rules.permissions import Actor
from dashboard.ui import deadlines
from dashboard.ui.evidence_shelf import Shelf
from dashboard.ui.safe import html, plain

LABELS = {"IMAGE": "Picture", "PDF": "PDF", "TEXT": "Text", "OTHER": "Document"}
ROLES = {"PAYER": "Payer", "PAYEE": "Payee"}


def card(desk: Desk, actor: Actor, row: EvidenceItem, shelf: Shelf) -> None:
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


def _face(desk: Desk, actor: Actor, row: EvidenceItem) -> None:
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


def _words(row: EvidenceItem, *, seen: bool) -> str:
    """What is known about a piece, in our own markup around words that cannot become markup."""
    state = ("quiet", "Opened") if seen else ("info", "Not opened")
    tip = f' title="{html(deadlines.exact(row.opened_at))}"' if row.opened_at else ""
    camera = f"<span>Camera's clock {html(deadlines.brief(row.taken_at))}</span>" if row.taken_at else ""
    caption = f"<p>{html(row.caption)}</p>" if row.caption else ""
    return (
        f'<div class="ed-piece"><b title="{html(row.file_name)}">{html(row.file_name)}</b>{caption}'
        f"<span>{html(ROLES.get(row.uploader_role, row.uploader_role))} · {html(row.uploader)}</span>"
        f"<span>{html(deadlines.exact(row.at))}</span>{camera}"
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
[class*="-card-"] [data-testid="stImage"] img { aspect-ratio: 4 / 3; border-radius: 6px; background: var(--ed-soft); }
[class*="-card-"] [data-testid="stElementToolbar"] { display: none; }
[class*="-strip"] .ed-piece span, [class*="-strip"] .ed-piece p { display: none; }
[class*="-strip"] .ed-piece b { font-size: 0.88rem; font-weight: 500; }
</style>"""
