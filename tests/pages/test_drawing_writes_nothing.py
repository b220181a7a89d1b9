"""Drawing a page writes nothing but that somebody looked."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from core.db import Database
from core.rules.permissions import TABLE
from dashboard import navigation
from tests import builders
from tests.builders import Town
from tests.db_snapshot import everything
from tests.pages.visiting import serve, visit

# That a person signed in and is there, which key keeps what their browser could not save yet, and how far they have
# read a case and what they read. Not one of them is what a page shows, or what anybody is paid or decided by.
LOOKED = {
    "public.staff_sessions",
    "public.tab_keys",
    "public.case_visits",
    "public.readings",
    "public.audit_entries",
}


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


@pytest.mark.parametrize("subject", list(builders.PEOPLE))
def test_drawing_every_page_writes_only_that_somebody_looked(
    town: Town, owner: Database, subject: str
) -> None:
    told = builders.in_mediation(town)
    numbers = {"case": told.case, "project": told.project, "journal": 1, "entry": 1}
    before, last = everything(owner), newest_entry(owner)
    for entry in navigation.ENTRIES:
        if town.roles[subject] & TABLE[entry.permission]:
            asked = {"id": numbers[entry.name]} if entry.name in numbers else {}
            visit(town, subject, entry.name, **asked)
    after = everything(owner)
    assert {name for name in after if after[name] != before[name]} <= LOOKED
    with owner.reading() as session:
        written = session.scalars(
            text("select distinct action from audit_entries where id > :id"), {"id": last}
        )
        assert set(written) == {"staff:session:begin"}


def newest_entry(owner: Database) -> int:
    with owner.reading() as session:
        return session.scalars(text("select max(id) from audit_entries")).one()
