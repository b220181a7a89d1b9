"""Letters to the parties and to staff: written in the transaction that gives cause for them, delivered after it.

Each has a key, and a key is told once for ever, so an action that runs again tells nobody twice. What was promised
to a party is the stored text: a template that changes later does not change it. What a party has muted is stored as
well, and never sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import letters
from core.db import at_commit
from core.letters import delivery_rules
from core.records import LetterPreference, Milestone, Notification, Party, Project, Staff, StaffRole
from core.rules import notifications as rules
from core.rules.notifications import LetterStatus
from core.rules.permissions import Role

About = tuple[str, int]
INSERT = insert(Notification).on_conflict_do_nothing(index_elements=["key"]).returning(Notification.id)


def tell(
    session: Session,
    template: str,
    *,
    party_id: int,
    project_id: int,
    milestone_id: int | None = None,
    about: About | None = None,
    key: str,
    now: datetime,
    **facts: Any,
) -> None:
    """Write the letter `template` to a party, unless `key` was told before.

    The party's role chooses the wording. Facts are what the template needs (`letters.needs`); Money and times may be
    given as they are. `project`, `milestone` and `platform` are filled in from the records. `about` is the object that
    gives cause for it, such as ("case", 12): its log finds the letter by it.
    """
    handled = delivery_rules.of(template)
    may_choose = handled.kept is None or not handled.urgent
    wants = session.get(LetterPreference, party_id) if may_choose else None
    at = rules.goes_at(
        rules.Frequency(wants.frequency) if wants else rules.Frequency.TOGETHER,
        urgent=handled.urgent,
        deadlines=[fact for fact in facts.values() if isinstance(fact, datetime)],
        now=now,
    )
    _write(
        session,
        template,
        session.get_one(Party, party_id).role.lower(),
        {**_titles(session, project_id, milestone_id), **facts},
        key=key,
        party_id=party_id,
        project_id=project_id,
        milestone_id=milestone_id,
        about_kind=about and about[0],
        about_id=about and about[1],
        urgent=at == now,
        status=LetterStatus.MUTED if _mutes(wants, template) else LetterStatus.QUEUED,
        next_try_at=at,
        created_at=now,
    )


def tell_party(
    session: Session,
    template: str,
    *,
    party: Party,
    key: str,
    now: datetime,
    address: str | None = None,
    **facts: Any,
) -> None:
    """Write to a party about itself, at once; to `address` in place of the one that it has now."""
    _write(
        session,
        template,
        party.role.lower(),
        {"platform": party.platform, **facts},
        key=key,
        party_id=party.id,
        address=address,
        about_kind="party",
        about_id=party.id,
        urgent=True,
        status=LetterStatus.QUEUED,
        next_try_at=now,
        created_at=now,
    )


def muted(session: Session, template: str, *, party_id: int) -> bool:
    """Would this letter be written for the record only, because its reader does not want its kind?"""
    return _mutes(session.get(LetterPreference, party_id), template)


def _mutes(wants: LetterPreference | None, template: str) -> bool:
    return wants is not None and delivery_rules.of(template).kept is None and template in wants.muted


def tell_staff(
    session: Session,
    template: str,
    *,
    staff_ids: Iterable[int],
    project_id: int | None = None,
    milestone_id: int | None = None,
    about: About,
    key: str,
    now: datetime,
    **facts: Any,
) -> None:
    """Write to members of staff; numbers and amounts only, because mail is read by more eyes than the desk.

    Without a project it is about the money of the whole desk.
    """
    known = {**(_titles(session, project_id, milestone_id) if project_id else {}), **facts}
    for staff_id in sorted(set(staff_ids)):
        _write(
            session,
            template,
            "staff",
            known,
            key=f"{key}-staff-{staff_id}",
            staff_id=staff_id,
            project_id=project_id,
            milestone_id=milestone_id,
            about_kind=about[0],
            about_id=about[1],
            urgent=True,
            status=LetterStatus.QUEUED,
            next_try_at=now,
            created_at=now,
        )


def staff_of(session: Session, role: Role) -> list[int]:
    """Everyone active who has this role."""
    wanted = (
        select(Staff.id)
        .join(StaffRole, StaffRole.staff_id == Staff.id)
        .where(StaffRole.role == role, Staff.active)
        .order_by(Staff.id)
    )
    return list(session.scalars(wanted))


def _write(session: Session, template: str, audience: str, facts: Mapping[str, Any], **row: Any) -> None:
    if (party_id := row.get("party_id")) and session.get_one(Party, party_id).erased_at is not None:
        return  # nothing is written to whoever is erased
    letter = letters.render(template, audience, **facts)
    written = {"subject": letter.subject, "text": letter.text, "html": letter.html}
    at_commit(session, _insert, {"template": template, "tries": 0, **written, **row})


def _insert(session: Session, rows: list[dict[str, Any]]) -> None:
    columns = sorted({column for row in rows for column in row})
    whole = [{column: row.get(column) for column in columns} for row in rows]
    # With `returning` it is one statement, compiled once for any number of rows.
    session.execute(INSERT, whole)


def _titles(session: Session, project_id: int, milestone_id: int | None) -> dict[str, str]:
    project = session.get_one(Project, project_id)
    titles = {"project": project.title, "platform": project.platform}
    if milestone_id is not None:
        titles["milestone"] = session.get_one(Milestone, milestone_id).title
    return titles
