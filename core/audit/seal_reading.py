"""The seals as the database has them."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit.seals import Seal

AT_ONCE = 500
SEALS_AFTER = text(
    """
    select n, epoch, lo::text as lo, hi::text as hi, entries_after, journals_after, entries, journals, root,
           leaves, prev, hash, sealed_at, changes_after, changes
    from public.seals where n > :after order by n limit :limit
    """
)


def seals_after(session: Session, n: int, *, limit: int = AT_ONCE) -> list[Seal]:
    """The seals from `n + 1` on."""
    rows = session.execute(SEALS_AFTER, {"after": n, "limit": limit}).mappings()
    return [Seal(**{**row, "lo": int(row["lo"]), "hi": int(row["hi"])}) for row in rows]


def seals_between(session: Session, first: int, last: int) -> list[Seal]:
    """These and all between them, as far as they are there."""
    seals: list[Seal] = []
    while first <= last and (found := seals_after(session, first - 1, limit=min(AT_ONCE, last - first + 1))):
        seals += found
        first = found[-1].n + 1
    return seals
