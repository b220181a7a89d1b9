"""A file to take along: a link to an address that serves this session only (`dashboard.downloads`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any, Literal

import streamlit as st
from sqlalchemy.orm import Session
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core import table_files
from core.queries import masked
from core.rules.permissions import Actor, Permission
from dashboard import downloads, request_context
from dashboard.ui import columns as kinds
from dashboard.ui.columns import Column
from dashboard.ui.safe import html

CSV = "text/csv; charset=utf-8"
Look = Literal["quiet", "plain", "primary"]


@dataclass(frozen=True)
class Table:
    """The whole of a table: every row that `rows` reads under the filter, not only those on screen.

    `rows` runs when the file is fetched, outside of the page: nothing in it may ask Streamlit. `columns` are those of
    the file, where they are not those of the screen. Free words of a filter stand under `words`.
    """

    name: str
    rows: Callable[[Session], Iterable[Any]]
    permission: Permission = Permission.EXPORT_LEDGER
    filter: Mapping[str, object] = field(default_factory=dict)
    columns: Sequence[Column] | None = None


def table(wanted: Table, columns: Sequence[Column], *, key: str) -> None:
    """A link to the table as CSV, for whoever may take it."""
    if not request_context.may(wanted.permission):
        return
    shown, desk, sight = wanted.columns or columns, request_context.desk(), request_context.sight()

    def make(actor: Actor, now: datetime, out: IO[bytes]) -> str:
        return table_files.write(
            desk.database,
            actor,
            now=now,
            permission=wanted.permission,
            table=wanted.name,
            filter=wanted.filter,
            titles=kinds.titles(shown),
            rows=lambda session: (kinds.filed(shown, row) for row in wanted.rows(session)),
            look=lambda session: masked.look(session, sight, now=now),
            out=out,
        ).name

    _link(
        "CSV",
        key=f"{key}:csv",
        permission=wanted.permission,
        name=f"{wanted.name}.csv",
        media_type=CSV,
        make=make,
        help="Every row that matches, also those on other pages. The audit log records who took it.",
    )


def document(
    label: str,
    wanted: table_files.Document,
    draw: Callable[[Session], bytes],
    *,
    key: str,
    media_type: str,
) -> None:
    """A link to a paper made of a table's rows, for whoever may take it. `draw` runs when it is fetched."""
    if not request_context.may(wanted.permission):
        return
    desk, sight = request_context.desk(), request_context.sight()

    def make(actor: Actor, now: datetime, out: IO[bytes]) -> str:
        def look(session: Session) -> None:
            masked.look(session, sight, now=now)

        return table_files.document(desk.database, actor, wanted, draw, now=now, look=look, out=out).name

    _link(
        label,
        key=key,
        permission=wanted.permission,
        name=f"{wanted.name}.{wanted.kind}",
        media_type=media_type,
        make=make,
        help="The audit log records who took it.",
    )


def file(
    label: str,
    *,
    key: str,
    permission: Permission,
    name: str,
    media_type: str,
    write: Callable[[Actor, datetime, IO[bytes]], None],
    help: str = "",
    look: Look = "plain",
) -> None:
    """A link to a file that `write` makes when it is fetched, for whoever fetches it."""

    def make(actor: Actor, now: datetime, out: IO[bytes]) -> None:
        write(actor, now, out)

    _link(
        label,
        key=key,
        permission=permission,
        name=name,
        media_type=media_type,
        make=make,
        help=help,
        look=look,
    )


def button(
    label: str,
    *,
    key: str,
    permission: Permission,
    name: str,
    media_type: str,
    content: Callable[[Actor, datetime], bytes],
    help: str = "",
    look: Look = "plain",
) -> None:
    """The same for a small file, given as bytes."""

    def write(actor: Actor, now: datetime, out: IO[bytes]) -> None:
        out.write(content(actor, now))

    file(
        label,
        key=key,
        permission=permission,
        name=name,
        media_type=media_type,
        write=write,
        help=help,
        look=look,
    )


def _link(
    label: str,
    *,
    key: str,
    permission: Permission,
    name: str,
    media_type: str,
    make: downloads.Make,
    help: str,
    look: Look = "quiet",
) -> None:
    context = get_script_run_ctx()
    where = downloads.offer(
        request_context.person(),
        tab=context.session_id if context else "",
        key=key,
        permission=permission,
        name=name,
        media_type=media_type,
        make=make,
        now=request_context.now(),
    )
    title = f' title="{html(help)}"' if help else ""
    kind = {"primary": " ed-primary", "quiet": " ed-bare", "plain": ""}[look]
    st.html(
        f'<a class="ed-button ed-download{kind}" href="{where}" download="{html(name)}"{title}>{html(label)}</a>',
        width="content",
    )
