"""The one place that opens and commits transactions.

One action is one transaction: all of it or nothing. READ COMMITTED with row locks taken in a fixed order
(milestone, cases and holds, accounts by id, outgoing operations). A deadlock or a serialization failure
rolls everything back and the whole action is tried again. A page or a report reads everything as it was at one moment
(REPEATABLE READ), or two of its figures could disagree although the books never did.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from functools import cached_property
from socket import gethostname
from typing import Any, ClassVar, TypeVar
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    DateTime,
    Index,
    MetaData,
    String,
    create_engine,
    event,
    literal_column,
    text,
)
from sqlalchemy import Enum as EnumColumn
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

Result = TypeVar("Result")
RETRIES = 4
POOL_SIZE = 8  # connections that are kept; as many more while they are needed
TRUSTED_FOR = 30.0  # seconds that a connection lies unused before it is asked whether it still answers
NEWEST = 2**63 - 1  # above every id: a page of rows with an id below it begins with the newest
SNAPSHOT: Mapping[str, Any] = {"isolation_level": "REPEATABLE READ"}

NAMES = {
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}


def values(members: Iterable[Enum]) -> list[str]:
    return [str(each.value) for each in members]


Writer = Callable[[Session, list[Any]], None]
_gathered: WeakKeyDictionary[SessionTransaction, dict[Writer, list[Any]]] = WeakKeyDictionary()


_known: WeakKeyDictionary[SessionTransaction, dict[Any, Any]] = WeakKeyDictionary()


def known_in_transaction(session: Session) -> dict[Any, Any]:
    """What was read under locks of this transaction, and so stays as it is for whoever asks next; empty in the
    next."""
    return _known.setdefault(session.get_transaction() or session.begin(), {})


def at_commit(session: Session, write: Writer, row: Any) -> None:
    """Have `write` write this row, with all others that were gathered for it in this transaction, in their order, just
    before it commits: one statement for what an action leaves, however much that is. A transaction that is rolled
    back takes its rows with it."""
    transaction = _innermost(session) or session.begin()
    _gathered.setdefault(transaction, {}).setdefault(write, []).append(row)


@event.listens_for(Session, "before_commit")
def write_gathered(session: Session) -> None:
    transaction = _innermost(session)
    for write, rows in (_gathered.pop(transaction, {}) if transaction else {}).items():
        write(session, rows)


def _innermost(session: Session) -> SessionTransaction | None:
    return session.get_nested_transaction() or session.get_transaction()


@contextmanager
def one_moment(session: Session) -> Iterator[Session]:
    """A session in which several statements read what was committed at one and the same moment: this one, unless its
    transaction has begun without that; then one of its own beside it."""
    if not session.in_transaction():
        session.connection(execution_options=SNAPSHOT)
    if SNAPSHOT.items() <= session.connection().get_execution_options().items():
        yield session
        return
    with Session(session.get_bind()) as beside:
        beside.connection(execution_options=SNAPSHOT)
        yield beside


def one_of(column: str, members: Iterable[Enum]) -> CheckConstraint:
    """What the database lets into `column`: the values of an enum, or of some of its members."""
    return CheckConstraint(f"{column} in ({', '.join(map(repr, values(members)))})", name=column)


def search_index(name: str, words: str) -> Index:
    """What is looked for anywhere within `words`, an expression of `searched`."""
    expression: ColumnElement[str] = literal_column(words).label("words")
    return Index(name, expression, postgresql_using="gin", postgresql_ops={"words": "gin_trgm_ops"})


class Record(DeclarativeBase):
    """What every stored thing is: instants are timestamptz, numbers of money bigint, snapshots jsonb.

    A status or a kind is text in the database and a member of its enum here.
    """

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: BigInteger(),
        str: String(),
        Enum: EnumColumn(Enum, native_enum=False, length=None, values_callable=values),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
        list[str]: JSONB(),
    }


def _lies_since(connection: psycopg.Connection | None, record: ConnectionPoolEntry) -> None:
    record.info["lies_since"] = time.monotonic()


def _still_there(connection: psycopg.Connection, record: ConnectionPoolEntry, _: object) -> None:
    """A connection that was lost is found before anything is asked of it, and the whole pool is opened again.

    Nothing comes from the server unasked, unless it ends the connection: that shows without asking. Only what has lain
    long may have been dropped in silence by something between, and only it costs a question.
    """
    since = record.info.get("lies_since")
    if since is None:  # new
        return
    if not _spoke(connection) and time.monotonic() - since < TRUSTED_FOR:
        return
    try:
        before, connection.autocommit = connection.autocommit, True
        connection.execute("")
        connection.autocommit = before
    except psycopg.Error as error:
        raise InvalidatePoolError from error


def _spoke(connection: psycopg.Connection) -> bool:
    if connection.closed:
        return True
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))


def driver_url(url: str) -> URL:
    """The same address with psycopg 3 as its driver, whatever spelling the operator used."""
    return make_url(url).set(drivername="postgresql+psycopg")


def application_name(part: str = "command") -> str:
    """What a connection says of this process: its part of the desk, its machine, its number.

    PostgreSQL cuts a name off after 63 bytes, so the machine has 32.
    """
    return f"escrow-desk {part} {gethostname()[:32]} {os.getpid()}"


class DescribedCursor(psycopg.Cursor[Any]):
    """A cursor that says of its columns what SQLAlchemy asks of each result, their names and types. psycopg makes an
    object of each column, every time: a tenth of what a short statement costs in Python."""

    @property
    def description(self) -> Any:
        result = self.pgresult
        if result is None or not result.nfields:
            return super().description
        return [
            ((result.fname(place) or b"").decode(), result.ftype(place), None, None, None, None, None)
            for place in range(result.nfields)
        ]


class Database:
    """A pool of connections for one database login."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = POOL_SIZE,
        application: str = "",
        info: dict[str, Any] | None = None,
        options: str = "",
    ) -> None:
        """`application` is what its connections are called; `info` rides on every session: `{"jobs": False}` keeps
        actions from queueing jobs (simulation, tests).

        `options` are settings for the server's side of each connection, as `-c name=value`.
        """
        self.url = driver_url(url)
        self.info = info or {}
        self.engine: Engine = create_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=POOL_SIZE,
            skip_autocommit_rollback=True,
            connect_args={
                "application_name": application or application_name(),
                "connect_timeout": 5,
                "options": options,
                "cursor_factory": DescribedCursor,
            },
        )
        event.listen(self.engine, "checkin", _lies_since)
        event.listen(self.engine, "checkout", _still_there)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @cached_property
    def _readers(self) -> sessionmaker[Session]:
        return sessionmaker(self.engine.execution_options(**SNAPSHOT), expire_on_commit=False)

    @cached_property
    def _glances(self) -> sessionmaker[Session]:
        return sessionmaker(
            self.engine.execution_options(isolation_level="AUTOCOMMIT"), expire_on_commit=False
        )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits at the end, or rolls back on any error."""
        with self._sessions(info=dict(self.info)) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for queries, all of one and the same moment."""
        with self.rehearsal() as session:
            session.connection(execution_options=SNAPSHOT)
            yield session

    def reader(self) -> Session:
        """The same, not connected before it is asked something; whoever takes it closes it."""
        return self._readers()

    @contextmanager
    def glance(self) -> Iterator[Session]:
        """A session for one statement, which is a moment and a transaction by itself and needs none around it."""
        with self._glances() as session:
            yield session

    @contextmanager
    def rehearsal(self) -> Iterator[Session]:
        """A session for what an action would do: whatever it writes is thrown away."""
        with self._sessions() as session:
            yield session

    def run(self, action: Callable[[Session], Result]) -> Result:
        """Run an action in its own transaction; the whole of it again after a deadlock."""
        for attempt in range(RETRIES):
            try:
                with self.transaction() as session:
                    return action(session)
            except DBAPIError as error:
                if attempt == RETRIES - 1 or not _worth_retrying(error):
                    raise
        raise AssertionError("unreachable")

    @contextmanager
    def presence_lock(self, kind: int, number: int) -> Iterator[None]:
        """While inside, others can see that somebody is at work on this (`is_anyone_present`).

        The mark hangs on a connection of its own, so it goes when the process dies, however it dies.
        """
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(
                text("select pg_advisory_lock(:kind, :number)"), {"kind": kind, "number": number}
            )
            try:
                yield
            finally:
                connection.invalidate()

    def dispose(self) -> None:
        self.engine.dispose()


def one_at_a_time(session: Session, name: str) -> None:
    """Whoever else does this waits here until our transaction is over."""
    session.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def is_anyone_present(session: Session, kind: int, number: int) -> bool:
    """Whether a living process says that it is at work on this."""
    free = session.scalar(
        text("select pg_try_advisory_xact_lock(:kind, :number)"), {"kind": kind, "number": number}
    )
    return not free


def is_away(error: Exception) -> bool:
    """Whether the database itself is missing, so that no piece of work is to blame for it.

    What PostgreSQL answered about one statement (a time limit, a lock, a deadlock) is that statement's own trouble;
    no connection, no state of an answer, or classes 08, 53, 57P are the server's.
    """
    if isinstance(error, InterfaceError | PoolExhausted):
        return True
    if not isinstance(error, OperationalError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state is None or state.startswith(("08", "53", "57P"))


def _worth_retrying(error: DBAPIError) -> bool:
    return isinstance(error.orig, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure)
