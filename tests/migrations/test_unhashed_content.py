"""A database from before there were hashes: its rows are listed once, up to the first that has one."""

from __future__ import annotations

from pathlib import Path

import psycopg

from core.embedded_postgres import Urls

VERSIONS = Path(__file__).resolve().parents[2] / "migrations" / "versions"
(SQL,) = VERSIONS.glob("*_from_which_row.sql")
MESSAGE = """
insert into messages (id, milestone_id, author_kind, audience, body, at) overriding system value
values (%s, 1, 'system', 'PARTIES', 'Hello.', now())
"""
ENTRY = """
select record_audit(p_at => now(), p_actor_kind => 'system', p_actor_id => null, p_role => null,
    p_action => 'system:message:send', p_object_kind => 'message', p_object_id => '3',
    p_after => '{"content": {"messages:3": "9f2c"}}')
"""


def test_what_comes_before_the_first_hashed_row_is_listed_and_nothing_else(urls: Urls) -> None:
    """No sequence gives a number below 1, and what comes after the first hash should have had one."""
    statements = SQL.read_text(encoding="utf-8").partition("-- A decision stays")[0]
    with psycopg.connect(urls.owner_url.replace("+psycopg", "")) as connection:
        connection.execute("drop table unhashed_content")
        connection.execute("alter table settlement_proposals rename to offers")  # as it was called then
        connection.execute("set local session_replication_role = replica")
        for number in (-1, 1, 2, 3, 4):
            connection.execute(MESSAGE, [number])
        connection.execute(ENTRY)
        connection.cursor().execute(statements.encode())
        found = connection.execute("select part, row_id from unhashed_content order by 2").fetchall()
        connection.rollback()
    assert found == [("messages", "1"), ("messages", "2")]
