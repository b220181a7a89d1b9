"""The sandbox's memory: one SQLite file, written by one thread, kept through restarts and kill -9.

Every object is a row with its JSON; the fields that lists filter by are generated columns, so nothing is kept twice.
A request is one transaction: what it did, the answer kept under its idempotency key, and its timers.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import DeskError

Object = dict[str, Any]

FILTERS = (
    "customer",
    "payment_intent",
    "charge",
    "transfer_group",
    "destination",
    "source",
    "source_transaction",
    "transfer",
)

_FILTER_COLUMNS = "".join(
    f", {name} text generated always as (json_extract(body, '$.{name}')) virtual" for name in FILTERS
)
_FILTER_INDEXES = "".join(
    f"create index if not exists objects_{name} on objects ({name}, kind, seq) where {name} is not null;"
    for name in FILTERS
    if name not in ("destination", "customer")
)
_SCHEMA = f"""
create table if not exists objects (
    seq integer primary key autoincrement, id text not null unique, kind text not null, account text not null,
    created integer not null, body text not null {_FILTER_COLUMNS});
create index if not exists objects_order on objects (kind, account, seq);
create index if not exists objects_time on objects (kind, account, created);
{_FILTER_INDEXES}
create table if not exists lines (
    id text primary key, account text not null, currency text not null, net integer not null,
    available_on integer not null) without rowid;
create index if not exists lines_pending on lines (account, currency, available_on, net);
create table if not exists totals (
    account text, currency text, net integer not null, primary key (account, currency)) without rowid;
create table if not exists counters (name text primary key, n integer not null) without rowid;
create table if not exists settings (name text primary key, value text not null) without rowid;
create table if not exists answers (
    account text, key text, at integer not null, request text not null, status integer not null, body text not null,
    request_id text not null, primary key (account, key)) without rowid;
create index if not exists answers_age on answers (at);
create table if not exists timers (
    id integer primary key, at integer not null, job text not null, object text not null, args text not null);
create index if not exists timers_due on timers (at, id);
create table if not exists faults (id integer primary key, body text not null);
create table if not exists deliveries (
    id integer primary key, event text not null, endpoint text not null, attempts integer not null default 0,
    due integer not null, done integer not null default 0);
create index if not exists deliveries_due on deliveries (due, id) where done = 0;
"""


class SandboxInUse(DeskError):
    """Another Stripe sandbox is running in {folder}."""


class Store:
    """Objects, counters, settings and timers in `folder/stripe-sandbox.sqlite3`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)  # requests and objects of customers, whoever else has an account here
        self.db = sqlite3.connect(
            folder / "stripe-sandbox.sqlite3", isolation_level=None, check_same_thread=False
        )
        try:
            self.db.execute("pragma busy_timeout = 500")
            self.db.execute("pragma locking_mode = exclusive")
            self.db.execute("pragma journal_mode = wal")
            self.db.execute("pragma synchronous = normal")
            self.db.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            self.db.close()
            raise SandboxInUse(folder=folder) from error

    def close(self) -> None:
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self.db.execute("rollback")
            raise
        self.db.execute("commit")

    def reset(self) -> None:
        """Forget everything, the settings too."""
        for table in (
            "objects",
            "settings",
            "lines",
            "totals",
            "counters",
            "answers",
            "timers",
            "faults",
            "deliveries",
        ):
            self.db.execute(f"delete from {table}")

    def copy(self) -> sqlite3.Connection:
        """Everything as it is now, in memory."""
        kept = sqlite3.connect(":memory:", check_same_thread=False)
        self.db.backup(kept)
        return kept

    def become(self, kept: sqlite3.Connection) -> None:
        """Everything as it was when that copy was made."""
        kept.backup(self.db)

    # -- objects --

    def add(self, obj: Object, *, account: str) -> Object:
        self.db.execute(
            "insert into objects (id, kind, account, created, body) values (?, ?, ?, ?, ?)",
            (obj["id"], obj["object"], account, obj.get("created", 0), json.dumps(obj)),
        )
        return obj

    def save(self, obj: Object) -> Object:
        self.db.execute("update objects set body = ? where id = ?", (json.dumps(obj), obj["id"]))
        return obj

    def delete(self, id_: str) -> None:
        self.db.execute("delete from objects where id = ?", (id_,))

    def get(self, id_: str) -> tuple[Object, str] | None:
        """The object and the account it belongs to ('' is the platform), or None."""
        row = self.db.execute("select body, account from objects where id = ?", (id_,)).fetchone()
        return (json.loads(row[0]), row[1]) if row else None

    def select(
        self, where: str, args: tuple[Any, ...], *, order: str = "desc", limit: int = -1
    ) -> list[Object]:
        rows = self.db.execute(
            f"select body from objects where {where} order by seq {order} limit ?",
            (*args, limit),
        )
        return [json.loads(row[0]) for row in rows]

    def seq(self, id_: str) -> int | None:
        row = self.db.execute("select seq from objects where id = ?", (id_,)).fetchone()
        return int(row[0]) if row else None

    # -- counters, settings, timers --

    def next(self, name: str) -> int:
        row = self.db.execute(
            "insert into counters values (?, 1) on conflict (name) do update set n = n + 1 returning n",
            (name,),
        ).fetchone()
        return int(row[0])

    def setting(self, name: str) -> Any:
        row = self.db.execute("select value from settings where name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def set(self, name: str, value: Any) -> None:
        self.db.execute("insert or replace into settings values (?, ?)", (name, json.dumps(value)))

    def later(self, at: int, job: str, object_: str, **args: Any) -> None:
        self.db.execute(
            "insert into timers (at, job, object, args) values (?, ?, ?, ?)",
            (at, job, object_, json.dumps(args)),
        )

    def due(self, now: int) -> tuple[int, str, str, dict[str, Any]] | None:
        """Take the first timer that is due: (its time, job, object id, arguments)."""
        row = self.db.execute(
            "select id, at, job, object, args from timers where at <= ? order by at, id limit 1", (now,)
        ).fetchone()
        if row is None:
            return None
        self.db.execute("delete from timers where id = ?", (row[0],))
        return row[1], row[2], row[3], json.loads(row[4])
