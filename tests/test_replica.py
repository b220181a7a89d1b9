"""A real streaming replica serves the export of the ledger: only with all that is committed, never when it has not."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core import replica as replicas
from core.config import Settings
from core.db import Database
from core.desk import Desk
from core.doctor import _read_replica
from core.embedded_postgres import EmbeddedPostgres, Server
from core.embedded_postgres.cluster import OWNER, place_for, read_access
from core.ledger_export import LedgerFilter, LedgerFormat, export_ledger
from core.queries import ledger
from core.replica import HeavyReads
from dashboard import metrics
from tests import builders
from tests.builders import Town
from tests.database import FORGETFUL, migrate
from tests.desk_fixtures import a_desk

pytestmark = pytest.mark.slow  # two clusters
STREAMING = FORGETFUL | {"wal_level": "replica", "max_wal_senders": "4", "synchronous_commit": "on"}
STANDBY = text("select pg_is_in_recovery()")


@dataclass
class Pair:
    """A primary with a town, and its standby, as a desk of two servers sees them."""

    town: Town
    standby: Server
    primary: Database
    replica: Database

    @property
    def reads(self) -> HeavyReads:
        return HeavyReads(self.primary, self.replica)

    def replay(self, verb: str) -> None:
        standby = Database(self.standby.urls().owner_url, pool_size=1)
        with standby.reading() as session:
            session.execute(text(f"select pg_wal_replay_{verb}()"))
        standby.dispose()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("replica")
    folder.chmod(0o755)
    first, second = (EmbeddedPostgres(folder / name, settings=STREAMING) for name in ("primary", "standby"))
    opened: list[Database] = []
    try:
        server = first.start()
        migrate(server.urls().owner_url)
        copied(server, folder / "standby")
        standby = second.start()
        opened += [
            Database(server.urls().app_url, info={"jobs": False}),
            Database(server.urls().auditor_url),
            Database(standby.urls().auditor_url),
        ]
        desk, primary, replica = opened
        yield Pair(builders.a_town(desk), standby, primary, replica)
    finally:
        for database in opened:
            database.dispose()
        second.stop()
        first.stop()


def copied(server: Server, home: Path) -> None:
    """What an operator does: a base backup that follows its primary."""
    place, access = place_for(home), read_access(server.place)
    place.prepare()
    place.keys.mkdir(parents=True, exist_ok=True)
    access.write(place.access_file)
    socket = parse_qs(urlsplit(server.urls().owner_url).query)["host"][0]
    place.data.mkdir(mode=0o700)
    place.account.give(place.data)
    source = f"host={socket} port={access.port} user={OWNER} password={access.owner}"
    place.programs.run(
        "pg_basebackup",
        "--pgdata",
        place.data,
        "--dbname",
        source,
        "--write-recovery-conf",
        "--checkpoint=fast",
    )


def asked(reads: HeavyReads) -> bool:
    """Whether the replica answered."""
    return bool(reads.run(lambda session: session.scalar(STANDBY)))


def test_what_was_committed_a_moment_ago_is_read_from_the_replica(pair: Pair) -> None:
    query = text("select true from milestones where id = :id and pg_is_in_recovery()")
    for _ in range(3):
        number = builders.funded(pair.town).milestone
        assert pair.reads.run(lambda session, number=number: session.scalar(query, {"id": number}))  # type: ignore[misc]


def test_an_export_is_read_there_and_recorded_on_the_primary(pair: Pair) -> None:
    out = io.BytesIO()
    done = export_ledger(
        pair.reads,
        LedgerFilter(),
        LedgerFormat.CSV,
        out,
        desk=pair.town.database,
        actor=pair.town.as_staff("fay"),
        now=pair.town.now,
    )
    with pair.town.database.reading() as session:
        assert done.rows == session.scalar(text("select count(*) from postings")) > 0
        said = session.scalar(text("select after ->> 'sha256' from audit_entries order by id desc limit 1"))
    assert said == done.sha256


def test_a_replica_that_is_behind_is_not_asked(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "PATIENCE", 0.2)
    pair.replay("pause")
    try:
        builders.funded(pair.town)
        assert not asked(pair.reads)
    finally:
        pair.replay("resume")
    monkeypatch.setattr(replicas, "PATIENCE", 60.0)
    assert asked(pair.reads)


def test_how_far_it_is_behind_is_a_metric(pair: Pair, tmp_path: Path) -> None:
    desk = replace(a_desk(pair.town.database, tmp_path), auditor=pair.primary, replica=pair.replica)
    pair.replay("pause")
    try:
        builders.funded(pair.town)
        assert replicas.behind(pair.primary, pair.replica) > 0
        numbers = metrics.render(desk).decode()
        assert "escrow_desk_replica_up 1" in numbers
        held = pair.town.read(ledger.nets)["held", "USD"]
        assert f'escrow_desk_balance_minor{{account="held",currency="USD"}} {-held.minor:.1f}' in numbers
        assert "escrow_desk_replica_behind_bytes 0" not in numbers
        assert "escrow_desk_replica_behind_bytes" in numbers
    finally:
        pair.replay("resume")
    away = Database("postgresql+psycopg://app@127.0.0.1:1/none", pool_size=1)
    assert "escrow_desk_replica_up 0" in metrics.render(replace(desk, replica=away)).decode()
    assert "escrow_desk_replica" not in metrics.render(replace(desk, replica=None)).decode()


def test_a_replica_that_gives_a_read_up_is_asked_no_more_and_the_read_begins_anew(pair: Pair) -> None:
    begun: list[bool] = []

    def question(session: Session) -> int:
        begun.append(bool(session.scalar(STANDBY)))
        if begun[-1]:
            session.execute(text("insert into installation (id) values (2)"))
        return 42

    assert pair.reads.run(question) == 42
    assert begun == [True, False]


def test_without_a_replica_or_with_one_that_is_away_the_primary_answers(pair: Pair) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    for reads in (
        HeavyReads(pair.primary),
        HeavyReads(pair.primary, away),
        HeavyReads(pair.primary, pair.primary),
    ):
        assert asked(reads) is False
    with pytest.raises(OperationalError):
        HeavyReads(away, away).run(lambda session: session.scalar(STANDBY))


def test_the_desk_exports_the_ledger_from_there_and_the_doctor_says_so(pair: Pair, tmp_path: Path) -> None:
    settings = Settings(
        database_url=pair.town.database.url.render_as_string(hide_password=False),
        database_auditor_url=pair.primary.url.render_as_string(hide_password=False),
        database_replica_url=pair.replica.url.render_as_string(hide_password=False),
        home=tmp_path,
        stripe_api_key="sk_test_x",
    )
    desk = Desk.open(settings)
    try:
        assert asked(desk.reports)
    finally:
        desk.close()
    assert _read_replica(settings).ok
    gone = settings.model_copy(update={"database_replica_url": "postgresql://nobody@127.0.0.1:1/none"})
    look = _read_replica(gone)
    assert (look.ok, "read from the primary" in look.words) == (False, True)
