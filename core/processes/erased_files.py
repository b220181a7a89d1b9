"""What is left to do of an erasure after its commit: the key of the person's files is destroyed, copies of e-mails are
removed (where there is no mail server they lie in the home), and their name in documents is taken out when the law
keeps it no longer.

A worker that is killed in between leaves a row that the next sweep finds: destroying a key twice does no harm.
"""

from __future__ import annotations

from functools import partial

import structlog
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.actions.privacy import erasures
from core.db import is_away
from core.desk import Desk
from core.records import Erasure, LegalHold

log = structlog.get_logger(__name__)

# Mails that hold a letter whose words were erased.
COPIES = text(
    """
    select distinct n.mail from notifications n join row_changes c on c.relation = 'notifications'
        and c.row_key = n.id::text and c.salt is null
    where n.mail is not null
    """
)


def sweep(desk: Desk) -> int:
    """How many erasures went on. One that breaks stands in nobody's way."""
    with desk.database.reading() as session:
        files, documents = _left(session), _over(session, desk)
    return sum(_files(desk, *each) for each in files) + sum(_documents(desk, each) for each in documents)


def destroy(desk: Desk, erasure_id: int) -> bool:
    """The key of this person's files, now; whether it was still there to be destroyed."""
    with desk.database.reading() as session:
        return any(_files(desk, *each) for each in _left(session) if each[0] == erasure_id)


def _left(session: Session) -> list[tuple[int, int]]:
    wanted = select(Erasure.id, Erasure.party_id).where(
        Erasure.erased_at.is_not(None), Erasure.files_gone_at.is_(None)
    )
    return [(row.id, row.party_id) for row in session.execute(wanted)]


def _over(session: Session, desk: Desk) -> list[int]:
    held = select(LegalHold.party_id).where(LegalHold.lifted_at.is_(None))
    wanted = select(Erasure.id).where(Erasure.documents_until <= desk.clock(), Erasure.party_id.not_in(held))
    return list(session.scalars(wanted))


def _files(desk: Desk, erasure_id: int, party_id: int) -> bool:
    try:
        desk.evidence.erase(party_id, retention=None)
        with desk.database.reading() as session:
            mails = list(session.scalars(COPIES))
        desk.mail.forget(mails)
        desk.database.run(partial(erasures.files_gone, now=desk.clock(), erasure_id=erasure_id))
    except Exception as problem:
        if is_away(problem):
            raise
        log.exception("erasure.files", erasure=erasure_id)
        return False
    return True


def _documents(desk: Desk, erasure_id: int) -> bool:
    try:
        desk.database.run(partial(erasures.erase_documents, now=desk.clock(), erasure_id=erasure_id))
    except Exception as problem:
        if is_away(problem):
            raise
        log.exception("erasure.documents", erasure=erasure_id)
        return False
    return True
