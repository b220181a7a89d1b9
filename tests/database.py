"""Real PostgreSQL for every test: one embedded server, one migrated template, one cheap copy a test.

The template is named after the content of migrations/, so it is migrated once and used by every run until a migration
changes. Runs side by side, and pytest-xdist's workers, share the server; the last one to leave stops it.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core.db import Database
from core.embedded_postgres import EmbeddedPostgres, Server, Urls
from tests import unrecorded

ROOT = Path(__file__).resolve().parent.parent
MEMORY = Path("/dev/shm")
ROOM = 3 * 2**30  # bytes; a run needs about a quarter of it


def home() -> Path:
    """Where the server lies: in memory where Linux offers enough, as a copy costs fifteen times as much on disk."""
    if chosen := os.environ.get("ESCROW_DESK_TEST_HOME"):
        return Path(chosen)
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ROOM:
        return ROOT / ".escrow-desk-test"
    name = f"escrow-desk-test-{os.getuid()}-{hashlib.sha256(bytes(ROOT)).hexdigest()[:8]}"
    ours = MEMORY / name
    ours.mkdir(mode=0o755, exist_ok=True)
    return ours if ours.stat().st_uid == os.getuid() and not ours.is_symlink() else ROOT / ".escrow-desk-test"


HOME = home()
FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "autovacuum": "off",  # its visits to a template would hold up copies of it
    "max_connections": "300",
}
KEPT_TEMPLATES = 4  # a run beside this one may stand on other migrations
numbers = itertools.count(1)
compiled: list[Engine] = []
done: list[str] = []  # copies that nobody needs any more


def embedded() -> EmbeddedPostgres:
    return EmbeddedPostgres(HOME, settings=FORGETFUL)


@contextmanager
def as_owner(database: Database) -> Iterator[Session]:
    """A transaction of the tables' owner in this database, for what no action of the desk writes."""
    owner = Database(embedded().start().urls(str(database.url.database)).owner_url)
    try:
        with owner.transaction() as session:
            yield session
    finally:
        owner.dispose()


@contextmanager
def shared_server() -> Iterator[Server]:
    """The server, kept up at least as long as this block."""
    HOME.mkdir(exist_ok=True)
    with (HOME / "in-use").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        server = embedded().start()
        yield server
        drop_done(server)


def stop_if_unused() -> None:
    if not (HOME / "in-use").exists():
        return
    with (HOME / "in-use").open("a") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        embedded().stop()


def migrated_template(server: Server) -> str:
    """The name of a database with every migration applied and every status watched, made by whoever comes first."""
    name = f"template_{content_of_migrations()}"
    with (HOME / "template-lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if name not in databases(server):
            draft = f"{name}_draft"
            server.drop_database(draft)
            made = server.create_database(draft)
            migrate(made.owner_url)
            unrecorded.install(made.owner_url)
            post_what_no_function_makes(made.owner_url)
            query(server, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{draft}'")
            query(server, f"ALTER DATABASE {draft} RENAME TO {name}")
            forget_leftovers(server)
    return name


ANY_JOURNAL = """
insert into journal_kinds
select kind, lines, lines
from unnest(array['test', 'other', 'k', 'x', 'chargeback_lost']) as kind,
     (select array_agg(name) as lines from chart) as every
"""


def post_what_no_function_makes(owner_url: str) -> None:
    """Tests of the ledger post journals of kinds of their own."""
    with psycopg.connect(owner_url.replace("+psycopg", "", 1)) as connection:
        connection.execute(ANY_JOURNAL)


def migrate(owner_url: str, revision: str = "head") -> None:
    """What `escrow-desk migrate` does, on the database of `owner_url`."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("sqlalchemy.url", owner_url.replace("%", "%%"))
    command.upgrade(config, revision)


@contextmanager
def fresh_copy(server: Server, template: str | None) -> Iterator[Urls]:
    """A database of one's own, dropped before the next is made; empty without a template."""
    drop_done(server)
    name = fresh_name()
    try:
        yield server.create_database(name, template=template)
    finally:
        no_longer_needed(name)


def fresh_name() -> str:
    return f"copy_{os.getpid()}_{next(numbers)}"


def no_longer_needed(name: str) -> None:
    done.append(name)


def share_compiled_statements(engine: Engine) -> None:
    """What one test compiled is not compiled again by the next: an engine keeps it for itself, with its dialect."""
    if not compiled:
        with engine.connect():  # a dialect is complete once it has seen its server
            compiled.append(engine)
        engine._compiled_cache.capacity = 4_000  # the whole desk's, many times the part that one process asks
    engine.dialect = engine.pool._dialect = compiled[0].dialect
    engine._compiled_cache = compiled[0]._compiled_cache


def drop_done(server: Server) -> None:
    """What tests before this one have left. Right after a test PostgreSQL would wait a tenth of a second for the last
    of its connections to go."""
    while done:
        server.drop_database(done.pop())


def content_of_migrations() -> str:
    digest = hashlib.sha256((ROOT / "requirements.lock").read_bytes())
    for path in sorted((ROOT / "migrations").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    digest.update(unrecorded.version() + ANY_JOURNAL.encode())
    return digest.hexdigest()[:12]


def forget_leftovers(server: Server) -> None:
    """Drop copies whose test process was killed, and templates of long ago."""
    names = databases(server)
    templates = [name for name in names if name.startswith("template_")]
    copies = [(name, int(found[1])) for name in names if (found := re.match(r"copy_(\d+)_", name))]
    for name in (*templates[:-KEPT_TEMPLATES], *(name for name, pid in copies if not alive(pid))):
        server.drop_database(name)


def databases(server: Server) -> list[str]:
    """Oldest first, without PostgreSQL's own."""
    own = ("postgres", "template0", "template1")
    rows = query(server, "SELECT datname FROM pg_database ORDER BY oid")
    return [name for (name,) in rows if name not in own]


def query(server: Server, sql: str) -> list[tuple[str, ...]]:
    url = server.urls("postgres").owner_url.replace("+psycopg", "", 1)
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
