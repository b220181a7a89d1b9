"""Rows by words in their names, found in the indexes of the search: accents and capitals do not count.

Each list is made once, and not a comparison for every row around it. `:like` is of `core.like_patterns.like`.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.like_patterns import like
from core.rules.search import MOST_WORDS, SHORTEST

PARTIES = (
    "(select id from public.parties where searched(name || ' ' || email || ' ' || external_id) like searched(:like)"
    " and searched(name) like searched(:like)"
    " union all select id from public.parties"
    " where id = cast(substring(cast(:like as text) from '^%#([0-9]{1,18})%$') as bigint))"
)
"""By their names as they are stored, also for whoever sees masks, or by the number that stands in a mask: `#17`. The
index is over more than names."""
PROJECTS = "(select id from projects where searched(title || ' ' || bid_reference) like searched(:like))"
MILESTONES = "(select id from milestones where searched(title) like searched(:like))"
OF_PROJECT = (f"p.id in {PROJECTS}", f"p.payer_id in {PARTIES}", f"p.payee_id in {PARTIES}")
"""Conditions of which one holds, for a project `p`."""
OF_MILESTONE = (f"m.id in {MILESTONES}", *OF_PROJECT)
"""The same for a milestone `m` of the project `p`."""

NAMED = """
select id from public.parties
where {}
order by id limit :most
"""
NAMES_IT = (
    "searched(name || ' ' || email || ' ' || external_id) like searched(:word_{0})"
    " and searched(name || ' ' || email) like searched(:word_{0})"
)


def few_named(session: Session, words: str, *, most: int) -> list[int]:
    """The parties in whose name or address each of these words is; nobody where more than `most` are, or where no word
    is as long as names are looked for."""
    parts = words.split()[:MOST_WORDS]
    if max(map(len, parts), default=0) < SHORTEST:
        return []
    wanted = text(NAMED.format(" and ".join(NAMES_IT.format(place) for place in range(len(parts)))))
    values = {f"word_{place}": like(part) for place, part in enumerate(parts)}
    found = session.scalars(wanted, {**values, "most": most + 1}).all()
    return list(found) if len(found) <= most else []
