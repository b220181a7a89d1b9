"""Who is at the terminal: the account of this machine, or a member of staff who says so with `--as`.

A terminal does not prove who somebody is. So the account's name always stands in the entry, also beside the member of
staff, and a member of staff has the permissions of their roles and no others.
"""

from __future__ import annotations

import getpass
import os
import socket
from typing import Annotated

import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

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
