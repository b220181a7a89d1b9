"""`escrow-desk backup`, `restore` and `restored` at a terminal: what is whole, what is refused, what a kill leaves."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from core import audit
from core.backup.postgres_tools import tools
from core.db import Database
from core.embedded_postgres import Server, Urls
from core.gateways.evidence_store import EvidenceStore
from core.queries.audit import seal_state
from tests import builders, patience, unrecorded
from tests.cli.terminal import ROOT, Terminal, clean
from tests.database import as_owner

PASSPHRASE = "a battery of horses"


@pytest.fixture
def town(database: Database) -> builders.Town:
    return builders.a_town(database)


@pytest.fixture
def desk(town: builders.Town, urls: Urls, home: Path) -> Terminal:
    """A desk with a photograph, sealed once, at a terminal."""
    EvidenceStore(home).put(town.payer_id, b"a photograph")
    seal(town.database, home)
    return at(urls, home)


def at(urls: Urls, home: Path, **also: str) -> Terminal:
    return Terminal(
        {
            "DATABASE_URL": urls.app_url,
            "DATABASE_OWNER_URL": urls.owner_url,
            "DATABASE_AUDITOR_URL": urls.auditor_url,
            "STRIPE_API_KEY": "sk_test_x",
            "ESCROW_DESK_HOME": str(home),
            "ESCROW_DESK_BACKUP_PASSPHRASE": PASSPHRASE,
            **also,
        }
    )


def seal(database: Database, home: Path) -> None:
    now = datetime.now(UTC)
    signer = audit.desk_signer(database, home, now=now)
    for _ in range(1000):  # a transaction of a test beside this one delays a seal
        audit.seal(database, signer, home / "checkpoints", now=now)
        with database.reading() as session:
            if not seal_state(session).open:
                return
        time.sleep(0.02)


@pytest.fixture
def empty(server: Server, tmp_path: Path) -> Iterator[Terminal]:
    """A terminal on an empty database of the same server, and no home."""
    name = f"copy_{os.getpid()}_restored_{time.monotonic_ns()}"
    urls = server.create_database(name)
    yield at(urls, tmp_path / "new")
    server.drop_database(name)


def backups(folder: Path) -> list[str]:
    return sorted(
        path.name for path in folder.iterdir() if not path.name.startswith(".") and path.name != "evidence"
    )


def test_a_backup_is_whole_and_becomes_a_desk_again(
    desk: Terminal, empty: Terminal, town: builders.Town, tmp_path: Path
) -> None:
    folder, keys = tmp_path / "backups", tmp_path / "keys"
    made = desk.run("backup", "--to", folder, "--keys-to", keys, "--json").well().json
    assert (made["evidence"], made["evidence_copied"], made["last_seal"]) == (1, 1, 1)
    assert keys.stat().st_mode & 0o077 == 0
    assert (
        desk.run("backup", "--verify", made["backup"], "--json").well().json["signed_by"] == made["signed_by"]
    )
    with town.database.reading() as session:
        told = session.execute(
            text("select action, role from audit_entries where object_kind = 'backup'")
        ).one()
    assert told.action == "operator:backup:make"

    done = empty.run("restore", made["backup"], "--keys", keys, "--json").well().json
    assert done["next"][0] == "`escrow-desk doctor`"
    new = Path(empty.environment["ESCROW_DESK_HOME"])
    assert EvidenceStore(new).get(town.payer_id, sha(b"a photograph")) == b"a photograph"
    assert (
        json.loads(empty.run("operation", "list", "--json").well().out)["paused"]["source"]
        == Path(made["backup"]).name
    )
    empty.run("audit", "seal").well()
    empty.run("audit", "verify").well()
    assert not (new / "restoring.json").exists()
    empty.run("restore", made["backup"], "--keys", keys).refuses("empty database", "tables")
    empty.run("operation", "resume", "--reason", "Nothing happened since.").well()
    assert empty.run("operation", "list").well().out.strip() == "No request waits for a person."
    empty.run("operation", "resume", "--reason", "Again.").refuses("not paused")
    empty.run("check").well()


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_what_was_altered_is_named_and_not_restored(desk: Terminal, empty: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    made = Path(desk.run("backup", "--to", folder, "--json").well().json["backup"])
    evidence = next((folder / "evidence").glob("*/*"))
    for path, words in (
        (made / "database.dump", "database.dump was altered or damaged"),
        (evidence, "was altered or damaged"),
        (next((made / "checkpoints").glob("*.jsonl")), "was altered or damaged"),
    ):
        before = path.read_bytes()
        path.write_bytes(before[:-20] + b"x" * 20)
        found = desk.run("backup", "--verify", made)
        assert found.code == 1
        assert words in found.out
        empty.run("restore", made).refuses("is not as it was made", "Nothing was restored")
        path.write_bytes(before)
    manifest = json.loads((made / "manifest.json").read_text())
    manifest["manifest"]["taken_at"] = "2020-01-01T00:00:00+00:00"
    (made / "manifest.json").write_text(json.dumps(manifest))
    assert "signature" in desk.run("backup", "--verify", made).out
    evidence.unlink()
    assert "is missing" in desk.run("backup", "--verify", made).out
    desk.run("backup", "--verify", tmp_path / "nothing").refuses("is no backup of a desk")


def test_keys_stay_apart_and_under_a_passphrase(desk: Terminal, empty: Terminal, tmp_path: Path) -> None:
    folder, keys = tmp_path / "backups", tmp_path / "keys"
    short, secret = tmp_path / "short", tmp_path / "secret"
    short.write_text("horse\n")
    secret.write_text("quite another passphrase\n")
    folder.mkdir()
    desk.run("backup", "--to", folder, "--keys-to", folder / "keys").refuses("Name a place elsewhere")
    desk.run("backup", "--to", folder, "--keys-to", keys, ESCROW_DESK_BACKUP_PASSPHRASE="").refuses(
        "passphrase"
    )
    desk.run("backup", "--to", folder, "--keys-to", keys, "--passphrase-file", short).refuses("12 or more")
    assert backups(folder) == []
    assert not keys.exists()
    made = desk.run("backup", "--to", folder, "--keys-to", keys, "--json").well().json["backup"]
    assert b"PRIVATE" not in keys.read_bytes()
    empty.run("restore", made, "--keys", keys, "--passphrase-file", secret).refuses("does not open")
    empty.run("restore", made, "--keys", secret).refuses("is no file of a desk's keys")
    assert not any(path.read_bytes().count(b"PRIVATE KEY") for path in folder.rglob("*") if path.is_file())


def test_only_what_is_new_is_copied_and_old_ones_go_with_their_evidence(
    desk: Terminal, town: builders.Town, home: Path, tmp_path: Path
) -> None:
    folder, store = tmp_path / "backups", EvidenceStore(home)
    first = desk.run("backup", "--to", folder, "--json").well().json
    second = store.put(town.payee_id, b"a letter")
    made = desk.run("backup", "--to", folder, "--json").well().json
    assert (made["evidence"], made["evidence_copied"]) == (2, 1)
    store.erase(town.payer_id, retention=None)
    assert len(list((folder / "evidence").glob("*/*"))) == 2
    last = desk.run("backup", "--to", folder, "--keep", 1, "--json").well().json
    assert last["removed"] == [Path(first["backup"]).name, Path(made["backup"]).name]
    assert backups(folder) == [Path(last["backup"]).name]
    assert len(list((folder / "evidence").glob("*/*"))) == 1
    assert store.get(town.payee_id, second) == b"a letter"


def test_nothing_that_is_there_is_overwritten(desk: Terminal, empty: Terminal, tmp_path: Path) -> None:
    made = desk.run("backup", "--to", tmp_path / "backups", "--json").well().json["backup"]
    desk.run("restore", made).refuses("empty database and an empty home only", "tables")
    held = Path(empty.environment["ESCROW_DESK_HOME"]) / "evidence"
    held.mkdir(parents=True)
    (held / "something").touch()
    empty.run("restore", made).refuses("has evidence")


def test_who_was_erased_since_is_named(
    desk: Terminal, empty: Terminal, town: builders.Town, home: Path, tmp_path: Path
) -> None:
    folder, keys = tmp_path / "backups", tmp_path / "keys"
    made = desk.run("backup", "--to", folder, "--json").well().json["backup"]
    EvidenceStore(home).erase(town.payer_id, retention=None)
    desk.run("backup", "--to", tmp_path / "later", "--keys-to", keys).well()
    done = empty.run("restore", made, "--keys", keys, "--json")
    assert done.code == 1
    assert done.json["erased"] == [town.payer_id]
    assert f"erase parties {town.payer_id} again" in done.json["next"][0]


@contextmanager
def hanging(
    desk: Terminal, tool: str, tmp_path: Path, *arguments: object
) -> Iterator[subprocess.Popen[bytes]]:
    """The command, while one of PostgreSQL's programs has done a part of its work and stands still."""
    real, here, reached = tools(180_000).bin, tmp_path / "tools", tmp_path / "reached"
    here.mkdir(exist_ok=True)
    for name in ("pg_dump", "pg_restore", "psql"):
        halts = f'{real}/{name} "$@" | head -c 20000; touch {reached}; exec sleep 600'
        if tool == "pg_dump":
            halts = f"touch {reached}; exec sleep 600"
        does = f'exec {real}/{name} "$@"'
        body = (
            f'case "$*" in *--version*) {does};; *dev/null*) {does};; *) {halts};; esac'
            if name == tool
            else does
        )
        (here / name).write_text(f"#!/bin/sh\n{body}\n")
        (here / name).chmod(0o755)
    command = [sys.executable, "-m", "core.cli", *map(str, arguments)]
    path = f"{here}:{os.defpath}"
    running = subprocess.Popen(
        command, cwd=ROOT, env=clean(desk.environment) | {"PATH": path}, start_new_session=True
    )
    try:
        until = time.monotonic() + patience.SECONDS
        while not reached.exists():
            assert running.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        yield running
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


@pytest.mark.slow
def test_a_backup_that_was_killed_is_none_and_the_next_clears_it(desk: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    with hanging(desk, "pg_dump", tmp_path, "backup", "--to", folder) as running:
        desk.run("backup", "--to", folder).refuses("Another backup", "is under way")
        os.kill(running.pid, signal.SIGKILL)
    assert backups(folder) == []
    assert list(folder.glob(".draft-*"))
    desk.run("backup", "--to", folder).well()
    assert len(backups(folder)) == 1
    assert not list(folder.glob(".draft-*"))


@pytest.mark.slow
def test_a_restore_that_was_killed_is_given_again(desk: Terminal, empty: Terminal, tmp_path: Path) -> None:
    keys, owner = tmp_path / "keys", Database(empty.environment["DATABASE_OWNER_URL"])
    made = desk.run("backup", "--to", tmp_path / "backups", "--keys-to", keys, "--json").well().json["backup"]
    with hanging(empty, "pg_restore", tmp_path, "restore", made, "--keys", keys) as running:
        os.kill(running.pid, signal.SIGKILL)
    tables = "select count(*) from pg_tables where schemaname = 'public'"
    with owner.reading() as session:
        assert session.scalar(text(tables)) == 0
    owner.dispose()
    assert (Path(empty.environment["ESCROW_DESK_HOME"]) / "restoring.json").exists()
    empty.run("restore", made, "--keys", keys).well()
    empty.run("audit", "verify").well()
    shutil.rmtree(tmp_path / "tools")


def test_a_database_that_was_brought_back_by_other_means_gets_its_checkpoints(
    desk: Terminal, empty: Terminal, town: builders.Town, home: Path, tmp_path: Path
) -> None:
    """The home went on, and its file knows a seal that this database does not."""
    made = Path(
        desk.run("backup", "--to", tmp_path / "backups", "--keys-to", tmp_path / "keys", "--json")
        .well()
        .json["backup"]
    )
    seal(town.database, home)  # what the backup's own entry came to
    ahead = next((home / "checkpoints").glob("*.jsonl"))
    assert len(ahead.read_text().splitlines()) == 2
    empty.run("restore", made, "--keys", tmp_path / "keys").well()
    new = Path(empty.environment["ESCROW_DESK_HOME"])
    shutil.copy(ahead, new / "checkpoints" / ahead.name)
    assert "Nothing was signed" in empty.run("audit", "seal").err
    as_of = datetime.now(UTC) - timedelta(minutes=5)
    empty.run("restored", "--as-of", f"{as_of:%Y-%m-%dT%H:%M:%S}", "--checkpoints", ahead).refuses(
        "seal 2 differs"
    )


def test_checkpoints_are_adopted_by_a_person_with_a_reason(
    desk: Terminal, town: builders.Town, home: Path
) -> None:
    builders.a_party(town, "PAYER", "Another")
    desk.run("audit", "seal").well()
    next((home / "checkpoints").glob("*.jsonl")).unlink()
    desk.run("audit", "seal").refuses("no checkpoints in")
    desk.run("audit", "seal", "--adopt").refuses("reason")
    desk.run("audit", "seal", "--adopt", "--reason", "No.", "--as", town.staff["mia"]).refuses("You may not")
    desk.run("audit", "seal", "--adopt", "--reason", "The disk of Monday was lost.").well()
    with town.database.reading() as session:
        reason = session.scalar(
            text("select reason from audit_entries where action = 'operator:checkpoints:adopt'")
        )
    assert reason == "The disk of Monday was lost."
    desk.run("audit", "verify").well()


def test_requests_that_wait_for_a_person_are_listed_as_on_the_page(
    desk: Terminal, town: builders.Town
) -> None:
    builders.funded(town)
    with as_owner(town.database) as session:
        session.execute(text("set local session_replication_role = replica"))
        session.execute(
            text("update outgoing_operations set status = 'REVIEW', last_error = 'No clear answer.'")
        )
        unrecorded.admit(session)
    (row,) = desk.run("operation", "list", "--json").well().json["review"]
    assert (row["kind"], row["reason"]) == ("CHARGE", "No clear answer.")
    assert row["amount"] == {"minor": 190_041, "currency": "USD"}
    assert f"{row['key']}  $1,900.41  No clear answer." in desk.run("operation", "list").well().out
