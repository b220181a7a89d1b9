"""One piece of evidence, large: a picture, the pages of a document, or text, and what is known about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

import streamlit as st

from core.actions.cases import evidence
from core.actions.cases.evidence import Opened
from core.desk import Desk
from core.errors import DeskError
from core.queries.evidence import EvidenceItem
from core.rules.evidence import Area, EvidenceKind, in_words
from core.rules.permissions import Actor, Permission
from dashboard.ui import cards, deadlines, download, errors, evidence_lens
from dashboard.ui.evidence_lens import LensView

SHORT = 2_000  # characters of a text that needs no scrolling
CAMERA = (
    "The camera's clock is what the camera wrote into the file; nobody has checked it. It is in UTC where the file "
    "names a time zone, else as the clock showed it."
)
CLOCKS_DIFFER = timedelta(hours=14)  # a camera without a zone may be off by as much as the world is wide


def view(
    desk: Desk,
    actor: Actor,
    row: EvidenceItem,
    opened: Opened,
    *,
    sight: LensView,
    narrow: bool,
    words: Callable[[str], str] | None = None,
) -> tuple[int | None, Area] | None:
    """The piece itself, then its facts, then the original; `words` hides names, and the original too.

    Returns the page and the part that were marked just now.
    """
    marked: tuple[int | None, Area] | None = None
    match opened.kind:
        case EvidenceKind.IMAGE | EvidenceKind.VIDEO:
            assert opened.picture is not None
            what = (
                row.file_name
                if opened.kind is EvidenceKind.IMAGE
                else f"The beginning of the video {row.file_name}"
            )
            alt = f"{what}, submitted by the {row.uploader_role.lower()}"
            area = evidence_lens.show(opened.picture, sight, alt=alt)
            marked = (None, area) if area else None
        case EvidenceKind.PDF:
            marked = _pages(desk, actor, row, opened, sight)
        case EvidenceKind.TEXT:
            text = words(opened.text or "") if words else opened.text or ""
            height: Literal["content"] | int = 560
            if len(text) < SHORT and text.count("\n") < SHORT // 100:
                height = "content"
            st.code(text, language=None, wrap_lines=True, height=height)
        case _:
            st.info(
                "This kind of file is not shown here. Download it, and open it with care.",
                icon=":material/info:",
            )
    _facts(row, opened, narrow=narrow)
    if words:
        cards.note("The original can be downloaded once names are shown.")
        return marked
    download.button(
        "Download original",
        key=f"{sight.key}-download",
        permission=Permission.READ_CASES,
        name=f"evidence-{row.id}-{opened.file_name}",
        media_type="application/octet-stream",
        content=lambda actor, now: _original(desk, actor, now, row.id),
        help="As submitted. The download is recorded.",
    )
    return marked


def _pages(
    desk: Desk, actor: Actor, row: EvidenceItem, opened: Opened, sight: LensView
) -> tuple[int | None, Area] | None:
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        number = st.pagination(opened.pages, key=f"{sight.key}-pages") if opened.pages > 1 else 1
        st.caption(f"{opened.pages} page{'s' if opened.pages > 1 else ''}", width="content")
    try:
        drawn = _page(actor.id, row.sha256, row.id, number, desk, actor)
    except DeskError as error:
        errors.show(error)
        return None
    alt = f"{row.file_name}, page {number} of {opened.pages}"
    area = evidence_lens.show(drawn, sight, alt=alt, page=number)
    return (number, area) if area else None


@st.cache_data(max_entries=200, ttl=3_600, show_spinner=False)
def _page(
    staff_id: int | None, sha256: str, evidence_id: int, number: int, _desk: Desk, _actor: Actor
) -> bytes:
    return _desk.database.run(
        lambda session: evidence.page(
            session, _actor, store=_desk.evidence, evidence_id=evidence_id, number=number
        )
    )


def _facts(row: EvidenceItem, opened: Opened, *, narrow: bool) -> None:
    facts: dict[str, cards.Fact] = {
        "Submitted by": f"{row.uploader} ({row.uploader_role.lower()})",
        "Submitted": row.at,
    }
    if opened.kind in (EvidenceKind.IMAGE, EvidenceKind.VIDEO):
        facts["Camera's clock"] = f"{row.taken_at:%-d %b %Y, %H:%M}" if row.taken_at else "not recorded"
    if opened.seconds is not None:
        facts["Length"] = deadlines.span(timedelta(seconds=opened.seconds))
    facts["Size"] = f"{in_words(row.size_bytes)} · {opened.media_type}"
    cards.facts(facts, columns=2 if narrow else 4)
    if opened.kind is EvidenceKind.IMAGE:
        cards.note("Re-encoded copy: what the camera wrote into the file was removed.")
    if opened.kind is EvidenceKind.VIDEO:
        cards.note("The first frame, re-encoded. The video itself is only downloaded, not played here.")
    if opened.holds_place:
        cards.note("The original still holds the place where it was taken, and so does a download of it.")
    if row.taken_at:
        cards.note(CAMERA)
    if row.taken_at and row.taken_at - row.at > CLOCKS_DIFFER:
        st.warning(
            f"The camera's time is {deadlines.span(row.taken_at - row.at)} after the upload: it cannot be right.",
            icon=":material/schedule:",
        )
    st.code(f"sha256 {row.sha256}", language=None, wrap_lines=True)


def _original(desk: Desk, actor: Actor, now: datetime, evidence_id: int) -> bytes:
    return desk.database.run(
        lambda session: evidence.download(
            session, actor, now=now, store=desk.evidence, evidence_id=evidence_id
        )
    )
