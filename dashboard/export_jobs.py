"""An export that the worker makes beside the pages: asked for in a drawer, watched, and taken once.

It belongs to the sign-in that asked for it: a reload or another tab of the same finds it again, and nobody else does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import streamlit as st

from core.actions.exports import requests
from core.processes import exports
from core.queries import exports as queries
from core.queries.exports import ExportView
from core.rules.exports import KEPT, RESUMED, ExportKind
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.ui import cards, confirm, deadlines, download

POLL = 1.0  # seconds
NO_WORKER_AFTER = timedelta(seconds=30)
MINUTES = round(KEPT.total_seconds() / 60)


@dataclass(frozen=True)
class ExportChoice:
    """What was chosen in the drawer."""

    format: str
    ending: str
    filter: Mapping[str, Any]


@dataclass(frozen=True)
class ExportDrawer:
    """One kind of export on its page. `choose` draws the form and returns the intent of a press with what was chosen;
    `facts` says what a finished file holds; `noun` is what is counted."""

    kind: ExportKind
    title: str
    noun: str
    media_types: Mapping[str, str]
    choose: Callable[[], tuple[str, ExportChoice] | None]
    facts: Callable[[ExportView], Mapping[str, Any]]
    manifest_for: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return f"{self.kind}-export"

    @property
    def permission(self) -> Permission:
        return self.kind.permission

    def button(self, label: str, *, key: str) -> None:
        st.button(
            label,
            key=key,
            icon=":material/download:",
            on_click=self._open,
        )

    def drawer(self) -> None:
        if confirm.drawer(self.name) is not None:
            st.dialog(self.title, position="right", on_dismiss=confirm.close_drawer)(self._body)()

    def _open(self) -> None:
        """What was downloaded, or could not be made, is put away."""
        found = self._latest()
        if found is not None and not found.under_way and not found.there:
            self._put(found.id)
        confirm.open_drawer(self.name)

    def _body(self) -> None:
        found = self._latest()
        if found is None or st.session_state.get(self._put_away) == found.id:
            self._ask()
        elif found.under_way:
            self._watch(found)
        else:
            self._ended(found)

    def _ask(self) -> None:
        asked = self.choose()
        if asked is None:
            return
        intent, wanted = asked
        confirm.carry_out(
            intent,
            lambda session, actor, now: requests.request(
                session, actor, now=now, kind=self.kind, format=wanted.format, ending=wanted.ending,
                filter=wanted.filter,
            ),
            done="The file is being made.",
            then=self._open_again,
        )  # fmt: skip

    def _open_again(self, export_id: int) -> None:
        confirm.open_drawer(self.name)
        st.rerun()

    def _watch(self, begun: ExportView) -> None:
        @st.fragment(run_every=POLL)
        def bar() -> None:
            found = self._latest()
            if found is None or not found.under_way:
                st.rerun()
            st.progress(found.fraction, text=self._so_far(found))

        bar()
        cards.note(
            f"You can leave this page, reload it or close it: the worker makes the file, and it waits here for this "
            f"sign-in, for {MINUTES} minutes or until you are signed out."
        )

    def _so_far(self, found: ExportView) -> str:
        if found.begun:
            return f"{found.done:,} of {found.total:,} {self.noun} written …{_again(found)}"
        if request_context.now() - found.requested_at > NO_WORKER_AFTER:
            return "No worker has taken it up yet. “escrow-desk doctor” says whether one runs."
        return "It waits for a worker …"

    def _ended(self, found: ExportView) -> None:
        if found.failure is not None:
            st.error(found.failure, icon=":material/error:")
        elif found.facts is not None:
            self._offer(found, found.facts)
        st.button("Export something else", type="tertiary", on_click=self._put, args=(found.id,))

    def _offer(self, found: ExportView, facts: Mapping[str, Any]) -> None:
        cards.facts(self.facts(found), columns=2)
        st.caption("SHA-256 of the file")
        st.code(facts["sha256"], language=None, wrap_lines=True)
        desk = request_context.desk()
        if found.there:
            download.file(
                f"Download {found.name}",
                key=f"{self.name}-{found.id}",
                permission=self.permission,
                name=found.name,
                media_type=self.media_types[found.format],
                write=lambda actor, now, out: exports.hand_out(
                    desk, actor, now=now, export_id=found.id, out=out
                ),
                look="primary",
            )
            cards.note(f"It is given out once, to this sign-in, until {deadlines.exact(found.expires_at)}.")
        else:
            taken = f" on {deadlines.exact(found.fetched_at)}" if found.fetched_at else ""
            cards.note(
                f"It was downloaded{taken}. A file is given out once: prepare another one if you need it again."
            )
        if found.format in self.manifest_for:
            download.button(
                "Download its manifest",
                key=f"{self.name}-{found.id}-manifest",
                permission=self.permission,
                name=f"{found.name}.manifest.json",
                media_type="application/json",
                content=lambda actor, now: exports.manifest(desk, actor, now=now, export_id=found.id),
            )

    def _latest(self) -> ExportView | None:
        session_id, now = request_context.person().session_id, request_context.now()
        with request_context.reading() as session:
            return queries.latest(session, session_id=session_id, kind=self.kind, now=now)

    @property
    def _put_away(self) -> str:
        return f"{self.name}:put-away"

    def _put(self, export_id: int) -> None:
        st.session_state[self._put_away] = export_id


def _again(found: ExportView) -> str:
    """That a worker stopped in the middle, and what that means for this format."""
    if not found.again:
        return ""
    if found.format in RESUMED:
        return " A worker stopped; another one goes on where it was."
    return " A worker stopped; another one starts from the first row, as this format must."
