"""Whether this database was restored from a backup, and what keeps it from sending to Stripe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.records import Restore

UNKNOWN_SINCE = text(
    """
    select count(*) from statement_lines s
    where s.created_at > :taken_at and (s.amount <> 0 or s.fee <> 0)
      and (not exists (select from balance_transactions b where b.id = s.id)
           or exists (select from suspense_items i where i.transaction_id = s.id and i.status = 'OPEN'))
    """
)


ERASED_SINCE = """
select coalesce(array_agg(p.id order by p.id), '{}') from parties p
where p.id = any(string_to_array(:stones, ' ')::bigint[]) and p.erased_at is null
"""


@dataclass(frozen=True)
class Pause:
    """Requests to Stripe wait since the database was restored. `unknown`: lines of Stripe's since the backup, as far
    as they were read, of which the desk does not know what they are."""

    source: str
    taken_at: datetime
    restored_at: datetime
    unknown: int

    @property
    def words(self) -> str:
        """As pages, `doctor` and commands say it."""
        one = self.unknown == 1
        known = (
            f"; {self.unknown} {'line' if one else 'lines'} since then {'is' if one else 'are'} not known yet: page"
            " Reconciliation"
            if self.unknown
            else ""
        )
        return (
            f"paused: this database was restored at {self.restored_at:%Y-%m-%d %H:%M} UTC and is as it was at "
            f"{self.taken_at:%Y-%m-%d %H:%M} UTC. They go on by themselves after a reconciliation that knows every "
            f"line of Stripe's since then, or when finance or an administrator resumes them{known}"
        )


def pause(session: Session) -> Pause | None:
    """Why nothing is sent, where that is so; one statement while nothing is paused."""
    waiting = session.scalars(select(Restore).where(Restore.released_at.is_(None)).order_by(Restore.id)).all()
    if not waiting:
        return None
    taken_at = min(row.taken_at for row in waiting)
    return Pause(waiting[-1].source, taken_at, waiting[-1].restored_at, unknown_since(session, taken_at))


def unknown_since(session: Session, taken_at: datetime) -> int:
    """Lines of Stripe's after this moment that are not booked, or that nobody has explained yet."""
    return int(session.scalar(UNKNOWN_SINCE, {"taken_at": taken_at}) or 0)


def erased_since(session: Session, stones: Iterable[int]) -> list[int]:
    """Parties whose files the home knows as erased, while this database does not know that they are."""
    return list(session.scalar(text(ERASED_SINCE), {"stones": " ".join(map(str, stones))}) or [])
