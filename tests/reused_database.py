"""One database for test after test: what each leaves in it is taken out again, which costs a fraction of a new copy and
of new connections to it.

A test may do with it whatever it likes. What cannot be taken out (another column, a trigger that is off, a connection
or a lock that is still there) ends the database, and the next test gets a new copy.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql
from sqlalchemy import Pool

from core.db import Database
from core.embedded_postgres import Server, Urls
from tests import unrecorded
from tests.database import fresh_name, no_longer_needed, share_compiled_statements

USES = 150  # what was deleted stays in the files until the database goes
PATIENCE = 0.2  # seconds until connections that were closed are gone

SETTINGS = """
set session_replication_role = replica;        -- no trigger is asked
set plan_cache_mode = force_generic_plan;      -- what is asked again and again is planned once
set max_parallel_workers_per_gather = 0
"""
TABLES = """
select c.oid::regclass::text,
       (select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
        where attrelid = c.oid and attnum > 0 and not attisdropped and attgenerated = '')
from pg_class c join pg_namespace n on n.oid = relnamespace
where relkind = 'r' and nspname not in ('pg_catalog', 'information_schema') and nspname not like 'pg\\_temp%' order by 1
"""
SEQUENCES = "select oid::regclass::text from pg_class where relkind = 'S' order by 1"
CATALOGUES = (
    "pg_class pg_attribute pg_attrdef pg_constraint pg_trigger pg_proc pg_type pg_namespace pg_rewrite pg_policy"
    " pg_default_acl pg_db_role_setting pg_extension"
).split()
CATALOGUE = " union all ".join(
    f"select '{name}', count(*), max(xmin::text::bigint) from {name}" for name in CATALOGUES
)
OTHERS = """
select (select count(*) from pg_stat_activity where datname = current_database() and backend_type = 'client backend')
     + (select count(*) from pg_locks where locktype = 'advisory'
        and database = (select oid from pg_database where datname = current_database()))
"""


@dataclass(frozen=True)
class Table:
    """What a table has when a test begins: how many rows, and all of them as COPY writes them."""

    name: str
    columns: str
    rows: int
    content: bytes

    @property
    def changed(self) -> str:
        """SQL: its name, if a row was added, altered or deleted after transaction `%(since)s`."""
        newest = "coalesce(max(xmin::text::bigint), 0)"
        return f"select '{self.name}' from {self.name} having count(*) <> {self.rows} or {newest} > %(since)s"


Stand = tuple[str, int, bool]
"""A sequence, its last number, and whether that was taken."""


@dataclass(frozen=True)
class Content:
    """All that the tables have in which something was changed, and where the sequences stand that were asked."""

    tables: tuple[Table, ...]
    numbers: tuple[Stand, ...]


class Copy:
    """A copy of a template, with what is needed to make it one again."""

    def __init__(self, server: Server, template: str) -> None:
        self.urls: Urls = server.create_database(fresh_name(), template=template)
        self.pools: dict[str, Pool] = {}
        self.uses = 0
        self.connection = self._connected()
        self.tables = {name: self._table(name, columns) for name, columns in self.connection.execute(TABLES)}
        self.changed = " union all ".join(table.changed for table in self.tables.values())
        self.newest = " union all ".join(
            f"select count(*), coalesce(max(xmin::text::bigint), 0) from {name}" for name in self.tables
        )
        names = [name for (name,) in self.connection.execute(SEQUENCES)]
        self.stand = " union all ".join(
            f"select '{name}', last_value, is_called from {name}" for name in names
        )
        self.numbers: set[Stand] = set(self.connection.execute(self.stand))
        self.catalogue = self.connection.execute(CATALOGUE).fetchall()
        self.since = self._transaction()

    def _connected(self) -> psycopg.Connection:
        connection = psycopg.connect(self.urls.owner_url.replace("+psycopg", "", 1), autocommit=True)
        connection.execute(SETTINGS)
        return connection

    def unrecorded(self) -> list[str]:
        """Which statuses the test has changed without an entry, in words."""
        try:
            return unrecorded.changes(self.connection)
        except psycopg.OperationalError:  # the test has cut every connection
            self.connection.close()
            self.connection = self._connected()
            return unrecorded.changes(self.connection)

    def _table(self, name: str, columns: str) -> Table:
        count = self.connection.execute(sql.SQL("select count(*) from {}").format(sql.SQL(name))).fetchone()
        with self.connection.cursor().copy(f"copy {name} ({columns}) to stdout (format binary)") as content:
            return Table(name, columns, count[0] if count else 0, b"".join(content))

    def _transaction(self) -> int:
        number = self.connection.execute("select pg_current_xact_id()::text::bigint").fetchone()
        assert number
        return int(number[0])

    def open(self, url: str) -> Database:
        """This database for one of its logins, on the connections that tests before this one had opened."""
        database = Database(url)
        share_compiled_statements(database.engine)
        database.engine.pool = self.pools.setdefault(url, database.engine.pool)
        return database

    def begins_anew(self) -> bool:
        """Take out what a test has left. False if that cannot be done, and the copy is not to be used again."""
        self.uses += 1
        return (
            self.uses < USES
            and self._alone()
            and self.connection.execute(CATALOGUE).fetchall() == self.catalogue
            and self._taken_out()
        )

    def _alone(self) -> bool:
        """Whether nobody is connected but those who stay, and nobody holds a lock."""
        if any(pool.checkedout() for pool in self.pools.values()):  # type: ignore[attr-defined]
            return False
        ours, until = 1, time.monotonic() + PATIENCE
        for pool in self.pools.values():
            ours += _settings_reset(pool)
        while (found := self.connection.execute(OTHERS).fetchone()) and found[0] != ours:
            if time.monotonic() > until:
                return False
            time.sleep(0.005)
        return True

    def _taken_out(self) -> bool:
        """Rows that were changed go with their pages, so that what comes lies in the order in which it comes, as in a
        new copy: some tests, and some of what they ask, take rows as they lie."""
        changed = self._changed()
        if changed:
            self.connection.execute("; ".join(f"delete from {table.name}" for table in changed))
            self.connection.execute(f"vacuum {', '.join(table.name for table in changed)}")
        self._fill(changed)
        asked = {name for name, _, _ in self._asked()}
        self._set(stand for stand in self.numbers if stand[0] in asked)
        self.since = self._transaction()
        return True

    def content(self) -> Content:
        """What was changed since the test began, to be put into another copy of the same template."""
        changed = [self._table(table.name, table.columns) for table in self._changed()]
        return Content(tuple(changed), tuple(self._asked()))

    def put(self, content: Content) -> None:
        """Into a copy in which nothing was changed but what is changed in the content, too."""
        with self.connection.transaction():
            self.connection.execute("; ".join(f"delete from {table.name}" for table in content.tables))
            self._fill(content.tables)
            self._set(content.numbers)

    def is_untouched(self) -> bool:
        return not self._changed() and not self._asked()

    def fingerprint(self) -> tuple[object, ...]:
        """The same as long as nothing is written."""
        rows = self.connection.execute(self.newest, prepare=True).fetchall()
        return *rows, *sorted(self.connection.execute(self.stand, prepare=True))

    def _changed(self) -> list[Table]:
        found = self.connection.execute(self.changed, {"since": self.since}, prepare=True)
        return [self.tables[name] for (name,) in found]

    def _asked(self) -> set[Stand]:
        """The sequences that have gone on since the test began."""
        return set(self.connection.execute(self.stand, prepare=True)) - self.numbers

    def _fill(self, tables: Iterable[Table]) -> None:
        with self.connection.cursor() as cursor:
            for table in tables:
                if table.rows:
                    with cursor.copy(
                        f"copy {table.name} ({table.columns}) from stdin (format binary)"
                    ) as content:
                        content.write(table.content)

    def _set(self, numbers: Iterable[Stand]) -> None:
        for stand in numbers:
            self.connection.execute("select setval(%s, %s, %s)", stand)

    def close(self) -> None:
        for pool in self.pools.values():
            pool.dispose()
        self.connection.close()
        no_longer_needed(self.urls.database)


def _settings_reset(pool: Pool) -> int:
    """How many connections lie in the pool, each with the settings that it began with."""
    lent = [pool.connect() for _ in range(pool.checkedin())]  # type: ignore[attr-defined]
    for each in lent:
        each.driver_connection.execute("reset all")  # type: ignore[union-attr]
        each.driver_connection.commit()  # type: ignore[union-attr]
        each.close()
    return len(lent)


class ReusedDatabase:
    """What tests that begin alike use one after the other."""

    def __init__(self, server: Server, template: str) -> None:
        self.server, self.template = server, template
        self.copy: Copy | None = None

    @contextmanager
    def lent(self) -> Iterator[Copy]:
        self.copy = self.copy or Copy(self.server, self.template)
        try:
            yield self.copy
        finally:
            if not self._begins_anew(self.copy):
                self.close()

    def _begins_anew(self, copy: Copy) -> bool:
        try:
            return copy.begins_anew()
        except Exception:  # whatever the test did to it
            return False

    def close(self) -> None:
        if self.copy:
            self.copy.close()
        self.copy = None
