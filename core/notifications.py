"""Letters to the parties: rendered and stored in the transaction that gives cause for them, delivered after it.

Each has a key, and a key is told once for ever, so an action that runs again tells nobody twice. What was promised
to a party is the stored text: a template that changes later does not change it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import letters
from core.records import Milestone, Notification, Party, Project


def tell(
    session: Session,
    template: str,
    *,
    party_id: int,
    project_id: int,
    milestone_id: int | None = None,
    key: str,
    now: datetime,
    **facts: Any,
) -> Notification | None:
    """Write the letter `template` to a party, or return None where `key` was told before.

    The party's role chooses the wording. Facts are what the template needs (`letters.needs`); Money and times may be
    given as they are. `project`, `milestone` and `platform` are filled in from the records.
    """
    audience = session.get_one(Party, party_id).role.lower()
    known = {**_titles(session, project_id, milestone_id), **facts}
    letter = letters.render(template, audience, **known)
    return session.scalar(
        insert(Notification)
        .values(
            key=key,
            template=template,
            party_id=party_id,
            project_id=project_id,
            milestone_id=milestone_id,
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            status="QUEUED",
            tries=0,
            next_try_at=now,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(Notification)
    )


def _titles(session: Session, project_id: int, milestone_id: int | None) -> dict[str, str]:
    project = session.get_one(Project, project_id)
    titles = {"project": project.title, "platform": project.platform}
    if milestone_id is not None:
        titles["milestone"] = session.get_one(Milestone, milestone_id).title
    return titles
