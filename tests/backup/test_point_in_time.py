"""Back to a point in time from a base backup and archived WAL, as docs/operations.md tells it; the desk goes on."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from core.backup.postgres_tools import Address
from core.db import Database
from core.embedded_postgres import EmbeddedPostgres, Server
from tests import builders, patience
from tests.backup.test_commands import at, seal
from tests.database import migrate

pytestmark = pytest.mark.slow


def until(true: Callable[[], object]) -> None:
    limit = time.monotonic() + patience.SECONDS
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.1)


def asked(database: Database, question: str) -> object:
    with database.reading() as session:
        return session.scalar(text(question))


def base_backup(server: Server, folder: Path) -> None:
    address = Address.of(server.owner_url)
    command = [server.bin / "pg_basebackup", "--pgdata", folder, "--wal-method=fetch", "--checkpoint=fast"]
    subprocess.run([*command, "--dbname", address.dsn], env=address.environment, cwd="/", check=True)


def put_back(server: Server, base: Path, wal: Path, moment: str) -> None:
    data = server.place.data
    shutil.rmtree(data)
    shutil.copytree(base, data)
    (data / "recovery.signal").touch()
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write(f"restore_command = 'cp {wal}/%f %p'\n")
        settings.write(f"recovery_target_time = '{moment}'\n")
        settings.write("recovery_target_action = 'promote'\n")
    for path in (data, *data.rglob("*")):
        server.place.account.give(path)
    data.chmod(0o700)


def test_a_desk_goes_on_from_a_point_in_time(folder: Path, home: Path) -> None:
    wal = folder / "wal"
    wal.mkdir()
    wal.chmod(0o777)
    archiving = {"archive_mode": "on", "archive_command": f"test ! -f {wal}/%f && cp %p {wal}/%f"}
    cluster = EmbeddedPostgres(folder / "cluster", settings=archiving | {"archive_timeout": "60"})
    try:
        server = cluster.start()
        migrate(server.owner_url)
        database, owner = Database(server.app_url), Database(server.owner_url)
        town = builders.a_town(database)
        seal(database, home)
        base_backup(server, folder / "base")
        kept = builders.a_party(town, "PAYER", "Kept")
        seal(database, home)
        moment = datetime.now(UTC)
        lost = builders.a_party(town, "PAYER", "Lost")
        seal(database, home)
        last = asked(owner, "select pg_walfile_name(pg_current_wal_lsn())")
        asked(owner, "select pg_switch_wal()")
        until((wal / str(last)).exists)
        database.dispose()
        owner.dispose()
        cluster.stop()

        put_back(server, folder / "base", wal, moment.isoformat())
        cluster.start()
        until(lambda: not asked(owner, "select pg_is_in_recovery()"))
        assert asked(owner, f"select count(*) from parties where id in ({kept}, {lost})") == 1

        terminal = at(server.urls(), home)
        ahead = next((home / "checkpoints").glob("*.jsonl"))
        lines = len(ahead.read_text().splitlines())
        terminal.run("audit", "seal").refuses("Nothing was signed")
        terminal.run("restored", "--as-of", f"{moment:%Y-%m-%dT%H:%M:%S}").well()
        assert len(ahead.read_text().splitlines()) == lines - 1
        [aside] = (home / "checkpoints").glob("*.kept")
        assert len(aside.read_text().splitlines()) == lines
        assert "paused: this database was restored" in terminal.run("operation", "list").well().out
        assert asked(owner, "select nextval('parties_id_seq')") > 100_000  # type: ignore[operator]
        terminal.run("audit", "seal").well()
        terminal.run("audit", "verify").well()
        terminal.run("check").well()
        owner.dispose()
    finally:
        cluster.erase()
        shutil.rmtree(folder / "base", ignore_errors=True)
