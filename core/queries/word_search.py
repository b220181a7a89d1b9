"""Rows by words in their names, found in the indexes of the search: accents and capitals do not count.

Each list is made once, and not a comparison for every row around it. `:like` is of `core.like_patterns.like`.
"""

from __future__ import annotations

PARTIES = (
    "(select id from parties where searched(name || ' ' || email || ' ' || external_id) like searched(:like)"
    " and searched(name) like searched(:like))"
)
"""By their names; the index is over more than these."""
PROJECTS = "(select id from projects where searched(title || ' ' || bid_reference) like searched(:like))"
MILESTONES = "(select id from milestones where searched(title) like searched(:like))"
OF_PROJECT = (f"p.id in {PROJECTS}", f"p.payer_id in {PARTIES}", f"p.payee_id in {PARTIES}")
"""Conditions of which one holds, for a project `p`."""
OF_MILESTONE = (f"m.id in {MILESTONES}", *OF_PROJECT)
"""The same for a milestone `m` of the project `p`."""
