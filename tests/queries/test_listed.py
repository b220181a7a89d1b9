"""A bound on what is shown is never shown as a count."""

from __future__ import annotations

from core.db import Database
from core.queries import letters
from tests import stories


def test_more_letters_than_are_shown_are_counted(database: Database) -> None:
    town = stories.a_town(database)
    told = stories.funded(town)
    every = town.read(lambda session: letters.about(session, "project", told.project, limit=None))
    some = town.read(lambda session: letters.about(session, "project", told.project, limit=1))
    assert (len(some), some.total) == (1, len(every))
