"""A running server, as its users see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from core.embedded_postgres.access import DATABASE, OWNER, Access, Urls
from core.embedded_postgres.place import Place


@dataclass(frozen=True)
class Server:
    """URLs of the desk's database for its three logins, and databases beside it (copies for tests and benches)."""

    place: Place
    access: Access
    stop: Callable[[], None]

    @property
    def owner_url(self) -> str:
        """Owns the tables and runs migrations; in this embedded server also the superuser."""
        return self.urls().owner_url

    @property
    def app_url(self) -> str:
        return self.urls().app_url

    @property
    def auditor_url(self) -> str:
        return self.urls().auditor_url

    @property
    def bin(self) -> Path:
        """The folder of pgbench, psql, pg_dump and the others."""
        return self.place.programs.bin

    def urls(self, database: str = DATABASE) -> Urls:
        return self.access.urls(database, self.place.socket_folder())

    def create_database(self, name: str, template: str | None = None) -> Urls:
        """An empty database, or a copy of `template`, to which nobody may be connected meanwhile."""
        self._run(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(template or "template1")
            )
        )
        return self.urls(name)

    def drop_database(self, name: str) -> None:
        """Gone with its connections; no error when it was not there."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, command: sql.Composed) -> None:
        url = self.urls("postgres").owner_url.replace("+psycopg", "", 1)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(command)
