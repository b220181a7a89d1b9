"""Text that somebody has begun and not sent: saved for its author while they type, on every page.

Only its author sees it; it is neither sent nor audited. Each field has a version: a save names the version that its
text began from and the browser tab, and never overwrites what another tab has saved since.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.errors import DeskError
from core.records import TabKey, UnsentText
from core.rules import text_fields
from core.rules.permissions import Actor, require_one, staff_number

TYPED = "typed:"  # before the tab's name: the browser itself saves what is typed there


class ChangedInAnotherTab(DeskError):
    """This was changed in another tab on {at:%d %B %Y at %H:%M} UTC. Nothing was overwritten."""


class ShownOtherwise(DeskError):
    """This was changed in another tab on {at:%d %B %Y at %H:%M} UTC. Nothing was done: look at it again, or
    continue with what is shown here."""


class UsedInAnotherTab(ShownOtherwise):
    """This was already used in another tab on {at:%d %B %Y at %H:%M} UTC. Nothing was done here. If you continue, it is
    used a second time."""


@dataclass(frozen=True)
class Shown:
    """What a tab shows in a field, and the version that it was given."""

    place: str
    body: str
    version: int


@dataclass(frozen=True)
class Words:
    """The text of a field. Version 0: nothing was ever saved there. `sent`: it was used, and the field is empty
    again."""

    body: str = ""
    version: int = 0
    at: datetime | None = None
    sent: bool = False


def save(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    place: str,
    body: str,
    base: int,
    tab: str,
    typed: bool = False,
) -> Words:
    """What stands there now. `base` is the version that these words began from, `tab` where they stand; `typed`: saved
    by the browser while they are typed, from when on that tab's page saves nothing of its own.

    Raises `ChangedInAnotherTab`, `WordsTooLong`, `TooManyPlaces`, `PlaceUnknown`, `NotPermitted`.
    """
    body = _storable(body)
    writer = f"{TYPED}{tab}" if typed else tab
    mine = (tab, f"{TYPED}{tab}") if typed else (tab,)
    free = or_(UnsentText.version == base, UnsentText.writer.in_(mine), UnsentText.body == body)
    require_one(actor, text_fields.permission(place))
    kept = _put(
        session,
        staff_number(actor, action="leave words"),
        now,
        place,
        body,
        writer=writer,
        where=free,
    )
    if kept is None:
        raise ChangedInAnotherTab(at=find(session, actor, place=place).at or now)
    return kept


def put(
    session: Session, actor: Actor, *, now: datetime, place: str, body: str, tab: str = ""
) -> Words | None:
    """Replace the text of the field, whatever it is: a person pressed a button to do so."""
    require_one(actor, text_fields.permission(place))
    return _put(
        session,
        staff_number(actor, action="leave words"),
        now,
        place,
        _storable(body),
        writer=tab,
    )


def give(session: Session, *, staff_id: int, now: datetime, place: str, body: str, tab: str = "") -> None:
    """Return text to its author's field after an action, whatever they may do now."""
    _put(session, staff_id, now, place, _storable(body), writer=tab)


def find(session: Session, actor: Actor, *, place: str) -> Words:
    """The actor's text in this field."""
    return of(session, actor, [place]).get(place, Words())


def of(session: Session, actor: Actor, wanted: Iterable[str]) -> dict[str, Words]:
    """The actor's text in these fields; fields in which they never wrote are missing."""
    rows = session.execute(
        select(
            UnsentText.place, UnsentText.body, UnsentText.version, UnsentText.updated_at, UnsentText.sent
        ).where(UnsentText.staff_id == actor.id, UnsentText.place.in_(list(wanted)))
    )
    return {row.place: Words(row.body, row.version, row.updated_at, row.sent) for row in rows}


def sent(session: Session, actor: Actor, *, now: datetime, wanted: Iterable[str]) -> None:
    """The text of these fields was used: they are empty again, and no tab treats what it still shows as unsaved."""
    session.execute(
        update(UnsentText)
        .where(UnsentText.staff_id == actor.id, UnsentText.place.in_(list(wanted)))
        .values(body="", version=UnsentText.version + 1, writer="", sent=True, updated_at=now)
    )


def require_as_shown(session: Session, actor: Actor, shown: Iterable[Shown], *, tab: str) -> None:
    """Before words are used: nobody used or changed them since this tab was handed them, but the tab itself. Of two
    tabs that press at once the second waits, and is told.

    Raises `UsedInAnotherTab`, `ShownOtherwise`.
    """
    here = {each.place: each for each in shown}
    rows = session.scalars(
        select(UnsentText)
        .where(UnsentText.staff_id == actor.id, UnsentText.place.in_(list(here)))
        .order_by(UnsentText.place)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for row in rows:
        each = here[row.place]
        own = row.version == each.version or row.writer in (tab, f"{TYPED}{tab}")
        if own or (not row.sent and row.body == _storable(each.body)):
            continue
        raise (UsedInAnotherTab if row.sent else ShownOtherwise)(at=row.updated_at)


def tab_key(session: Session, actor: Actor, *, now: datetime) -> bytes:
    """32 bytes under which this person's browser keeps what it could not save yet: nobody else who signs in there can
    read it."""
    me = staff_number(actor, action="leave words")
    if (known := session.get(TabKey, me)) is not None:
        return known.key
    made = insert(TabKey).values(staff_id=me, key=secrets.token_bytes(32), made_at=now)
    session.execute(made.on_conflict_do_nothing())
    return session.get_one(TabKey, me).key


def _put(
    session: Session,
    staff_id: int,
    now: datetime,
    place: str,
    body: str,
    *,
    writer: str,
    where: ColumnElement[bool] | None = None,
) -> Words | None:
    if len(body) > text_fields.LONGEST:
        raise text_fields.WordsTooLong(most=text_fields.LONGEST)
    _require_room(session, staff_id, place)
    words = insert(UnsentText).values(
        staff_id=staff_id, place=place, body=body, version=1, writer=writer, sent=False, updated_at=now
    )
    row = session.execute(
        words.on_conflict_do_update(
            index_elements=["staff_id", "place"],
            set_={
                "body": words.excluded.body,
                "version": UnsentText.version + 1,
                "writer": words.excluded.writer,
                "sent": False,
                "updated_at": words.excluded.updated_at,
            },
            where=where,
        ).returning(UnsentText.body, UnsentText.version, UnsentText.updated_at)
    ).one_or_none()
    return Words(row.body, row.version, row.updated_at) if row else None


def _storable(body: str) -> str:
    """Without what PostgreSQL cannot store: null bytes and lone surrogates."""
    return body.replace("\0", "").encode("utf-8", "replace").decode()


def _require_room(session: Session, staff_id: int, place: str) -> None:
    """Only a new field counts towards the limit. Two saves at once may exceed it by one, which does no harm."""
    if session.get(UnsentText, (staff_id, place)) is not None:
        return
    taken = select(func.count()).where(UnsentText.staff_id == staff_id, UnsentText.body != "")
    if session.scalars(taken).one() >= text_fields.MOST:
        raise text_fields.TooManyPlaces(most=text_fields.MOST)
