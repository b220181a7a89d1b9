"""A dump restored into another cluster: transaction numbers start again, and the record still proves itself."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from core import audit
from core.audit.outside import OutsideDisagrees, publish
from core.audit.outside_places import Folder
from core.db import Database
from core.embedded_postgres import EmbeddedPostgres
from core.embedded_postgres.server import Server
from core.policy.limits import OUTSIDE_RETRY_LONGEST
from tests.audit.conftest import NOW, Log

pytestmark = pytest.mark.slow


def dump_and_restore(server: Server, source: str, target: str) -> None:
    def place(url: str) -> str:
        return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)

    dumped = subprocess.run(
        [server.bin / "pg_dump", "--dbname", place(source)], check=True, capture_output=True, cwd="/"
    ).stdout
    psql = [server.bin / "psql", "--dbname", place(target), "-q", "-v", "ON_ERROR_STOP=1"]
    restored = subprocess.run(psql, input=dumped, capture_output=True, cwd="/", check=False)
    assert restored.returncode == 0, restored.stderr.decode()


def test_a_dump_restored_elsewhere_goes_on_in_a_new_epoch(log: Log, server: Server, tmp_path: Path) -> None:
    ids = log.written(2)
    unsealed = log.write()
    other = EmbeddedPostgres(tmp_path / "other")
    try:
        urls = other.start().create_database("copy")
        opened = [Database(url) for url in (urls.app_url, urls.auditor_url, urls.owner_url)]
        with opened[2].transaction() as session:
            session.execute(text("create role bookkeeper nologin"))  # roles do not travel in a dump
        dump_and_restore(server, str(log.owner.url.render_as_string(hide_password=False)), urls.owner_url)
        copy = replace(log, database=opened[0], auditor=opened[1], owner=opened[2])
        report = copy.verify()
        assert [(one.wrong, one.why) for one in report.findings] == [("elsewhere", "4 rows")]
        assert report.rows == 8, "all but the rows behind the last seal are proved by the old checkpoints"
        copy.seal()
        fresh = copy.write()
        copy.seal()
        report = copy.verify()
        assert report.ok, report.text
        assert copy.rows("select n, epoch from seals order by n") == [(1, 1), (2, 1), (3, 1), (4, 2)]
        assert copy.ask("select balance from account_balances where code = 'stripe_balance'") == 4 * 500
        for victim, seal in ((ids[1][0], 2), (unsealed[0], 3), (fresh[0], 4)):
            copy.tamper(f"update audit_entries set reason = 'other' where id = {victim}")
            assert audit.Finding("entry", "altered", id=victim, seal=seal) in copy.verify().findings
        for each in opened:
            each.dispose()
    finally:
        other.erase()


def test_a_backup_that_was_brought_back_is_found_by_the_checkpoints_outside(
    log: Log, server: Server, tmp_path: Path
) -> None:
    """Database and home as they were on Monday; on Tuesday something was decided, and its checkpoint had left."""
    place = Folder(tmp_path / "outside")
    place.path.mkdir()
    log.written(2)
    publish(log.folder, log.file.stem, place, now=NOW)
    monday = server.create_database(f"{log.owner.url.database}_monday")
    shutil.copytree(log.home, tmp_path / "home_of_monday")
    dump_and_restore(server, log.owner.url.render_as_string(hide_password=False), monday.owner_url)
    log.written(1)
    publish(log.folder, log.file.stem, place, now=NOW)
    opened = [Database(url) for url in (monday.app_url, monday.auditor_url, monday.owner_url)]
    back = replace(
        log, database=opened[0], auditor=opened[1], owner=opened[2], home=tmp_path / "home_of_monday"
    )
    try:
        assert log.verify().ok
        assert back.verify().ok, "nothing in the backup tells that it is one"
        assert not audit.verify(back.auditor, place.path).ok
        assert [each.wrong for each in back.verify(outside=[place]).findings] == ["outside_more"]
        with pytest.raises(OutsideDisagrees, match="of seal 3 there, and none here"):
            publish(back.folder, back.file.stem, place, now=NOW)
        back.written(1)
        assert not audit.verify(back.auditor, place.path).ok
        with pytest.raises(OutsideDisagrees, match="the checkpoint of seal 3 is another"):
            publish(back.folder, back.file.stem, place, now=NOW + OUTSIDE_RETRY_LONGEST)
    finally:
        for each in opened:
            each.dispose()
        server.drop_database(monday.database)
