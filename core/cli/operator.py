"""Who is at the terminal: the account of this machine, or a member of staff who says so with `--as`.

A terminal does not prove who somebody is. So the account's name always stands in the entry, also beside the member of
staff, and a member of staff has the permissions of their roles and no others. What takes two people is confirmed at a
terminal with the login of the database's owner alone: no session stands behind it, so the application's may not.
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated

import typer
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.db import Database
from core.desk import Desk
from core.errors import DeskError
from core.records import Staff, StaffRole
from core.rules.permissions import Actor, Role

As = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="WHO",
        help="Act as this member of staff: their number, or 'ISSUER SUBJECT' of their sign-in. "
        "Without it the entry names the account of this machine.",
    ),
]


class StaffUnknown(DeskError):
    """No member of staff matches “{given}”. Name their number, as in --as 7, or --as 'ISSUER SUBJECT'."""


class StaffLeft(DeskError):
    """{name} does not work at the desk any more."""


class OwnerNeeded(DeskError):
    """At a terminal this takes the database's owner: name its login in DATABASE_OWNER_URL, or do it on the page {page}.
    Nothing was done."""


def actor(desk: Desk, who: str | None) -> Actor:
    """Whoever runs the command. Raises `StaffUnknown`, `StaffLeft`."""
    if who is None:
        return Actor("operator", None, via=account())
    with desk.database.reading() as session:
        staff = _named(session, who.split())
        if staff is None:
            raise StaffUnknown(given=who)
        if not staff.active:
            raise StaffLeft(name=staff.name)
        roles = session.scalars(select(StaffRole.role).where(StaffRole.staff_id == staff.id))
        held = frozenset(map(Role, roles))
    # The machine has let this account in, and the entry says which one; no sign-in of ours could be fresher.
    return Actor("staff", staff.id, held, authenticated_at=desk.clock(), via=account())


OWNS = text(
    "select pg_has_role(session_user, relowner, 'USAGE') from pg_class where oid = 'public.staff'::regclass"
)


@contextmanager
def with_owner(desk: Desk, page: str) -> Iterator[Desk]:
    """The same desk with the owner's login, to confirm with what `page` confirms in a session. Raises `OwnerNeeded`."""
    owner = Database(desk.settings.owner_url, pool_size=1)
    try:
        with owner.reading() as session:
            if not session.scalar(OWNS):
                raise OwnerNeeded(page=page)
        yield replace(desk, database=owner)
    finally:
        owner.dispose()


def account() -> str:
    """`anna on desk-1`, or `root (sudo by anna) on desk-1`."""
    try:
        name = getpass.getuser() if os.name != "posix" else _owner(os.geteuid())
    except (KeyError, OSError, ImportError):
        name = f"account {os.geteuid()}" if os.name == "posix" else "an account without a name"
    behind = os.environ.get("SUDO_USER", "").strip()
    if behind.isprintable() and behind and behind != name:
        name = f"{name} (sudo by {behind})"
    return f"{name} on {socket.gethostname()}"


def _owner(number: int) -> str:
    import pwd

    return pwd.getpwuid(number).pw_name


def _named(session: Session, words: list[str]) -> Staff | None:
    match words:
        case [number] if number.isascii() and number.isdigit() and int(number) < 2**63:
            return session.get(Staff, int(number))
        case [issuer, subject]:
            wanted = select(Staff).where(Staff.issuer == issuer, Staff.subject == subject)
            return session.scalars(wanted).one_or_none()
    return None
