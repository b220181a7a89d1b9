"""One table says what every kind of outgoing operation is; what the database may hold, it knows."""

from __future__ import annotations

import re

from sqlalchemy import text

from core.db import Database
from core.processes.outgoing.kinds import KINDS


def test_every_kind_that_the_database_may_hold_has_one_entry_in_the_table(owner: Database) -> None:
    allowed = text(
        "select pg_get_constraintdef(oid) from pg_constraint where conname = 'outgoing_operations_kind'"
    )
    with owner.reading() as session:
        definition = session.execute(allowed).scalar_one()
    assert set(re.findall(r"'(\w+)'", definition)) == set(KINDS)
